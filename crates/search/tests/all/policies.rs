//! What learning samplers promise: their answer is a function of the history, the seed, the number and the
//! attempt, whatever they were asked before and whatever they remember.

use search::{Answer, Ask, Condition, Dimension, History, Observation, Outcome, Point, Role, Sampler, Space};
use search::{SamplerError, StepLog, check_sampler, sampler};
use spec::{Category, ControllerSpec, Direction, Domain, ParamValue, RewardSpec, SamplerSpec, Seed};
use spec::{SoftmaxTableSpec, TpeSpec};

use crate::cases;

const CHILDREN: u64 = 4;

/// Two or three layers with skips and two decisions, and one decision for all.
fn network_space() -> Space {
    let dimension = |name: &str, n: i64, role: Role, deep: bool| {
        let conditions = if deep { vec![Condition { dimension: 0, categories: vec![1] }] } else { vec![] };
        let domain = Domain::Categorical((0..n).map(Category::Int).collect());
        Dimension { role, conditions, ..Dimension::new(name, domain) }
    };
    let mut dimensions = vec![dimension("layers", 2, Role::Depth, false)];
    for layer in 0..3 {
        for from in 0..layer {
            dimensions.push(dimension(
                &format!("{layer}.from.{from}"),
                2,
                Role::Skip { layer, from },
                layer == 2,
            ));
        }
        for (kind, n) in [("a", 3), ("b", 2)] {
            let role = Role::Layer { kind: kind.into(), layer };
            dimensions.push(dimension(&format!("{layer}.{kind}"), n, role, layer == 2));
        }
    }
    dimensions.push(dimension("head", 2, Role::Single, false));
    Space::new(dimensions).unwrap()
}

/// Small controllers and tables with everything off and everything on.
fn specs() -> Vec<(&'static str, SamplerSpec)> {
    let reward = RewardSpec { children: CHILDREN, power: 3.0, ..RewardSpec::default() };
    let plain = ControllerSpec { hidden: 6, learning_rate: 0.05, reward, ..ControllerSpec::default() };
    let all = ControllerSpec {
        temperature: 2.0,
        tanh: Some(2.5),
        entropy_bonus: 0.01,
        skip_penalty: 0.5,
        clip: Some(0.2),
        n_passes: 3,
        ..plain
    };
    let ones = RewardSpec { children: 1, ..reward };
    let table = SoftmaxTableSpec { learning_rate: 0.3, reward, ..SoftmaxTableSpec::default() };
    vec![
        ("plain", SamplerSpec::Controller(plain)),
        ("delay", SamplerSpec::Controller(ControllerSpec { delay: 1, ..plain })),
        ("all", SamplerSpec::Controller(all)),
        ("all, delay", SamplerSpec::Controller(ControllerSpec { delay: 1, ..all })),
        ("grow", SamplerSpec::Controller(ControllerSpec { grow_every: Some(10), ..plain })),
        ("one child a step", SamplerSpec::Controller(ControllerSpec { reward: ones, ..plain })),
        ("table", SamplerSpec::SoftmaxTable(table)),
        ("table, delay", SamplerSpec::SoftmaxTable(SoftmaxTableSpec { delay: 1, ..table })),
    ]
}

fn try_point(sampler: &dyn Sampler, history: &History, number: u64, attempt: u64) -> Option<Point> {
    sampler.ask(&Ask { history, seed: Seed(1), number, attempt }).point()
}

fn fresh(spec: &SamplerSpec, history: &History, number: u64, attempt: u64) -> Option<Point> {
    try_point(&*sampler(spec), history, number, attempt)
}

fn empty() -> History {
    History::new(network_space(), vec![Direction::Maximize])
}

/// An accuracy from 0 to 1 that depends on all of a point.
fn accuracy(point: &Point) -> f64 {
    let sum = point.iter().zip(1..).fold(0, |sum, (value, place)| match value {
        Some(ParamValue::Category(category)) => sum * 7 + place * (category + 1),
        _ => sum * 5 + 1,
    });
    (sum % 97) as f64 / 96.0
}

/// A trial that was drawn at that attempt: whole, ended early, failed or outside of a constraint in turn.
fn over(number: u64, point: Point, attempt: Option<u64>) -> Observation {
    let accuracy = accuracy(&point);
    let (outcome, violation) = match number % 11 {
        3 => (Outcome::Failed, 0.0),
        5 => (Outcome::Pruned(vec![-accuracy]), 0.0),
        8 => (Outcome::Complete(vec![-accuracy]), 2.0),
        _ => (Outcome::Complete(vec![-accuracy]), 0.0),
    };
    let intermediate = (1..=number % 4).zip((0..4).map(|epoch| f64::from(epoch) / 10.0 - accuracy)).collect();
    Observation { number, outcome, point, intermediate, violation, attempt }
}

