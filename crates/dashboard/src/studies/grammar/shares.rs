//! How often each choice was made, over time.

use serde::Serialize;

use super::decisions::{Child, Decisions, KindRole};
use crate::studies::thinning::evenly;

/// Children of the moving window: one part in so many of all, but not fewer than [`MIN_WINDOW`].
const PART: usize = 20;
const MIN_WINDOW: usize = 16;

/// `GET /api/studies/ID/decisions`
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Shares {
    /// Children that were begun.
    pub(crate) n: usize,
    /// Children of the moving window.
    pub(crate) window: usize,
    /// Layers of the deepest network.
    pub(crate) n_layers: usize,
    /// The last child of each window.
    pub(crate) number: Vec<u64>,
    pub(crate) kinds: Vec<KindShares>,
}

/// One kind of decision, over all layers or for one.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct KindShares {
    pub(crate) name: String,
    pub(crate) role: KindRole,
    pub(crate) choices: Vec<String>,
    /// For each choice, its share in each window; `null` where the window has no such decision.
    pub(crate) share: Vec<Vec<Option<f64>>>,
}

/// At most `points` windows; of one layer, counted from 0, or of all.
pub(crate) fn shares(decisions: &Decisions<'_>, layer: Option<usize>, points: usize) -> Shares {
    let children = &decisions.children;
    let window = (children.len() / PART).max(MIN_WINDOW);
    let lasts: Vec<usize> = evenly(children.len(), points).collect();
    let windows = lasts.iter().map(|&last| &children[(last + 1).saturating_sub(window)..=last]);
    let counted: Vec<Vec<Vec<usize>>> =
        windows.map(|window| counts(decisions, window, |of| layer.is_none() || of == layer)).collect();
    let is_taken = |kind: &usize| counted.iter().any(|counts| counts[*kind].iter().any(|&n| n > 0));
    let kinds = (0..decisions.kinds.len()).filter(is_taken).map(|kind| {
        let share = |counts: &Vec<Vec<usize>>, choice: usize| {
            let total: usize = counts[kind].iter().sum();
            (total > 0).then(|| counts[kind][choice] as f64 / total as f64)
        };
        let of = &decisions.kinds[kind];
        let over_time = |choice| counted.iter().map(|counts| share(counts, choice)).collect();
        KindShares {
            name: of.name.clone(),
            role: if of.role == KindRole::Layer && of.n_layers == 0 { KindRole::Single } else { of.role },
            choices: of.choices.iter().map(ToString::to_string).collect(),
            share: (0..of.choices.len()).map(over_time).collect(),
        }
    });
    Shares {
        n: children.len(),
        window,
        n_layers: decisions.n_layers(),
        number: lasts.iter().map(|&last| children[last].trial.number).collect(),
        kinds: kinds.collect(),
    }
}

/// For each kind and choice, how often some children took it, where `is_asked` holds for the layer.
pub(crate) fn counts(
    decisions: &Decisions<'_>,
    children: &[Child<'_>],
    is_asked: impl Fn(Option<usize>) -> bool,
) -> Vec<Vec<usize>> {
    let mut counts: Vec<Vec<usize>> =
        decisions.kinds.iter().map(|kind| vec![0; kind.choices.len()]).collect();
    for taken in children.iter().flat_map(|child| &child.taken).filter(|taken| is_asked(taken.layer)) {
        counts[taken.kind][taken.choice] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studies::grammar::decisions::tests::grammar;
    use crate::studies::made_up::{category, complete};
    use spec::TrialRecord;

    #[test]
    fn shares_are_those_of_the_window_and_of_the_layer() {
        let of = |number: u64| {
            let late = usize::from(number >= 100);
            let size = |layer: usize| category(&format!("{layer}.size"), late, &["1", "3"]);
            let params = [size(0), category("1.size", 0, &["1", "3"]), category("act", 1, &["relu", "tanh"])];
            TrialRecord { params: params.into(), ..complete(number, &[0.5]) }
        };
        let trials: Vec<TrialRecord> = (0..200).map(of).collect();
        let decisions = Decisions::new(&grammar(), &trials);
        let all = shares(&decisions, None, 5);
        assert_eq!((all.n, all.window, all.n_layers), (200, 16, 2));
        assert_eq!(all.number, [0, 49, 99, 149, 199]);
        let names: Vec<_> = all.kinds.iter().map(|kind| (&kind.name[..], kind.role)).collect();
        assert_eq!(names, [("size", KindRole::Layer), ("act", KindRole::Single)]);
        assert_eq!(all.kinds[0].share[1], [Some(0.0), Some(0.0), Some(0.0), Some(0.5), Some(0.5)]);
        let first = shares(&decisions, Some(0), 5);
        assert_eq!(first.kinds.len(), 1);
        assert_eq!(first.kinds[0].share[1][2..], [Some(0.0), Some(1.0), Some(1.0)]);
        assert!(shares(&decisions, Some(2), 5).kinds.is_empty());
        assert!(shares(&Decisions::new(&grammar(), &[]), None, 5).number.is_empty());
    }
}
