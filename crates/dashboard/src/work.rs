//! Heavy work (reading data sets, decoding, inference), one piece after the other on one thread, so that a training keeps
//! its cores.

use std::sync::Arc;

use rayon::ThreadPool;
use tokio::sync::Semaphore;

use crate::error::DashboardError;

/// Pieces of heavy work that are done or wait at a time.
const MAX_PIECES: usize = 33;

/// Does heavy work.
pub(crate) struct Worker {
    places: Semaphore,
    turn: Arc<Semaphore>,
    pool: Arc<ThreadPool>,
}

impl Worker {
    pub(crate) fn new() -> Result<Self, DashboardError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = Arc::new(pool.map_err(|_| DashboardError::Worker)?);
        Ok(Self { places: Semaphore::new(MAX_PIECES), turn: Arc::new(Semaphore::new(1)), pool })
    }

    /// The result of `work`, after all that came before. A client that goes away while it waits gives up its place.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, DashboardError> + Send + 'static,
    ) -> Result<T, DashboardError> {
        let _place = self.places.try_acquire().map_err(|_| DashboardError::Busy)?;
        let turn = self.turn.clone().acquire_owned().await.map_err(|_| DashboardError::Worker)?;
        let pool = self.pool.clone();
        // What is rayon's inside of the work finds this pool of one thread. The turn lasts as long as the work, also if
        // nobody waits for it any more.
        light(move || {
            let _turn = turn;
            pool.install(work)
        })
        .await
    }
}

/// The result of something that reads files and takes no time worth speaking of.
pub(crate) async fn light<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DashboardError> + Send + 'static,
) -> Result<T, DashboardError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| DashboardError::Worker)?
}
