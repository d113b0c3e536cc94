//! The small grid that is tried on a study's best trials before they are trained again with several seeds: each combination is
//! trained on the training images and measured on the validation images, as the trials were.

use std::cmp::Ordering;
use std::path::Path;

use serde_json::{Map, Value as Json};
use spec::{Assignment, EpochRecord, Measure, ParamValue, RunState, TrialRecord};
use study::StudyView;

use crate::error::CliError;
use crate::study_command::candidate::Candidates;
use crate::study_command::retrain::{self, Task};
use crate::study_command::trial::{self, of_epoch};

/// A trial that is trained again with several seeds.
pub(crate) struct Finalist<'a> {
    pub(crate) trial: &'a TrialRecord,
    /// What was best of the grid; empty without one.
    pub(crate) combination: Assignment,
    /// How good that was, smaller is better; `None` without a grid.
    cost: Option<f64>,
    /// Epochs that this took.
    pub(crate) n_epochs: usize,
}

/// The trainings of the grid; none without one.
pub(crate) fn tasks(view: &StudyView, candidates: &Candidates) -> Result<Vec<Task>, CliError> {
    let grid = &view.spec().retrain.parameters;
    if grid.is_empty() {
        return Ok(Vec::new());
    }
    let of = |trial: &TrialRecord| {
        let one = |(idx, combination): (usize, &Assignment)| {
            let prepared = candidates.prepare_again(&retrain::values_of(trial), combination)?;
            Ok(Task::new(view.folder().in_grid(trial.number, idx), prepared.spec.to_toml()?))
        };
        study::combinations(grid).iter().enumerate().map(one).collect()
    };
    retrain::of_each(retrain::chosen(view).into_iter().map(|trial| (trial, of(trial))))
}

/// The best trials with what was best of the grid for each, the best first; as many as the study wants.
pub(crate) fn finalists(view: &StudyView) -> Vec<Finalist<'_>> {
    let retrain = &view.spec().retrain;
    let mut finalists: Vec<Finalist<'_>> =
        retrain::chosen(view).into_iter().filter_map(|trial| finalist(view, trial)).collect();
    finalists.sort_by(by_cost);
    finalists.truncate(retrain.finalists.unwrap_or(usize::MAX));
    finalists
}

/// `None`: nothing of its grid came to an end.
fn finalist<'a>(view: &StudyView, trial: &'a TrialRecord) -> Option<Finalist<'a>> {
    let grid = &view.spec().retrain.parameters;
    if grid.is_empty() {
        let n_epochs = trial::n_epochs(trial).max(1);
        return Some(Finalist { trial, combination: Assignment::new(), cost: None, n_epochs });
    }
    let measured = study::combinations(grid).into_iter().enumerate().filter_map(|(idx, combination)| {
        let last = last_epoch(&view.folder().in_grid(trial.number, idx))?;
        let cost = cost(view, &last).filter(|cost| !cost.is_nan())?;
        Some(Finalist { trial, combination, cost: Some(cost), n_epochs: last.epoch })
    });
    measured.min_by(by_cost)
}

/// By the first objective, where an epoch tells it, else by accuracy.
fn cost(view: &StudyView, last: &EpochRecord) -> Option<f64> {
    let first = Measure::named(&view.objectives()[0].name);
    let told = |measure: Measure| Some(measure.direction().cost(of_epoch(measure, last)?));
    first.and_then(told).or_else(|| told(Measure::ValidationAccuracy))
}

fn by_cost(a: &Finalist<'_>, b: &Finalist<'_>) -> Ordering {
    a.cost.unwrap_or(0.0).total_cmp(&b.cost.unwrap_or(0.0))
}

fn last_epoch(dir: &Path) -> Option<EpochRecord> {
    let record = runs::read_record(dir).ok()??;
    (record.state == RunState::Finished).then(|| record.epochs.last().cloned())?
}

/// The choices of a combination as the study file calls them.
pub(crate) fn chosen(view: &StudyView, combination: &Assignment) -> Map<String, Json> {
    let grid = &view.spec().retrain.parameters;
    let choice = |(name, value): (&String, &ParamValue)| {
        let domain = grid.iter().find(|parameter| parameter.name == *name)?.domain().ok()?;
        Some((name.clone(), study::value_to_json(&domain, *value)))
    };
    combination.iter().filter_map(choice).collect()
}
