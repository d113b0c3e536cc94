//! What goes over the wire, as JSON: the page's side of it is in `page/`. Numbers that are not known or not finite are
//! `null`.

use serde::{Deserialize, Serialize};
use spec::{MachineRecord, StopReason, TrainSpec};

/// Every answer that is no success.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorJson {
    pub(crate) error: String,
}

/// `GET /api/about`
#[derive(Debug, Serialize)]
pub(crate) struct About<'a> {
    pub(crate) version: &'a str,
    pub(crate) runs_dir: String,
    pub(crate) machine: AboutMachine<'a>,
}

#[derive(Debug, Serialize)]
pub(crate) struct AboutMachine<'a> {
    pub(crate) cpu: Option<&'a str>,
    pub(crate) isa: &'a str,
    pub(crate) n_cores: usize,
}

/// How far a run came, with what can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunStatus {
    /// A process works on it.
    Running,
    Finished,
    Interrupted,
    Failed,
    /// It says that it runs, but no process does; it can be gone on with.
    Stale,
    /// Its record cannot be read.
    Unreadable,
}

/// A line of the list of runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RunRow {
    pub(crate) id: String,
    pub(crate) network: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) state: RunStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) n_epochs: usize,
    pub(crate) epochs_planned: Option<usize>,
    pub(crate) loss: Option<f64>,
    pub(crate) train_accuracy: Option<f64>,
    pub(crate) validation_accuracy: Option<f64>,
    pub(crate) test_accuracy: Option<f64>,
    pub(crate) best_epoch: Option<usize>,
    pub(crate) parameters: Option<usize>,
    pub(crate) multiply_adds: Option<u64>,
    /// Of learning and evaluation, all epochs.
    pub(crate) seconds: Option<f64>,
    pub(crate) images_per_s: Option<f64>,
    /// Seconds since 1970.
    pub(crate) modified: f64,
}

/// `GET /api/runs`
#[derive(Debug, Serialize)]
pub(crate) struct RunList<'a> {
    pub(crate) total: usize,
    pub(crate) runs: Vec<&'a RunRow>,
}

/// `gone` of `GET /api/events`
#[derive(Debug, Serialize)]
pub(crate) struct Gone<'a> {
    pub(crate) id: &'a str,
}

/// `GET /api/runs/ID`
#[derive(Debug, Serialize)]
pub(crate) struct RunDetails<'a> {
    pub(crate) row: &'a RunRow,
    pub(crate) spec: Option<&'a TrainSpec>,
    pub(crate) toml: Option<String>,
    pub(crate) data: Option<RunData<'a>>,
    pub(crate) machine: Option<&'a MachineRecord>,
    pub(crate) danlu: Option<&'a str>,
    pub(crate) stop_reason: Option<StopReason>,
    pub(crate) parameters_hash: Option<&'a str>,
    pub(crate) layers: Vec<LayerRow>,
    pub(crate) files: Vec<&'static str>,
    /// The last lines that its process printed, where it was started from the page.
    pub(crate) log: Option<String>,
    /// Whether a process that was started for it from the page has not ended.
    pub(crate) is_started: bool,
    /// The study's trial that it is of.
    pub(crate) trial: Option<TrialOf<'a>>,
}

/// Which trial a run is of.
#[derive(Debug, Serialize)]
pub(crate) struct TrialOf<'a> {
    pub(crate) study: &'a str,
    pub(crate) number: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct RunData<'a> {
    pub(crate) name: &'a str,
    pub(crate) dir: &'a str,
    pub(crate) classes: &'a [String],
    pub(crate) n_train: usize,
    pub(crate) n_test: usize,
    pub(crate) n_validation: usize,
}

/// A row of a network's table.
#[derive(Debug, Serialize)]
pub(crate) struct LayerRow {
    pub(crate) name: String,
    pub(crate) layer: &'static str,
    /// `6 × 24 × 24`
    pub(crate) output: String,
    pub(crate) dims: Vec<usize>,
    pub(crate) parameters: usize,
    pub(crate) multiply_adds: u64,
}

