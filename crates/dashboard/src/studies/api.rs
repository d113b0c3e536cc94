//! `/api/studies` and what is below.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use study::STEP;

use super::axis::{Axis, axes};
use super::control::{child_name, is_worked_by_danlu};
use super::front::{entries, pareto};
use super::history::history;
use super::importance::importance;
use super::intermediate::intermediate;
use super::opened::View;
use super::place::TrialRun;
use super::points::points;
use super::summary::{Best, Progress, StudyRow, progress, row};
use super::table::{Order, TableQuery, table};
use super::timeline::timeline;
use super::trial::details;
use crate::error::DashboardError;
use crate::request::Path;
use crate::run_dir::RECORD;
use crate::state::Shared;
use crate::work::light;
use crate::{answer, request};

/// Requests that come close together see the same look at the folder.
const LIST_AGE: Duration = Duration::from_millis(300);
/// Rows of a page of the list at most.
const MAX_LIMIT: usize = 1000;
/// Trials, curves or points of a chart at most.
const MAX_POINTS: usize = 5000;
/// Characters of an attribute that are shown.
const MAX_ATTRIBUTE: usize = 400;
/// Attributes of a study that are shown.
const MAX_ATTRIBUTES: usize = 40;

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Modified,
    Name,
    Trials,
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    search: String,
    /// Only architecture searches.
    #[serde(default)]
    searches: bool,
    #[serde(default)]
    sort: Sort,
    order: Option<Order>,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

/// `GET /api/studies`
#[derive(Serialize)]
struct StudyList<'a> {
    folder: String,
    total: usize,
    studies: Vec<&'a StudyRow>,
}

pub(crate) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, DashboardError> {
    let query: ListQuery = request::query(&uri)?;
    light(move || {
        let rows = shared.shelf.rows(LIST_AGE)?;
        let words: Vec<String> = query.search.to_lowercase().split_whitespace().map(String::from).collect();
        let all = rows.values().map(Arc::as_ref);
        let is_asked = |row: &StudyRow| row.is_search || !query.searches;
        let mut found: Vec<&StudyRow> = all.filter(|row| is_asked(row) && has_all(row, &words)).collect();
        let rises = matches!(query.sort, Sort::Name);
        let order = query.order.unwrap_or(if rises { Order::Asc } else { Order::Desc });
        found.sort_by(|a, b| {
            let directed = |by: Ordering| if order == Order::Desc { by.reverse() } else { by };
            directed(compare(a, b, query.sort)).then_with(|| a.id.cmp(&b.id))
        });
        let limit = query.limit.unwrap_or(50).min(MAX_LIMIT);
        let studies = found.iter().skip(query.offset).take(limit).copied().collect();
        let folder = shared.shelf.dir().display().to_string();
        Ok(answer::json(&StudyList { folder, total: found.len(), studies }))
    })
    .await
}

fn compare(a: &StudyRow, b: &StudyRow, sort: Sort) -> Ordering {
    match sort {
        Sort::Modified => a.modified.total_cmp(&b.modified),
        Sort::Name => a.id.cmp(&b.id),
        Sort::Trials => a.n_trials.cmp(&b.n_trials),
    }
}

