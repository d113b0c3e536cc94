//! Stopping a study and going on with it.

use std::process::Command;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use runs::StopRequest;
use serde::Deserialize;
use study::StudyFolder;

use super::place::Place;
use crate::error::DashboardError;
use crate::request::Path;
use crate::state::Shared;
use crate::wire::{StopAsked, StopWhen};
use crate::work::light;
use crate::{answer, request};

/// The body `{}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// `POST /api/studies/ID/stop`: after the trials that run, or at once.
pub(crate) async fn stop(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, DashboardError> {
    let StopAsked { when } = request::json(&headers, sent).await?;
    light(move || {
        let place = shared.shelf.find(&id)?;
        let folder = ours(&place)?;
        if place.workers().is_empty() {
            return Err(DashboardError::conflict(format!("nobody works on {id}")));
        }
        let when = match when {
            StopWhen::Now => StopRequest::Now,
            StopWhen::AfterEpoch => StopRequest::AfterEpoch,
        };
        when.write(folder.dir())?;
        Ok(answer::json(&serde_json::json!({})))
    })
    .await
}

/// `POST /api/studies/ID/run`: starts `danlu study run` with what was begun.
pub(crate) async fn run(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, DashboardError> {
    let Nothing {} = request::json(&headers, sent).await?;
    light(move || {
        let place = shared.shelf.find(&id)?;
        let folder = ours(&place)?;
        if !place.workers().is_empty() {
            return Err(DashboardError::conflict(format!("somebody works on {id}")));
        }
        let mut command = Command::new(&shared.program);
        command.args(["study", "run", "--quiet", "--"]).arg(folder.dir());
        shared.sources.children.start(&child_name(&id), folder.dir(), command)?;
        Ok(answer::json(&serde_json::json!({})))
    })
    .await
}

/// What its process is called among those of the runs: no run has such a name.
pub(crate) fn child_name(id: &str) -> String {
    format!("study:{id}")
}

/// The folder of a study that Danlu began and works on by itself.
fn ours(place: &Place) -> Result<StudyFolder, DashboardError> {
    let folder = place.own_folder().filter(is_worked_by_danlu);
    folder.ok_or_else(|| DashboardError::conflict(format!("{} is no study of danlu study run", place.id)))
}

/// Whether its trials are trainings, and not what another program asks and tells.
pub(crate) fn is_worked_by_danlu(folder: &StudyFolder) -> bool {
    folder.read_file().is_ok_and(|spec| spec.run.is_some())
}
