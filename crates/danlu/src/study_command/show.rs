//! Looking at studies: `list`, `show`, `best`, `trials`, `export`, `importance`.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use spec::{StudySpec, TrialRecord, TrialState};
use store::Lease;
use study::{Counts, PRESETS, REPORT_JSON, StudyView, params_to_json as params};

use crate::cli::{StateName, StudyBestArgs, StudyExportArgs, StudyListArgs, StudyShowArgs, StudyTrialsArgs};
use crate::error::CliError;
use crate::output;
use crate::study_command::candidate::Candidates;
use crate::study_command::report::{Report, failure, values};
use crate::study_command::trial::n_epochs;
use crate::study_command::{place, report, retrain};
use crate::table::{Align, short, table};

/// Which studies are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    /// Those with a grammar.
    Searches,
}

impl Which {
    fn lists(self, spec: &StudySpec) -> bool {
        self == Self::All || spec.grammar.is_some()
    }
}

pub(crate) fn list(args: &StudyListArgs, which: Which) -> Result<(), CliError> {
    let mut rows = vec![["study", "state", "trials", "best", "about"].map(String::from).to_vec()];
    for dir in place::all(&args.studies)? {
        let name = dir.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        match StudyView::open(&dir) {
            Ok(view) if !which.lists(view.spec()) => {}
            Ok(view) if args.json => output::json(&Report::of(&view))?,
            Ok(view) => rows.push(row(&name, &view)),
            Err(error) if args.json => {
                output::json(&json!({"study": name, "error": CliError::from(error).one_line()}))?
            }
            Err(error) => {
                let reason = CliError::from(error).one_line();
                rows.push(vec![name, "unreadable".into(), String::new(), String::new(), reason]);
            }
        }
    }
    let is_begun = |name: &str| rows.iter().any(|row| row[0] == name);
    let is_listed =
        |preset: &study::Preset| StudySpec::from_toml(preset.text).is_ok_and(|spec| which.lists(&spec));
    let is_fresh = |preset: &&study::Preset| !is_begun(preset.name) && is_listed(preset);
    let fresh: Vec<_> = PRESETS.iter().filter(is_fresh).collect();
    for preset in fresh {
        let cells = [preset.name, "comes with danlu", "", "", preset.about];
        match args.json {
            true => output::json(&json!({"study": preset.name, "about": preset.about, "begun": false}))?,
            false => rows.push(cells.map(String::from).to_vec()),
        }
    }
    if args.json {
        Ok(())
    } else {
        output::line(&table(&[Align::Left, Align::Left, Align::Right, Align::Right, Align::Left], &rows))
    }
}

fn row(name: &str, view: &StudyView) -> Vec<String> {
    let (counts, best) = (view.counts(), view.best());
    // Whether everything was tried is known at the end alone.
    let is_exhausted =
        view.spec().sampler == spec::SamplerSpec::Grid && view.folder().path(REPORT_JSON).exists();
    let is_worked_on = study::any_works(view.folder()) || view.trials().iter().any(is_elsewhere);
    let has_left = counts.waiting + counts.running > 0 || view.ending().is_none() && !is_exhausted;
    let state = match (is_worked_on, has_left) {
        (true, _) => "running",
        (false, true) => "can go on",
        (false, false) => "done",
    };
    let value = best
        .first()
        .and_then(|best| best.state.complete_values())
        .map_or_else(String::new, |values| short(values[0]));
    let objectives: Vec<&str> = view.objectives().iter().map(|objective| objective.name.as_str()).collect();
    vec![name.into(), state.into(), view.trials().len().to_string(), value, objectives.join(", ")]
}

/// Whether a trial runs where nobody can see whether it still does: in another program, or in an Optuna.
fn is_elsewhere(trial: &TrialRecord) -> bool {
    let lease = trial.system_attributes.get(store::LEASE).and_then(Lease::from_json);
    trial.state == TrialState::Running && lease.is_none_or(|lease| lease.is_outside())
}

pub(crate) fn show(args: &StudyShowArgs) -> Result<(), CliError> {
    let view = place::view(&args.of.study, &args.of.studies)?;
    report::summary(&view, args.json)?;
    let Counts { waiting, running, .. } = view.counts();
    if !args.json && waiting + running > 0 {
        output::line(&format!("{running} running, {waiting} waiting"))?;
    }
    Ok(())
}

