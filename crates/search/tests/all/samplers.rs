//! What every sampler promises, over a table of samplers, spaces and histories.

use std::collections::BTreeSet;

use crate::cases::{self, Case, history, spaces};
use search::{Ask, History, Outcome, Point, SamplerError, check_sampler, sampler};
use spec::{Direction, EvolutionSpec, Nsga2Spec, SamplerSpec, Seed, TpeSpec};

fn samplers() -> Vec<SamplerSpec> {
    vec![
        SamplerSpec::Grid,
        SamplerSpec::Random,
        SamplerSpec::Sobol,
        SamplerSpec::Tpe(TpeSpec::default()),
        SamplerSpec::Tpe(TpeSpec { n_startup: 0, n_candidates: 1, constant_liar: false }),
        SamplerSpec::Evolution(EvolutionSpec::default()),
        SamplerSpec::Evolution(EvolutionSpec { population: 1, tournament: 1 }),
        SamplerSpec::Nsga2(Nsga2Spec::default()),
        SamplerSpec::Nsga2(Nsga2Spec { population: 2, crossover: 1.0, mutation: Some(0.0) }),
        SamplerSpec::Nsga2(Nsga2Spec { population: 4, crossover: 0.0, mutation: Some(1.0) }),
        SamplerSpec::LocalSearch,
    ]
}

/// Every sampler with every space that it can work in.
fn pairs() -> Vec<(SamplerSpec, Case)> {
    let fitting = |spec: SamplerSpec| {
        let fits = move |case: &Case| check_sampler(&spec, &case.space, &[Direction::Minimize]).is_ok();
        spaces().into_iter().filter(fits).map(move |case| (spec, case))
    };
    samplers().into_iter().flat_map(fitting).collect()
}

fn ask(spec: &SamplerSpec, history: &History, seed: u64, number: u64, attempt: u64) -> Option<Point> {
    sampler(spec).ask(&Ask { history, seed: Seed(seed), number, attempt }).point()
}

#[test]
fn points_lie_in_the_space_whatever_the_history_holds() {
    for (spec, case) in pairs() {
        for (n, n_objectives) in [(0, 1), (1, 1), (9, 1), (200, 1), (200, 2), (200, 3)] {
            let history = history(&case.space, n, n_objectives);
            for (number, attempt) in [(n, 0), (n, 1), (n + 3, 20), (n / 2, 0), (1 << 40, 0)] {
                let Some(point) = ask(&spec, &history, 1, number, attempt) else {
                    assert_eq!(spec, SamplerSpec::Grid, "{}", case.name);
                    continue;
                };
                assert!(case.space.contains(&point), "{spec:?} {} {n} {number}: {point:?}", case.name);
            }
        }
    }
}

#[test]
fn the_same_question_gets_the_same_answer_and_another_seed_another() {
    for (spec, case) in pairs() {
        let history = history(&case.space, 40, 1);
        let answers =
            |seed| (100..120).map(|number| ask(&spec, &history, seed, number, 0)).collect::<Vec<_>>();
        assert_eq!(answers(1), answers(1), "{spec:?} {}", case.name);
        let others: Vec<_> = (2..6).map(answers).collect();
        let differs = others.iter().any(|other| *other != answers(1));
        // Among few points two orders or two models may agree.
        let must_differ = case.n_points.is_none();
        assert!(differs || !must_differ, "{spec:?} {}: the seed changes nothing", case.name);
    }
}

#[test]
fn other_trials_and_other_attempts_get_other_answers() {
    for (spec, case) in pairs().into_iter().filter(|(_, case)| case.n_points.is_none_or(|n| n > 20)) {
        let history = history(&case.space, 30, 1);
        let distinct = |answers: Vec<Option<Point>>| {
            answers.iter().map(|point| format!("{point:?}")).collect::<BTreeSet<_>>().len()
        };
        let attempts = distinct((0..10).map(|attempt| ask(&spec, &history, 1, 100, attempt)).collect());
        assert!(attempts > 1, "{spec:?} {}: attempts", case.name);
        let trials = distinct((100..110).map(|number| ask(&spec, &history, 1, number, 0)).collect());
        // These look at the history alone, and among few points a model finds the same best.
        let may_agree =
            matches!(spec, SamplerSpec::Grid | SamplerSpec::LocalSearch) || case.n_points.is_some();
        assert!(trials > 1 || may_agree, "{spec:?} {}: trials", case.name);
    }
}

