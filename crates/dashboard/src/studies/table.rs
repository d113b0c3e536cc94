//! Trials as rows, in pages.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use spec::TrialRecord;

use super::axis::{Axis, axes};
use super::number::{Number, numbers};
use super::objective::{STATES, state_idx, state_name, values};
use super::timeline::worker;

/// Rows of a page at most.
const MAX_LIMIT: usize = 500;
/// Characters of a failure's text in a row.
const MAX_FAILURE: usize = 200;

/// What is asked of the table.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct TableQuery {
    /// One of [`STATES`]; empty: all.
    #[serde(default)]
    pub(crate) state: String,
    /// Words, each of which must stand in a row.
    #[serde(default)]
    pub(crate) search: String,
    /// `number`, `state`, `value/0` (an objective), `seconds`, `epochs`, `worker` or `param/NAME`.
    #[serde(default)]
    pub(crate) sort: String,
    #[serde(default)]
    pub(crate) order: Order,
    #[serde(default)]
    pub(crate) offset: usize,
    pub(crate) limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    Asc,
    #[default]
    Desc,
}

/// `GET /api/studies/ID/trials`
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    /// Of all trials, by state.
    pub(crate) n_by_state: BTreeMap<&'static str, usize>,
    /// Rows that were found, of which `trials` is a page.
    pub(crate) total: usize,
    pub(crate) trials: Vec<Row>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) state: &'static str,
    pub(crate) values: Vec<Number>,
    pub(crate) feasible: bool,
    /// As text, by name.
    pub(crate) params: BTreeMap<String, String>,
    /// The last step with an intermediate value.
    pub(crate) last_step: Option<u64>,
    pub(crate) started_ms: Option<i64>,
    pub(crate) seconds: Option<f64>,
    pub(crate) worker: String,
    pub(crate) duplicate_of: Option<u64>,
    pub(crate) failure: Option<String>,
}

/// The rows that are asked for.
pub(crate) fn table(trials: &[TrialRecord], query: &TableQuery) -> Table {
    let words: Vec<String> = query.search.to_lowercase().split_whitespace().map(String::from).collect();
    let is_asked = |trial: &&TrialRecord| {
        (query.state.is_empty() || query.state == state_name(&trial.state)) && has_all(trial, &words)
    };
    let mut found: Vec<&TrialRecord> = trials.iter().filter(is_asked).collect();
    sort(&mut found, trials, query);
    let limit = query.limit.unwrap_or(50).min(MAX_LIMIT);
    let page = found.iter().skip(query.offset).take(limit).map(|trial| row(trial)).collect();
    Table { n_by_state: count(trials), total: found.len(), trials: page }
}

/// How many trials are in each state.
pub(crate) fn count(trials: &[TrialRecord]) -> BTreeMap<&'static str, usize> {
    let mut counts = [0; STATES.len()];
    trials.iter().for_each(|trial| counts[state_idx(&trial.state)] += 1);
    STATES.into_iter().zip(counts).collect()
}

fn row(trial: &TrialRecord) -> Row {
    let shown = trial.params.iter().map(|(name, param)| (name.clone(), param.domain.show(param.value)));
    Row {
        number: trial.number,
        state: state_name(&trial.state),
        values: numbers(values(trial)),
        feasible: trial.is_feasible(),
        params: shown.collect(),
        last_step: trial.intermediate.keys().next_back().copied(),
        started_ms: trial.started_ms,
        seconds: seconds(trial),
        worker: worker(trial),
        duplicate_of: trial.user_attributes.get("danlu:duplicate_of").and_then(Json::as_u64),
        failure: failure(trial).map(|text| text.chars().take(MAX_FAILURE).collect()),
    }
}

/// From its beginning to its end.
pub(crate) fn seconds(trial: &TrialRecord) -> Option<f64> {
    let (start, end) = (trial.started_ms?, trial.completed_ms?);
    Some(end.saturating_sub(start) as f64 / 1000.0)
}

/// Why it failed: Danlu's text, or what other programs are known to leave.
pub(crate) fn failure(trial: &TrialRecord) -> Option<&str> {
    let ours = trial.user_attributes.get("danlu:failure");
    ours.or_else(|| trial.system_attributes.get("fail_reason")).and_then(Json::as_str)
}