pub(crate) fn best(args: &StudyBestArgs) -> Result<(), CliError> {
    let view = place::view(&args.of.study, &args.of.studies)?;
    let best = view.best();
    let Some(first) = best.first() else {
        return Err(view.nothing_good().into());
    };
    if args.toml {
        let candidates = Candidates::of(&view)?;
        let prepared = candidates.prepare(&retrain::values_of(first))?;
        let spec = spec::TrainSpec { test: spec::Testing::EachEpoch, ..prepared.spec };
        return output::exact(spec.to_toml()?.trim_end());
    }
    let shown = if view.objectives().len() == 1 { &best[..1] } else { &best[..] };
    for trial in shown {
        match args.json {
            true => output::json(&object(&view, trial))?,
            false => output::line(&format!("trial {}: {}", trial.number, line(&view, trial)))?,
        }
    }
    Ok(())
}

fn line(view: &StudyView, trial: &TrialRecord) -> String {
    let shown = values(view.objectives(), trial).into_iter().chain(params(trial));
    let text =
        |value: &Json| value.as_f64().filter(|_| value.is_f64()).map_or_else(|| value.to_string(), short);
    shown.map(|(name, value)| format!("{name} {}", text(&value))).collect::<Vec<_>>().join(", ")
}

pub(crate) fn trials(args: &StudyTrialsArgs) -> Result<(), CliError> {
    let view = place::view(&args.of.study, &args.of.studies)?;
    let mut trials: Vec<&TrialRecord> = view.trials().iter().collect();
    trials.retain(|trial| args.state.is_none_or(|state| state.is(&trial.state)));
    if args.sorted {
        let first = view.objectives()[0].direction;
        let cost = |trial: &TrialRecord| {
            trial.state.complete_values().map_or(f64::INFINITY, |values| first.cost(values[0]))
        };
        let is_worse = |trial: &TrialRecord| !trial.is_feasible();
        trials.sort_by(|a, b| is_worse(a).cmp(&is_worse(b)).then(cost(a).total_cmp(&cost(b))));
    }
    trials.truncate(args.limit.unwrap_or(usize::MAX));
    let columns = Columns::of(&view, &trials);
    let mut rows = vec![columns.titles(&["trial", "state", "epochs"])];
    rows.extend(trials.iter().map(|trial| {
        let head = [trial.number.to_string(), state_word(trial).into(), n_epochs(trial).to_string()];
        columns.row(head.to_vec(), trial, |value| match value {
            None | Some(Json::Null) => "-".into(),
            Some(Json::String(text)) => text.clone(),
            Some(value) => value.as_f64().filter(|_| value.is_f64()).map_or_else(|| value.to_string(), short),
        })
    }));
    let is_left = |title: &String| ["state", "failure"].contains(&title.as_str());
    let aligns: Vec<Align> =
        rows[0].iter().map(|title| if is_left(title) { Align::Left } else { Align::Right }).collect();
    output::line(&table(&aligns, &rows))
}

/// The columns of a table of trials, behind those that every study has.
struct Columns<'a> {
    view: &'a StudyView,
    /// Whether a trial says whether it keeps to constraints.
    is_constrained: bool,
    /// Whether a trial says why it failed.
    has_failures: bool,
}

impl<'a> Columns<'a> {
    fn of(view: &'a StudyView, trials: &[&TrialRecord]) -> Self {
        Self {
            view,
            is_constrained: trials.iter().any(|trial| !trial.constraints().is_empty()),
            has_failures: trials.iter().any(|trial| failure(trial).is_some()),
        }
    }

    /// Their titles. A parameter with the name of another column is `params_NAME`, as in Optuna's tables.
    fn titles(&self, head: &[&str]) -> Vec<String> {
        let mut titles: Vec<String> = head.iter().copied().map(String::from).collect();
        titles.extend(self.view.objectives().iter().map(|objective| objective.name.clone()));
        if self.is_constrained {
            titles.push("feasible".into());
        }
        let others: Vec<String> = titles.iter().cloned().chain(["failure".into()]).collect();
        let title = |name: &str| match others.iter().any(|other| other == name) {
            true => format!("params_{name}"),
            false => name.into(),
        };
        titles.extend(self.view.space().dimensions().iter().map(|dimension| title(&dimension.name)));
        if self.has_failures {
            titles.push("failure".into());
        }
        titles
    }

