//! Local search climbs neighbor by neighbor, begins anew in an optimum, and is a function of what is in the history.

use crate::cases::{choices, space};
use search::{Answer, Ask, History, Observation, Outcome, Point, Proposal, sampler};
use spec::{Direction, ParamValue, SamplerSpec, Seed};

const SIZES: [usize; 4] = [3, 4, 2, 5];

fn empty() -> History {
    let domains = SIZES.map(|n| (choices(n), vec![]));
    History::new(space(domains.to_vec()), vec![Direction::Minimize])
}

fn propose(history: &History, seed: u64, number: u64, attempt: u64) -> Proposal {
    let ask = Ask { history, seed: Seed(seed), number, attempt };
    match sampler(&SamplerSpec::LocalSearch).ask(&ask) {
        Answer::Try(proposal) => proposal,
        other => panic!("{other:?}"),
    }
}

fn categories(point: &Point) -> Vec<usize> {
    let category = |value: &Option<ParamValue>| match value {
        Some(ParamValue::Category(idx)) => *idx,
        other => panic!("{other:?}"),
    };
    point.iter().map(category).collect()
}

/// Lowest at the last categories, with a second, higher valley at the first ones.
fn cost(point: &Point) -> f64 {
    let x = categories(point);
    let from_low: usize = x.iter().sum();
    let from_high: usize = x.iter().zip(SIZES).map(|(x, n)| n - 1 - x).sum();
    (from_high as f64).min(from_low as f64 + 0.5)
}

fn trial(number: u64, attempt: Option<u64>, point: Point, outcome: Outcome) -> Observation {
    Observation { attempt, ..Observation::new(number, point, outcome) }
}

/// A study one trial after the other, in which what was tried before is refused.
fn study(seed: u64, n: u64) -> (History, Vec<Option<u64>>) {
    let (mut history, mut parents) = (empty(), Vec::new());
    for number in 0..n {
        let is_tried = |point: &Point| history.observations().iter().any(|trial| trial.point == *point);
        let mut answers = (0..200).map(|attempt| (attempt, propose(&history, seed, number, attempt)));
        let (attempt, Proposal { point, parent }) =
            answers.find(|(_, proposal)| !is_tried(&proposal.point)).expect("120 points");
        let outcome = Outcome::Complete(vec![cost(&point)]);
        history.insert(trial(number, Some(attempt), point, outcome));
        parents.push(parent);
    }
    (history, parents)
}

fn n_different(a: &Point, b: &Point) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

#[test]
fn a_child_differs_from_its_parent_in_one_dimension_and_parents_get_better() {
    for seed in 1..=20 {
        let (history, parents) = study(seed, 60);
        let mut center: Option<u64> = None;
        for (number, parent) in (0..).zip(parents) {
            let point = |number| &history.get(number).unwrap().point;
            if let Some(parent) = parent {
                assert_eq!(n_different(point(number), point(parent)), 1, "seed {seed}, trial {number}");
                let is_move = center.is_some_and(|center| center != parent);
                assert!(
                    !is_move || cost(point(parent)) < cost(point(center.unwrap())),
                    "seed {seed}, {number}"
                );
            }
            center = parent.or(Some(number));
        }
    }
}

/// In the first climb the center is the best trial so far: each that is better becomes it.
#[test]
fn a_climb_ends_where_all_neighbors_were_tried_and_none_is_better() {
    for seed in 1..=20 {
        let (history, parents) = study(seed, 60);
        let end = (1..60).find(|&number| parents[number].is_none()).expect("no climb takes 60 trials");
        let climb = &history.observations()[..end];
        let center = climb.iter().min_by(|a, b| cost(&a.point).total_cmp(&cost(&b.point))).unwrap();
        let neighbors = climb.iter().filter(|trial| n_different(&trial.point, &center.point) == 1);
        assert_eq!(neighbors.count(), SIZES.iter().map(|n| n - 1).sum::<usize>(), "seed {seed}");
    }
}

/// Of 120 points two are optima; random trials find the better one within 30 in a quarter of the seeds.
#[test]
fn it_finds_the_lowest_point_sooner_than_random_trials() {
    let found = (1..=40).filter(|&seed| {
        let (history, _) = study(seed, 30);
        history.observations().iter().any(|trial| cost(&trial.point) == 0.0)
    });
    let n_found = found.count();
    assert!(n_found >= 20, "{n_found} of 40");
}

#[test]
fn trials_that_run_are_not_proposed_again_and_do_not_move_the_center() {
    let mut history = empty();
    let start = propose(&history, 1, 0, 0).point;
    history.insert(trial(0, Some(0), start, Outcome::Complete(vec![9.0])));
    for number in 1..=10 {
        let Proposal { point, parent } = propose(&history, 1, number, 0);
        assert_eq!(parent, Some(0));
        assert!(history.observations().iter().all(|trial| trial.point != point));
        history.insert(trial(number, Some(0), point, Outcome::Pending));
    }
    // The center has ten neighbors, and all of them run.
    assert_eq!(propose(&history, 1, 11, 0).parent, None);
}

#[test]
fn it_climbs_from_the_best_of_what_somebody_enqueued() {
    let mut history = empty();
    for (number, idx) in [(0, 0), (1, 2), (2, 1)] {
        let point: Point = SIZES.iter().map(|n| Some(ParamValue::Category(idx.min(n - 1)))).collect();
        let outcome = Outcome::Complete(vec![cost(&point)]);
        history.insert(trial(number, None, point, outcome));
    }
    let best =
        history.observations().iter().min_by(|a, b| cost(&a.point).total_cmp(&cost(&b.point))).unwrap();
    assert_eq!(propose(&history, 1, 3, 0).parent, Some(best.number));
}

#[test]
fn refused_neighbors_are_passed_over_one_attempt_after_the_other() {
    let mut history = empty();
    let start = propose(&history, 3, 0, 0).point;
    history.insert(trial(0, Some(0), start, Outcome::Complete(vec![9.0])));
    let proposals: Vec<Proposal> = (0..12).map(|attempt| propose(&history, 3, 1, attempt)).collect();
    let points: std::collections::BTreeSet<_> =
        proposals[..10].iter().map(|proposal| categories(&proposal.point)).collect();
    assert_eq!(points.len(), 10);
    assert!(proposals[..10].iter().all(|proposal| proposal.parent == Some(0)));
    assert!(proposals[10..].iter().all(|proposal| proposal.parent.is_none()));
}
