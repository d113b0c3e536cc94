//! Starting, stopping and going on with trainings.

use std::fs;
use std::path::Path;
use std::process::Command;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use runs::StopRequest;
use serde::Deserialize;

use crate::check::{Form, checked};
use crate::error::DashboardError;
use crate::listing::read_row;
use crate::request::Path as UrlPath;
use crate::run_dir::{ASKED, PENDING, RUN};
use crate::state::{Shared, State as AppState};
use crate::wire::{RunStatus, Started, StopAsked, StopWhen, TrainAsked};
use crate::work::light;
use crate::{answer, request};

/// Characters of a run's name that is asked for.
const MAX_NAME: usize = 64;

/// The body `{}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// `POST /api/train`
pub(crate) async fn train(
    State(shared): State<Shared>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, DashboardError> {
    let TrainAsked { toml, name } = request::json(&headers, sent).await?;
    light(move || {
        let id = start(&shared, &toml, name.as_deref())?;
        Ok(answer::json(&Started { id }))
    })
    .await
}

/// Makes the run's folder and starts `danlu train` with it; returns its name.
fn start(state: &AppState, toml: &str, name: Option<&str>) -> Result<String, DashboardError> {
    let form = Form::Text(toml.into());
    let checked = checked(&form);
    if let Some(error) = checked.error {
        return Err(DashboardError::bad(error.message));
    }
    let network = checked.run.as_ref().and_then(|run| run["network"]["name"].as_str()).unwrap_or("run");
    let root = &state.sources.root;
    let id = match name {
        Some(name) => named(root, name)?,
        None => numbered(root, network)?,
    };
    let dir = root.join(&id);
    let file = dir.join(ASKED);
    let begun = fs::write(&file, toml).map_err(DashboardError::io("write", &file)).and_then(|()| {
        let mut command = Command::new(&state.program);
        command.arg("train").arg(&file).arg("--out").arg(&dir);
        state.sources.children.start(&id, &dir, command)
    });
    if begun.is_err() {
        // The error is what is told; the folder is this one's, so that nothing else goes with it.
        let _stays = fs::remove_dir_all(&dir);
    }
    begun.map(|()| id)
}

fn named(root: &Path, name: &str) -> Result<String, DashboardError> {
    let is_allowed = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let n = name.chars().count();
    if !(1..=MAX_NAME).contains(&n) || name.starts_with('.') || !name.chars().all(is_allowed) {
        let rule = "1 to 64 letters, digits, `-`, `_` and `.`, and not begin with `.`";
        return Err(DashboardError::bad(format!("the run's name {name:?} must have {rule}")));
    }
    match fs::create_dir(root.join(name)) {
        Ok(()) => Ok(name.into()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(DashboardError::conflict(format!("there is a run called {name}")))
        }
        Err(error) => Err(DashboardError::io("make the folder", root.join(name))(error)),
    }
}

/// `NETWORK-N` with the first number that is free, as `danlu train` has it. Making the folder decides.
fn numbered(root: &Path, network: &str) -> Result<String, DashboardError> {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let stem: String = network.trim_start_matches('.').chars().map(plain).take(MAX_NAME).collect();
    for n in 1_u64.. {
        let id = format!("{stem}-{n}");
        match fs::create_dir(root.join(&id)) {
            Ok(()) => return Ok(id),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(DashboardError::io("make the folder", root.join(&id))(error)),
        }
    }
    unreachable!("no file system holds 2^64 folders")
}

/// `POST /api/runs/ID/stop`
pub(crate) async fn stop(
    State(shared): State<Shared>,
    UrlPath(id): UrlPath<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, DashboardError> {
    let StopAsked { when } = request::json(&headers, sent).await?;
    light(move || {
        let run = shared.own_run(&id)?;
        if read_row(&shared.sources, &run).state != RunStatus::Running {
            return Err(DashboardError::conflict(format!("{id} is not going on")));
        }
        let when = match when {
            StopWhen::Now => StopRequest::Now,
            StopWhen::AfterEpoch => StopRequest::AfterEpoch,
        };
        when.write(run.dir())?;
        Ok(answer::json(&serde_json::json!({})))
    })
    .await
}

/// `POST /api/runs/ID/resume`
pub(crate) async fn resume(
    State(shared): State<Shared>,
    UrlPath(id): UrlPath<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, DashboardError> {
    let Nothing {} = request::json(&headers, sent).await?;
    light(move || {
        let run = shared.own_run(&id)?;
        match read_row(&shared.sources, &run).state {
            RunStatus::Interrupted | RunStatus::Stale | RunStatus::Failed => {}
            RunStatus::Running => return Err(DashboardError::conflict(format!("{id} is going on"))),
            RunStatus::Finished => return Err(DashboardError::conflict(format!("{id} is finished"))),
            RunStatus::Unreadable => {
                return Err(DashboardError::conflict(format!("the record of {id} cannot be read")));
            }
        }
        if ![RUN, PENDING].iter().any(|name| run.has(name)) {
            return Err(DashboardError::conflict(format!("{id} did not begin; start it anew")));
        }
        let mut command = Command::new(&shared.program);
        command.arg("resume").arg(run.dir());
        shared.sources.children.start(&run.id, run.dir(), command)?;
        Ok(answer::json(&Started { id }))
    })
    .await
}
