//! What every pruner promises, and the decisions of each on curves worked out by hand.

use search::{History, Observation, Outcome, Space, pruner};
use spec::{Direction, HalvingSpec, HyperbandSpec, MedianSpec, PrunerSpec};

fn trial(number: u64, outcome: Outcome, curve: &[f64]) -> Observation {
    let intermediate = (1..).zip(curve.iter().copied()).collect();
    Observation { intermediate, ..Observation::new(number, vec![], outcome) }
}

fn whole(number: u64, curve: &[f64]) -> Observation {
    trial(number, Outcome::Complete(vec![*curve.last().unwrap()]), curve)
}

fn history(trials: impl IntoIterator<Item = Observation>) -> History {
    let mut history = History::new(Space::default(), vec![Direction::Minimize]);
    trials.into_iter().for_each(|trial| history.insert(trial));
    history
}

/// Whether a trial with that curve, asked after its last step, ends, after `others`.
fn ends(spec: PrunerSpec, max_steps: u64, others: &[Observation], curve: &[f64]) -> bool {
    let asked = trial(1000, Outcome::Pending, curve);
    let history = history(others.iter().cloned().chain([asked]));
    pruner(&spec, max_steps).prune(&history, 1000, curve.len() as u64)
}

const NAN: f64 = f64::NAN;

#[test]
fn median_compares_the_best_so_far_with_the_median_at_the_step() {
    let spec = PrunerSpec::Median(MedianSpec { n_startup: 3, n_warm_up: 2 });
    let others = [whole(0, &[9.0, 3.0, 1.0]), whole(1, &[9.0, 5.0, 2.0]), whole(2, &[9.0, 7.0, 9.0])];
    let cases: [(&[f64], bool, &str); 8] = [
        (&[99.0], false, "before the warm-up ends"),
        (&[9.0, 5.0], false, "as good as the median"),
        (&[9.0, 5.1], true, "worse"),
        (&[4.0, 99.0], false, "its best so far counts"),
        (&[NAN, NAN], true, "nothing but NaN"),
        (&[4.0, NAN], false, "NaN is not its best"),
        (&[9.0, 9.0, 9.0], false, "a whole trial"),
        (&[9.0, 9.0, 9.0, 9.0], false, "nobody to compare with"),
    ];
    for (curve, expected, why) in cases {
        assert_eq!(ends(spec, 3, &others, curve), expected, "{why}");
    }
    assert!(!ends(spec, 3, &others[..2], &[9.0, 99.0]), "too few whole trials");
    let mixed = [whole(0, &[1.0, NAN]), whole(1, &[1.0, NAN]), whole(2, &[1.0, 2.0])];
    assert!(!ends(spec, 3, &mixed, &[9.0, 8.0]), "the median of NaN, NaN and 2 is as bad as can be");
}

#[test]
fn halving_keeps_the_best_part_at_each_rung() {
    let spec = PrunerSpec::Halving(HalvingSpec { min_steps: 2, reduction: 2 });
    let others: Vec<_> = (0..5)
        .map(|n| trial(n, Outcome::Pruned(vec![]), &[0.0, n as f64]))
        .chain([whole(5, &[9.0, 0.5, 9.0, 3.0])])
        .collect();
    let cases: [(&[f64], bool, &str); 9] = [
        (&[99.0], false, "no rung"),
        (&[99.0, 1.0], false, "third of seven, of whom three stay"),
        (&[99.0, 1.1], true, "fourth"),
        (&[99.0, NAN], true, "NaN"),
        (&[99.0, 99.0, 99.0], false, "between rungs"),
        (&[99.0, 99.0, 99.0, 3.0], false, "as good as the best of two"),
        (&[0.0, 0.0, 0.0, 3.1], true, "second of two"),
        (&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 99.0], false, "nobody else came to the third rung"),
        (&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, NAN], true, "NaN alone at a rung"),
    ];
    for (curve, expected, why) in cases {
        assert_eq!(ends(spec, 100, &others, curve), expected, "{why}");
    }
    assert!(!ends(spec, 4, &others, &[0.0, 0.0, 0.0, 9.0]), "a whole trial");
}

