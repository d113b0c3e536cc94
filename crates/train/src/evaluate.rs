//! Loss, accuracy and logits of a data set, without learning.

use data::{Dataset, Normalization};
use lanes::{GROUP, Lane, WithLane};
use metrics::Predictions;
use nn::{Loss, Mode, Params, Plan, Prediction, Tally, Workspace, evaluate_group, forward};
use rayon::prelude::*;
use spec::LossSpec;

use crate::per_thread::PerThread;
use crate::pictures::{check_fit, pack};
use crate::{Setup, TrainError};

/// How well a network does on a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss of the samples.
    pub loss: f64,
    /// Share of the samples whose largest logit is their label's.
    pub accuracy: f64,
    /// Samples.
    pub n: usize,
    /// What it says of each sample.
    pub predictions: Predictions,
}

/// Loss and accuracy of the network on all samples.
///
/// `loss` is the one that it learned by; it is measured as its run measures it after an epoch: cross-entropy without
/// smoothing and weights, so that figures of different runs can be compared, or LeNet-5's own.
pub fn evaluate(
    plan: &Plan,
    params: &Params<f32>,
    dataset: &Dataset,
    normalization: &Normalization,
    loss: &LossSpec,
    setup: Setup,
) -> Result<Evaluation, TrainError> {
    check_fit(plan, dataset)?;
    let pool = setup.pool()?;
    let task = EvaluateTask { plan, params, dataset, normalization };
    let loss = Loss::new(&evaluation_loss(loss), plan.classes());
    Ok(pool.install(|| setup.isa.run(LossTask(task, &loss))))
}

/// The logits of all samples, `[N][classes]`.
pub fn logits(
    plan: &Plan,
    params: &Params<f32>,
    dataset: &Dataset,
    normalization: &Normalization,
    setup: Setup,
) -> Result<Vec<f32>, TrainError> {
    check_fit(plan, dataset)?;
    let pool = setup.pool()?;
    let task = LogitsTask(EvaluateTask { plan, params, dataset, normalization });
    Ok(pool.install(|| setup.isa.run(task)))
}

/// What the model of a run is measured by, as [`evaluate`] says.
pub(crate) fn evaluation_loss(spec: &LossSpec) -> LossSpec {
    match spec {
        LossSpec::CrossEntropy(_) => LossSpec::default(),
        LossSpec::Map(map) => LossSpec::Map(map.clone()),
    }
}

/// Which network on which data.
#[derive(Clone, Copy)]
pub(crate) struct EvaluateTask<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) params: &'a Params<f32>,
    pub(crate) dataset: &'a Dataset,
    pub(crate) normalization: &'a Normalization,
}

struct LossTask<'a>(EvaluateTask<'a>, &'a Loss<f32>);

impl WithLane for LossTask<'_> {
    type Output = Evaluation;
    fn run<V: Lane<Scalar = f32>>(self) -> Evaluation {
        let Self(task, loss) = self;
        let workspaces = PerThread::new(|| Workspace::<V>::new(task.plan, Mode::Inference));
        evaluate_with(&workspaces, task, loss)
    }
}

/// As [`evaluate`], with workspaces that are there already, on one of their threads.
pub(crate) fn evaluate_with<V: Lane<Scalar = f32>>(
    workspaces: &PerThread<Workspace<V>>,
    task: EvaluateTask<'_>,
    loss: &Loss<f32>,
) -> Evaluation {
    let EvaluateTask { plan, params, dataset, normalization } = task;
    let n = dataset.len();
    let mut groups = vec![Tally::default(); n.div_ceil(GROUP)];
    let mut predictions = vec![Prediction::default(); n];
    let rows = groups.par_iter_mut().zip(predictions.par_chunks_mut(GROUP));
    rows.enumerate().for_each(|(idx, (group, predictions))| {
        let samples = idx * GROUP..n.min((idx + 1) * GROUP);
        let mut workspace = workspaces.mine();
        pack(plan, dataset, normalization, samples.clone(), &mut workspace);
        let samples = (&dataset.labels[samples], predictions);
        *group = evaluate_group(plan, &params.0, loss, samples, &mut workspace);
    });
    // In the order of the groups, so that the sum does not depend on the threads.
    let sum: Tally = groups.into_iter().sum();
    Evaluation {
        loss: sum.loss / n as f64,
        accuracy: sum.n_correct as f64 / n as f64,
        n,
        predictions: Predictions {
            predicted: predictions.iter().map(|prediction| prediction.class).collect(),
            confidence: predictions.iter().map(|prediction| prediction.confidence).collect(),
            loss: predictions.iter().map(|prediction| prediction.loss).collect(),
        },
    }
}

struct LogitsTask<'a>(EvaluateTask<'a>);

impl WithLane for LogitsTask<'_> {
    type Output = Vec<f32>;
    fn run<V: Lane<Scalar = f32>>(self) -> Vec<f32> {
        let EvaluateTask { plan, params, dataset, normalization } = self.0;
        let workspaces = PerThread::new(|| Workspace::<V>::new(plan, Mode::Inference));
        let n_classes = plan.classes();
        let mut logits = vec![0.0; dataset.len() * n_classes];
        logits.par_chunks_mut(GROUP * n_classes).enumerate().for_each(|(idx, rows)| {
            let first = idx * GROUP;
            let mut workspace = workspaces.mine();
            let samples = first..first + rows.len() / n_classes;
            pack(plan, dataset, normalization, samples, &mut workspace);
            forward(plan, &params.0, &mut workspace);
            let lanes = V::as_scalars(workspace.logits(plan));
            for (l, row) in rows.chunks_exact_mut(n_classes).enumerate() {
                for (k, logit) in row.iter_mut().enumerate() {
                    *logit = lanes[k * GROUP + l];
                }
            }
        });
        logits
    }
}
