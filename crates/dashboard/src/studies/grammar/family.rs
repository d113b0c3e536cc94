//! Which child came from which: the family tree of a search that changes what it has.

use serde::Serialize;
use serde_json::Value as Json;
use spec::{Param, TrialRecord};

use crate::studies::objective::{Objective, best, values};
use crate::studies::thinning::thinned;

/// Changes of a child that are told at most.
const MAX_CHANGES: usize = 4;

/// `GET /api/studies/ID/family`: a column for each number.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Family<'a> {
    pub(crate) objective: &'a Objective,
    /// Children that have a value, of which `number` has some.
    pub(crate) n: usize,
    /// Of those, such that have a parent.
    pub(crate) n_with_parent: usize,
    pub(crate) number: Vec<u64>,
    pub(crate) value: Vec<f64>,
    pub(crate) parent: Vec<Option<u64>>,
    /// `null` where there is no parent, or it has no value.
    pub(crate) parent_value: Vec<Option<f64>>,
    /// In words: `0.filter_height: 3 → 5`.
    pub(crate) changed: Vec<Vec<String>>,
    /// The best child, its parent and so on to the first.
    pub(crate) line: Vec<u64>,
}

/// At most `points` children, those of the best one's line first.
pub(crate) fn family<'a>(objective: &'a Objective, trials: &[TrialRecord], points: usize) -> Family<'a> {
    let is_shown = |idx: &usize| value(&trials[*idx]).is_some();
    let shown: Vec<usize> = (0..trials.len()).filter(is_shown).collect();
    let best = best(std::slice::from_ref(objective), trials);
    let line = best.first().map_or_else(Vec::new, |&idx| line(trials, idx));
    let kept = thinned(shown.len(), points, line.iter().filter_map(|idx| shown.binary_search(idx).ok()));
    let kept: Vec<usize> = kept.into_iter().map(|at| shown[at]).collect();
    let parents: Vec<Option<usize>> = kept.iter().map(|&idx| parent(trials, idx)).collect();
    let changed = |(&idx, parent): (&usize, &Option<usize>)| {
        parent.map_or_else(Vec::new, |parent| changes(&trials[parent], &trials[idx]))
    };
    Family {
        objective,
        n: shown.len(),
        n_with_parent: shown.iter().filter(|&&idx| parent(trials, idx).is_some()).count(),
        number: kept.iter().map(|&idx| trials[idx].number).collect(),
        value: kept.iter().filter_map(|&idx| value(&trials[idx])).collect(),
        parent: parents.iter().map(|idx| idx.map(|idx| trials[idx].number)).collect(),
        parent_value: parents.iter().map(|idx| idx.and_then(|idx| value(&trials[idx]))).collect(),
        changed: kept.iter().zip(&parents).map(changed).collect(),
        line: line.iter().map(|&idx| trials[idx].number).collect(),
    }
}

fn value(trial: &TrialRecord) -> Option<f64> {
    values(trial).first().copied().filter(|value| value.is_finite())
}

/// Position of the trial's parent, which is an earlier one.
fn parent(trials: &[TrialRecord], idx: usize) -> Option<usize> {
    let number = trials[idx].user_attributes.get(study::PARENT).and_then(Json::as_u64)?;
    trials[..idx].binary_search_by_key(&number, |trial| trial.number).ok()
}

fn line(trials: &[TrialRecord], idx: usize) -> Vec<usize> {
    std::iter::successors(Some(idx), |&idx| parent(trials, idx)).collect()
}

/// What the child has otherwise than its parent.
fn changes(parent: &TrialRecord, child: &TrialRecord) -> Vec<String> {
    let text =
        |param: Option<&Param>| param.map_or_else(|| "–".to_owned(), |param| param.domain.show(param.value));
    let gone = parent.params.keys().filter(|name| !child.params.contains_key(*name));
    let names = child.params.keys().chain(gone);
    let all = names.filter_map(|name| {
        let (was, is) = (text(parent.params.get(name)), text(child.params.get(name)));
        (was != is).then(|| format!("{name}: {was} → {is}"))
    });
    let mut all: Vec<String> = all.collect();
    if all.len() > MAX_CHANGES {
        all.truncate(MAX_CHANGES);
        all.push("…".into());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::made_up::{category, complete, trial};
    use serde_json::json;
    use spec::Direction;

    fn child(number: u64, value: f64, parent: Option<u64>, size: usize) -> TrialRecord {
        let mut child = complete(number, &[value]);
        child.user_attributes.extend(parent.map(|parent| (study::PARENT.to_owned(), json!(parent))));
        child.params = [category("0.size", size, &["1", "3", "5"])].into();
        child
    }

    #[test]
    fn the_best_childs_line_leads_to_the_first() {
        let objective = Objective { name: "accuracy".into(), direction: Direction::Maximize };
        let trials = [
            child(0, 0.5, None, 0),
            child(1, 0.6, Some(0), 1),
            child(2, 0.4, Some(0), 2),
            trial(3),
            child(4, 0.9, Some(1), 2),
            child(5, 0.7, Some(3), 2),
            child(6, 0.2, Some(9), 2),
        ];
        let found = family(&objective, &trials, 100);
        assert_eq!((found.n, found.n_with_parent), (6, 4));
        assert_eq!(found.line, [4, 1, 0]);
        assert_eq!(found.parent, [None, Some(0), Some(0), Some(1), Some(3), None]);
        assert_eq!(found.parent_value[3..], [Some(0.6), None, None]);
        assert_eq!(found.changed[3], ["0.size: 3 → 5"]);
        assert_eq!(found.changed[4], ["0.size: – → 5"]);
        assert!(family(&objective, &[], 10).line.is_empty());
    }

    #[test]
    fn ten_thousand_generations_are_thinned() {
        let objective = Objective { name: "accuracy".into(), direction: Direction::Maximize };
        let of = |number: u64| child(number, number as f64, number.checked_sub(1), 0);
        let trials: Vec<TrialRecord> = (0..10_000).map(of).collect();
        let found = family(&objective, &trials, 400);
        assert_eq!((found.number.len(), found.line.len()), (400, 10_000));
        assert!((9_900..10_000).all(|number| found.number.contains(&number)));
    }
}