/// Whether each word stands in its number, state, parameters, worker or failure.
fn has_all(trial: &TrialRecord, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let mut text = format!("#{} {} {}", trial.number, state_name(&trial.state), worker(trial));
    for (name, param) in &trial.params {
        text.push_str(&format!("\n{name}={}", param.domain.show(param.value)));
    }
    if let Some(failure) = failure(trial) {
        text.push('\n');
        text.push_str(failure);
    }
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// By what is asked for; what a trial does not have comes last in either order, and equals come by number.
fn sort(found: &mut [&TrialRecord], all: &[TrialRecord], query: &TableQuery) {
    let axis = query.sort.strip_prefix("param/").and_then(|name| {
        let axis = axes(all).into_iter().find(|axis| axis.name == name)?;
        Some(alphabetical(axis))
    });
    let key = |trial: &TrialRecord| key(trial, &query.sort, axis.as_ref());
    let mut keyed: Vec<(Option<Key>, &TrialRecord)> =
        found.iter().map(|trial| (key(trial), *trial)).collect();
    let directed = |order: Ordering| if query.order == Order::Desc { order.reverse() } else { order };
    keyed.sort_by(|(a, one), (b, other)| match (a, b) {
        (Some(a), Some(b)) => directed(a.compare(b)).then_with(|| directed(one.number.cmp(&other.number))),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => directed(one.number.cmp(&other.number)),
    });
    found.iter_mut().zip(keyed).for_each(|(place, (_, trial))| *place = trial);
}

/// With its categories in the order of the alphabet, in which a reader looks for them.
fn alphabetical(mut axis: Axis) -> Axis {
    if let Some(categories) = &mut axis.categories {
        categories.sort();
    }
    axis
}

/// What rows are sorted by.
enum Key {
    Number(f64),
    Text(String),
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

fn key(trial: &TrialRecord, sort: &str, axis: Option<&Axis>) -> Option<Key> {
    let number = match sort {
        "state" => Some(state_idx(&trial.state) as f64),
        "seconds" => seconds(trial),
        "epochs" => trial.intermediate.keys().next_back().map(|&step| step as f64),
        "worker" => return Some(worker(trial)).filter(|worker| !worker.is_empty()).map(Key::Text),
        _ => match (sort.strip_prefix("value/"), axis) {
            (Some(idx), _) => values(trial).get(idx.parse::<usize>().ok()?).copied().filter(|x| !x.is_nan()),
            (None, Some(axis)) => axis.position(trial.params.get(&axis.name)?),
            (None, None) => Some(trial.number as f64),
        },
    };
    number.map(Key::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use spec::TrialState;

    use super::*;
    use crate::studies::made_up::{category, complete, float, trial};

    fn trials() -> Vec<TrialRecord> {
        let mut trials = vec![
            complete(0, &[0.5]),
            complete(1, &[f64::INFINITY]),
            TrialRecord { state: TrialState::Failed, ..trial(2) },
            complete(3, &[0.25]),
            TrialRecord { state: TrialState::Pruned { values: vec![] }, ..trial(4) },
        ];
        for (trial, rate) in trials.iter_mut().zip([0.1, 0.2, 0.01]) {
            trial.params = [float("rate", rate, (0.0, 1.0, false))].into();
        }
        trials[3].params = [category("with", 0, &["sgd", "Adam"])].into();
        trials[4].params = [category("with", 1, &["sgd", "Adam"])].into();
        trials[2].user_attributes.insert("danlu:failure".into(), json!("Out of memory"));
        trials[3].user_attributes.insert("danlu:duplicate_of".into(), json!(0));
        trials[3].started_ms = Some(1000);
        trials[3].completed_ms = Some(3500);
        trials
    }

    #[test]
    fn rows_are_found_sorted_and_paged() {
        let trials = trials();
        let cases: [(&str, usize, &[u64]); 12] = [
            ("", 5, &[4, 3, 2, 1, 0]),
            ("order=asc&offset=1&limit=2", 5, &[1, 2]),
            ("state=failed", 1, &[2]),
            ("state=none", 0, &[]),
            ("sort=value/0&order=asc", 5, &[3, 0, 1, 2, 4]),
            ("sort=value/0", 5, &[1, 0, 3, 4, 2]),
            ("sort=value/7&order=asc", 5, &[0, 1, 2, 3, 4]),
            ("sort=param/rate&order=asc", 5, &[2, 0, 1, 3, 4]),
            ("sort=param/with&order=asc&limit=2", 5, &[4, 3]),
            ("search=MEMORY", 1, &[2]),
            ("search=with%3Dadam%20pruned", 1, &[4]),
            ("sort=seconds&limit=1&offset=0", 5, &[3]),
        ];
        for (query, total, expected) in cases {
            let uri = format!("/?{query}").parse().unwrap();
            let found = table(&trials, &crate::request::query(&uri).unwrap());
            let numbers: Vec<u64> = found.trials.iter().map(|row| row.number).collect();
            assert_eq!((found.total, &numbers[..]), (total, expected), "{query}");
        }
    }

    #[test]
    fn a_row_tells_what_is_known_of_a_trial() {
        let found = table(&trials(), &TableQuery::default());
        let rows = serde_json::to_value(&found).unwrap();
        assert_eq!(rows["n_by_state"]["complete"], 3);
        assert_eq!(rows["trials"][3]["values"], json!(["inf"]));
        assert_eq!(
            (&rows["trials"][2]["failure"], &rows["trials"][2]["values"]),
            (&json!("Out of memory"), &json!([]))
        );
        assert_eq!(
            (&rows["trials"][1]["duplicate_of"], &rows["trials"][1]["seconds"]),
            (&json!(0), &json!(2.5))
        );
        assert_eq!(rows["trials"][0]["params"], json!({ "with": "Adam" }));
    }
}
