//! How to run: threads and instruction set.

use lanes::Isa;
use rayon::ThreadPool;

use crate::TrainError;

/// How to run; changes the time that it takes, never a bit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Number of threads; 0 takes one for each core.
    pub threads: usize,
    /// The instruction set.
    pub isa: Isa,
}

impl Setup {
    /// The threads of one run.
    pub(crate) fn pool(self) -> Result<ThreadPool, TrainError> {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(self.threads);
        builder.build().map_err(|source| TrainError::Threads { threads: self.threads, source })
    }
}