#[test]
fn a_grid_tries_each_point_once() {
    for case in spaces().into_iter().filter(|case| case.n_points.is_some()) {
        let n_points = case.n_points.unwrap() as u64;
        let mut history = history(&case.space, 0, 1);
        let mut seen = BTreeSet::new();
        for number in 0..n_points {
            let point = ask(&SamplerSpec::Grid, &history, 7, number, 0).expect(case.name);
            assert!(seen.insert(format!("{point:?}")), "{}: {point:?} twice", case.name);
            let outcome = [Outcome::Complete(vec![1.0]), Outcome::Failed, Outcome::Pending]
                [number as usize % 3]
                .clone();
            let trial = cases::observation(13, point, 1);
            history.insert(search::Observation { number, outcome, ..trial });
        }
        assert_eq!(ask(&SamplerSpec::Grid, &history, 7, n_points, 0), None, "{}", case.name);
    }
}

/// What is refused is not in the history, so the next attempt must skip it.
#[test]
fn a_grid_gives_each_attempt_another_point_until_none_is_left() {
    let case = spaces().into_iter().find(|case| case.name == "conditions").unwrap();
    let history = history(&case.space, 0, 1);
    let n = case.n_points.unwrap() as u64;
    let answers: Vec<_> =
        (0..n + 2).map(|attempt| ask(&SamplerSpec::Grid, &history, 1, 0, attempt)).collect();
    let distinct: BTreeSet<_> = answers.iter().flatten().map(|point| format!("{point:?}")).collect();
    assert_eq!(distinct.len() as u64, n);
    assert_eq!(answers[n as usize..], [None, None]);
}

#[test]
fn a_grid_needs_a_finite_number_of_values() {
    use spec::Scale::{Linear, Log};
    let check = |domains: Vec<spec::Domain>| {
        let dimension = |(idx, domain)| search::Dimension::new(&format!("x{idx}"), domain);
        let space = search::Space::new(domains.into_iter().enumerate().map(dimension).collect()).unwrap();
        check_sampler(&SamplerSpec::Grid, &space, &[Direction::Minimize])
    };
    let continuous = check(vec![cases::choices(2), cases::float(0.0, 1.0, Linear, None)]);
    assert!(matches!(continuous, Err(SamplerError::Continuous { name }) if name == "x1"));
    assert!(matches!(check(vec![cases::float(0.1, 1.0, Log, None)]), Err(SamplerError::Continuous { .. })));
    let many = vec![cases::int(1, 1_000_000, Linear, 1); 3];
    assert!(matches!(check(many), Err(SamplerError::TooMany { .. })));
    assert!(check(vec![cases::int(1, 1000, Log, 1), cases::float(0.0, 1.0, Linear, Some(0.1))]).is_ok());
}

/// Uniform on their own scale: the mean of the logarithm lies in the middle, each category is as probable.
#[test]
fn random_and_sobol_cover_each_scale_evenly() {
    let domains = vec![
        cases::float(1e-4, 1.0, spec::Scale::Log, None),
        cases::int(0, 9, spec::Scale::Linear, 1),
        cases::choices(4),
    ];
    let dimension = |(idx, domain)| search::Dimension::new(&format!("x{idx}"), domain);
    let space = search::Space::new(domains.into_iter().enumerate().map(dimension).collect()).unwrap();
    let history = history(&space, 0, 1);
    // Standard errors of 2,048 uniform draws, times four; Sobol's points are far closer.
    for (spec, tolerance) in [(SamplerSpec::Random, 0.026), (SamplerSpec::Sobol, 0.001)] {
        let mut low_share = [0.0; 3];
        for number in 0..2048 {
            let point = ask(&spec, &history, 3, number, 0).unwrap();
            let lower_half = |value: &Option<spec::ParamValue>| match value.unwrap() {
                spec::ParamValue::Float(x) => x < 1e-2,
                spec::ParamValue::Int(x) => x < 5,
                spec::ParamValue::Category(idx) => idx < 2,
            };
            for (share, value) in low_share.iter_mut().zip(&point) {
                *share += f64::from(u8::from(lower_half(value))) / 2048.0;
            }
        }
        for share in low_share {
            assert!((share - 0.5).abs() <= 2.0 * tolerance, "{spec:?}: {share}");
        }
    }
}

