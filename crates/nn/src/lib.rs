//! Layers, loss, gradients and optimizers over a compiled plan.
//!
//! A [`spec::NetworkSpec`] is compiled to a [`Plan`] (shapes, parameter layout, places in memory). One lane group
//! then goes [`forward`] or through [`train_group`] in a [`Workspace`], leaves its gradients in a [`ShardGradient`],
//! and an [`Optimizer`] turns their sum, gathered [`Chunk`] by chunk, into the next [`Params`]. Pure computation: no files, clock, threads or global random numbers.

mod builder;
mod error;
mod gradient;
mod graph;
mod layers;
mod layout;
mod loss;
mod memory;
mod optimizer;
mod params;
mod pass;
mod plan;
mod state_dict;
mod tiles;
mod workspace;

pub use error::{PlanError, Shape};
pub use gradient::{Chunk, ShardGradient};
pub use loss::Tally;
pub use optimizer::Optimizer;
pub use params::Params;
pub use pass::{evaluate_group, forward, train_group};
pub use plan::{LayerSummary, Plan, Tensor};
pub use state_dict::{StateDictError, from_safetensors, metadata, to_safetensors};
pub use workspace::{Mode, Workspace};
