//! What a study came to.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;

use runs::atomic_file;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};
use spec::{Number, ObjectiveSpec, RunState, TrialRecord, TrialState};
use study::{Counts, REPORT, REPORT_JSON, StudyView};

use crate::error::CliError;
use crate::output;
use crate::study_command::{grid, retrain};
use crate::table::{Align, short, table};

/// Reasons for failures that people are told, the commonest first.
const N_FAILURES_SHOWN: usize = 3;

/// What a study came to, for programs.
#[derive(Serialize)]
pub(crate) struct Report {
    study: String,
    dir: String,
    n_trials: usize,
    n_complete: usize,
    n_pruned: usize,
    n_failed: usize,
    n_reused: usize,
    n_running: usize,
    n_waiting: usize,
    /// Time in which somebody worked on it.
    worked_s: f64,
    /// `None` where only other programs worked on it, whose time nobody counts.
    trials_per_hour: Option<f64>,
    best: Vec<BestTrial>,
    /// Why there is no best one, of trials that are over.
    nothing_good: Option<String>,
    /// How many trials failed for which reason.
    failures: BTreeMap<String, usize>,
    #[serde(serialize_with = "as_map")]
    importance: Vec<(String, f64)>,
}

/// One of the best.
#[derive(Serialize)]
struct BestTrial {
    trial: u64,
    values: Map<String, Json>,
    params: Map<String, Json>,
    /// Of the networks trained again, where that was done.
    retrained: Option<Retrained>,
    /// What was best of the grid that was tried before.
    #[serde(skip_serializing_if = "Map::is_empty")]
    grid: Map<String, Json>,
}

/// Test accuracy of the same network trained on all but the test samples, over seeds.
#[derive(Serialize)]
pub(crate) struct Retrained {
    n: usize,
    test_accuracy: f64,
    /// Of the mean.
    standard_error: Option<f64>,
    each: Vec<f64>,
    runs: Vec<String>,
}

impl Retrained {
    pub(crate) fn to_text(&self) -> String {
        let Self { n, test_accuracy, standard_error, .. } = self;
        let error = standard_error.map_or_else(String::new, |error| format!(" ± {error:.4}"));
        format!(
            "trained again on training and validation images: test accuracy {test_accuracy:.4}{error} (n = {n})"
        )
    }
}

impl Report {
    pub(crate) fn of(view: &StudyView) -> Self {
        let Counts { waiting, running, complete, pruned, failed } = view.counts();
        let is_reused = |trial: &&TrialRecord| trial.user_attributes.contains_key(search::DUPLICATE_OF);
        let worked_s = view.worked_s();
        let finalists = grid::finalists(view);
        let best = shown(view).into_iter().map(|trial| {
            let finalist = finalists.iter().find(|one| one.trial.number == trial.number);
            BestTrial {
                trial: trial.number,
                values: values(view.objectives(), trial),
                params: study::params_to_json(trial),
                retrained: finalist.and_then(|_| retrained(view, trial.number)),
                grid: finalist.map(|one| grid::chosen(view, &one.combination)).unwrap_or_default(),
            }
        });
        let best: Vec<_> = best.collect();
        let n_over = complete + pruned + failed;
        Self {
            study: view.spec().name.clone(),
            dir: view.folder().dir().display().to_string(),
            n_trials: view.trials().len(),
            n_complete: complete,
            n_pruned: pruned,
            n_failed: failed,
            n_reused: view.trials().iter().filter(is_reused).count(),
            n_running: running,
            n_waiting: waiting,
            worked_s,
            trials_per_hour: (worked_s > 0.0).then(|| n_over as f64 / worked_s * 3600.0),
            nothing_good: (best.is_empty() && n_over > 0).then(|| view.nothing_good().to_string()),
            best,
            failures: failures(view),
            importance: importance(view),
        }
    }

    fn to_text(&self) -> String {
        let Self { study, n_trials, n_complete, n_pruned, n_failed, n_reused, worked_s, .. } = self;
        let mut text = format!(
            "study {study}: {n_trials} trials ({n_complete} whole, {n_pruned} pruned, {n_failed} failed, {n_reused} of them reused) \
             in {:.1} minutes",
            worked_s / 60.0
        );
        for best in &self.best {
            let values = joined(&best.values);
            text.push_str(&format!("\nbest trial {}: {values}\n  {}", best.trial, joined(&best.params)));
            if !best.grid.is_empty() {
                text.push_str(&format!("\n  best of the grid: {}", joined(&best.grid)));
            }
            if let Some(retrained) = &best.retrained {
                text.push_str(&format!("\n  {}", retrained.to_text()));
            }
        }
        if let Some(reason) = &self.nothing_good {
            text.push_str(&format!("\n{reason}"));
        }
        let mut failures: Vec<_> = self.failures.iter().collect();
        failures.sort_by_key(|&(_, &n)| Reverse(n));
        for (reason, n) in failures.into_iter().take(N_FAILURES_SHOWN) {
            text.push_str(&format!("\nfailed, {n} of {n_trials}: {reason}"));
        }
        text
    }

