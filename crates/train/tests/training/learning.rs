//! What is learned, and how a run ends.

use lanes::Isa;
use rand_core::Rng;
use spec::{LossSpec, MapSpec, OptimizerSpec, Seed, SgdSpec, StopReason, Testing, TrainSpec, preset};
use train::{Outcome, Setup, TrainError, evaluate, logits};

use crate::bench::{Bench, Memory, spec, squares};

#[test]
fn the_loss_starts_near_ln_10_and_what_can_be_learned_is_learned() {
    let bench = Bench::new(800, spec(8));
    let mut memory = Memory::new(9);
    bench.run(2, Isa::detect(), &mut memory).1.unwrap();
    assert!((memory.steps[0].loss - 10f64.ln()).abs() < 0.05, "{}", memory.steps[0].loss);
    let last = memory.epochs.last().unwrap();
    assert!(last.test_accuracy > 0.95 && last.train_accuracy > 0.95, "{last:?}");
    assert_eq!(memory.steps.len(), 8 * 20);
}

#[test]
fn one_batch_is_learned_by_heart() {
    let mut bench = Bench::new(40, spec(400));
    // Labels that have nothing to do with the pictures: only memory helps.
    bench.train.labels.reverse();
    let mut memory = Memory::new(1000);
    bench.run(2, Isa::detect(), &mut memory).1.unwrap();
    let last = memory.epochs.last().unwrap();
    assert!(last.loss < 0.05 && last.train_accuracy == 1.0, "{last:?}");
}

#[test]
fn labels_without_meaning_stay_at_chance_on_new_pictures() {
    let mut bench = Bench::new(800, spec(3));
    let mut random = Seed(5).stream("labels");
    bench.train.labels.iter_mut().for_each(|label| *label = (random.next_u32() % 10) as u8);
    let mut memory = Memory::new(9);
    bench.run(2, Isa::detect(), &mut memory).1.unwrap();
    // 0.1 ± 4 standard errors of 200 pictures.
    let accuracy = memory.epochs.last().unwrap().test_accuracy;
    assert!(accuracy < 0.1 + 4.0 * (0.09f64 / 200.0).sqrt(), "{accuracy}");
}

#[test]
fn evaluation_and_logits_agree_with_the_training_record() {
    let bench = Bench::new(160, spec(2));
    let mut memory = Memory::new(9);
    let (params, _) = bench.run(2, Isa::detect(), &mut memory);
    let setup = Setup { threads: 3, isa: Isa::detect() };
    let loss = &bench.spec.loss;
    let evaluation = evaluate(&bench.plan, &params, &bench.test, &bench.normalization, loss, setup).unwrap();
    assert_eq!(evaluation.accuracy, memory.epochs[1].test_accuracy);
    assert_eq!(evaluation.predictions, memory.test);
    let logits = logits(&bench.plan, &params, &bench.test, &bench.normalization, setup).unwrap();
    let mut n_correct = 0;
    for (idx, (row, &label)) in logits.chunks_exact(10).zip(&bench.test.labels).enumerate() {
        let (class, confidence) = metrics::top(row, 1)[0];
        n_correct += usize::from(class == usize::from(label));
        assert_eq!(usize::from(memory.test.predicted[idx]), class);
        assert!((f64::from(memory.test.confidence[idx]) - confidence).abs() < 1e-6);
        let loss = -metrics::softmax(row)[usize::from(label)].ln();
        assert!((f64::from(memory.test.loss[idx]) - loss).abs() < 1e-4 * loss.max(1.0));
    }
    assert_eq!(n_correct as f64 / 200.0, evaluation.accuracy);
}

#[test]
fn lenet_5_is_evaluated_by_its_own_loss() {
    let network = preset("lenet-5-1998").unwrap();
    let loss = LossSpec::Map(MapSpec { rubbish: 2.0 });
    let bench = Bench::new(40, TrainSpec { network, loss, validation: Some(0.2), ..spec(1) });
    let mut memory = Memory::new(9);
    let (params, _) = bench.run(2, Isa::detect(), &mut memory);
    let setup = Setup { threads: 2, isa: Isa::detect() };
    let loss_of = |dataset| {
        evaluate(&bench.plan, &params, dataset, &bench.normalization, &bench.spec.loss, setup).unwrap()
    };
    assert_eq!(Some(loss_of(bench.validation.as_ref().unwrap()).loss), memory.epochs[0].validation_loss);
    assert_eq!(loss_of(&bench.test).predictions, memory.test);
}

