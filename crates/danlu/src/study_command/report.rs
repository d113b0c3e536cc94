//! What a study came to.

use std::path::PathBuf;

use runs::atomic_file;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use spec::{ObjectiveSpec, RunState, TrialRecord, TrialState};
use study::{Counts, REPORT, REPORT_JSON, StudyView};

use crate::error::CliError;
use crate::output;
use crate::study_command::{grid, retrain};
use crate::table::{Align, short, table};

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
    trials_per_hour: f64,
    best: Vec<BestTrial>,
    importance: Map<String, Json>,
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
        let is_reused = |trial: &&TrialRecord| trial.user_attributes.contains_key(study::DUPLICATE_OF);
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
        let importance = search::importance(view.history());
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
            trials_per_hour: (complete + pruned + failed) as f64 / worked_s.max(1e-3) * 3600.0,
            best: best.collect(),
            importance: importance.into_iter().map(|(name, share)| (name, Json::from(share))).collect(),
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
        text
    }

    /// For people, as a file.
    fn to_markdown(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .importance
            .iter()
            .map(|(name, share)| vec![name.clone(), format!("{:.3}", share.as_f64().unwrap_or(0.0))])
            .collect();
        let importance = match rows.is_empty() {
            true => String::new(),
            false => format!(
                "\n\n## Importance of the parameters\n\n```\n{}\n```",
                table(&[Align::Left, Align::Right], &rows)
            ),
        };
        format!("# {}\n\n```\n{}\n```{importance}\n", self.study, self.to_text())
    }
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

/// The objectives by name.
pub(crate) fn values(objectives: &[ObjectiveSpec], trial: &TrialRecord) -> Map<String, Json> {
    let values = match &trial.state {
        TrialState::Complete { values } | TrialState::Pruned { values } => values.as_slice(),
        _ => &[],
    };
    objectives
        .iter()
        .zip(values)
        .map(|(objective, &value)| (objective.name.clone(), Json::from(value)))
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
