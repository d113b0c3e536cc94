//! The same run gives the same bits, and what it does beside its optimizer's steps is what is asked.

use lanes::Isa;
use nn::Params;
use spec::{AverageSpec, OptimizerKind, OptimizerSpec, ScheduleKind, Seed, SgdSpec, StopReason, TrainSpec};
use train::Outcome;

use crate::bench::{Bench, Memory, everything, spec};

const FINISHED: Outcome = Outcome::Finished(StopReason::AllEpochs);

#[test]
fn the_same_bits_for_any_threads_and_instruction_set() {
    let bench = Bench::new(151, spec(3));
    let (params, outcome) = bench.run(1, Isa::detect(), &mut train::Silent);
    assert_eq!(outcome.unwrap(), FINISHED);
    let initial = Params::<f32>::init(&bench.plan, Seed(bench.spec.seed));
    assert_ne!(params.hash(), initial.hash(), "it has learned something");
    for isa in Isa::available() {
        for threads in [1, 2, 7] {
            let again = bench.run(threads, isa, &mut train::Silent).0;
            assert_eq!(again.hash(), params.hash(), "{threads} threads, {isa}");
        }
    }
}

#[test]
fn odd_sizes_of_data_and_batch_work_and_repeat() {
    for (n, batch_size) in [(1, 1), (5, 1), (17, 256), (40, 1_000_000_000), (33, 16)] {
        let bench = Bench::new(n, TrainSpec { batch_size, ..spec(2) });
        let (params, outcome) = bench.run(1, Isa::detect(), &mut train::Silent);
        assert_eq!(outcome.unwrap(), FINISHED);
        let again = bench.run(64, Isa::detect(), &mut train::Silent).0;
        assert_eq!(again.hash(), params.hash(), "{n} samples in batches of {batch_size}");
    }
}

#[test]
fn the_same_bits_with_everything_that_a_run_may_do() {
    let bench = Bench::new(151, everything(3));
    let mut memory = Memory::new(9);
    let (model, outcome) = bench.run(1, Isa::detect(), &mut memory);
    assert_eq!(outcome.unwrap(), FINISHED);
    let bits = |params: Option<&Params<f32>>| params.map(Params::hash);
    for isa in Isa::available() {
        for threads in [1, 2, 7] {
            let mut again = Memory::new(9);
            assert_eq!(
                bench.run(threads, isa, &mut again).0.hash(),
                model.hash(),
                "{threads} threads, {isa}"
            );
            for (again, first) in again.checkpoints.iter().zip(&memory.checkpoints) {
                assert_eq!(bits(again.best_model()), bits(first.best_model()), "{threads} threads, {isa}");
            }
            assert_eq!(again.steps, memory.steps);
        }
    }
}

/// Each changes the result, so none is forgotten on the way.
#[test]
fn every_option_counts() {
    let all = everything(2);
    let with = |change: fn(&mut TrainSpec)| {
        let mut spec = all.clone();
        change(&mut spec);
        spec
    };
    let others = [
        with(|spec| spec.clip_gradient = None),
        with(|spec| spec.augment.shift = 0),
        with(|spec| spec.augment.horizontal_flip = 0.0),
        with(|spec| spec.augment.rotation = 0.0),
        with(|spec| spec.augment.erasing = None),
        with(|spec| spec.augment.mixup = None),
        with(|spec| spec.loss = Default::default()),
        with(|spec| spec.optimizer = OptimizerKind::Rmsprop.into()),
        with(|spec| spec.schedule = ScheduleKind::Cosine.into()),
        with(|spec| spec.average = None),
        with(|spec| spec.shuffle = false),
        with(|spec| spec.seed = 2),
    ];
    let hash =
        |spec: &TrainSpec| Bench::new(80, spec.clone()).run(2, Isa::detect(), &mut train::Silent).0.hash();
    let whole = hash(&all);
    for other in &others {
        assert_ne!(hash(other), whole, "{other:?}");
    }
}

#[test]
fn steps_have_the_rates_of_the_schedule() {
    let bench = Bench::new(100, everything(4));
    let mut memory = Memory::new(9);
    bench.run(2, Isa::detect(), &mut memory).1.unwrap();
    let rates: Vec<f64> = memory.steps.iter().map(|step| step.learning_rate).collect();
    let schedule = bench.spec.schedule;
    assert_eq!(rates, (0..12).map(|step| schedule.rate(0.01, step, 3, 4)).collect::<Vec<_>>());
    let of_epochs: Vec<f64> = memory.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    assert_eq!(of_epochs, [rates[2], rates[5], rates[8], rates[11]]);
}

/// Epochs of one step each, so that every update can be seen.
fn one_step_epochs(epochs: usize, change: impl FnOnce(&mut TrainSpec)) -> Vec<Params<f32>> {
    let mut spec = TrainSpec { batch_size: 1000, ..spec(epochs) };
    change(&mut spec);
    let mut memory = Memory::new(99);
    Bench::new(48, spec).run(2, Isa::detect(), &mut memory).1.unwrap();
    memory.checkpoints.iter().map(|checkpoint| checkpoint.model().clone()).collect()
}

#[test]
fn the_average_is_that_of_the_parameters_of_all_steps() {
    let plain = one_step_epochs(15, |_| {});
    let averaged = one_step_epochs(15, |spec| spec.average = Some(AverageSpec { decay: 0.5 }));
    let bench = Bench::new(48, spec(15));
    let mut average = bench.initial().0;
    for (step, (params, got)) in plain.iter().zip(&averaged).enumerate() {
        let keep = 0.5f64.min((1.0 + step as f64) / (10.0 + step as f64));
        for (a, &p) in average.iter_mut().zip(&params.0) {
            *a += (1.0 - keep) as f32 * (p - *a);
        }
        assert_eq!(got.0, average, "step {step}");
    }
}

#[test]
fn a_long_gradient_is_shortened_and_a_short_one_left() {
    let sgd = OptimizerSpec::Sgd(SgdSpec { learning_rate: 0.5, ..SgdSpec::default() });
    let step = |longest| {
        one_step_epochs(1, |spec| {
            spec.optimizer = sgd;
            spec.clip_gradient = longest;
        })
    };
    let start = Bench::new(48, spec(1)).initial();
    let moved = |params: &Params<f32>| -> Vec<f64> {
        params.0.iter().zip(&start.0).map(|(&p, &s)| f64::from(s) - f64::from(p)).collect()
    };
    let length = |moved: &[f64]| moved.iter().map(|m| m * m).sum::<f64>().sqrt();
    let plain = moved(&step(None)[0]);
    let longest = 0.1 * length(&plain) / 0.5;
    let clipped = moved(&step(Some(longest))[0]);
    assert!((length(&clipped) / (0.5 * longest) - 1.0).abs() < 1e-3, "{}", length(&clipped));
    let along: f64 = plain.iter().zip(&clipped).map(|(a, b)| a * b).sum();
    assert!(along / (length(&plain) * length(&clipped)) > 0.9999, "it points elsewhere");
    assert_eq!(step(Some(1e6)), step(None));
}
