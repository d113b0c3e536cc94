//! Plain data for what is asked and what came of it.
//!
//! What a person writes is a [`RunFile`] (any key may be absent) and what a run needs is a [`TrainSpec`]
//! (nothing is absent); [`RunFile::resolve`] is the only way from one to the other. Nothing here computes,
//! opens a file or knows the shapes inside a network: texts come in, values and readable errors go out.

mod adapt;
mod error;
mod network;
mod network_check;
mod network_file;
mod one_of;
mod optimizer;
mod pair;
mod preset;
mod record;
mod run_file;
mod seed;
mod toml_text;
mod train;
mod version;

pub use error::SpecError;
pub use network::{Conv2dSpec, LayerSpec, LeakyReluSpec, LinearSpec, MaxPool2dSpec, NetworkSpec, NodeSpec};
pub use network_check::{MAX_CLASSES, MAX_SIZE};
pub use optimizer::{AdamSpec, OptimizerKind, OptimizerSpec, SgdSpec};
pub use pair::Pair;
pub use preset::{PRESETS, preset};
pub use record::{DataRecord, EpochRecord, MachineRecord, RunRecord, RunState};
pub use run_file::{MAX_THREADS, NetworkSource, RunFile};
pub use seed::Seed;
pub use train::{InitSpec, MAX_COUNT, TrainSpec};
pub use version::FORMAT_VERSION;
