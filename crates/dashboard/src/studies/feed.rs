//! Server-sent events of the list of studies and of one study.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;

use super::api::{News, news};
use super::shelf::Rows;
use super::summary::{StudyRow, StudyState};
use crate::error::DashboardError;
use crate::events::{Feed, event, place, streamed};
use crate::request::Path;
use crate::state::Shared;
use crate::wire::Gone;
use crate::work::light;

/// From one look to the next.
const PERIOD: Duration = Duration::from_millis(700);
/// From one look at a study that rests to the next.
const REST_PERIOD: Duration = Duration::from_millis(1500);
/// Looks take at most one part in so many of a core.
const SHARE: u32 = 50;

/// `GET /api/study-events`
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
        let shared = self.shared.clone();
        let rows = light(move || shared.shelf.rows(PERIOD / 2)).await?;
        if !Arc::ptr_eq(&rows, &self.told) {
            let is_new = |(id, row): &(&String, &Arc<StudyRow>)| {
                self.told.get(*id).is_none_or(|told| !Arc::ptr_eq(told, row))
            };
            events.extend(rows.iter().filter(is_new).map(|(_, row)| event("study", row.as_ref())));
            let gone = self.told.keys().filter(|id| !rows.contains_key(*id));
            events.extend(gone.map(|id| event("gone", &Gone { id })));
            self.told = rows;
        }
        if !std::mem::replace(&mut self.is_ready, true) {
            events.push_back(event("ready", &serde_json::json!({})));
        }
        Ok(())
    }

    fn period(&self) -> Duration {
        PERIOD
    }
}

/// `GET /api/studies/ID/events`
pub(crate) async fn study(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, DashboardError> {
    let place = place(&shared)?;
    let (looked, of) = (shared.clone(), id.clone());
    light(move || looked.shelf.row(&of)).await?;
    Ok(streamed(StudyFeed { shared, id, told: None, cost: Duration::ZERO }, place))
}

struct StudyFeed {
    shared: Shared,
    id: String,
    told: Option<News>,
    /// Of the last look.
    cost: Duration,
}

impl Feed for StudyFeed {
    async fn poll(&mut self, events: &mut VecDeque<Event>) -> Result<(), DashboardError> {
        self.shared.usage.touch();
        let (shared, id) = (self.shared.clone(), self.id.clone());
        let look = move || {
            let start = Instant::now();
            Ok((news(&shared, &id)?, start.elapsed()))
        };
        let (news, cost) = match light(look).await {
            // The next look ends the stream.
            Err(DashboardError::NotFound { .. }) if self.told.take().is_some() => {
                events.push_back(event("gone", &Gone { id: &self.id }));
                return Ok(());
            }
            looked => looked?,
        };
        self.cost = cost;
        if self.told.as_ref() != Some(&news) {
            events.push_back(event("study", &news));
            self.told = Some(news);
        }
        Ok(())
    }

    fn period(&self) -> Duration {
        let runs = self.told.as_ref().is_some_and(|told| told.row.state == StudyState::Running);
        let period = if runs { PERIOD } else { REST_PERIOD };
        period.max(self.cost * SHARE)
    }
}
