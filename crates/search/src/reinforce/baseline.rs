//! What rewards are compared with.

/// The moving average of the rewards so far, Σ d^i R_-i / Σ d^i: the weights sum to 1 from the first reward
/// on, so that it begins neither at 0 nor with one reward that then lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Baseline {
    pub(super) sum: f64,
    pub(super) weight: f64,
}

impl Baseline {
    /// `None` where there was no reward yet.
    pub(super) fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    pub(super) fn add(&mut self, reward: f64, decay: f64) {
        self.sum = decay * self.sum + reward;
        self.weight = decay * self.weight + 1.0;
    }
}
