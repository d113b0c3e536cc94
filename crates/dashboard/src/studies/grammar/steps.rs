//! How a search learns: entropy, baseline and rewards of each of its steps, so that a collapse is seen.
//!
//! A sampler that learns keeps a log of its steps; for one that does not, windows of its trials stand for steps.

use std::collections::{BTreeMap, HashSet};

use search::StepLog;
use serde::Serialize;
use serde_json::Value as Json;

use super::decisions::{Child, Decisions, Taken};
use super::shares::counts;
use crate::studies::thinning::evenly;

/// Children of a window at least: as many as the paper's controller has for a step.
const MIN_WINDOW: usize = 8;
/// Entropies of windows are of so many children at least; of fewer they would be far too small.
const MIN_ENTROPY_WINDOW: usize = 32;

/// `GET /api/studies/ID/steps`: a column for each number.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Steps {
    pub(crate) source: Source,
    /// Steps or windows, of which the columns have some.
    pub(crate) n: usize,
    /// Children of a window; `null` of a log.
    pub(crate) window: Option<usize>,
    /// Children up to the end of each step.
    pub(crate) children: Vec<u64>,
    /// `null` where the sampler has none.
    pub(crate) baseline: Vec<Option<f64>>,
    /// Smallest, quartiles and largest reward, a column each.
    pub(crate) rewards: [Vec<Option<f64>>; 5],
    /// Different networks so far.
    pub(crate) n_unique: Vec<u64>,
    /// Proposals that were refused, in each step.
    pub(crate) n_refused: Vec<u64>,
    pub(crate) gradient_norm: Vec<Option<f64>>,
    pub(crate) entropy: Vec<Entropy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// What the sampler said.
    Log,
    /// Made of the trials.
    Windows,
}

/// Of one kind of decision, in nats.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Entropy {
    pub(crate) kind: String,
    /// Of a choice of which each is as likely.
    pub(crate) most: Option<f64>,
    pub(crate) value: Vec<Option<f64>>,
}

/// At most `points` steps, from the study's attributes or else from the trials.
pub(crate) fn steps(decisions: &Decisions<'_>, attributes: &BTreeMap<String, Json>, points: usize) -> Steps {
    let logs = logs(attributes);
    if logs.is_empty() { of_windows(decisions, points) } else { of_logs(decisions, &logs, points) }
}

/// In the order of the steps; what cannot be read is left out.
fn logs(attributes: &BTreeMap<String, Json>) -> Vec<StepLog> {
    let all = attributes.range(study::STEP.to_owned()..);
    let own = all.take_while(|(key, _)| key.starts_with(study::STEP));
    let mut logs: Vec<StepLog> =
        own.filter_map(|(_, json)| serde_json::from_value(json.clone()).ok()).collect();
    logs.sort_by_key(|log| log.step);
    logs
}

fn of_logs(decisions: &Decisions<'_>, logs: &[StepLog], points: usize) -> Steps {
    let kept: Vec<&StepLog> = evenly(logs.len(), points).map(|at| &logs[at]).collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in kept.iter().flat_map(|log| &log.entropy) {
        if !names.contains(&&name[..]) {
            names.push(name);
        }
    }
    let entropy = names.iter().map(|&name| {
        let of =
            |log: &&StepLog| log.entropy.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        Entropy { kind: name.into(), most: most(decisions, name), value: kept.iter().map(of).collect() }
    });
    Steps {
        source: Source::Log,
        n: logs.len(),
        window: None,
        children: kept
            .iter()
            .map(|log| log.first_trial + log.n_samples - log.n_refused.min(log.n_samples))
            .collect(),
        baseline: kept.iter().map(|log| log.baseline).collect(),
        rewards: [0, 1, 2, 3, 4].map(|at| kept.iter().map(|log| Some(log.rewards[at])).collect()),
        n_unique: kept.iter().map(|log| log.n_unique).collect(),
        n_refused: kept.iter().map(|log| log.n_refused).collect(),
        gradient_norm: kept.iter().map(|log| Some(log.gradient_norm)).collect(),
        entropy: entropy.collect(),
    }
}

fn most(decisions: &Decisions<'_>, name: &str) -> Option<f64> {
    let kind = decisions.kinds.iter().find(|kind| kind.name == name)?;
    Some((kind.choices.len() as f64).ln()).filter(|most| most.is_finite())
}

/// Windows that follow each other, so large that there are at most `points` of them.
fn of_windows(decisions: &Decisions<'_>, points: usize) -> Steps {
    let children = &decisions.children;
    let window = children.len().div_ceil(points.max(1)).max(MIN_WINDOW);
    let ends: Vec<usize> =
        (1..=children.len().div_ceil(window)).map(|idx| children.len().min(idx * window)).collect();
    let quantiles: Vec<Option<[f64; 5]>> =
        ends.iter().map(|&end| five_numbers(&children[end - 1 - (end - 1) % window..end])).collect();
    let of_entropy = |&end: &usize| {
        let start = end.saturating_sub(window.max(MIN_ENTROPY_WINDOW));
        counts(decisions, &children[start..end], |_| true)
    };
    let counted: Vec<Vec<Vec<usize>>> = ends.iter().map(of_entropy).collect();
    let taken = |kind: &usize| counted.iter().any(|counts| counts[*kind].iter().any(|&n| n > 0));
    let entropy = (0..decisions.kinds.len()).filter(taken).map(|kind| Entropy {
        kind: decisions.kinds[kind].name.clone(),
        most: most(decisions, &decisions.kinds[kind].name),
        value: counted.iter().map(|counts| entropy(&counts[kind])).collect(),
    });
    Steps {
        source: Source::Windows,
        n: ends.len(),
        window: Some(window),
        children: ends.iter().map(|&end| children[end - 1].trial.number + 1).collect(),
        baseline: vec![None; ends.len()],
        rewards: [0, 1, 2, 3, 4].map(|at| quantiles.iter().map(|five| five.map(|five| five[at])).collect()),
        n_unique: n_unique_until(children, &ends),
        n_refused: vec![0; ends.len()],
        gradient_norm: vec![None; ends.len()],
        entropy: entropy.collect(),
    }
}

