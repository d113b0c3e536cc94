//! Probabilities of categories from logits, some of which may be masked.

/// What is done to logits before they are probabilities.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// They are divided by this.
    pub(crate) temperature: f64,
    /// Then they become c tanh(x) for this c (Bello et al. 2017, section 3).
    pub(crate) tanh: Option<f64>,
}

impl Limits {
    /// Adds to `log_p` the logarithm of each category's probability, minus infinity for one that is not
    /// allowed, and to `slopes` the derivative of its limited logit by its logit. A mask that allows nothing
    /// is none.
    pub(super) fn log_softmax(
        self,
        logits: &[f64],
        allowed: Option<&[bool]>,
        log_p: &mut Vec<f64>,
        slopes: &mut Vec<f64>,
    ) {
        let allowed = allowed.filter(|allowed| allowed.contains(&true));
        let is_allowed = |idx: usize| allowed.is_none_or(|allowed| allowed[idx]);
        let start = log_p.len();
        for (idx, &logit) in logits.iter().enumerate() {
            let (limited, slope) = if is_allowed(idx) { self.limit(logit) } else { (f64::NEG_INFINITY, 0.0) };
            log_p.push(limited);
            slopes.push(slope);
        }
        let limited = &mut log_p[start..];
        let largest = limited.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = limited.iter().map(|x| libm::exp(x - largest)).sum();
        let log_sum = largest + libm::log(sum);
        limited.iter_mut().for_each(|x| *x -= log_sum);
    }

    /// A limited logit and its derivative.
    fn limit(self, logit: f64) -> (f64, f64) {
        let x = logit / self.temperature;
        match self.tanh {
            None => (x, 1.0 / self.temperature),
            Some(c) => {
                let y = libm::tanh(x);
                (c * y, c * (1.0 - y * y) / self.temperature)
            }
        }
    }
}

/// The category at the share `u` of [0, 1).
pub(super) fn category_at(log_p: &[f64], u: f64) -> usize {
    let mut sum = 0.0;
    let mut last = 0;
    for (idx, &log_p) in log_p.iter().enumerate().filter(|(_, log_p)| log_p.is_finite()) {
        sum += libm::exp(log_p);
        last = idx;
        if u < sum {
            break;
        }
    }
    last
}

/// Σ p log(1 / p) in nats.
pub(super) fn entropy(log_p: &[f64]) -> f64 {
    -log_p.iter().map(|&log_p| times_p(log_p, log_p)).sum::<f64>()
}

/// p x, which is 0 where p is, whatever `x` is.
pub(super) fn times_p(log_p: f64, x: f64) -> f64 {
    let p = libm::exp(log_p);
    if p > 0.0 { p * x } else { 0.0 }
}
