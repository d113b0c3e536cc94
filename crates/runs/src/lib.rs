//! What a run keeps on disk: the names of its files, how they are written (whole or not at all, by one process at a
//! time) and how they are read. Whoever reads them while the run goes on finds each file whole.

pub mod atomic_file;
mod error;
pub mod input_file;
pub mod model_file;
mod predictions;
mod progress;
mod run_folder;
mod stop_request;

pub use error::RunsError;
pub use predictions::{predictions_to_bytes, read_predictions};
pub use progress::Progress;
pub use run_folder::{
    BEST, CHECKPOINT, CONFUSION, CURVES, CURVES_PNG, FILES, HARDEST, MODEL, PENDING, PREDICTIONS, PROGRESS,
    RECORD, RUN, RunFolder, check_no_run_file, is_locked, read_record,
};
pub use stop_request::StopRequest;
