//! Server-sent events: the list as it changes, and one run as it learns.
//!
//! A stream looks at files only when its reader has taken what came before, and only as long as there is a reader: a slow
//! one gets fewer, a closed tab costs nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::DashboardError;
use crate::kept::Stamp;
use crate::listing::row_of;
use crate::request::{self, Path};
use crate::row::Rows;
use crate::run_dir::{PROGRESS, RunDir};
use crate::state::Shared;
use crate::wire::{Gone, RunRow, RunStatus};
use crate::work::light;

/// From one look at the list to the next.
const LIST_PERIOD: Duration = Duration::from_millis(700);
/// From one look at a run that goes on to the next: its progress is written twice a second.
const RUN_PERIOD: Duration = Duration::from_millis(400);
/// From one look at a run that rests to the next.
const REST_PERIOD: Duration = Duration::from_millis(1500);
/// After so long without news a comment is sent, which fails where nobody reads any more.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_millis(1000);
/// Epochs that are put into memory for a reader at a time.
const MAX_BACKLOG: usize = 500;

/// Something that has events from time to time.
pub(crate) trait Feed: Send + 'static {
    /// Puts what is new behind `events`.
    fn poll(
        &mut self,
        events: &mut VecDeque<Event>,
    ) -> impl Future<Output = Result<(), DashboardError>> + Send;

    /// How long to wait where nothing was new.
    fn period(&self) -> Duration;
}

pub(crate) fn event(name: &str, value: &impl Serialize) -> Event {
    match serde_json::to_string(value) {
        Ok(json) => Event::default().event(name).data(json),
        Err(_) => Event::default().comment("a value that JSON cannot hold"),
    }
}

/// The stream of a feed; it holds its place among the streams until its reader is gone.
pub(crate) fn streamed(feed: impl Feed, place: OwnedSemaphorePermit) -> Response {
    let first = VecDeque::from([Event::default().retry(RETRY).comment("danlu")]);
    let events = stream::unfold((feed, first, place), |(mut feed, mut events, place)| async {
        loop {
            if let Some(event) = events.pop_front() {
                return Some((Ok::<_, Infallible>(event), (feed, events, place)));
            }
            // What was looked at is gone: the browser connects again and is told.
            feed.poll(&mut events).await.ok()?;
            if events.is_empty() {
                tokio::time::sleep(feed.period()).await;
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

pub(crate) fn place(shared: &Shared) -> Result<OwnedSemaphorePermit, DashboardError> {
    shared.streams.clone().try_acquire_owned().map_err(|_| DashboardError::Busy)
}

/// `GET /api/events`
pub(crate) async fn list(State(shared): State<Shared>) -> Result<Response, DashboardError> {
    let place = place(&shared)?;
    Ok(streamed(ListFeed { shared, told: Arc::default(), is_ready: false }, place))
}

struct ListFeed {
    shared: Shared,
    /// What the reader knows.
    told: Arc<Rows>,
    is_ready: bool,
}

impl Feed for ListFeed {
    async fn poll(&mut self, events: &mut VecDeque<Event>) -> Result<(), DashboardError> {
        self.shared.usage.touch();
        let rows = self.shared.listing.rows(&self.shared.sources, LIST_PERIOD / 2).await?;
        if !Arc::ptr_eq(&rows, &self.told) {
            let is_new = |(id, row): &(&String, &Arc<RunRow>)| {
                self.told.get(*id).is_none_or(|told| !Arc::ptr_eq(told, row))
            };
            events.extend(rows.iter().filter(is_new).map(|(_, row)| event("run", row.as_ref())));
            let gone = self.told.keys().filter(|id| !rows.contains_key(*id));
            events.extend(gone.map(|id| event("gone", &Gone { id })));
            self.told = rows;
        }
        if !self.is_ready {
            self.is_ready = true;
            events.push_back(event("ready", &serde_json::json!({})));
        }
        Ok(())
    }

    fn period(&self) -> Duration {
        LIST_PERIOD
    }
}

#[derive(Deserialize)]
struct RunQuery {
    #[serde(default)]
    after: usize,
}

/// `GET /api/runs/ID/events`
pub(crate) async fn run(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, DashboardError> {
    let RunQuery { after } = request::query(&uri)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = last.unwrap_or(after);
    let place = place(&shared)?;
    let run = shared.run(&id)?;
    let feed = RunFeed { shared, run, after, row: None, progress: None, is_ready: false };
    Ok(streamed(feed, place))
}

struct RunFeed {
    shared: Shared,
    run: RunDir,
    /// The last epoch that the reader knows.
    after: usize,
    row: Option<RunRow>,
    progress: Option<Stamp>,
    is_ready: bool,
}

impl Feed for RunFeed {
    async fn poll(&mut self, events: &mut VecDeque<Event>) -> Result<(), DashboardError> {
        self.shared.usage.touch();
        let (shared, run) = (self.shared.clone(), self.run.clone());
        let (after, told) = (self.after, self.progress);
        let news = match light(move || News::of(&shared, &run, after, told)).await {
            // The next look ends the stream.
            Err(_) if self.row.take().is_some() => {
                events.push_back(event("gone", &Gone { id: &self.run.id }));
                return Ok(());
            }
            news => news?,
        };
        if self.row.as_ref() != Some(&news.row) {
            events.push_back(event("state", &news.row));
        }
        // A run that begins again in the same folder has fewer epochs than the reader knows.
        if news.row.n_epochs < self.after && self.row.is_some() {
            self.after = 0;
        }
        self.row = Some(news.row);
        let n_epochs = news.epochs.len();
        for epoch in news.epochs {
            self.after = epoch.epoch;
            // A browser that connects again tells it in `Last-Event-ID`.
            events.push_back(event("epoch", &epoch).id(epoch.epoch.to_string()));
        }
        if !self.is_ready && n_epochs < MAX_BACKLOG {
            self.is_ready = true;
            events.push_back(event("ready", &serde_json::json!({})));
        }
        if let Some((stamp, progress)) = news.progress {
            self.progress = Some(stamp);
            events.push_back(event("progress", &progress));
        }
        Ok(())
    }

    fn period(&self) -> Duration {
        let goes_on = self.row.as_ref().is_some_and(|row| row.state == RunStatus::Running);
        if goes_on { RUN_PERIOD } else { REST_PERIOD }
    }
}

/// What a look at a run gave.
struct News {
    row: RunRow,
    epochs: Vec<spec::EpochRecord>,
    progress: Option<(Stamp, serde_json::Value)>,
}

impl News {
    /// `told` is the state of the file of progress that the reader knows.
    fn of(shared: &Shared, run: &RunDir, after: usize, told: Option<Stamp>) -> Result<Self, DashboardError> {
        // Fails where the folder is gone.
        let run = shared.run(&run.id)?;
        let read = shared.sources.records.watch(&run);
        let known = read.as_ref().ok().cloned();
        let (_, row) = row_of(&shared.sources, &run, read);
        let epochs = known.as_ref().map_or(&[][..], |read| &read.record.epochs);
        let first = epochs.partition_point(|epoch| epoch.epoch <= after);
        let epochs = epochs[first..].iter().take(MAX_BACKLOG).copied().collect();
        let stamp = Stamp::of(&run.dir().join(PROGRESS)).filter(|stamp| Some(*stamp) != told);
        let progress = stamp.filter(|_| row.state == RunStatus::Running).and_then(|stamp| {
            let value = serde_json::from_slice(&run.read(PROGRESS).ok()?).ok()?;
            Some((stamp, value))
        });
        Ok(Self { row, epochs, progress })
    }
}
