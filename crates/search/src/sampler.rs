//! Who chooses what to try.

use rand_chacha::ChaCha8Rng;
use spec::Seed;

use crate::{History, Point, StepLog};

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

/// What a sampler says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Try this.
    Try(Proposal),
    /// Ask again when further trials are over.
    Wait,
    /// Everything was tried.
    Exhausted,
}

/// A point to try.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// A point of the history's space ([`crate::Space::contains`]).
    pub point: Point,
    /// The trial that it was made from.
    pub parent: Option<u64>,
}

impl From<Point> for Answer {
    fn from(point: Point) -> Self {
        Self::Try(Proposal { point, parent: None })
    }
}

impl Answer {
    /// The point to try, if there is one.
    pub fn point(self) -> Option<Point> {
        match self {
            Self::Try(proposal) => Some(proposal.point),
            Self::Wait | Self::Exhausted => None,
        }
    }
}

/// What a sampler worked out of the first trials of a history. It says nothing that the history does not, but saves the work.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// Of so many steps of learning.
    pub n_steps: u64,
    /// In a form of the sampler's own, with a version and a check that it is of that history.
    pub bytes: Vec<u8>,
}

/// Chooses the values of trials: the same question gets the same answer, whatever was asked before.
pub trait Sampler: Send + Sync {
    /// Values for a trial.
    fn ask(&self, ask: &Ask<'_>) -> Answer;

    /// Whether values that were tried before are an answer like any other, with the earlier result. Else the sampler is asked
    /// again.
    fn takes_repeats(&self) -> bool {
        false
    }

    /// Works out what it can of a history, as a question would have it do.
    fn learn(&self, ask: &Ask<'_>) {
        let _nothing_to_learn = ask;
    }

    /// What is worth keeping of the work so far, for [`Sampler::recall`] of another process; `None` where that is not more than
    /// `n_known` steps.
    fn memory(&self, n_known: u64) -> Option<Memory> {
        let _nothing_to_keep = n_known;
        None
    }

    /// Gives back what [`Sampler::memory`] said. Bytes that are damaged or of another history are of no effect.
    fn recall(&self, bytes: &[u8]) {
        let _nothing_to_know = bytes;
    }

    /// What happened in each step of learning after the first `n_known`, in their order.
    fn steps(&self, n_known: u64) -> Vec<StepLog> {
        let _nothing_to_tell = n_known;
        Vec::new()
    }
}