/// Trials 0 to `n` as one long-lived sampler draws them, some of them after refusals, some chosen by a person.
fn study(spec: &SamplerSpec, n: u64) -> (History, Box<dyn Sampler>) {
    let (sampler, mut history) = (sampler(spec), empty());
    for number in 0..n {
        let attempt = if number % 3 == 1 { number % 5 } else { 0 };
        let point = try_point(&*sampler, &history, number, attempt).expect("nobody else is at work");
        let attempt = (number % 7 != 6).then_some(attempt);
        history.insert(over(number, point, attempt));
    }
    (history, sampler)
}

fn prefix(history: &History, n: u64) -> History {
    let mut prefix = empty();
    history
        .observations()
        .iter()
        .filter(|trial| trial.number < n)
        .for_each(|trial| prefix.insert(trial.clone()));
    prefix
}

#[test]
fn an_answer_is_the_same_whatever_a_sampler_was_asked_before_or_remembers() {
    for (name, spec) in specs() {
        let (history, long_lived) = study(&spec, 41);
        let memories: Vec<_> = [9, 23, 41].map(|n| memory(&spec, &prefix(&history, n), n)).into();
        for n in [41, 0, 3, 4, 17, 24, 40, 39, 12] {
            let (history, attempt) = (prefix(&history, n), n % 3);
            let expected = fresh(&spec, &history, n, attempt).expect(name);
            let asked_much = try_point(&*long_lived, &history, n, attempt);
            assert_eq!(asked_much.as_ref(), Some(&expected), "{name} {n}: a long-lived sampler");
            for memory in memories.iter().flatten() {
                let recalling = sampler(&spec);
                recalling.recall(memory);
                let recalled = try_point(&*recalling, &history, n, attempt);
                assert_eq!(recalled.as_ref(), Some(&expected), "{name} {n}: a memory");
            }
        }
    }
}

/// What a sampler remembers that was asked for trial `n`.
fn memory(spec: &SamplerSpec, history: &History, n: u64) -> Option<Vec<u8>> {
    let sampler = sampler(spec);
    try_point(&*sampler, history, n, 0);
    sampler.memory().map(|memory| memory.bytes)
}

/// The trials of a history are what was drawn; else the test above would compare nothing that matters.
#[test]
fn what_is_learned_changes_the_answers_and_each_trial_counts() {
    for (name, spec) in specs() {
        let (history, _) = study(&spec, 40);
        let answers = |history: &History| -> Vec<_> {
            let sampler = sampler(&spec);
            (0..30).map(|attempt| try_point(&*sampler, history, 40, attempt)).collect()
        };
        let untaught: Vec<_> = (0..30).map(|attempt| fresh(&spec, &empty(), 0, attempt)).collect();
        assert_ne!(untaught, answers(&history), "{name}");
        for number in [0, 9, 31] {
            let mut other = history.clone();
            let trial = history.get(number).unwrap().clone();
            let outcome = Outcome::Complete(vec![-0.999]);
            other.insert(Observation { outcome, intermediate: vec![], violation: 0.0, ..trial });
            assert_ne!(memory(&spec, &history, 40), memory(&spec, &other, 40), "{name}: trial {number}");
            // The cache of the sampler that learned from the first history must not answer for the other.
            let switched = sampler(&spec);
            try_point(&*switched, &history, 40, 0);
            try_point(&*switched, &other, 40, 0);
            assert_eq!(switched.memory().map(|m| m.bytes), memory(&spec, &other, 40), "{name}: {number}");
        }
    }
}

#[test]
fn damaged_and_foreign_memories_are_of_no_effect() {
    let (_, spec) = specs()[3];
    let (history, _) = study(&spec, 30);
    let good = memory(&spec, &history, 30).unwrap();
    let expected = memory(&spec, &history, 30);
    let mut bad: Vec<Vec<u8>> = (0..good.len()).step_by(997).map(|n| good[..n].to_vec()).collect();
    bad.extend((0..good.len()).step_by(991).map(|at| {
        let mut bytes = good.clone();
        bytes[at] ^= 4;
        bytes
    }));
    for (_, other) in specs() {
        bad.extend(memory(&other, &study(&other, 40).0, 40));
    }
    let mut other_history = history.clone();
    other_history.insert(over(11, history.get(12).unwrap().point.clone(), Some(0)));
    bad.extend(memory(&spec, &other_history, 30));
    let of_other_seed = sampler(&spec);
    of_other_seed.ask(&Ask { history: &history, seed: Seed(2), number: 30, attempt: 0 });
    bad.extend(of_other_seed.memory().map(|memory| memory.bytes));
    for bytes in bad {
        let recalling = sampler(&spec);
        recalling.recall(&bytes);
        assert_eq!(recalling.memory(), None, "nothing is said of what was not looked at");
        try_point(&*recalling, &history, 30, 0);
        assert_eq!(recalling.memory().map(|memory| memory.bytes), expected);
    }
}

