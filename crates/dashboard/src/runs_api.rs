//! `/api/about`, `/api/runs`, `/api/runs/ID` and the files of a run.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use nn::{LayerSummary, Plan};
use serde::Deserialize;

use crate::error::DashboardError;
use crate::listing::read_row;
use crate::request::Path;
use crate::run_dir::{ASKED, FILES, LOG, PENDING, RECORD, RUN, RunDir, last_lines};
use crate::state::Shared;
use crate::wire::{About, AboutMachine, LayerRow, RunData, RunDetails, RunList, RunRow, TrialOf};
use crate::work::light;
use crate::{answer, request};

/// Requests that come close together see the same look at the folder.
pub(crate) const LIST_AGE: Duration = Duration::from_millis(300);

/// Rows of a page of the list at most.
const MAX_LIMIT: usize = 1000;

pub(crate) async fn about(State(shared): State<Shared>) -> Response {
    answer::json(&About {
        version: shared.version,
        runs_dir: shared.sources.root.display().to_string(),
        machine: AboutMachine { cpu: shared.cpu.as_deref(), isa: shared.isa.name(), n_cores: shared.n_cores },
    })
}

/// Lines of a run's log that are shown.
const N_LOG_LINES: usize = 20;

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Modified,
    Name,
    TestAccuracy,
    Loss,
    NEpochs,
    Parameters,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Asc,
    Desc,
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    search: String,
    #[serde(default)]
    sort: Sort,
    order: Option<Order>,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

pub(crate) async fn list(State(shared): State<Shared>, uri: Uri) -> Result<Response, DashboardError> {
    let query: ListQuery = request::query(&uri)?;
    let rows = shared.listing.rows(&shared.sources, LIST_AGE).await?;
    let words: Vec<String> = query.search.to_lowercase().split_whitespace().map(String::from).collect();
    let mut found: Vec<&RunRow> = rows.values().map(Arc::as_ref).filter(|row| has_all(row, &words)).collect();
    // Names and losses rise, the others fall, so that what is best or latest comes first.
    let rises = matches!(query.sort, Sort::Name | Sort::Loss);
    let order = query.order.unwrap_or(if rises { Order::Asc } else { Order::Desc });
    found.sort_by(|a, b| compare(a, b, query.sort, order).then_with(|| a.id.cmp(&b.id)));
    let limit = query.limit.unwrap_or(50).min(MAX_LIMIT);
    let page = found.iter().skip(query.offset).take(limit).copied().collect();
    Ok(answer::json(&RunList { total: found.len(), runs: page }))
}

/// Whether each word stands in the name, the network, the data or the state.
fn has_all(row: &RunRow, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let [network, data] = [&row.network, &row.data].map(|name| name.as_deref().unwrap_or_default());
    let text = format!("{}\n{network}\n{data}\n{:?}", row.id, row.state).to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// What a run does not have comes last in either order.
fn compare(a: &RunRow, b: &RunRow, sort: Sort, order: Order) -> Ordering {
    let number = |row: &RunRow| match sort {
        Sort::Modified => Some(row.modified),
        Sort::Name => None,
        Sort::TestAccuracy => row.test_accuracy,
        Sort::Loss => row.loss,
        Sort::NEpochs => Some(row.n_epochs as f64),
        Sort::Parameters => row.parameters.map(|n| n as f64),
    };
    let directed = |ordering: Ordering| if order == Order::Desc { ordering.reverse() } else { ordering };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => directed(a.total_cmp(&b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) if matches!(sort, Sort::Name) => directed(a.id.cmp(&b.id)),
        (None, None) => Ordering::Equal,
    }
}

pub(crate) async fn details(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, DashboardError> {
    light(move || {
        let run = shared.run(&id)?;
        // Before the row: one whose process has ended is read as that left it.
        let is_started = shared.sources.children.has(&id);
        let row = read_row(&shared.sources, &run);
        let read = if run.has(RECORD) { shared.sources.records.load(&run).ok() } else { None };
        let record = read.as_ref().map(|read| &read.record);
        let plan = record.and_then(|record| Plan::compile(&record.spec.network).ok());
        let data = record.map(|record| &record.data);
        Ok(answer::json(&RunDetails {
            row: &row,
            spec: record.map(|record| &record.spec),
            toml: run_file(&run),
            data: data.map(|data| RunData {
                name: &data.name,
                dir: &data.dir,
                classes: &data.classes,
                n_train: data.n_train,
                n_test: data.n_test,
                n_validation: data.n_validation,
            }),
            machine: record.map(|record| &record.machine),
            danlu: record.map(|record| record.danlu.as_str()),
            stop_reason: record.and_then(|record| record.stop_reason),
            parameters_hash: record.and_then(|record| record.parameters_hash.as_deref()),
            layers: plan.iter().flat_map(|plan| plan.summary()).map(layer_row).collect(),
            files: FILES.into_iter().map(|(name, _)| name).filter(|name| run.has(name)).collect(),
            log: run.read_text(LOG).ok().map(|log| last_lines(&log, N_LOG_LINES).join("\n")),
            is_started,
            trial: shared.trial_of(&id).map(|(study, trial)| TrialOf { study, number: trial.number() }),
        }))
    })
    .await
}

/// Its own, or what it was asked with as long as it has none.
fn run_file(run: &RunDir) -> Option<String> {
    [RUN, PENDING, ASKED].into_iter().find_map(|name| run.read_text(name).ok())
}

pub(crate) fn layer_row(row: &LayerSummary) -> LayerRow {
    let dims = row.output.dims();
    LayerRow {
        name: row.name.clone(),
        layer: row.layer,
        output: shape_text(&dims),
        dims,
        parameters: row.parameters,
        multiply_adds: row.multiply_adds,
    }
}

/// `6 × 24 × 24`
pub(crate) fn shape_text(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

/// `GET /api/runs/ID/file/NAME`
pub(crate) async fn file(
    State(shared): State<Shared>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, DashboardError> {
    let known = FILES.into_iter().find(|(known, _)| *known == name);
    let (name, content_type) = known.ok_or_else(|| DashboardError::no("such file in a run"))?;
    let bytes = light(move || shared.run(&id)?.read(name)).await?;
    Ok(answer::bytes_of(content_type, bytes))
}
