//! Softmax and cross-entropy.
//!
//! ```text
//! loss = ln Σ_k exp(z[k]) − z[label]          dz[k] = weight · (softmax(z)[k] − [k = label])
//! ```
//!
//! z is [classes] of lane vectors; computed from z − max z, so that no exponential overflows.

use std::iter::Sum;

use lanes::{Kernel, Lane, Scalar};

/// What some samples came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sum of their losses.
    pub loss: f64,
    /// Samples whose largest logit (the first of equals) is that of the label.
    pub n_correct: usize,
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

/// Loss and correct predictions; writes the logits' gradient where asked. Lanes behind `labels` are dead.
pub(crate) fn cross_entropy<V: Lane>(
    logits: &[V],
    labels: &[u8],
    weight: V::Scalar,
    d_logits: Option<&mut [V]>,
) -> Tally {
    assert!(labels.len() <= V::LANES, "{} labels for {} lanes", labels.len(), V::LANES);
    // Label −1 in a dead lane equals no class; its gradient is multiplied by 0.
    let mut label = V::splat(-V::Scalar::ONE);
    let mut lane_weight = V::zero();
    for (l, &class) in labels.iter().enumerate() {
        V::as_scalars_mut(std::slice::from_mut(&mut label))[l] = V::Scalar::from_f64(f64::from(class));
        V::as_scalars_mut(std::slice::from_mut(&mut lane_weight))[l] = weight;
    }
    let (loss, predicted) = V::enter(CrossEntropy { logits, label, weight: lane_weight, d_logits });
    let [loss, predicted] = [loss, predicted].map(|v| [v]);
    let lanes = V::as_scalars(&loss).iter().zip(V::as_scalars(&predicted)).zip(labels);
    let mut tally = Tally::default();
    for ((&loss, &predicted), &label) in lanes {
        tally.loss += loss.to_f64();
        tally.n_correct += usize::from(predicted == V::Scalar::from_f64(f64::from(label)));
    }
    tally
}

struct CrossEntropy<'a, V> {
    logits: &'a [V],
    label: V,
    weight: V,
    d_logits: Option<&'a mut [V]>,
}

impl<V: Lane> Kernel for CrossEntropy<'_, V> {
    /// The loss and the predicted class of every lane.
    type Output = (V, V);
    #[inline(always)]
    fn run(self) -> (V, V) {
        let (mut max, mut predicted) = (self.logits[0], V::zero());
        let mut of_label = V::zero();
        for (k, &z) in self.logits.iter().enumerate() {
            let class = V::splat(V::Scalar::from_f64(k as f64));
            predicted = V::select_gt(z, max, class, predicted);
            max = z.max(max);
            of_label = V::select_eq(class, self.label, z, of_label);
        }
        let mut sum = V::zero();
        for &z in self.logits {
            sum = sum + (z - max).exp();
        }
        if let Some(d_logits) = self.d_logits {
            let scale = self.weight / sum;
            for (k, (dz, &z)) in d_logits.iter_mut().zip(self.logits).enumerate() {
                let class = V::splat(V::Scalar::from_f64(k as f64));
                let hit = V::select_eq(class, self.label, self.weight, V::zero());
                *dz = (z - max).exp() * scale - hit;
            }
        }
        (sum.ln() - (of_label - max), predicted)
    }
}
