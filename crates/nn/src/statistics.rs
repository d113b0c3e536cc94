//! What the lane groups of a batch share where a layer looks at all of them.

use lanes::{Lane, Scalar};

use crate::layers::batch_norm2d::{Batch, BatchNorm2d};
use crate::plan::GradientPlace;
use crate::{Plan, ShardGradient, Workspace};

/// Means, variances and gradients of every batch normalization over one batch. Sums run over the groups and shards in
/// their order, so that they are the same for any number of threads.
#[derive(Clone, Debug)]
pub struct BatchStatistics<S> {
    norms: Vec<Norm<S>>,
}

/// One batch normalization, channel by channel.
#[derive(Clone, Debug)]
pub(crate) struct Norm<S> {
    pub(crate) mean: Vec<S>,
    pub(crate) inverse_std: Vec<S>,
    /// With N − 1, for the running statistics.
    variance: Vec<S>,
    dw: Vec<S>,
    db: Vec<S>,
    /// 1/N, N values a channel.
    share: S,
}

impl<S: Scalar> BatchStatistics<S> {
    /// Room for those of a plan.
    pub fn new(plan: &Plan) -> Self {
        let zeros = |n| vec![S::ZERO; n];
        let norm = |norm: &BatchNorm2d| Norm {
            mean: zeros(norm.channels),
            inverse_std: zeros(norm.channels),
            variance: zeros(norm.channels),
            dw: zeros(norm.channels),
            db: zeros(norm.channels),
            share: S::ZERO,
        };
        Self { norms: plan.batch_norms().map(|(_, n)| norm(n)).collect() }
    }

    /// The statistics with which stage `stage` + 1 begins, once all lane groups have gone forward through stage `stage`.
    pub fn gather_forward<'a, V: Lane<Scalar = S> + 'a>(
        &mut self,
        plan: &Plan,
        stage: usize,
        groups: impl Iterator<Item = &'a Workspace<V>> + Clone,
    ) {
        let Some((_, norm)) = plan.batch_norms().nth(stage) else { return };
        let to = &mut self.norms[stage];
        for c in 0..norm.channels {
            let mut all = Moments::default();
            for group in groups.clone() {
                let [mean, square] = [c, norm.channels + c].map(|i| group.moments[i].to_f64());
                all = all.with(Moments { n: (group.n_live * norm.plane) as f64, mean, square });
            }
            to.mean[c] = S::from_f64(all.mean);
            to.inverse_std[c] = S::from_f64(1.0 / (all.square / all.n + norm.epsilon).sqrt());
            to.variance[c] = S::from_f64(all.square / (all.n - 1.0).max(1.0));
            to.share = S::from_f64(1.0 / all.n);
        }
    }

    /// The gradients with which the batch normalization before stage `stage` goes on, once all lane groups have gone
    /// backward through stage `stage`.
    pub fn gather_backward<V: Lane<Scalar = S>>(
        &mut self,
        plan: &Plan,
        stage: usize,
        shards: &[ShardGradient<V>],
    ) {
        let Some(idx) = stage.checked_sub(1) else { return };
        let Some((planned, norm)) = plan.batch_norms().nth(idx) else { return };
        let GradientPlace::Sums(range) = &planned.place else { return };
        let to = &mut self.norms[idx];
        to.dw.fill(S::ZERO);
        to.db.fill(S::ZERO);
        for sums in shards.iter().filter_map(|shard| shard.sums(range.clone())) {
            let (dw, db) = sums.split_at(norm.channels);
            to.dw.iter_mut().zip(dw).for_each(|(sum, &part)| *sum += part);
            to.db.iter_mut().zip(db).for_each(|(sum, &part)| *sum += part);
        }
    }

    /// Takes the batch into the running statistics, which `values` has behind the parameters. A single value has no variance:
    /// where a channel has no more, which PyTorch refuses, they stay as they are.
    pub fn update_running(&self, plan: &Plan, values: &mut [S]) {
        let has_variance = |(_, of): &(_, &Norm<S>)| of.share.to_f64() < 1.0;
        for ((_, norm), of) in plan.batch_norms().zip(&self.norms).filter(has_variance) {
            let places = [(&norm.running_mean, &of.mean), (&norm.running_variance, &of.variance)];
            for (range, batch) in places {
                for (running, batch) in values[range.clone()].iter_mut().zip(batch) {
                    let next = (1.0 - norm.momentum) * running.to_f64() + norm.momentum * batch.to_f64();
                    *running = S::from_f64(next);
                }
            }
        }
    }

    /// Those of the batch normalization with which stage `stage` begins.
    pub(crate) fn before(&self, stage: usize) -> &Norm<S> {
        &self.norms[stage - 1]
    }
}

impl<S: Scalar> Norm<S> {
    pub(crate) fn batch(&self) -> Batch<'_, S> {
        let Self { mean, inverse_std, variance: _, dw, db, share } = self;
        Batch { mean, inverse_std, dw, db, share: *share }
    }
}

/// Of some values their number, their mean and the sum of squared deviations from it.
#[derive(Clone, Copy, Default)]
struct Moments {
    n: f64,
    mean: f64,
    square: f64,
}

impl Moments {
    /// Of both together (Chan, Golub & LeVeque 1979).
    fn with(self, other: Self) -> Self {
        let n = self.n + other.n;
        if n == 0.0 {
            return self;
        }
        let delta = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + delta * (other.n / n),
            square: self.square + other.square + delta * delta * (self.n * other.n / n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    #[test]
    fn parts_give_the_moments_of_the_whole() {
        let values = [3.0, -1.0, 4.0, 1.5, 9.25, 2.0, 6.0];
        let moments = |values: &[f64]| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            Moments { n, mean, square: values.iter().map(|x| (x - mean) * (x - mean)).sum() }
        };
        let whole = moments(&values);
        for cut in 1..values.len() {
            let parts = Moments::default().with(moments(&values[..cut])).with(moments(&values[cut..]));
            assert!((parts.mean - whole.mean).abs() < 1e-12 && (parts.square - whole.square).abs() < 1e-12);
        }
    }
}
