//! Losses over logits.
//!
//! ```text
//! p = softmax(z)     loss = Σ_k c[k] · −ln p[k]     dz[k] = weight · (p[k] · Σ c − c[k])
//! c[k] = v[k] · ((1 − ε) · (λ · [k = label] + (1 − λ) · [k = other]) + ε / K)
//! ```
//!
//! z is [K] of lane vectors; v are the classes' weights, ε is the label smoothing (Szegedy et al. 2015, arXiv 1512.00567;
//! with v as PyTorch's `nn.CrossEntropyLoss` joins them), λ and `other` come from mixup (Zhang et al. 2017, arXiv
//! 1710.09412). Plain cross-entropy has v = λ = 1 and ε = 0. LeNet-5's loss has one more class in the softmax, the
//! rubbish with the constant logit −j (LeCun et al. 1998, equation 9). Computed from z − max z, so that no exponential
//! overflows.

use std::iter::Sum;

use lanes::{Kernel, Lane, Scalar};
use spec::LossSpec;

/// What some samples came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sum of their losses.
    pub loss: f64,
    /// Samples whose largest logit (the first of equals) is that of the label; with mixup, of the one with the larger share.
    pub n_correct: usize,
}

/// What the network says of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prediction {
    /// The class of the largest logit, of equal ones the first.
    pub class: u8,
    /// Its probability by the softmax over the logits.
    pub confidence: f32,
    /// The sample's loss.
    pub loss: f32,
}

impl Sum for Tally {
    /// In the order of the parts.
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            loss: sum.loss + part.loss,
            n_correct: sum.n_correct + part.n_correct,
        })
    }
}

/// A loss, ready to be computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss<S> {
    /// ε / K · v[k] of every class.
    smooth: Vec<S>,
    /// (1 − ε) · v[k] of every class.
    sharp: Vec<S>,
    /// v[k]
    weights: Vec<f64>,
    /// −j, the logit of the rubbish.
    rubbish: Option<S>,
}

impl<S: Scalar> Loss<S> {
    /// The loss over `classes` classes; [`LossSpec::validate`] has found it well-formed.
    pub fn new(spec: &LossSpec, classes: usize) -> Self {
        let plain = vec![1.0; classes];
        let (smoothing, weights, rubbish) = match spec {
            LossSpec::CrossEntropy(loss) if loss.class_weights.is_empty() => {
                (loss.label_smoothing, plain, None)
            }
            LossSpec::CrossEntropy(loss) => (loss.label_smoothing, loss.class_weights.clone(), None),
            LossSpec::Map(loss) => (0.0, plain, Some(S::from_f64(-loss.rubbish))),
        };
        let each = |share: f64| weights.iter().map(|v| S::from_f64(share * v)).collect();
        let (smooth, sharp) = (each(smoothing / classes as f64), each(1.0 - smoothing));
        Self { smooth, sharp, weights, rubbish }
    }

    /// The weight of one sample in the mean over a batch: that of its class, or of its two.
    pub fn sample_weight(&self, label: u8, mixed: Option<(u8, f64)>) -> f64 {
        let of_label = self.weights[usize::from(label)];
        match mixed {
            Some((other, share)) => share * of_label + (1.0 - share) * self.weights[usize::from(other)],
            None => of_label,
        }
    }
}

/// What the live lanes of a group should be.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a, S> {
    /// A class for each live lane; the lanes behind are dead.
    pub labels: &'a [u8],
    /// With mixup: for each live lane the other class and the share of the first.
    pub mixed: Option<(&'a [u8], &'a [S])>,
}

impl<'a, S> From<&'a [u8]> for Targets<'a, S> {
    fn from(labels: &'a [u8]) -> Self {
        Self { labels, mixed: None }
    }
}

/// As [`compute`] without a gradient; writes down what becomes of each live lane.
pub(crate) fn predict<V: Lane>(
    loss: &Loss<V::Scalar>,
    logits: &[V],
    labels: &[u8],
    predictions: &mut [Prediction],
) -> Tally {
    let outcome = run(loss, logits, labels.into(), V::Scalar::ZERO, None);
    let lanes = [outcome.losses, outcome.predicted, V::enter(Confidence { logits })].map(|v| [v]);
    let [losses, classes, confidences] = lanes.each_ref().map(|lanes| V::as_scalars(lanes));
    for (l, prediction) in predictions[..labels.len()].iter_mut().enumerate() {
        *prediction = Prediction {
            class: classes[l].to_f64() as u8,
            confidence: confidences[l].to_f64() as f32,
            loss: losses[l].to_f64() as f32,
        };
    }
    outcome.tally(labels.iter().copied())
}

/// Loss and correct predictions; writes `weight` times the logits' gradient where asked.
pub(crate) fn compute<V: Lane>(
    loss: &Loss<V::Scalar>,
    logits: &[V],
    targets: Targets<'_, V::Scalar>,
    weight: V::Scalar,
    d_logits: Option<&mut [V]>,
) -> Tally {
    let outcome = run(loss, logits, targets, weight, d_logits);
    match targets.mixed {
        Some((others, shares)) => {
            let half = V::Scalar::from_f64(0.5);
            let labels = targets.labels.iter().zip(others).zip(shares);
            let larger = |((&label, &other), &share)| if share < half { other } else { label };
            outcome.tally(labels.map(larger))
        }
        None => outcome.tally(targets.labels.iter().copied()),
    }
}

