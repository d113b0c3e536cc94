//! Small data sets, jobs and observers.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use data::{Dataset, Normalization};
use lanes::Isa;
use metrics::Predictions;
use nn::{Params, Plan};
use rand_core::Rng;
use spec::{
    AdamwSpec, AugmentSpec, AverageSpec, CrossEntropySpec, EpochRecord, ErasingSpec, LossSpec, MixupSpec,
    NetworkSpec, OptimizerSpec, ScheduleKind, Seed, TrainSpec,
};
use train::{Checkpoint, Job, Observer, Outcome, Setup, Step, TrainError, train};

/// Pictures of 28 × 28 whose class is the place of a bright square, with noise.
pub(crate) fn squares(n: usize, seed: u64) -> Dataset {
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
pub(crate) struct Bench {
    pub(crate) spec: TrainSpec,
    pub(crate) plan: Plan,
    pub(crate) train: Dataset,
    pub(crate) validation: Option<Dataset>,
    pub(crate) test: Dataset,
    pub(crate) normalization: Normalization,
    pub(crate) stop: AtomicBool,
}

impl Bench {
    pub(crate) fn new(n: usize, spec: TrainSpec) -> Self {
        let plan = Plan::compile(&spec.network).unwrap();
        let (train, test) = (squares(n, 1), squares(200, 2));
        let normalization = Normalization::unit();
        let validation = spec.validation.map(|_| squares(70, 3));
        Self { spec, plan, train, validation, test, normalization, stop: AtomicBool::new(false) }
    }

    pub(crate) fn run(
        &self,
        threads: usize,
        isa: Isa,
        observer: &mut dyn Observer,
    ) -> (Params<f32>, Result<Outcome, TrainError>) {
        let mut checkpoint = self.start();
        let outcome = train(self.job(threads, isa), &mut checkpoint, observer);
        (checkpoint.model().clone(), outcome)
    }

    pub(crate) fn start(&self) -> Checkpoint {
        Checkpoint::start(&self.plan, &self.spec, self.initial())
    }

    pub(crate) fn initial(&self) -> Params<f32> {
        Params::init(&self.plan, Seed(self.spec.seed))
    }

    pub(crate) fn job(&self, threads: usize, isa: Isa) -> Job<'_> {
        Job {
            spec: &self.spec,
            plan: &self.plan,
            train: &self.train,
            validation: self.validation.as_ref(),
            test: &self.test,
            normalization: &self.normalization,
            setup: Setup { threads, isa },
            stop: &self.stop,
        }
    }
}

/// Remembers everything; ends the run after `n_epochs`.
pub(crate) struct Memory {
    pub(crate) steps: Vec<Step>,
    pub(crate) epochs: Vec<EpochRecord>,
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// Of the last epoch.
    pub(crate) test: Predictions,
    pub(crate) n_epochs: usize,
}

impl Memory {
    pub(crate) fn new(n_epochs: usize) -> Self {
        Self { steps: vec![], epochs: vec![], checkpoints: vec![], test: Predictions::default(), n_epochs }
    }
}

impl Observer for Memory {
    fn step(&mut self, step: &Step) {
        self.steps.push(*step);
    }

    fn epoch(
        &mut self,
        record: &EpochRecord,
        checkpoint: &Checkpoint,
        test: Option<&Predictions>,
    ) -> ControlFlow<()> {
        self.epochs.push(*record);
        self.checkpoints.push(checkpoint.clone());
        self.test = test.cloned().unwrap_or_default();
        if self.epochs.len() < self.n_epochs { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// A small network with batch normalization and dropout, and everything that a run may do beside its optimizer's steps.
pub(crate) fn everything(epochs: usize) -> TrainSpec {
    let text = r#"
        name = "small"
        input = [1, 28, 28]
        classes = 10
        node = [
            { layer = { conv2d = { out_channels = 4, kernel = 3, stride = 2 } } },
            { layer = "batch_norm2d" },
            { layer = "relu" },
            { layer = { max_pool2d = { kernel = 2 } } },
            { layer = { dropout = { p = 0.1 } } },
            { layer = "flatten" },
            { layer = { linear = { out_features = 10 } } },
        ]"#;
    TrainSpec {
        epochs,
        batch_size: 40,
        validation: Some(0.2),
        clip_gradient: Some(0.8),
        augment: AugmentSpec {
            shift: 2,
            horizontal_flip: 0.1,
            rotation: 10.0,
            erasing: Some(ErasingSpec::default()),
            mixup: Some(MixupSpec::default()),
        },
        loss: LossSpec::CrossEntropy(CrossEntropySpec { label_smoothing: 0.1, class_weights: vec![] }),
        optimizer: OptimizerSpec::Adamw(AdamwSpec { learning_rate: 0.01, ..AdamwSpec::default() }),
        schedule: ScheduleKind::OneCycle.into(),
        average: Some(AverageSpec { decay: 0.9 }),
        network: NetworkSpec::from_toml(text).unwrap(),
        ..TrainSpec::default()
    }
}

/// A batch of 40, so that the last of an epoch is short and ends in the middle of a lane group.
pub(crate) fn spec(epochs: usize) -> TrainSpec {
    TrainSpec { epochs, batch_size: 40, ..TrainSpec::default() }
}
