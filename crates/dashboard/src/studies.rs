//! Studies: what their stores hold, as rows and as the columns of charts.
//!
//! What is shown is computed by functions of the trials alone, one file for each chart; `place.rs` says which files may be
//! read, `shelf.rs` keeps a few stores open and reads of them what has changed.

mod api;
mod axis;
mod busy;
mod control;
mod feed;
mod front;
mod grammar;
mod history;
mod importance;
mod intermediate;
#[cfg(test)]
mod made_up;
mod number;
mod objective;
mod opened;
mod place;
mod points;
mod shelf;
mod summary;
mod table;
mod thinning;
mod timeline;
mod trial;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use place::{TrialRun, trial_of_run};
pub(crate) use shelf::Shelf;

use crate::state::State;

/// Everything below `/api/studies`, and the events of the list.
pub(crate) fn routes() -> Router<Arc<State>> {
    let of_study = Router::new()
        .route("/", get(api::study))
        .route("/events", get(feed::study))
        .route("/history", get(api::history_of))
        .route("/intermediate", get(api::intermediate_of))
        .route("/importance", get(api::importance_of))
        .route("/parallel", get(api::parallel_of))
        .route("/front", get(api::front_of))
        .route("/timeline", get(api::timeline_of))
        .route("/trials", get(api::trials))
        .route("/trials/{number}", get(api::trial))
        .route("/stop", post(control::stop))
        .route("/run", post(control::run))
        .merge(grammar::routes());
    Router::new()
        .route("/api/studies", get(api::list))
        .route("/api/study-events", get(feed::list))
        .nest("/api/studies/{id}", of_study)
}
