//! Importance, the best and the Pareto front, of histories whose answers are known.

use crate::cases::{self, choices, float, int, space};
use search::{History, Observation, Outcome, importance};
use spec::{Direction, ParamValue, Scale, Seed};

/// Uniform trials with a cost each.
fn tried(space: &search::Space, n: u64, cost: impl Fn(&[Option<ParamValue>]) -> f64) -> History {
    let mut history = History::new(space.clone(), vec![Direction::Minimize]);
    for (number, point) in (0..).zip(cases::random_points(space, n, Seed(5))) {
        let outcome = Outcome::Complete(vec![cost(&point)]);
        history.insert(Observation::new(number, point, outcome));
    }
    history
}

fn number(value: Option<ParamValue>) -> f64 {
    match value {
        Some(ParamValue::Float(x)) => x,
        Some(ParamValue::Int(x)) => x as f64,
        Some(ParamValue::Category(idx)) => idx as f64,
        None => f64::NAN,
    }
}

fn names(history: &History) -> Vec<String> {
    importance(history).into_iter().map(|(name, _)| name).collect()
}

fn share(history: &History, name: &str) -> f64 {
    importance(history).into_iter().find(|(one, _)| one == name).unwrap().1
}

#[test]
fn what_decides_the_cost_comes_first_and_what_does_not_last() {
    let space = space(vec![
        (float(-1.0, 1.0, Scale::Linear, None), vec![]),
        (float(1e-4, 1.0, Scale::Log, None), vec![]),
        (choices(4), vec![]),
        (int(1, 9, Scale::Linear, 2), vec![]),
    ]);
    let x = |point: &[Option<ParamValue>], dim: usize| number(point[dim]);
    let by_float = tried(&space, 1000, |point| x(point, 0).powi(2) + 0.01 * x(point, 1));
    let by_log = tried(&space, 1000, |point| (x(point, 1).log10() + 2.0).powi(2));
    let by_category = tried(&space, 1000, |point| x(point, 2) + 0.1 * x(point, 0));
    let by_int = tried(&space, 1000, |point| (x(point, 3) - 5.0).abs());
    for (history, name) in [(by_float, "x0"), (by_log, "x1"), (by_category, "x2"), (by_int, "x3")] {
        let shares = importance(&history);
        assert_eq!(names(&history)[0], name, "{shares:?}");
        assert!(shares[0].1 > 0.7 && shares[3].1 < 0.05, "{shares:?}");
        assert!((shares.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

/// Where the parameter exists it decides everything, but good trials hardly have it in one of the two histories.
#[test]
fn a_parameter_counts_as_much_as_good_trials_have_it() {
    let space = space(vec![(choices(2), vec![]), (float(0.0, 1.0, Scale::Linear, None), vec![(0, vec![1])])]);
    let cost = |point: &[Option<ParamValue>], offset: f64| match point[1] {
        Some(value) => number(Some(value)) + offset,
        None => 0.5,
    };
    let where_good = tried(&space, 1000, |point| cost(point, 0.0));
    let where_bad = tried(&space, 1000, |point| cost(point, 10.0));
    assert!(share(&where_good, "x1") > 0.5, "{:?}", importance(&where_good));
    assert!(share(&where_bad, "x1") < 0.01, "{:?}", importance(&where_bad));
}

/// Which of the categories are the good ones does not matter; 15 of 26 parts of a whole fall just short of 15.
#[test]
fn every_category_counts_for_itself() {
    let space = space(vec![(choices(26), vec![]), (float(0.0, 1.0, Scale::Linear, None), vec![])]);
    let good = |first: usize| {
        let cost = |point: &[Option<ParamValue>]| {
            let ParamValue::Category(category) = point[0].unwrap() else { unreachable!() };
            let renamed = (category + 26 - first) % 26;
            if renamed < 2 { 0.0 } else { 1.0 + number(point[1]) }
        };
        let mut history = History::new(space.clone(), vec![Direction::Minimize]);
        for (n, mut point) in (0..).zip(cases::random_points(&space, 400, Seed(5))) {
            let ParamValue::Category(category) = point[0].unwrap() else { unreachable!() };
            point[0] = Some(ParamValue::Category((category + first) % 26));
            history.insert(Observation::new(n, point.clone(), Outcome::Complete(vec![cost(&point)])));
        }
        share(&history, "x0")
    };
    for first in [3, 14, 15, 22] {
        assert!((good(first) - good(0)).abs() < 1e-9, "{first}: {} {}", good(first), good(0));
    }
}

#[test]
fn nothing_is_told_of_few_trials_or_of_one_value() {
    let spaces = [space(vec![(choices(2), vec![])]), space(vec![(choices(1), vec![])])];
    for (space, n) in spaces.iter().zip([9, 100]) {
        let history = tried(space, n, |point| number(point[0]));
        assert_eq!(importance(&history), [("x0".to_string(), 0.0)]);
    }
}

#[test]
fn any_history_has_importances() {
    for case in cases::spaces() {
        for n_objectives in 1..4 {
            let shares = importance(&cases::history(&case.space, 300, n_objectives));
            assert_eq!(shares.len(), case.space.len());
            assert!(shares.iter().all(|(_, share)| (0.0..=1.0).contains(share)), "{}: {shares:?}", case.name);
        }
    }
}

fn costs(rows: &[(&[f64], f64)]) -> History {
    let space = space(vec![]);
    let mut history = History::new(space, vec![Direction::Minimize; 2]);
    for (number, &(costs, violation)) in (0..).zip(rows) {
        let outcome = if costs.is_empty() { Outcome::Failed } else { Outcome::Complete(costs.to_vec()) };
        history.insert(Observation { violation, ..Observation::new(number, vec![], outcome) });
    }
    history
}

#[test]
fn the_best_and_the_front_are_feasible_whole_trials() {
    let history = costs(&[
        (&[1.0, 5.0], 0.0),
        (&[0.0, 0.0], 1.0),
        (&[2.0, 2.0], 0.0),
        (&[2.0, 3.0], 0.0),
        (&[5.0, 1.0], 0.0),
        (&[1.0, 5.0], 0.0),
        (&[f64::NAN, 0.5], 0.0),
        (&[], 0.0),
    ]);
    assert_eq!(search::best(&history), Some(0));
    assert_eq!(search::pareto_front(&history), [0, 2, 4, 5, 6]);
    assert_eq!(search::best(&costs(&[(&[], 0.0), (&[1.0, 1.0], 2.0)])), None);
}

#[test]
fn hypervolume_is_the_dominated_area() {
    let cases: [(&[[f64; 2]], f64); 4] = [
        (&[], 0.0),
        (&[[1.0, 1.0]], 4.0),
        (&[[0.0, 2.0], [1.0, 1.0], [2.0, 0.0], [2.0, 2.0]], 6.0),
        (&[[4.0, 0.0], [0.0, 3.0], [f64::NAN, 0.0]], 0.0),
    ];
    for (points, expected) in cases {
        assert_eq!(search::hypervolume(points, [3.0, 3.0]), expected, "{points:?}");
    }
}
