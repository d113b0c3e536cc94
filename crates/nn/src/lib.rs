//! Layers, loss, gradients and optimizers over a compiled plan.
//!
//! A [`spec::NetworkSpec`] is compiled to a [`Plan`] (shapes, parameter layout, places in memory). One lane group
//! then goes [`forward`] or through [`train_group`] in a [`Workspace`], and an [`Optimizer`] turns summed
//! gradients into the next [`Params`]. Pure computation: no files, clock, threads or global random numbers.

mod error;
mod graph;
mod layers;
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
pub use loss::GroupLoss;
pub use optimizer::{Optimizer, sum_shards};
pub use params::{Grads, Params};
pub use pass::{Sum, evaluate_group, forward, train_group};
pub use plan::{LayerSummary, Plan, Tensor};
pub use state_dict::{StateDictError, from_safetensors, metadata, to_safetensors};
pub use workspace::{Mode, Workspace};
