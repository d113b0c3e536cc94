//! When a step is taken, what it learns from, and what is said of it.

use search::{Answer, Ask, History, Observation, Outcome, StepLog, sampler};
use spec::{ControllerSpec, Direction, ParamValue, RewardSpec, SamplerSpec, Seed, SoftmaxTableSpec};

use super::{CHILDREN, accuracy, empty, fresh, over, prefix, specs, study, try_point};

#[test]
fn a_step_is_waited_for() {
    for (name, spec) in specs().into_iter().filter(|(name, _)| *name != "one child a step") {
        let delay = u64::from(name.ends_with("delay"));
        let (history, _) = study(&spec, 2 * CHILDREN);
        let ask = |history: &History, number| {
            sampler(&spec).ask(&Ask { history, seed: Seed(1), number, attempt: 0 })
        };
        let mut open = history.clone();
        let trial = history.get(CHILDREN + 1).unwrap().clone();
        open.insert(Observation { outcome: Outcome::Pending, ..trial });
        let missing = prefix(&history, 2 * CHILDREN - 1);
        for history in [open, missing] {
            let first_waiting = (2 + delay) * CHILDREN;
            for number in 0..first_waiting {
                assert!(matches!(ask(&history, number), Answer::Try(_)), "{name} {number}");
            }
            for number in [first_waiting, first_waiting + 1, 5 * CHILDREN, 1 << 40, u64::MAX] {
                assert_eq!(ask(&history, number), Answer::Wait, "{name} {number}");
            }
        }
        assert!(matches!(ask(&history, 2 * CHILDREN), Answer::Try(_)), "{name}");
    }
}

/// With a delay a step's trials are drawn before the step before is learned from.
#[test]
fn with_a_delay_answers_do_not_depend_on_the_step_before() {
    for (name, spec) in specs().into_iter().filter(|(name, _)| name.ends_with("delay")) {
        let (history, _) = study(&spec, 3 * CHILDREN);
        let early = prefix(&history, 2 * CHILDREN);
        for number in 3 * CHILDREN..4 * CHILDREN {
            let (late, early) = (fresh(&spec, &history, number, 0), fresh(&spec, &early, number, 0));
            assert!(early.is_some() && late == early, "{name}: {late:?} {early:?}");
        }
    }
}

/// The same, but with steps so long that none is ever over.
fn never_taught(spec: &SamplerSpec) -> SamplerSpec {
    let long = |reward| RewardSpec { children: 1000, ..reward };
    match *spec {
        SamplerSpec::Controller(spec) => {
            SamplerSpec::Controller(ControllerSpec { reward: long(spec.reward), ..spec })
        }
        SamplerSpec::SoftmaxTable(spec) => {
            SamplerSpec::SoftmaxTable(SoftmaxTableSpec { reward: long(spec.reward), ..spec })
        }
        other => other,
    }
}

#[test]
fn what_a_person_chose_is_not_learned_from() {
    for (name, spec) in specs() {
        let n = 3 * CHILDREN;
        let mut chosen = empty();
        for number in 0..n {
            let point = fresh(&spec, &empty(), 0, number).unwrap();
            chosen.insert(over(number, point, None));
        }
        let taught = sampler(&spec);
        let answer = try_point(&*taught, &chosen, n, 0);
        assert_eq!(answer, fresh(&never_taught(&spec), &chosen, n, 0), "{name}");
        let steps = taught.steps(0);
        assert!(steps.iter().all(|step| step.n_samples == 0 && step.baseline.is_none()), "{name}");
        assert!(steps.len() > 1, "{name}");
    }
}

#[test]
fn depth_grows_with_the_number_of_the_child() {
    let (_, spec) = specs()[4];
    let (history, _) = study(&spec, 40);
    let depths: Vec<_> = history.observations().iter().map(|trial| trial.point[0]).collect();
    let expected = (0..40).map(|number| Some(ParamValue::Category(usize::from(number >= 10))));
    assert_eq!(depths, expected.collect::<Vec<_>>());
}

#[test]
fn the_log_of_a_step_says_what_happened() {
    for (name, spec) in specs().into_iter().filter(|(name, _)| *name != "one child a step") {
        let (history, _) = study(&spec, 41);
        let sampler = sampler(&spec);
        let answer = try_point(&*sampler, &history, 40, 0);
        let expected = 10 - usize::from(name.ends_with("delay"));
        assert_eq!(sampler.steps(0).len(), expected, "{name}");
        // When all is over, nothing is left out, and what comes next stays what it was.
        sampler.learn(&Ask { history: &history, seed: Seed(1), number: 40, attempt: 0 });
        let steps = sampler.steps(0);
        assert_eq!(steps.len(), 10, "{name}");
        assert_eq!(try_point(&*sampler, &history, 40, 0), answer, "{name}");
        for (idx, step) in steps.iter().enumerate() {
            check_step(step, idx as u64, &history);
        }
    }
}

fn check_step(step: &StepLog, idx: u64, history: &History) {
    let numbers = idx * CHILDREN..(idx + 1) * CHILDREN;
    let trials: Vec<_> = numbers.clone().map(|number| history.get(number).unwrap()).collect();
    assert_eq!((step.step, step.first_trial), (idx, numbers.start));
    let attempts = trials.iter().filter_map(|trial| trial.attempt);
    assert_eq!(step.n_refused, attempts.clone().sum::<u64>());
    assert_eq!(step.n_samples, step.n_refused + attempts.count() as u64);
    let points: std::collections::BTreeSet<_> =
        (0..numbers.end).map(|number| format!("{:?}", history.get(number).unwrap().point)).collect();
    assert_eq!(step.n_unique, points.len() as u64);
    assert_eq!(step.baseline.is_none(), idx == 0);
    assert!(step.rewards.is_sorted() && step.rewards[0] >= 0.0 && step.rewards[4] <= 1.0);
    assert!(step.gradient_norm > 0.0 && step.gradient_norm.is_finite());
    let largest = [("layers", 2.0), ("a", 3.0), ("b", 2.0), ("skips", 2.0), ("head", 2.0)];
    for (name, entropy) in &step.entropy {
        let (_, n): &(_, f64) = largest.iter().find(|(kind, _)| kind == name).unwrap();
        assert!((0.0..=n.ln() + 1e-12).contains(entropy), "{name} {entropy}");
    }
    assert!(step.entropy.len() >= 4, "{:?}", step.entropy);
}

/// What a grammar's rule masks is never drawn, and what is drawn is learned from.
#[test]
fn networks_that_fit_together_are_drawn_alone() {
    use crate::grammar::{SHRINKING, SKIPPING, space_of, spec as grammar};
    for (name, spec) in specs() {
        for text in [SHRINKING, SKIPPING] {
            let space = space_of(&search::Grammar::new(&grammar(text)).unwrap());
            let (sampler, mut history) = (sampler(&spec), History::new(space, vec![Direction::Maximize]));
            for number in 0..40 {
                let point = try_point(&*sampler, &history, number, 0).unwrap();
                assert!(history.space().contains(&point), "{name}: {point:?}");
                let outcome = Outcome::Complete(vec![-accuracy(&point)]);
                let (intermediate, violation, attempt) = (vec![], 0.0, Some(0));
                history.insert(Observation {
                    intermediate,
                    violation,
                    attempt,
                    ..Observation::new(number, point, outcome)
                });
            }
            let steps = sampler.steps(0);
            assert!(steps.iter().all(|step| step.n_samples > 0), "{name}");
            assert!(steps.last().is_some_and(|step| step.gradient_norm > 0.0), "{name}");
        }
    }
}
