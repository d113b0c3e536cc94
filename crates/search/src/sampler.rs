//! Who chooses what to try.

use rand_chacha::ChaCha8Rng;
use spec::Seed;

use crate::{History, Point};

/// What a sampler is asked: values for one trial.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What may vary, and what was tried. The trial that is asked for may be in it, pending, without values.
    pub history: &'a History,
    /// The study's.
    pub seed: Seed,
    /// The trial's number.
    pub number: u64,
    /// How often the answer for this trial was refused: it was tried before, or breaks a constraint.
    pub attempt: u64,
}

impl Ask<'_> {
    /// The random numbers of this answer, and of no other: `ask/NUMBER/ATTEMPT`. So an answer depends on the history alone,
    /// not on who asked before.
    pub fn stream(&self) -> ChaCha8Rng {
        self.seed.stream(&format!("ask/{}/{}", self.number, self.attempt))
    }
}

/// Chooses the values of trials. It remembers nothing: the same question gets the same answer.
pub trait Sampler: Send + Sync {
    /// A point of the history's space ([`crate::Space::contains`]); `None`: everything was tried.
    fn ask(&self, ask: &Ask<'_>) -> Option<Point>;
}