#[test]
fn a_run_can_be_stopped_from_outside_and_by_its_observer() {
    let bench = Bench::new(160, spec(5));
    let mut memory = Memory::new(2);
    assert_eq!(bench.run(2, Isa::detect(), &mut memory).1.unwrap(), Outcome::Stopped);
    assert_eq!(memory.epochs.len(), 2);
    bench.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut memory = Memory::new(9);
    assert_eq!(bench.run(2, Isa::detect(), &mut memory).1.unwrap(), Outcome::Stopped);
    assert!(memory.steps.is_empty());
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_the_place() {
    let sgd = OptimizerSpec::Sgd(SgdSpec { learning_rate: 1e30, ..SgdSpec::default() });
    let bench = Bench::new(160, TrainSpec { optimizer: sgd, ..spec(5) });
    let error = bench.run(2, Isa::detect(), &mut train::Silent).1.unwrap_err();
    assert!(matches!(error, TrainError::Diverged { epoch: 1, step: 2.., .. }), "{error}");
    assert!(error.to_string().contains("epoch 1, step"), "{error}");
}

#[test]
fn a_last_update_that_destroys_the_parameters_is_noticed() {
    let sgd = OptimizerSpec::Sgd(SgdSpec { learning_rate: 1e39, ..SgdSpec::default() });
    let bench = Bench::new(40, TrainSpec { optimizer: sgd, ..spec(1) });
    let mut memory = Memory::new(9);
    let error = bench.run(2, Isa::detect(), &mut memory).1.unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { epoch: 1, .. }), "{error}");
    assert!(error.to_string().contains("tensor `conv.0.weight` held"), "{error}");
    assert!(memory.epochs.is_empty(), "no epoch is reported with such parameters");
}

#[test]
fn data_that_does_not_fit_the_network_is_refused() {
    let mut bench = Bench::new(160, spec(1));
    bench.test.shape = [1, 14, 56];
    let error = bench.run(1, Isa::detect(), &mut train::Silent).1.unwrap_err();
    assert!(matches!(error, TrainError::InputShape { .. }), "{error}");
    bench.test.shape = [1, 28, 28];
    bench.test.labels[3] = 200;
    let error = bench.run(1, Isa::detect(), &mut train::Silent).1.unwrap_err();
    assert!(matches!(error, TrainError::Label { idx: 3, label: 200, .. }), "{error}");
    bench.test = squares(0, 1);
    let error = bench.run(1, Isa::detect(), &mut train::Silent).1.unwrap_err();
    assert!(matches!(error, TrainError::Lengths { n_labels: 0, .. }), "{error}");
    bench.test = squares(20, 1);
    bench.train.classes.pop();
    let error = bench.run(1, Isa::detect(), &mut train::Silent).1.unwrap_err();
    assert!(matches!(error, TrainError::Classes { .. }), "{error}");
}

#[test]
fn the_test_part_is_looked_at_when_the_spec_says() {
    let cases = [
        (Testing::EachEpoch, [true, true, true]),
        (Testing::AtEnd, [false, false, true]),
        (Testing::Never, [false, false, false]),
    ];
    let tested = |test| {
        let bench = Bench::new(64, TrainSpec { test, ..spec(3) });
        let mut memory = Memory::new(9);
        let (params, outcome) = bench.run(2, Isa::detect(), &mut memory);
        assert_eq!(outcome.unwrap(), Outcome::Finished(StopReason::AllEpochs));
        let tested: Vec<bool> = memory.epochs.iter().map(|epoch| epoch.test_accuracy.is_finite()).collect();
        assert_eq!(memory.test.is_empty(), !tested[2]);
        (tested, params.hash())
    };
    for (test, expected) in cases {
        let (tested, hash) = tested(test);
        assert_eq!(tested, expected, "{test:?}");
        assert_eq!(hash, self::hash_of(&spec(3)), "{test:?}");
    }
}

fn hash_of(spec: &TrainSpec) -> String {
    Bench::new(64, spec.clone()).run(1, Isa::detect(), &mut Memory::new(9)).0.hash()
}