#[test]
fn a_result_that_was_taken_again_counts_once() {
    let copies = |cost: f64| (10..60).map(move |n| Observation { is_reused: true, ..whole(n, &[cost]) });
    let others: Vec<_> = (0..4).map(|n| whole(n, &[n as f64])).chain(copies(0.0)).collect();
    let halving = PrunerSpec::Halving(HalvingSpec { min_steps: 1, reduction: 2 });
    assert!(!ends(halving, 9, &others, &[0.5]), "second of five, of whom two stay");
    assert!(ends(halving, 9, &others, &[1.5]), "third");
    let median = PrunerSpec::Median(MedianSpec { n_startup: 4, n_warm_up: 1 });
    assert!(!ends(median, 9, &others, &[1.5]), "the median of 0, 1, 2 and 3");
    assert!(ends(median, 9, &others, &[1.6]), "above it");
}

#[test]
fn halving_takes_a_rung_that_was_stepped_over() {
    let spec = PrunerSpec::Halving(HalvingSpec { min_steps: 2, reduction: 2 });
    let at = |number, steps: &[(u64, f64)]| Observation {
        intermediate: steps.to_vec(),
        ..trial(number, Outcome::Pending, &[])
    };
    let history = history([at(0, &[(3, 1.0)]), at(1, &[(1, 0.0), (3, 2.0), (5, 2.0)])]);
    let pruner = pruner(&spec, 100);
    assert!(pruner.prune(&history, 1, 3), "second of two at the rung of step 2, reached with step 3");
    assert!(!pruner.prune(&history, 1, 5), "first at the rung of step 4");
    assert!(!pruner.prune(&history, 7, 3), "an unknown trial");
}

#[test]
fn hyperband_gives_early_rungs_to_most_trials_and_none_to_some() {
    let spec = PrunerSpec::Hyperband(HyperbandSpec { min_steps: 1, max_steps: None, reduction: 3 });
    // 81 steps: five brackets; the last begins at the end. Trial after trial, each worse than all before.
    let trials: Vec<_> = (0..2000).map(|n| trial(n, Outcome::Pending, &vec![n as f64; 80])).collect();
    let history = history(trials);
    let pruner = pruner(&spec, 81);
    let first_ends = |number| [1, 3, 9, 27].into_iter().find(|&step| pruner.prune(&history, number, step));
    let mut counts = std::collections::BTreeMap::new();
    for number in 1000..2000 {
        *counts.entry(first_ends(number)).or_insert(0) += 1;
    }
    // Algorithm 1's weights 81, 34, 15, 8 and 5 of 143, within four standard errors.
    for (step, weight) in [(Some(1), 81.0), (Some(3), 34.0), (Some(9), 15.0), (Some(27), 8.0), (None, 5.0)] {
        let share: f64 = weight / 143.0;
        let error = (share * (1.0 - share) / 1000.0).sqrt();
        let counted = f64::from(counts[&step]) / 1000.0;
        assert!((counted - share).abs() < 4.0 * error, "{step:?}: {counted} for {share}");
    }
}

#[test]
fn pruners_decide_the_same_again_and_get_along_with_anything() {
    let specs = [
        PrunerSpec::None,
        PrunerSpec::Median(MedianSpec { n_startup: 0, n_warm_up: 0 }),
        PrunerSpec::Halving(HalvingSpec { min_steps: 1, reduction: u64::MAX }),
        PrunerSpec::Hyperband(HyperbandSpec { min_steps: 5, max_steps: Some(5), reduction: 2 }),
        PrunerSpec::Hyperband(HyperbandSpec { min_steps: 1, max_steps: Some(u64::MAX), reduction: 2 }),
        PrunerSpec::Hyperband(HyperbandSpec { min_steps: 5, max_steps: None, reduction: 3 }),
    ];
    let outcomes = [Outcome::Pending, Outcome::Failed, Outcome::Complete(vec![]), Outcome::Pruned(vec![NAN])];
    let curves: [&[f64]; 5] =
        [&[], &[NAN], &[f64::INFINITY, f64::NEG_INFINITY], &[f64::NEG_INFINITY, NAN], &[1.0, 2.0]];
    let trials = (0..40).map(|n| trial(n, outcomes[n as usize % 4].clone(), curves[n as usize % 5]));
    let history = history(trials);
    for spec in specs {
        for max_steps in [0, 1, 2, 100] {
            for (number, step) in (0..42).flat_map(|number| (0..4).map(move |step| (number, step))) {
                let decide = || pruner(&spec, max_steps).prune(&history, number, step);
                assert_eq!(decide(), decide());
                assert!(
                    !decide() || step < max_steps && number < 40,
                    "{spec:?} {number} {step} of {max_steps}"
                );
            }
        }
    }
}