/// How many different networks there are before each of some ascending positions.
fn n_unique_until(children: &[Child<'_>], ends: &[usize]) -> Vec<u64> {
    let mut known: HashSet<&[Taken]> = HashSet::new();
    let mut start = 0;
    let mut found = Vec::new();
    for &end in ends {
        known.extend(children[start..end].iter().map(|child| &child.taken[..]));
        start = end;
        found.push(known.len() as u64);
    }
    found
}

/// In nats, of how often each choice was made; `None` where none was.
fn entropy(counts: &[usize]) -> Option<f64> {
    let total: usize = counts.iter().sum();
    let shares = counts.iter().filter(|&&n| n > 0).map(|&n| n as f64 / total as f64);
    (total > 0).then(|| shares.map(|share| -share * share.ln()).sum::<f64>() + 0.0)
}

/// Smallest, quartiles and largest value of the whole trials, linear between neighbors.
fn five_numbers(children: &[Child<'_>]) -> Option<[f64; 5]> {
    let values = children.iter().filter_map(|child| child.trial.state.complete_values()?.first().copied());
    let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some([0.0, 0.25, 0.5, 0.75, 1.0].map(|share| {
        let at = share * last as f64;
        let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
        below + (above - below) * at.fract()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::grammar::decisions::tests::grammar;
    use crate::studies::made_up::{category, complete};
    use serde_json::json;
    use spec::TrialRecord;

    fn trials(n: u64) -> Vec<TrialRecord> {
        let of = |number: u64| {
            // From the sixteenth on all networks are the same.
            let size = if number < 16 { number as usize % 2 } else { 0 };
            let params = [category("0.size", size, &["1", "3"])];
            TrialRecord { params: params.into(), ..complete(number, &[number as f64]) }
        };
        (0..n).map(of).collect()
    }

    #[test]
    fn windows_of_trials_stand_for_steps() {
        let trials = trials(60);
        let found = steps(&Decisions::new(&grammar(), &trials), &BTreeMap::new(), 100);
        assert_eq!((found.source, found.n, found.window), (Source::Windows, 8, Some(8)));
        assert_eq!(found.children, [8, 16, 24, 32, 40, 48, 56, 60]);
        assert_eq!(found.rewards[2][..2], [Some(3.5), Some(11.5)]);
        assert_eq!((found.rewards[0][7], found.rewards[4][7]), (Some(56.0), Some(59.0)));
        assert_eq!(found.n_unique, [2; 8]);
        let size = &found.entropy[0];
        assert_eq!((&size.kind[..], size.most), ("size", Some(2_f64.ln())));
        assert_eq!((size.value[0], size.value[7]), (Some(2_f64.ln()), Some(0.0)));
        let few = steps(&Decisions::new(&grammar(), &trials), &BTreeMap::new(), 4);
        assert_eq!((few.n, few.window), (4, Some(15)));
        assert_eq!(steps(&Decisions::new(&grammar(), &[]), &BTreeMap::new(), 4).n, 0);
    }

    #[test]
    fn the_log_of_a_sampler_is_told_as_it_is() {
        let log = |step: u64| {
            json!({ "step": step, "first_trial": 8 * step, "n_samples": 10, "n_refused": 2, "n_unique": 5 + step,
                "baseline": if step > 0 { json!(0.5) } else { json!(null) }, "rewards": [0.1, 0.2, 0.3, 0.4, 0.5],
                "gradient_norm": 1.5, "entropy": [["size", 0.6], ["filters", 0.1]] })
        };
        let named = |step: u64| (format!("{}{step:06}", study::STEP), log(step));
        let mut attributes: BTreeMap<String, Json> = (0..3).map(named).collect();
        attributes.extend([("danlu:steps".into(), json!(1)), (format!("{}9", study::STEP), json!("x"))]);
        let trials = trials(24);
        let found = steps(&Decisions::new(&grammar(), &trials), &attributes, 100);
        assert_eq!((found.source, found.n, found.window), (Source::Log, 3, None));
        assert_eq!((&found.children[..], &found.n_refused[..]), (&[8, 16, 24][..], &[2, 2, 2][..]));
        assert_eq!(found.baseline, [None, Some(0.5), Some(0.5)]);
        assert_eq!((found.entropy[1].value[0], found.entropy[0].most), (Some(0.1), Some(2_f64.ln())));
        assert_eq!(found.entropy[1].most, None);
    }
}
