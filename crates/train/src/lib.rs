//! The training loop: shards, threads, evaluation, observers.
//!
//! The only crate that trains on threads and reads a clock. A batch is cut into lane groups, and these into shards by
//! the batch size alone; threads take shards; gradients are summed in the order of the shards. So a run gives the
//! same bits for any number of threads and any instruction set. It prints nothing: an [`Observer`] is told of every
//! step and epoch.

mod average;
mod checkpoint;
mod error;
mod evaluate;
mod layer_speed;
mod lesson;
mod lr_find;
mod observer;
mod peak;
mod per_thread;
mod pictures;
mod selection;
mod setup;
mod shards;
mod step;
mod trainer;
mod training;
mod update;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use error::TrainError;
pub use evaluate::{Evaluation, evaluate, logits};
pub use layer_speed::{
    Bound, LayerCase, LayerSpeed, Speed, layer_cases, measure_layer_cases, measure_layers,
};
pub use lr_find::{LrFind, LrPoint, LrRange, lr_find};
pub use observer::{Observer, Silent, Step};
pub use peak::measure_peak;
pub use pictures::check_fit;
pub use setup::Setup;
pub use training::{Job, Outcome, test_predictions, train};
