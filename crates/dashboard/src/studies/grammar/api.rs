//! The routes of a search.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

use super::costs::Cost;
use super::decisions::Decisions;
use super::drawing::drawing;
use super::family::family;
use super::gallery::gallery;
use super::rewards::rewards;
use super::shares::shares;
use super::steps::steps;
use crate::error::DashboardError;
use crate::request::Path;
use crate::state::Shared;
use crate::studies::front::pareto;
use crate::studies::opened::View;
use crate::work::light;
use crate::{answer, request};

/// Points of a chart at most.
const MAX_POINTS: usize = 5000;
/// Networks that are drawn at most.
const MAX_DRAWN: usize = 60;

#[derive(Deserialize)]
struct Query {
    points: Option<usize>,
    /// Counted from 0.
    layer: Option<usize>,
    #[serde(default)]
    cost: Cost,
}

impl Query {
    fn limit(&self, default: usize) -> usize {
        self.points.unwrap_or(default).clamp(4, MAX_POINTS)
    }
}

/// The answer of a chart: a function of a search, of its decisions and of what is asked.
async fn chart(
    shared: Shared,
    id: String,
    uri: Uri,
    of: fn(&View<'_>, &Decisions<'_>, &Query) -> Result<Response, DashboardError>,
) -> Result<Response, DashboardError> {
    let query: Query = request::query(&uri)?;
    light(move || {
        shared.shelf.read(&id, |view| {
            let grammar = view.spec.and_then(|spec| spec.grammar.as_ref());
            let grammar = grammar.ok_or_else(|| DashboardError::no("grammar in this study"))?;
            of(&view, &Decisions::new(grammar, view.trials), &query)
        })
    })
    .await
}

pub(crate) async fn rewards_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, decisions: &Decisions<'_>, query: &Query| {
        let (objective, until) = (view.objective(0)?, view.until_ms());
        Ok(answer::json(&rewards(objective, decisions, view.trials, query.limit(1000), until)))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn steps_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, decisions: &Decisions<'_>, query: &Query| {
        Ok(answer::json(&steps(decisions, &view.study.user_attributes, query.limit(300))))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn decisions_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |_: &View<'_>, decisions: &Decisions<'_>, query: &Query| {
        Ok(answer::json(&shares(decisions, query.layer, query.limit(80).min(400))))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn family_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, _: &Decisions<'_>, query: &Query| {
        Ok(answer::json(&family(view.objective(0)?, view.trials, query.limit(600))))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn costs_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, _: &Decisions<'_>, query: &Query| {
        let objectives = query.cost.objectives(view.objective(0)?);
        let entries = query.cost.entries(view.trials);
        Ok(answer::json(&pareto(&objectives, &entries, query.limit(1000))))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn gallery_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, decisions: &Decisions<'_>, query: &Query| {
        let max = query.limit(10).min(MAX_DRAWN);
        Ok(answer::json(&gallery(view.objective(0)?, decisions, view, max)))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn network_of(
    State(shared): State<Shared>,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, DashboardError> {
    light(move || {
        shared.shelf.read(&id, |view| {
            let position = number.parse::<usize>().ok();
            let trial = position.and_then(|position| view.trials.get(position));
            let trial = trial.ok_or_else(|| DashboardError::no(format!("trial {number} in this study")))?;
            Ok(answer::json(&drawing(&view, trial)))
        })
    })
    .await
}