/// `GET /api/runs/ID/epochs`: a column for each number.
#[derive(Debug, Serialize)]
pub(crate) struct EpochColumns {
    /// Of the run, not of the columns.
    pub(crate) n_epochs: usize,
    pub(crate) epoch: Vec<usize>,
    pub(crate) learning_rate: Vec<f64>,
    pub(crate) loss: Vec<f64>,
    pub(crate) train_accuracy: Vec<f64>,
    pub(crate) validation_loss: Option<Vec<Option<f64>>>,
    pub(crate) validation_accuracy: Option<Vec<Option<f64>>>,
    pub(crate) test_accuracy: Vec<f64>,
    pub(crate) images_per_s: Vec<f64>,
    pub(crate) train_s: Vec<f64>,
    pub(crate) eval_s: Vec<f64>,
}

/// `GET /api/runs/ID/confusion`
#[derive(Debug, Serialize)]
pub(crate) struct ConfusionJson<'a> {
    pub(crate) classes: &'a [String],
    /// A row for each label, a column for each prediction.
    pub(crate) matrix: Vec<Vec<usize>>,
    pub(crate) per_class: Vec<ClassJson<'a>>,
    pub(crate) most_confused: Vec<ConfusedJson>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ClassJson<'a> {
    pub(crate) class: &'a str,
    pub(crate) n: usize,
    pub(crate) recall: f64,
    pub(crate) precision: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct ConfusedJson {
    pub(crate) label: usize,
    pub(crate) predicted: usize,
    pub(crate) n: usize,
}

/// `GET /api/runs/ID/images`
#[derive(Debug, Serialize)]
pub(crate) struct ImageList {
    pub(crate) total: usize,
    pub(crate) images: Vec<ImageRow>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ImageRow {
    pub(crate) idx: usize,
    pub(crate) label: u8,
    pub(crate) predicted: u8,
    pub(crate) confidence: f32,
    pub(crate) loss: f32,
}

/// `GET /api/runs/ID/filters`
#[derive(Debug, Serialize)]
pub(crate) struct Filters {
    pub(crate) node: String,
    /// Filters, channels, rows, columns.
    pub(crate) dims: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// `GET /api/runs/ID/try/IDX`, `POST /api/runs/ID/try`
#[derive(Debug, Serialize)]
pub(crate) struct Tried {
    /// A PNG as a `data:` address, as the network sees the picture.
    pub(crate) image: String,
    pub(crate) label: Option<u8>,
    pub(crate) predictions: Vec<Prediction>,
    pub(crate) layers: Vec<LayerMaps>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Prediction {
    pub(crate) class: String,
    pub(crate) probability: f64,
}

/// What a node gives for one picture.
#[derive(Debug, Serialize)]
pub(crate) struct LayerMaps {
    pub(crate) name: String,
    pub(crate) layer: &'static str,
    pub(crate) dims: Vec<usize>,
    /// Number of maps that are sent, the first ones.
    pub(crate) shown: usize,
    /// Base64 of `[shown][H][W]` bytes, each map scaled to its own range.
    pub(crate) maps: String,
    pub(crate) min: Vec<f32>,
    pub(crate) max: Vec<f32>,
}

/// `POST /api/runs/ID/stop`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopAsked {
    pub(crate) when: StopWhen,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StopWhen {
    Now,
    AfterEpoch,
}

/// `POST /api/train`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainAsked {
    pub(crate) toml: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// The answer to `POST /api/train`
#[derive(Debug, Serialize)]
pub(crate) struct Started {
    pub(crate) id: String,
}

/// `POST /api/check`: one of both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckAsked {
    #[serde(default)]
    pub(crate) toml: Option<String>,
    #[serde(default)]
    pub(crate) run: Option<serde_json::Value>,
}

/// The answer to `POST /api/check`
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    pub(crate) toml: Option<String>,
    pub(crate) run: Option<serde_json::Value>,
    pub(crate) nodes: Vec<CheckedNode>,
    pub(crate) parameters: usize,
    pub(crate) multiply_adds: u64,
    pub(crate) error: Option<CheckError>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CheckedNode {
    pub(crate) name: String,
    /// Empty where the layer cannot be read.
    pub(crate) kind: String,
    pub(crate) output: Option<String>,
    pub(crate) dims: Option<Vec<usize>>,
    pub(crate) parameters: usize,
    pub(crate) multiply_adds: u64,
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct CheckError {
    pub(crate) message: String,
    pub(crate) node: Option<usize>,
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
}

/// `GET /api/presets`
#[derive(Debug, Serialize)]
pub(crate) struct PresetJson {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) source: &'static str,
    pub(crate) parameters: usize,
    pub(crate) toml: String,
}

/// `GET /api/data`
#[derive(Debug, Serialize)]
pub(crate) struct DataJson {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) ready: bool,
}