/// A study of that many trials, whose trials all run to their end.
fn study(
    spec: &SamplerSpec,
    seed: u64,
    n: u64,
    n_objectives: usize,
    cost: fn(f64, f64) -> Vec<f64>,
) -> History {
    let square = vec![(cases::float(-5.0, 5.0, spec::Scale::Linear, None), vec![]); 2];
    let mut history = history(&cases::space(square), 0, n_objectives);
    for number in 0..n {
        let point = ask(spec, &history, seed, number, 0).unwrap();
        let [Some(spec::ParamValue::Float(x)), Some(spec::ParamValue::Float(y))] = point[..] else {
            panic!()
        };
        let outcome = Outcome::Complete(cost(x, y));
        history.insert(search::Observation::new(number, point, outcome));
    }
    history
}

fn costs(history: &History) -> Vec<[f64; 2]> {
    let both = |trial: &search::Observation| match &trial.outcome {
        Outcome::Complete(costs) => [costs[0], *costs.last().unwrap()],
        _ => [f64::NAN; 2],
    };
    history.observations().iter().map(both).collect()
}

#[test]
fn models_find_lower_costs_than_random_points() {
    let mean_best = |spec: &SamplerSpec| {
        let bests = (1..=10).map(|seed| {
            let history = study(spec, seed, 100, 1, |x, y| vec![(x - 1.0).powi(2) + (y + 2.0).powi(2)]);
            costs(&history).iter().map(|costs| costs[0]).fold(f64::INFINITY, f64::min)
        });
        bests.sum::<f64>() / 10.0
    };
    let random = mean_best(&SamplerSpec::Random);
    let small = EvolutionSpec { population: 20, tournament: 5 };
    // Measured: TPE finds a hundredth of random's, evolution a third.
    for (spec, share) in [(SamplerSpec::default(), 0.1), (SamplerSpec::Evolution(small), 0.8)] {
        let best = mean_best(&spec);
        assert!(best < share * random, "{spec:?}: {best}, random {random}");
    }
}

#[test]
fn models_of_two_objectives_dominate_more_than_random_points() {
    let mean_volume = |spec: &SamplerSpec| {
        let volumes = (1..=5).map(|seed| {
            let cost = |x: f64, y: f64| vec![x * x + y * y, (x - 2.0).powi(2) + (y - 2.0).powi(2)];
            search::hypervolume(&costs(&study(spec, seed, 150, 2, cost)), [10.0, 10.0])
        });
        volumes.sum::<f64>() / 5.0
    };
    let random = mean_volume(&SamplerSpec::Random);
    let small = Nsga2Spec { population: 20, ..Nsga2Spec::default() };
    for spec in [SamplerSpec::default(), SamplerSpec::Nsga2(small)] {
        let volume = mean_volume(&spec);
        assert!(volume > 1.02 * random, "{spec:?}: {volume}, random {random}");
    }
}

/// Costs say nothing here, but half of the space fails, or violates a constraint at the lowest cost of all.
#[test]
fn tpe_keeps_away_from_failures_and_violations() {
    let space = cases::space(vec![(cases::float(0.0, 1.0, spec::Scale::Linear, None), vec![])]);
    for violation in [0.0, 1.0] {
        let mut n_bad = 0;
        for seed in 1..=5 {
            let mut history = history(&space, 0, 1);
            for number in 0..60 {
                let point = ask(&SamplerSpec::default(), &history, seed, number, 0).unwrap();
                let Some(spec::ParamValue::Float(x)) = point[0] else { panic!() };
                let is_bad = x < 0.5;
                n_bad += usize::from(is_bad && number >= 20);
                let cost = if is_bad { -1.0 } else { ((number * 7919) % 101) as f64 };
                let fails = is_bad && violation == 0.0;
                let outcome = if fails { Outcome::Failed } else { Outcome::Complete(vec![cost]) };
                let violation = if is_bad { violation } else { 0.0 };
                history.insert(search::Observation {
                    violation,
                    ..search::Observation::new(number, point, outcome)
                });
            }
        }
        // Measured: 17 where they fail; half of the space would be 100.
        assert!(n_bad <= 40, "{n_bad} of 200 with violation {violation}");
    }
}
