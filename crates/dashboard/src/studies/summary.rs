//! A study as a line of the list, and how far it is.

use std::collections::BTreeMap;

use serde::Serialize;
use spec::{StudySpec, TrialRecord};

use super::busy::Busy;
use super::number::{Number, numbers};
use super::objective::{Objective, best, values};
use super::table::count;

/// Finished trials whose pace stands for those to come.
const RECENT: usize = 20;
/// A study without workers of Danlu's own is taken to go on so long after its last change.
const QUIET_S: f64 = 600.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StudyState {
    /// Somebody works on it.
    Running,
    /// Its budget is used up.
    Finished,
    /// Nobody works on it.
    Idle,
    /// Its store cannot be read.
    Unreadable,
}

/// A line of the list of studies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct StudyRow {
    pub(crate) id: String,
    /// In the store.
    pub(crate) name: Option<String>,
    pub(crate) state: StudyState,
    pub(crate) reason: Option<String>,
    pub(crate) objectives: Vec<Objective>,
    pub(crate) sampler: Option<&'static str>,
    pub(crate) pruner: Option<&'static str>,
    /// Whether its networks come from a grammar: an architecture search.
    pub(crate) is_search: bool,
    pub(crate) n_trials: usize,
    pub(crate) n_by_state: BTreeMap<&'static str, usize>,
    /// With a single objective.
    pub(crate) best: Option<Best>,
    /// With several objectives: trials that nothing beats.
    pub(crate) n_front: Option<usize>,
    /// Seconds since 1970.
    pub(crate) modified: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Best {
    pub(crate) number: u64,
    pub(crate) values: Vec<Number>,
    /// As text, by name.
    pub(crate) params: BTreeMap<String, String>,
}

/// How far a study is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Progress {
    /// Trials that are over.
    pub(crate) done: usize,
    /// What the budget allows.
    pub(crate) trials: Option<u64>,
    pub(crate) minutes: Option<f64>,
    pub(crate) target: Option<f64>,
    /// In which somebody worked on it, or else in which a trial ran.
    pub(crate) seconds: f64,
    /// Of the budget, 0 to 1; `None` where there is none.
    pub(crate) share: Option<f64>,
    pub(crate) seconds_left: Option<f64>,
}

/// What is known of a study beside its trials.
pub(crate) struct Known<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) objectives: &'a [Objective],
    pub(crate) spec: Option<&'a StudySpec>,
    pub(crate) has_workers: bool,
    /// How long somebody worked on it, where that is kept.
    pub(crate) worked_s: Option<f64>,
    /// Whether it has a folder, and so workers of Danlu's.
    pub(crate) is_ours: bool,
    /// Seconds since 1970.
    pub(crate) modified: f64,
    pub(crate) now: f64,
}

/// The line of a study that can be read.
pub(crate) fn row(known: &Known<'_>, trials: &[TrialRecord]) -> StudyRow {
    let counts = count(trials);
    let front = best(known.objectives, trials);
    let is_single = known.objectives.len() == 1;
    StudyRow {
        id: known.id.into(),
        name: Some(known.name.into()),
        state: state(known, &counts, &progress(known, trials)),
        reason: None,
        objectives: known.objectives.to_vec(),
        sampler: known.spec.map(|spec| spec.sampler.name()),
        pruner: known.spec.map(|spec| spec.pruner.name()),
        is_search: known.spec.is_some_and(|spec| spec.grammar.is_some()),
        n_trials: trials.len(),
        n_by_state: counts,
        best: front.first().filter(|_| is_single).map(|&idx| of_trial(&trials[idx])),
        n_front: (!is_single).then_some(front.len()),
        modified: known.modified,
    }
}

fn of_trial(trial: &TrialRecord) -> Best {
    let params = trial.params.iter().map(|(name, param)| (name.clone(), param.domain.show(param.value)));
    Best { number: trial.number, values: numbers(values(trial)), params: params.collect() }
}

impl Known<'_> {
    /// Whether somebody may be at work: workers of other programs are not seen but by what they write.
    pub(crate) fn is_alive(&self) -> bool {
        self.has_workers || !self.is_ours && self.now - self.modified < QUIET_S
    }
}

fn state(known: &Known<'_>, counts: &BTreeMap<&'static str, usize>, progress: &Progress) -> StudyState {
    if known.has_workers || known.is_alive() && counts["running"] > 0 {
        StudyState::Running
    } else if progress.share.is_some_and(|share| share >= 1.0) {
        StudyState::Finished
    } else {
        StudyState::Idle
    }
}

/// The line of a study that cannot be read.
pub(crate) fn unreadable(id: &str, reason: String, modified: f64) -> StudyRow {
    StudyRow {
        id: id.into(),
        name: None,
        state: StudyState::Unreadable,
        reason: Some(reason),
        objectives: Vec::new(),
        sampler: None,
        pruner: None,
        is_search: false,
        n_trials: 0,
        n_by_state: count(&[]),
        best: None,
        n_front: None,
        modified,
    }
}