#[test]
fn a_memory_says_all_steps() {
    for (name, spec) in specs() {
        let (history, long_lived) = study(&spec, 40);
        try_point(&*long_lived, &history, 40, 0).unwrap();
        let memory = long_lived.memory().unwrap();
        let recalling = sampler(&spec);
        recalling.recall(&memory.bytes);
        try_point(&*recalling, &history, 40, 0).unwrap();
        assert_eq!(recalling.steps(), long_lived.steps(), "{name}");
        assert_eq!(recalling.memory(), Some(memory.clone()), "{name}");
        assert_eq!(memory.n_steps, recalling.steps().len() as u64, "{name}");
    }
}

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
        let steps = taught.steps();
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
        try_point(&*sampler, &history, 40, 0).unwrap();
        let steps = sampler.steps();
        let expected = 10 - usize::from(name.ends_with("delay"));
        assert_eq!(steps.len(), expected, "{name}");
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

#[test]
fn policies_need_choices_and_one_objective_that_is_maximized() {
    let choices = Space::new(vec![Dimension::new("x", cases::choices(2))]).unwrap();
    let number = Dimension::new("y", cases::int(1, 3, spec::Scale::Linear, 1));
    let numbers = Space::new(vec![Dimension::new("x", cases::choices(2)), number]).unwrap();
    let up = &[Direction::Maximize][..];
    for spec in [
        SamplerSpec::Controller(ControllerSpec::default()),
        SamplerSpec::SoftmaxTable(SoftmaxTableSpec::default()),
    ] {
        let message = |space, directions| match check_sampler(&spec, space, directions) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        };
        assert_eq!(message(&choices, up), "");
        assert!(message(&numbers, up).contains("`y` is a number"), "{}", message(&numbers, up));
        assert!(message(&choices, &[Direction::Minimize]).contains("minimized"));
        assert!(message(&choices, &[Direction::Maximize; 2]).contains("2 objectives"));
        // Asked all the same, there is no answer.
        let history = History::new(numbers.clone(), up.to_vec());
        let answer = sampler(&spec).ask(&Ask { history: &history, seed: Seed(1), number: 0, attempt: 0 });
        assert_eq!(answer, Answer::Exhausted);
    }
    let tpe = SamplerSpec::Tpe(TpeSpec::default());
    assert!(check_sampler(&tpe, &numbers, &[Direction::Minimize; 2]).is_ok());
    let grid = check_sampler(
        &SamplerSpec::Grid,
        &Space::new(vec![Dimension::new("z", cases::float(0.0, 1.0, spec::Scale::Linear, None))]).unwrap(),
        up,
    );
    assert!(matches!(grid, Err(SamplerError::Continuous { .. })));
}

/// Failures, NaN, strangers and absurd attempts included.
#[test]
fn whatever_the_history_holds_points_lie_in_the_space() {
    for (name, spec) in specs() {
        for case in cases::spaces()
            .into_iter()
            .filter(|case| check_sampler(&spec, &case.space, &[Direction::Maximize]).is_ok())
        {
            let mut history = History::new(case.space.clone(), vec![Direction::Maximize]);
            for (number, point) in (0..64).zip(cases::random_points(&case.space, 64, Seed(99))) {
                let trial = cases::observation(number, point, 1);
                let outcome = if trial.outcome == Outcome::Pending { Outcome::Failed } else { trial.outcome };
                let attempt = [None, Some(0), Some(2), Some(u64::MAX)][number as usize / 16];
                history.insert(Observation { outcome, attempt, ..trial });
            }
            let point = fresh(&spec, &history, 64, 0).expect(name);
            assert!(case.space.contains(&point), "{name} {}: {point:?}", case.name);
        }
    }
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
                history.insert(Observation { number, outcome, point, intermediate, violation, attempt });
            }
            let steps = sampler.steps();
            assert!(steps.iter().all(|step| step.n_samples > 0), "{name}");
            assert!(steps.last().is_some_and(|step| step.gradient_norm > 0.0), "{name}");
        }
    }
}