/// Whether each word stands in the name, an objective or the state.
fn has_all(row: &StudyRow, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let objectives: Vec<&str> = row.objectives.iter().map(|objective| objective.name.as_str()).collect();
    let name = row.name.as_deref().unwrap_or_default();
    let text = format!("{}\n{name}\n{}\n{:?}", row.id, objectives.join("\n"), row.state).to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// What changes of a study while it goes on.
#[derive(Clone, PartialEq, Serialize)]
pub(crate) struct News {
    pub(crate) row: StudyRow,
    /// `None` where the store cannot be read.
    pub(crate) progress: Option<Progress>,
    /// With a single objective.
    best: Option<Best>,
    /// Another one after each change of a trial.
    pub(crate) revision: u64,
}

/// What is to be said of a study at the moment.
pub(crate) fn news(shared: &Shared, id: &str) -> Result<News, DashboardError> {
    let workers = shared.shelf.find(id)?.workers();
    let told = shared.shelf.read(id, |view| {
        let known = view.known(&workers);
        let mut row = row(&known, view.trials);
        let best = row.best.clone();
        if let Some(best) = &mut row.best {
            best.params.clear();
        }
        Ok(News { row, progress: Some(progress(&known, view.trials)), best, revision: view.revision })
    });
    told.or_else(|error| match error {
        DashboardError::Store(_) => {
            Ok(News { row: shared.shelf.row(id)?, progress: None, best: None, revision: 0 })
        }
        error => Err(error),
    })
}

/// `GET /api/studies/ID`
#[derive(Serialize)]
struct StudyDetails {
    row: StudyRow,
    progress: Option<Progress>,
    best: Option<Best>,
    revision: u64,
    axes: Vec<Axis>,
    attributes: BTreeMap<String, Json>,
    store: String,
    workers: Vec<String>,
    toml: Option<String>,
    report: Option<Json>,
    /// Whether it can be stopped and gone on with from here.
    is_ours: bool,
    /// Whether a process that was started for it from here has not ended.
    is_started: bool,
}

pub(crate) async fn study(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, DashboardError> {
    light(move || {
        // Before the rest: one whose process has ended is read as that left it.
        let is_started = shared.sources.children.has(&child_name(&id));
        let News { row, progress, best, revision } = news(&shared, &id)?;
        let place = shared.shelf.find(&id)?;
        let is_readable = progress.is_some();
        let of_view = |view: View<'_>| {
            let kept = view.study.user_attributes.get("danlu:file").and_then(Json::as_str);
            Ok((axes(view.trials), attributes(&view), kept.map(String::from)))
        };
        let read = if is_readable { shared.shelf.read(&id, of_view)? } else { Default::default() };
        let (axes, attributes, kept_file) = read;
        Ok(answer::json(&StudyDetails {
            row,
            progress,
            best,
            revision,
            axes,
            attributes,
            store: place.store.display().to_string(),
            workers: place.workers(),
            toml: place.file_text().or(kept_file),
            report: place.report(),
            is_ours: place.own_folder().is_some_and(|folder| is_worked_by_danlu(&folder)),
            is_started,
        }))
    })
    .await
}

/// What people and Danlu noted of the study, without what is shown elsewhere or is long. What samplers of Optuna note
/// tells people nothing.
fn attributes(view: &View<'_>) -> BTreeMap<String, Json> {
    let all = view.study.user_attributes.iter();
    let is_shown = |(key, value): &(&String, &Json)| {
        key.as_str() != "danlu:file" && !key.starts_with(STEP) && value.to_string().len() <= MAX_ATTRIBUTE
    };
    all.filter(is_shown).take(MAX_ATTRIBUTES).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[derive(Deserialize)]
struct ChartQuery {
    /// Position of the objective.
    #[serde(default)]
    objective: usize,
    points: Option<usize>,
    curves: Option<usize>,
    trials: Option<usize>,
}

impl ChartQuery {
    fn limit(&self, default: usize) -> usize {
        let asked = self.points.or(self.curves).or(self.trials);
        asked.unwrap_or(default).clamp(4, MAX_POINTS)
    }
}

/// The answer of a chart: a function of a study and of what is asked.
async fn chart(
    shared: Shared,
    id: String,
    uri: Uri,
    of: fn(&View<'_>, &ChartQuery) -> Result<Response, DashboardError>,
) -> Result<Response, DashboardError> {
    let query: ChartQuery = request::query(&uri)?;
    light(move || shared.shelf.read(&id, |view| of(&view, &query))).await
}

pub(crate) async fn history_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, query: &ChartQuery| {
        let objective = view.objective(query.objective)?;
        Ok(answer::json(&history(objective, query.objective, view.trials, query.limit(1000))))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn intermediate_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, query: &ChartQuery| {
        Ok(answer::json(&intermediate(view.objective(0)?, view.trials, query.limit(80).min(500))))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn parallel_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, query: &ChartQuery| {
        let objective = view.objective(query.objective)?;
        Ok(answer::json(&points(objective, query.objective, view.trials, query.limit(1000))))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn importance_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, query: &ChartQuery| {
        let objective = view.objective(query.objective)?;
        Ok(answer::json(&importance(objective, query.objective, view.trials)))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn front_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, query: &ChartQuery| {
        Ok(answer::json(&pareto(view.objectives, &entries(view.objectives, view.trials), query.limit(1000))))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn timeline_of(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let of = |view: &View<'_>, query: &ChartQuery| {
        Ok(answer::json(&timeline(view.trials, query.limit(1000), view.until_ms())))
    };
    chart(shared, id, uri, of).await
}

pub(crate) async fn trials(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let query: TableQuery = request::query(&uri)?;
    light(move || shared.shelf.read(&id, |view| Ok(answer::json(&table(view.trials, &query))))).await
}

pub(crate) async fn trial(
    State(shared): State<Shared>,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, DashboardError> {
    let position = number.parse::<usize>();
    let missing = move || DashboardError::no(format!("trial {number} in this study"));
    let Ok(position) = position else { return Err(missing()) };
    light(move || {
        shared.shelf.read(&id, |view| {
            let trial = view.trials.get(position).ok_or_else(missing)?;
            let run = view.place.run(TrialRun::Tried(trial.number));
            let has_record = run.as_ref().is_some_and(|run| run.has(RECORD));
            let run = run.map(|run| run.id);
            Ok(answer::json(&details(view.objectives, trial, view.trials.len(), run, has_record)))
        })
    })
    .await
}
