//! Other programs that work on a study: `ask`, `tell`, `enqueue`; and what people do to it: `stop`, `repair`.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::PathBuf;

use runs::StopRequest;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use spec::{Assignment, Number};
use store::StoreError;
use study::{
    Candidate, Ending, Next, Repaired, Study, StudyError, StudyFolder, StudyView, Told, params_from_json,
    value_to_json,
};

use crate::cli::{StudyAskArgs, StudyNameArgs, StudyStopArgs};
use crate::error::CliError;
use crate::output;
use crate::study_command::candidate::Candidates;
use crate::study_command::{place, retrain};

/// A line of `tell`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    trial: u64,
    /// One for each objective: the trial is whole.
    values: Option<Vec<Number>>,
    /// By how much each constraint is violated, above 0, or kept.
    #[serde(default)]
    constraints: Vec<Number>,
    /// With `value`: the first objective after a step.
    step: Option<u64>,
    value: Option<Number>,
    state: Option<End>,
    /// Why it failed.
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum End {
    Pruned,
    Failed,
}

pub(crate) fn ask(args: &StudyAskArgs) -> Result<(), CliError> {
    let place = place::to_begin(&args.study, &args.studies)?;
    let candidates = place.candidates()?;
    let view = place.open()?;
    candidates.as_ref().map_or(Ok(()), |candidates| candidates.keep_networks(&view))?;
    let mut study = study_of(view, candidates.as_ref())?;
    for _ in 0..args.n {
        let mut failure = None;
        let mut look = |values: &Assignment| match &candidates {
            Some(candidates) => candidates.look(values).map_err(|error| failure = Some(error)).ok(),
            None => Some(Candidate { run: format!("{values:?}"), ..Candidate::default() }),
        };
        let next = study.next(&mut look);
        failure.map_or(Ok(()), Err)?;
        match next? {
            Next::Try { number, values } => {
                output::json(&answer(&study, candidates.as_ref(), number, &values)?)?
            }
            Next::Wait => return output::json(&json!({"trial": null, "wait": true})),
            Next::Done(ending) => return output::json(&json!({"trial": null, "done": word(ending)})),
        }
    }
    Ok(())
}

fn study_of(view: StudyView, candidates: Option<&Candidates>) -> Result<Study, CliError> {
    // A pruner of another program's trials sees no end.
    let max_steps = candidates.map_or(u64::MAX, Candidates::n_epochs);
    Ok(Study::outside(view, max_steps)?)
}

fn answer(
    study: &Study,
    candidates: Option<&Candidates>,
    number: u64,
    values: &Assignment,
) -> Result<Json, CliError> {
    let dimensions = study.view().space().dimensions().iter();
    let named = |dimension: &search::Dimension| {
        let &value = values.get(&dimension.name)?;
        Some((dimension.name.clone(), value_to_json(&dimension.domain, value)))
    };
    let params: Map<String, Json> = dimensions.filter_map(named).collect();
    match candidates {
        Some(candidates) => {
            let run = candidates.prepare(values)?.spec.to_toml()?;
            Ok(json!({"trial": number, "params": params, "run": run}))
        }
        None => Ok(json!({"trial": number, "params": params})),
    }
}

fn word(ending: Ending) -> &'static str {
    match ending {
        Ending::Target => "target",
        Ending::Time => "time",
        Ending::Trials => "trials",
        Ending::Exhausted => "exhausted",
    }
}

pub(crate) fn tell(args: &StudyNameArgs) -> Result<(), CliError> {
    let view = StudyView::open_for_writing(&place::existing(&args.study, &args.studies)?)?;
    let candidates = Candidates::new(view.spec())?;
    let mut study = study_of(view, candidates.as_ref())?;
    for_each_line(|line| {
        let Line { trial, values, constraints, step, value, state, reason } = line;
        if study.view().trial(trial)?.state.is_over() {
            return Err(StudyError::from(StoreError::TrialOver { number: trial }).into());
        }
        if (!constraints.is_empty() && values.is_none())
            || (reason.is_some() && !matches!(state, Some(End::Failed)))
        {
            return Err(CliError::TellOfWhat { trial });
        }
        let numbers = |numbers: Vec<Number>| numbers.into_iter().map(|Number(value)| value).collect();
        let told = match (values, state, step.zip(value)) {
            (Some(values), None, None) => {
                Told::Complete { values: numbers(values), violations: numbers(constraints) }
            }
            (None, Some(End::Pruned), None) => Told::Pruned,
            (None, Some(End::Failed), None) => Told::Failed {
                reason: reason.unwrap_or_else(|| "the other program says so".into()),
                is_lasting: false,
            },
            (None, None, Some((step, Number(value)))) => {
                let prune = study.report(trial, step, value)?;
                return output::json(&json!({"trial": trial, "prune": prune}));
            }
            _ => return Err(CliError::TellWhat { trial }),
        };
        study.tell(trial, told, BTreeMap::new())?;
        output::json(&json!({"trial": trial, "told": true}))
    })
}

pub(crate) fn enqueue(args: &StudyNameArgs) -> Result<(), CliError> {
    let mut view = StudyView::open_for_writing(&place::existing(&args.study, &args.studies)?)?;
    for_each_line(|values: Map<String, Json>| {
        let params = params_from_json(&view, &values)?;
        output::json(&json!({"trial": view.enqueue(&params)?}))
    })
}

/// Each line of standard input that is not empty: JSON, or what Python takes for it.
fn for_each_line<T: for<'de> Deserialize<'de>>(
    mut each: impl FnMut(T) -> Result<(), CliError>,
) -> Result<(), CliError> {
    for (idx, line) in io::stdin().lock().lines().enumerate() {
        let (number, line) = (idx + 1, line.map_err(CliError::Stdin)?);
        if line.trim().is_empty() {
            continue;
        }
        let read = serde_json::from_str(&line)
            .or_else(|error| serde_json::from_str(&store::with_number_texts(&line)).map_err(|_| error));
        let read = read.map_err(|source| CliError::JsonLine { line: number, source })?;
        each(read).map_err(|source| CliError::InputLine { line: number, source: Box::new(source) })?;
    }
    Ok(())
}

pub(crate) fn stop(args: &StudyStopArgs) -> Result<(), CliError> {
    let dir = place::existing(&args.of.study, &args.of.studies)?;
    let request = if args.now { StopRequest::Now } else { StopRequest::AfterEpoch };
    let folder = StudyFolder::new(&dir);
    if !study::any_works(&folder) && !retrain::any_runs(&folder) {
        output::note(&format!("nobody works on {} at the moment", args.of.study.display()));
    }
    Ok(request.write(&dir)?)
}

pub(crate) fn repair(args: &StudyNameArgs) -> Result<(), CliError> {
    let Repaired { study_file, store } = study::repair(&place::half(&args.study, &args.studies)?)?;
    if study_file {
        output::line("the study file was taken from the store")?;
    }
    match store {
        Some(store) => {
            let kept = |path: PathBuf| format!("; the damaged one is kept as {}", path.display());
            let kept = store.damaged.map_or_else(String::new, kept);
            output::line(&format!("the store was made again with {} trials{kept}", store.n_trials))
        }
        None if study_file => Ok(()),
        None => output::line("nothing is damaged"),
    }
}
