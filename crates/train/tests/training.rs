//! The loop as a whole: what it learns, that it repeats itself to the bit, and how it ends.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use data::{Dataset, Normalization};
use lanes::Isa;
use nn::{Params, Plan};
use rand_core::Rng;
use spec::{EpochRecord, OptimizerSpec, Seed, SgdSpec, TrainSpec};
use train::{Job, Observer, Outcome, Setup, Step, TrainError, evaluate, logits, train};

/// Pictures of 28 × 28 whose class is the place of a bright square, with noise.
fn squares(n: usize, seed: u64) -> Dataset {
    let mut random = Seed(seed).stream("squares");
    let mut images = vec![0; n * 784];
    let mut labels = Vec::new();
    for image in images.chunks_exact_mut(784) {
        let class = (random.next_u32() % 10) as usize;
        image.iter_mut().for_each(|pixel| *pixel = (random.next_u32() % 64) as u8);
        let (row, column) = (class / 5 * 12 + 2, class % 5 * 5 + 1);
        for r in row..row + 5 {
            image[r * 28 + column..r * 28 + column + 5].fill(220);
        }
        labels.push(class as u8);
    }
    let classes = (0..10).map(|k| k.to_string()).collect();
    Dataset { name: "squares".into(), shape: [1, 28, 28], images, labels, classes, sha256: String::new() }
}

/// Everything that a job borrows.
struct Bench {
    spec: TrainSpec,
    plan: Plan,
    train: Dataset,
    test: Dataset,
    normalization: Normalization,
    stop: AtomicBool,
}

impl Bench {
    fn new(n: usize, spec: TrainSpec) -> Self {
        let plan = Plan::compile(&spec.network).unwrap();
        let (train, test) = (squares(n, 1), squares(200, 2));
        let normalization = Normalization::unit();
        Self { spec, plan, train, test, normalization, stop: AtomicBool::new(false) }
    }

    fn run(
        &self,
        threads: usize,
        isa: Isa,
        observer: &mut dyn Observer,
    ) -> (Params<f32>, Result<Outcome, TrainError>) {
        let mut params = Params::init(&self.plan, Seed(self.spec.seed));
        let job = Job {
            spec: &self.spec,
            plan: &self.plan,
            train: &self.train,
            test: &self.test,
            normalization: &self.normalization,
            setup: Setup { threads, isa },
            stop: &self.stop,
        };
        let outcome = train(job, &mut params, observer);
        (params, outcome)
    }
}

/// Remembers everything; ends the run after `n_epochs`.
struct Memory {
    steps: Vec<Step>,
    epochs: Vec<EpochRecord>,
    n_epochs: usize,
}

impl Memory {
    fn new(n_epochs: usize) -> Self {
        Self { steps: vec![], epochs: vec![], n_epochs }
    }
}

impl Observer for Memory {
    fn step(&mut self, step: &Step) {
        self.steps.push(*step);
    }

    fn epoch(&mut self, record: &EpochRecord, _: &Params<f32>) -> ControlFlow<()> {
        self.epochs.push(*record);
        if self.epochs.len() < self.n_epochs { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// A batch of 40, so that the last of an epoch is short and ends in the middle of a lane group.
fn spec(epochs: usize) -> TrainSpec {
    TrainSpec { epochs, batch_size: 40, ..TrainSpec::default() }
}

#[test]
fn the_same_bits_for_any_threads_and_instruction_set() {
    let bench = Bench::new(151, spec(3));
    let (params, outcome) = bench.run(1, Isa::detect(), &mut train::Silent);
    assert_eq!(outcome.unwrap(), Outcome::Finished);
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
    let evaluation = evaluate(&bench.plan, &params, &bench.test, &bench.normalization, setup).unwrap();
    assert_eq!(evaluation.accuracy, memory.epochs[1].test_accuracy);
    let logits = logits(&bench.plan, &params, &bench.test, &bench.normalization, setup).unwrap();
    let n_correct = logits.chunks_exact(10).zip(&bench.test.labels).filter(|(row, label)| {
        let best = (1..10).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        best == usize::from(**label)
    });
    assert_eq!(n_correct.count() as f64 / 200.0, evaluation.accuracy);
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
fn odd_sizes_of_data_and_batch_work_and_repeat() {
    for (n, batch_size) in [(1, 1), (5, 1), (17, 256), (40, 1_000_000_000), (33, 16)] {
        let bench = Bench::new(n, TrainSpec { batch_size, ..spec(2) });
        let (params, outcome) = bench.run(1, Isa::detect(), &mut train::Silent);
        assert_eq!(outcome.unwrap(), Outcome::Finished);
        let again = bench.run(64, Isa::detect(), &mut train::Silent).0;
        assert_eq!(again.hash(), params.hash(), "{n} samples in batches of {batch_size}");
    }
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
fn every_layer_with_multiply_adds_has_a_speed_below_the_peak() {
    let setup = Setup { threads: 1, isa: Isa::detect() };
    let network = spec::preset("lenet").unwrap();
    let speeds = train::measure_layers(&network, setup).unwrap();
    let names: Vec<_> = speeds.iter().map(|speed| speed.name.as_str()).collect();
    assert_eq!(names, ["conv.0", "conv.3", "fc.0", "fc.2", "fc.4"]);
    let peak = train::measure_peak(setup).unwrap();
    // The machine may be shared, and the peak measured in a slower moment.
    assert!(
        speeds.iter().all(|s| s.forward > 0.0 && s.training > 0.0 && s.forward < 3.0 * peak),
        "{speeds:?}"
    );
}
