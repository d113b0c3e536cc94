//! Which trial ran when, and where.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use spec::{TrialRecord, TrialState};

use super::objective::state_name;
use super::thinning::evenly;

/// The system attribute that names who works, or worked, on a trial.
pub(crate) const LEASE: &str = "danlu:lease";

/// `GET /api/studies/ID/timeline`
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Timeline {
    /// Trials that were begun, of which `number` has some.
    pub(crate) n: usize,
    /// Where a trial that runs ends for the moment, milliseconds of Unix time: now, or when a study that rests was last at work.
    pub(crate) now_ms: i64,
    /// Workers' names, with a number behind each further lane that trials beside each other need.
    pub(crate) lanes: Vec<String>,
    pub(crate) number: Vec<u64>,
    pub(crate) state: Vec<&'static str>,
    pub(crate) start_ms: Vec<i64>,
    /// `null` of a trial that runs.
    pub(crate) end_ms: Vec<Option<i64>>,
    /// Positions in `lanes`.
    pub(crate) lane: Vec<usize>,
}

/// At most `max` trials, evenly.
pub(crate) fn timeline(trials: &[TrialRecord], max: usize, now_ms: i64) -> Timeline {
    // One that waits again had begun, but occupies nobody.
    let is_begun = |trial: &&TrialRecord| trial.started_ms.is_some() && trial.state != TrialState::Waiting;
    let begun: Vec<&TrialRecord> = trials.iter().filter(is_begun).collect();
    let mut kept: Vec<&TrialRecord> = evenly(begun.len(), max).map(|at| begun[at]).collect();
    kept.sort_by_key(|trial| (trial.started_ms, trial.number));
    let end = |trial: &TrialRecord| if trial.state.is_over() { trial.completed_ms } else { None };
    let mut workers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut places = Vec::new();
    for trial in &kept {
        let lanes = workers.entry(worker(trial)).or_default();
        let start = trial.started_ms.unwrap_or(now_ms);
        let lane = lanes.iter().position(|&free| free <= start).unwrap_or(lanes.len());
        lanes.resize(lanes.len().max(lane + 1), i64::MIN);
        lanes[lane] = end(trial).unwrap_or(i64::MAX).max(start);
        places.push((worker(trial), lane));
    }
    let names: Vec<(&String, usize)> =
        workers.iter().flat_map(|(worker, lanes)| (0..lanes.len()).map(move |lane| (worker, lane))).collect();
    let lane = |(worker, lane): &(String, usize)| names.iter().position(|name| *name == (worker, *lane));
    let label = |(worker, lane): &(&String, usize)| match lane {
        0 => (*worker).clone(),
        _ => format!("{worker} ({})", lane + 1),
    };
    Timeline {
        n: begun.len(),
        now_ms,
        lanes: names.iter().map(label).collect(),
        number: kept.iter().map(|trial| trial.number).collect(),
        state: kept.iter().map(|trial| state_name(&trial.state)).collect(),
        start_ms: kept.iter().map(|trial| trial.started_ms.unwrap_or(now_ms)).collect(),
        end_ms: kept.iter().map(|trial| end(trial)).collect(),
        lane: places.iter().map(|place| lane(place).unwrap_or(0)).collect(),
    }
}

/// Who works on a trial; empty where nobody said so.
pub(crate) fn worker(trial: &TrialRecord) -> String {
    let lease = trial.system_attributes.get(LEASE);
    let worker = lease.and_then(|lease| lease.get("worker")).and_then(Json::as_str);
    worker.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::made_up::{complete, trial};
    use serde_json::json;

    #[test]
    fn trials_beside_each_other_have_lanes_of_their_own() {
        let timed = |number: u64, worker: &str, start: i64, end: Option<i64>| {
            let mut trial = complete(number, &[1.0]);
            trial.state = if end.is_some() { trial.state } else { TrialState::Running };
            trial.system_attributes.insert(LEASE.into(), json!({ "worker": worker, "host": "here" }));
            TrialRecord { started_ms: Some(start), completed_ms: end, ..trial }
        };
        let mut foreign = complete(4, &[1.0]);
        foreign.started_ms = Some(5);
        let trials = [
            timed(0, "a", 0, Some(10)),
            timed(1, "a", 5, Some(8)),
            timed(2, "a", 10, None),
            timed(3, "b", 0, Some(1)),
            foreign,
            trial(5),
        ];
        let found = timeline(&trials, 100, 50);
        assert_eq!((found.n, &found.number[..]), (5, &[0, 3, 1, 4, 2][..]));
        assert_eq!(found.lanes, ["", "a", "a (2)", "b"]);
        assert_eq!(found.lane, [1, 3, 2, 0, 1]);
        assert_eq!(found.end_ms, [Some(10), Some(1), Some(8), None, None]);
        assert_eq!(timeline(&trials, 2, 50).number.len(), 2);
    }
}
