//! The local web page: its server, its files and its API.
//!
//! [`app`] is a router over a folder of runs; [`serve`] gives it a socket. It shows what the runs' processes write into
//! their folders and starts such processes, but no training depends on it: it knows nothing of the crate `train`. What it
//! may show to whom is in `security.rs` and `run_dir.rs`, what it says in `wire.rs`.

mod answer;
mod assets;
mod check;
mod children;
mod control;
mod epochs;
mod error;
mod events;
mod kept;
mod listing;
mod model;
mod palette;
mod pictures;
mod presets;
mod records;
mod request;
mod row;
mod run_dir;
mod runs_api;
mod security;
mod serve;
mod settings;
mod state;
mod studies;
mod test_part;
mod try_picture;
mod unstalled;
mod usage;
mod wire;
mod work;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub use error::DashboardError;
pub use security::TOKEN_HEADER;
pub use serve::{listen, serve};
pub use settings::{FindPlaces, Settings};
pub use usage::Usage;

use crate::state::State;

/// The page and its API.
///
/// # Errors
/// Where the runs folder cannot be used.
pub fn app(settings: Settings) -> Result<Router, DashboardError> {
    let shared = Arc::new(State::new(settings)?);
    let of_run = Router::new()
        .route("/", get(runs_api::details))
        .route("/epochs", get(epochs::epochs))
        .route("/events", get(events::run))
        .route("/confusion", get(pictures::confusion))
        .route("/images", get(pictures::images))
        .route("/image/{name}", get(pictures::image))
        .route("/filters", get(try_picture::filters))
        .route("/try/{idx}", get(try_picture::test_image))
        .route("/try", post(try_picture::picture))
        .route("/file/{name}", get(runs_api::file))
        .route("/stop", post(control::stop))
        .route("/resume", post(control::resume));
    let router = Router::new()
        .route("/", get(assets::index))
        .route("/assets/{*name}", get(assets::asset))
        .route("/api/about", get(runs_api::about))
        .route("/api/runs", get(runs_api::list))
        .route("/api/events", get(events::list))
        .nest("/api/runs/{id}", of_run)
        .route("/api/blocks", get(palette::blocks))
        .route("/api/presets", get(presets::presets))
        .route("/api/data", get(presets::data_sets))
        .route("/api/check", post(check::check))
        .route("/api/train", post(control::train))
        .merge(studies::routes())
        .fallback(|| async { DashboardError::no("such page") })
        .method_not_allowed_fallback(|| async { DashboardError::Method });
    // Bodies are limited where they are read.
    let router = router.layer(DefaultBodyLimit::disable());
    Ok(router.layer(from_fn_with_state(shared.clone(), security::guard)).with_state(shared))
}