    /// For people, as a file.
    fn to_markdown(&self) -> String {
        let importance = match self.importance.is_empty() {
            true => String::new(),
            false => format!(
                "\n\n## Importance of the parameters\n\n```\n{}\n```",
                importance_table(&self.importance)
            ),
        };
        format!("# {}\n\n```\n{}\n```{importance}\n", self.study, self.to_text())
    }
}

/// How many trials failed for which reason, of those that have one.
fn failures(view: &StudyView) -> BTreeMap<String, usize> {
    let mut failures = BTreeMap::new();
    for reason in view.trials().iter().filter_map(failure) {
        *failures.entry(reason.to_owned()).or_default() += 1;
    }
    failures
}

/// Why a trial failed.
pub(crate) fn failure(trial: &TrialRecord) -> Option<&str> {
    let is_failed = trial.state == TrialState::Failed;
    trial.user_attributes.get(study::FAILURE).filter(|_| is_failed).and_then(Json::as_str)
}

/// How much each parameter decides, the largest first; empty as long as nothing can be told.
pub(crate) fn importance(view: &StudyView) -> Vec<(String, f64)> {
    let shares = search::importance(view.history());
    if shares.iter().all(|(_, share)| *share == 0.0) { Vec::new() } else { shares }
}

fn as_map<S: Serializer>(importance: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(importance.iter().map(|(name, share)| (name, share)))
}

pub(crate) fn importance_table(importance: &[(String, f64)]) -> String {
    let row = |(name, share): &(String, f64)| vec![name.clone(), format!("{share:.3}")];
    table(&[Align::Left, Align::Right], &importance.iter().map(row).collect::<Vec<_>>())
}

/// The front of several objectives; of a single one those that are trained again, or the best alone.
fn shown(view: &StudyView) -> Vec<&TrialRecord> {
    let chosen = retrain::chosen(view);
    match (view.objectives().len(), chosen.is_empty()) {
        (1, true) => view.best().into_iter().take(1).collect(),
        (1, false) => chosen,
        _ => view.best(),
    }
}

/// Puts the report into the study's folder.
pub(crate) fn write(view: &StudyView) -> Result<(), CliError> {
    let report = Report::of(view);
    let json = serde_json::to_string_pretty(&report)? + "\n";
    let folder = view.folder();
    folder.exclusively(|| {
        atomic_file::replace(&folder.path(REPORT_JSON), json.as_bytes())?;
        Ok(atomic_file::replace(&folder.path(REPORT), report.to_markdown().as_bytes())?)
    })
}

/// Says what it came to.
pub(crate) fn summary(view: &StudyView, is_json: bool) -> Result<(), CliError> {
    let report = Report::of(view);
    if is_json { output::json(&report) } else { output::line(&report.to_text()) }
}

pub(crate) fn retrained(view: &StudyView, number: u64) -> Option<Retrained> {
    let dirs = (0..view.spec().retrain.seeds).map(|idx| view.folder().retrained(number, idx));
    let tested = |dir: PathBuf| {
        let record = runs::read_record(&dir).ok()??;
        if record.state != RunState::Finished {
            return None;
        }
        let accuracy = record.epochs.last()?.test_accuracy;
        accuracy.is_finite().then(|| (accuracy, dir.display().to_string()))
    };
    let (each, runs): (Vec<f64>, Vec<String>) = dirs.filter_map(tested).unzip();
    let n = each.len();
    if n == 0 {
        return None;
    }
    let mean = each.iter().sum::<f64>() / n as f64;
    let squares: f64 = each.iter().map(|x| (x - mean) * (x - mean)).sum();
    let standard_error = (n > 1).then(|| (squares / (n - 1) as f64 / n as f64).sqrt());
    Some(Retrained { n, test_accuracy: mean, standard_error, each, runs })
}

/// The objectives by name; values that are not finite are texts.
pub(crate) fn values(objectives: &[ObjectiveSpec], trial: &TrialRecord) -> Map<String, Json> {
    let values = match &trial.state {
        TrialState::Complete { values } | TrialState::Pruned { values } => values.as_slice(),
        _ => &[],
    };
    objectives
        .iter()
        .zip(values)
        .map(|(objective, &value)| (objective.name.clone(), json!(Number(value))))
        .collect()
}

/// `kernel 5, learning_rate 0.0123`
pub(crate) fn joined(map: &Map<String, Json>) -> String {
    let shown = map.iter().map(|(name, value)| match value {
        Json::String(text) => format!("{name} {text}"),
        Json::Number(number) if number.is_f64() => {
            format!("{name} {}", short(number.as_f64().unwrap_or(f64::NAN)))
        }
        value => format!("{name} {value}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}
