//! Layers, loss, gradients and optimizers over a compiled plan.
//!
//! A [`spec::NetworkSpec`] is compiled to a [`Plan`] (shapes, parameter layout, places in memory). One lane group
//! then goes [`forward`] or through a training [`Pass`] in a [`Workspace`], leaves its gradients in a [`ShardGradient`],
//! and an [`Optimizer`] turns their sum, gathered [`Chunk`] by chunk, into the next [`Params`]. Pure computation: no
//! files, clock, threads or global random numbers.

mod arena;
mod builder;
mod error;
mod gradient;
mod graph;
mod layers;
mod layout;
mod loss;
mod memory;
mod node_run;
mod optimizer;
mod outline;
mod params;
mod pass;
mod plan;
mod probe;
mod state_dict;
mod statistics;
mod sums;
mod tiles;
mod workspace;

pub use error::{PlanError, Shape};
pub use gradient::{Chunk, ShardGradient};
pub use loss::{Loss, Prediction, Tally, Targets};
pub use node_run::{NodeRun, Work};
pub use optimizer::{Optimizer, UpdateNumbers};
pub use outline::{Fault, Outline, outline};
pub use params::{Init, Params};
pub use pass::{Pass, evaluate_group, forward};
pub use plan::{LayerSummary, Plan, Tensor};
pub use probe::Probe;
pub use state_dict::{StateDictError, from_safetensors, metadata, to_safetensors};
pub use statistics::BatchStatistics;
pub use workspace::{Mode, Scratch, Workspace};