/// The loss and the predicted class of every lane.
struct LaneOutcome<V> {
    losses: V,
    predicted: V,
}

impl<V: Lane> LaneOutcome<V> {
    /// Over the live lanes.
    fn tally(self, labels: impl Iterator<Item = u8>) -> Tally {
        let [losses, predicted] = [self.losses, self.predicted].map(|v| [v]);
        let lanes = V::as_scalars(&losses).iter().zip(V::as_scalars(&predicted)).zip(labels);
        let mut tally = Tally::default();
        for ((&loss, &predicted), label) in lanes {
            tally.loss += loss.to_f64();
            tally.n_correct += usize::from(predicted == class_number::<V>(label));
        }
        tally
    }
}

fn class_number<V: Lane>(class: u8) -> V::Scalar {
    V::Scalar::from_f64(f64::from(class))
}

fn run<V: Lane>(
    loss: &Loss<V::Scalar>,
    logits: &[V],
    targets: Targets<'_, V::Scalar>,
    weight: V::Scalar,
    d_logits: Option<&mut [V]>,
) -> LaneOutcome<V> {
    let labels = targets.labels;
    assert!(labels.len() <= V::LANES, "{} labels for {} lanes", labels.len(), V::LANES);
    // Label −1 in a dead lane equals no class; its gradient is multiplied by 0.
    let nobody = V::splat(-V::Scalar::ONE);
    let class = |class: &u8| class_number::<V>(*class);
    let label = lanes_of(nobody, labels.iter().map(class));
    let (other, share) = match targets.mixed {
        Some((others, shares)) => {
            (lanes_of(nobody, others.iter().map(class)), lanes_of(V::zero(), shares.iter().copied()))
        }
        None => (nobody, V::splat(V::Scalar::ONE)),
    };
    let weight = lanes_of(V::zero(), labels.iter().map(|_| weight));
    let (losses, predicted) = V::enter(Compute { loss, logits, label, other, share, weight, d_logits });
    LaneOutcome { losses, predicted }
}

/// The numbers in the first lanes, `rest` in the others.
fn lanes_of<V: Lane>(rest: V, numbers: impl Iterator<Item = V::Scalar>) -> V {
    let mut lanes = rest;
    for (lane, number) in V::as_scalars_mut(std::slice::from_mut(&mut lanes)).iter_mut().zip(numbers) {
        *lane = number;
    }
    lanes
}

struct Compute<'a, V: Lane> {
    loss: &'a Loss<V::Scalar>,
    logits: &'a [V],
    label: V,
    other: V,
    share: V,
    weight: V,
    d_logits: Option<&'a mut [V]>,
}

impl<V: Lane> Kernel for Compute<'_, V> {
    /// The loss and the predicted class of every lane.
    type Output = (V, V);
    #[inline(always)]
    fn run(mut self) -> (V, V) {
        let (mut max, mut predicted) = (self.logits[0], V::zero());
        for (k, &z) in self.logits.iter().enumerate() {
            let class = V::splat(V::Scalar::from_f64(k as f64));
            predicted = V::select_gt(z, max, class, predicted);
            max = z.max(max);
        }
        let mut sum = V::zero();
        if let Some(rubbish) = self.loss.rubbish {
            max = V::splat(rubbish).max(max);
            sum = (V::splat(rubbish) - max).exp();
        }
        for &z in self.logits {
            sum = sum + (z - max).exp();
        }
        let ln_sum = sum.ln();
        let (mut loss, mut total) = (V::zero(), V::zero());
        for (k, &z) in self.logits.iter().enumerate() {
            let target = self.target(k);
            loss = loss + target * (ln_sum - (z - max));
            total = total + target;
        }
        if let Some(d_logits) = self.d_logits.take() {
            let scale = total * self.weight / sum;
            for (k, (dz, &z)) in d_logits.iter_mut().zip(self.logits).enumerate() {
                *dz = (z - max).exp() * scale - self.target(k) * self.weight;
            }
        }
        (loss, predicted)
    }
}

/// The largest probability of every lane, 1 / Σ exp(z[k] − max z).
struct Confidence<'a, V: Lane> {
    logits: &'a [V],
}

impl<V: Lane> Kernel for Confidence<'_, V> {
    type Output = V;
    #[inline(always)]
    fn run(self) -> V {
        let mut max = self.logits[0];
        for &z in self.logits {
            max = z.max(max);
        }
        let mut sum = V::zero();
        for &z in self.logits {
            sum = sum + (z - max).exp();
        }
        V::splat(V::Scalar::ONE) / sum
    }
}

impl<V: Lane> Compute<'_, V> {
    /// c[k]
    #[inline(always)]
    fn target(&self, k: usize) -> V {
        let class = V::splat(V::Scalar::from_f64(k as f64));
        let rest = V::splat(V::Scalar::ONE) - self.share;
        let hit = V::select_eq(class, self.label, self.share, V::zero())
            + V::select_eq(class, self.other, rest, V::zero());
        hit.mul_add(V::splat(self.loss.sharp[k]), V::splat(self.loss.smooth[k]))
    }
}
