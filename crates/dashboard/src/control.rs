//! Starting, stopping and going on with trainings.

use std::fs;
use std::io::{self, ErrorKind};
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
use crate::run_dir::{ASKED, LOG, PENDING, RUN};
use crate::state::{Shared, State as AppState};
use crate::wire::{RunStatus, Started, StopAsked, StopWhen, TrainAsked};
use crate::work::light;
use crate::{answer, request};

/// Characters of a run's name that is asked for.
const MAX_NAME: usize = 64;
/// Bytes of it, of which file systems allow 255, and a number may come behind it.
const MAX_BYTES: usize = 200;

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
    let (id, is_new) = match name {
        Some(name) => (name.to_owned(), named(state, name)?),
        None => (numbered(root, network)?, true),
    };
    let dir = root.join(&id);
    let file = dir.join(ASKED);
    let begun = fs::write(&file, toml).map_err(DashboardError::io("write", &file)).and_then(|()| {
        let mut command = Command::new(&state.program);
        command.arg("train").arg(&file).arg("--out").arg(&dir);
        state.sources.children.start(&id, &dir, command)
    });
    if begun.is_err() && is_new {
        // The error is what is told; the folder is this one's, so that nothing else goes with it.
        let _stays = fs::remove_dir_all(&dir);
    }
    begun.map(|()| id)
}

/// Makes the folder of that name, or takes one of a training that did not begin; whether it is new.
fn named(state: &AppState, name: &str) -> Result<bool, DashboardError> {
    let is_allowed = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let is_long = name.chars().count() > MAX_NAME || name.len() > MAX_BYTES;
    if name.is_empty() || is_long || name.starts_with('.') || !name.chars().all(is_allowed) {
        let rule =
            "1 to 64 letters, digits, `-`, `_` and `.`, in no more than 200 bytes, and not begin with `.`";
        return Err(DashboardError::bad(format!("the run's name {name:?} must have {rule}")));
    }
    let dir = state.sources.root.join(name);
    let is_new = make_folder(&dir)?;
    match is_new || !state.sources.children.has(name) && did_not_begin(&dir) {
        true => Ok(is_new),
        false => Err(DashboardError::conflict(format!("there is a run called {name}"))),
    }
}

/// Makes the folder of a run, and that of all runs, which somebody may have deleted; whether it was not there.
fn make_folder(dir: &Path) -> Result<bool, DashboardError> {
    let made = dir.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::create_dir(dir));
    match made {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(DashboardError::io("make the folder", dir)(error)),
    }
}

/// Whether a folder holds nothing but a training that was asked for from here and came to no run, and what it said.
fn did_not_begin(dir: &Path) -> bool {
    let is_of_asking = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| [ASKED, LOG].iter().any(|&name| entry.file_name() == name))
    };
    // One that is at work has its lock beside them.
    dir.join(ASKED).exists() && fs::read_dir(dir).is_ok_and(|mut entries| entries.all(is_of_asking))
}

/// `NETWORK-N` with the first number that is free, as `danlu train` has it. Making the folder decides.
fn numbered(root: &Path, network: &str) -> Result<String, DashboardError> {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let mut stem: String = network.trim_start_matches('.').chars().map(plain).take(MAX_NAME).collect();
    while stem.len() > MAX_BYTES {
        stem.pop();
    }
    for n in 1_u64.. {
        let id = format!("{stem}-{n}");
        if make_folder(&root.join(&id))? {
            return Ok(id);
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