pub(crate) fn progress(known: &Known<'_>, trials: &[TrialRecord]) -> Progress {
    let budget = known.spec.map(|spec| spec.budget).unwrap_or_default();
    let done = trials.iter().filter(|trial| trial.state.is_over()).count();
    let busy = Busy::new(trials, (known.modified * 1000.0) as i64);
    let seconds = known.worked_s.unwrap_or_else(|| busy.seconds());
    let of_trials = budget.trials.map(|planned| done as f64 / planned as f64);
    let of_time = budget.minutes.map(|minutes| seconds / (60.0 * minutes));
    let is_reached = budget.target.is_some_and(|target| reaches(target, known.objectives, trials));
    let shares = [of_trials, of_time, is_reached.then_some(1.0)];
    let left = budget.trials.map(|planned| planned.saturating_sub(done as u64));
    let left_by_trials = left.and_then(|left| Some(left as f64 * seconds_per_trial(trials, &busy)?));
    let left_by_time = budget.minutes.map(|minutes| (60.0 * minutes - seconds).max(0.0));
    Progress {
        done,
        trials: budget.trials,
        minutes: budget.minutes,
        target: budget.target,
        seconds,
        share: shares.into_iter().flatten().reduce(f64::max).map(|share| share.min(1.0)),
        seconds_left: [left_by_trials, left_by_time].into_iter().flatten().reduce(f64::min),
    }
}

fn reaches(target: f64, objectives: &[Objective], trials: &[TrialRecord]) -> bool {
    let Some(first) = objectives.first() else { return false };
    let costs = trials.iter().filter_map(|trial| super::objective::eligible_cost(trial, 0, first.direction));
    costs.reduce(f64::min).is_some_and(|cost| cost <= first.direction.cost(target))
}

/// Time that was worked from one end of a trial to the next, of the last few.
fn seconds_per_trial(trials: &[TrialRecord], busy: &Busy) -> Option<f64> {
    let mut ends: Vec<i64> = trials.iter().filter_map(|trial| trial.completed_ms).collect();
    ends.sort_unstable();
    let recent = &ends[ends.len().saturating_sub(RECENT)..];
    let (first, last) = (recent.first()?, recent.last()?);
    let n_between = recent.len().checked_sub(1).filter(|&n| n > 0)?;
    Some((busy.seconds_until(*last) - busy.seconds_until(*first)) / n_between as f64)
}

#[cfg(test)]
mod tests {
    use spec::{Direction, TrialState};

    use super::*;
    use crate::studies::made_up::{complete, float, trial};

    fn spec() -> StudySpec {
        let text = r#"
            name = "s"
            objectives = [{ name = "loss", direction = "minimize" }]
            budget = { trials = 10, minutes = 10.0, target = 0.1 }
            sampler = "random"
            [[parameter]]
            name = "x"
            float = { low = 0.0, high = 1.0 }
        "#;
        StudySpec::from_toml(text).unwrap()
    }

    fn timed(number: u64, value: f64, start: i64, end: i64) -> TrialRecord {
        TrialRecord { started_ms: Some(start), completed_ms: Some(end), ..complete(number, &[value]) }
    }

    #[test]
    fn a_line_tells_the_best_and_how_far_the_budget_is_used() {
        let objectives = [Objective { name: "loss".into(), direction: Direction::Minimize }];
        let spec = spec();
        let known = |has_workers, spec| Known {
            id: "s",
            name: "s",
            objectives: &objectives,
            spec,
            has_workers,
            worked_s: None,
            is_ours: true,
            modified: 100.0,
            now: 101.0,
        };
        let mut trials =
            vec![timed(0, 0.5, 0, 20_000), timed(1, 0.25, 10_000, 30_000), timed(2, 0.3, 60_000, 70_000)];
        trials[1].params = [float("x", 0.5, (0.0, 1.0, false))].into();
        trials.push(TrialRecord { state: TrialState::Running, started_ms: Some(90_000), ..trial(3) });
        let found = row(&known(true, Some(&spec)), &trials);
        assert_eq!((found.state, found.sampler, found.n_trials), (StudyState::Running, Some("random"), 4));
        let best = found.best.unwrap();
        assert_eq!((best.number, &best.params["x"][..]), (1, "0.5"));
        let far = progress(&known(true, Some(&spec)), &trials);
        assert_eq!((far.done, far.seconds, far.share), (3, 50.0, Some(0.3)));
        assert_eq!(far.seconds_left, Some(7.0 * 10.0), "a pause is no work");
        assert_eq!(row(&known(false, Some(&spec)), &trials).state, StudyState::Idle);
        trials.push(timed(4, 0.1, 0, 1));
        assert_eq!(row(&known(false, Some(&spec)), &trials).state, StudyState::Finished);
        let without = progress(&known(false, None), &[]);
        assert_eq!((without.share, without.seconds_left, without.seconds), (None, None, 0.0));
        assert_eq!(row(&known(false, None), &[]).best, None);
    }
}