    /// A trial's cells behind `head`, in the order of the titles.
    fn row(
        &self,
        head: Vec<String>,
        trial: &TrialRecord,
        text: impl Fn(Option<&Json>) -> String,
    ) -> Vec<String> {
        let (values, params) = (values(self.view.objectives(), trial), params(trial));
        let mut cells = head;
        cells.extend(self.view.objectives().iter().map(|objective| text(values.get(&objective.name))));
        if self.is_constrained {
            let is_known = !trial.constraints().is_empty();
            cells.push(text(is_known.then(|| Json::from(trial.is_feasible())).as_ref()));
        }
        cells
            .extend(self.view.space().dimensions().iter().map(|dimension| text(params.get(&dimension.name))));
        if self.has_failures {
            cells.push(text(failure(trial).map(Json::from).as_ref()));
        }
        cells
    }
}

pub(crate) fn export(args: &StudyExportArgs) -> Result<(), CliError> {
    let view = place::view(&args.of.study, &args.of.studies)?;
    if args.json {
        return view.trials().iter().try_for_each(|trial| output::json(&object(&view, trial)));
    }
    let trials: Vec<&TrialRecord> = view.trials().iter().collect();
    let columns = Columns::of(&view, &trials);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let titles = columns.titles(&["trial", "state", "started_ms", "completed_ms", "epochs"]);
    writer.write_record(titles).map_err(CliError::Csv)?;
    for trial in trials {
        let time = |ms: Option<i64>| ms.map_or_else(String::new, |ms| ms.to_string());
        let head = vec![
            trial.number.to_string(),
            state_word(trial).into(),
            time(trial.started_ms),
            time(trial.completed_ms),
            n_epochs(trial).to_string(),
        ];
        let row = columns.row(head, trial, |value| match value {
            None | Some(Json::Null) => String::new(),
            Some(Json::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        });
        writer.write_record(row).map_err(CliError::Csv)?;
    }
    let bytes = writer.into_inner().map_err(|error| CliError::Csv(error.into_error().into()))?;
    output::exact(String::from_utf8_lossy(&bytes).trim_end())
}

pub(crate) fn importance(args: &StudyShowArgs) -> Result<(), CliError> {
    let view = place::view(&args.of.study, &args.of.studies)?;
    let importance = report::importance(&view);
    if importance.is_empty() {
        output::note("nothing can be told yet: it takes ten trials, and parameters that vary");
    }
    match args.json {
        true => output::json(&importance.into_iter().collect::<BTreeMap<String, f64>>()),
        false => output::line(&report::importance_table(&importance)),
    }
}

/// A trial for programs.
fn object(view: &StudyView, trial: &TrialRecord) -> Json {
    json!({
        "trial": trial.number,
        "state": state_word(trial),
        "values": values(view.objectives(), trial),
        "params": params(trial),
        "intermediate": trial.intermediate,
        "constraints": trial.constraints(),
        "started_ms": trial.started_ms,
        "completed_ms": trial.completed_ms,
        "user_attributes": trial.user_attributes,
    })
}

fn state_word(trial: &TrialRecord) -> &'static str {
    match trial.state {
        TrialState::Waiting => "waiting",
        TrialState::Running => "running",
        TrialState::Complete { .. } => "complete",
        TrialState::Pruned { .. } => "pruned",
        TrialState::Failed => "failed",
    }
}

impl StateName {
    fn is(self, state: &TrialState) -> bool {
        match self {
            Self::Waiting => *state == TrialState::Waiting,
            Self::Running => *state == TrialState::Running,
            Self::Complete => matches!(state, TrialState::Complete { .. }),
            Self::Pruned => matches!(state, TrialState::Pruned { .. }),
            Self::Failed => *state == TrialState::Failed,
        }
    }
}
