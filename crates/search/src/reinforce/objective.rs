//! What a step maximizes beside the reward, and the derivatives of all of it by the logits.

use super::Walk;
use super::softmax::times_p;
use super::walk::Taken;

/// Terms of what is maximized that do not depend on rewards; with weights of 0 there are none, as in the paper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Objective {
    /// Weight of the sum over a child's decisions of the entropy of their distributions.
    pub(crate) entropy_bonus: f64,
    /// Weight of the mean over a child's skips of KL(P ‖ `skip_rate`), which is taken off (Pham et al. 2018,
    /// section 2.4).
    pub(crate) skip_penalty: f64,
    /// The share of skips that costs nothing.
    pub(crate) skip_rate: f64,
}

impl Objective {
    /// The derivatives, by the logits of a walk, of
    ///
    /// ```text
    /// scale (Σ_t weight_t log P(a_t) + entropy_bonus Σ_t H_t - skip_penalty mean_s KL_s)
    /// ```
    ///
    /// with the way that was taken, and the weights, held fixed. Distributions that leave no choice give
    /// nothing.
    pub(super) fn dlogits(
        &self,
        walk: &Walk<'_>,
        scale: f64,
        mut weight: impl FnMut(usize, f64) -> f64,
        dlogits: &mut Vec<f64>,
    ) {
        dlogits.clear();
        dlogits.resize(walk.n_logits(), 0.0);
        let n_skips = walk.taken().iter().filter(|taken| is_free_skip(walk, taken)).count();
        for (idx, taken) in walk.taken().iter().enumerate() {
            let (log_p, slopes) = (walk.log_p(taken), walk.slopes(taken));
            let weight = weight(idx, walk.log_p_taken(taken));
            let entropy = if self.entropy_bonus > 0.0 { walk.entropy(taken) } else { 0.0 };
            let is_pulled = self.skip_penalty > 0.0 && is_free_skip(walk, taken);
            let out = &mut dlogits[taken.start..taken.start + taken.n];
            for (category, out) in out.iter_mut().enumerate().filter(|(category, _)| slopes[*category] > 0.0)
            {
                let is_taken = f64::from(u8::from(category == taken.category));
                let log_p = log_p[category];
                let mut d = weight * (is_taken - libm::exp(log_p));
                d -= self.entropy_bonus * times_p(log_p, log_p + entropy);
                *out = d;
            }
            if is_pulled {
                self.pull(log_p, self.skip_penalty / n_skips as f64, out);
            }
            out.iter_mut().zip(slopes).for_each(|(out, slope)| *out *= scale * slope);
        }
    }

    /// Takes off `weight` times the derivatives of KL(P ‖ `skip_rate`) by the limited logits: p_i (log(p_i /
    /// q_i) - KL).
    fn pull(&self, log_p: &[f64], weight: f64, out: &mut [f64]) {
        let ratios = self.log_ratios(log_p);
        let divergence: f64 = log_p.iter().zip(ratios).map(|(&log_p, ratio)| times_p(log_p, ratio)).sum();
        for ((out, &log_p), ratio) in out.iter_mut().zip(log_p).zip(ratios) {
            *out -= weight * times_p(log_p, ratio - divergence);
        }
    }

    /// log(p_i / q_i) for no skip and a skip.
    fn log_ratios(&self, log_p: &[f64]) -> [f64; 2] {
        [log_p[0] - libm::log(1.0 - self.skip_rate), log_p[1] - libm::log(self.skip_rate)]
    }

    /// The terms beside the reward: what [`Objective::dlogits`] with weights of 0 is the gradient of.
    #[cfg(test)]
    pub(super) fn value(&self, walk: &Walk<'_>) -> f64 {
        let entropy: f64 = walk.taken().iter().map(|taken| walk.entropy(taken)).sum();
        let skips: Vec<_> = walk.taken().iter().filter(|taken| is_free_skip(walk, taken)).collect();
        let divergence = |taken: &&Taken| {
            let log_p = walk.log_p(taken);
            self.log_ratios(log_p)
                .iter()
                .zip(log_p)
                .map(|(ratio, &log_p)| times_p(log_p, *ratio))
                .sum::<f64>()
        };
        let penalty = skips.iter().map(divergence).sum::<f64>() / skips.len().max(1) as f64;
        self.entropy_bonus * entropy - self.skip_penalty * penalty
    }
}

/// Whether a decision is a skip that may be taken or not.
fn is_free_skip(walk: &Walk<'_>, taken: &Taken) -> bool {
    walk.decisions().skip(taken.dim).is_some() && walk.log_p(taken).iter().all(|log_p| log_p.is_finite())
}
