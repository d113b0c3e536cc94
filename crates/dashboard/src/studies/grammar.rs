//! Architecture searches: studies whose networks come from a grammar. What is shown of one beside the charts of any study.
//!
//! As there, each chart is a function of the trials in a file of its own.

mod api;
mod costs;
mod decisions;
mod drawing;
mod family;
mod gallery;
mod rewards;
mod shares;
mod steps;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::state::State;

/// Below `/api/studies/ID`.
pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/rewards", get(api::rewards_of))
        .route("/steps", get(api::steps_of))
        .route("/decisions", get(api::decisions_of))
        .route("/family", get(api::family_of))
        .route("/costs", get(api::costs_of))
        .route("/gallery", get(api::gallery_of))
        .route("/networks/{number}", get(api::network_of))
}
