//! `POST /api/check`: a run file as text and as JSON, each made of the other, with what fits and what does not.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use nn::{Outline, outline};
use serde::Deserialize;
use serde_json::Value;
use spec::{NetworkSource, NetworkSpec, NodeSpec, PRESETS, RunFile, SpecError, TrainSpec, preset};

use crate::answer;
use crate::error::{DashboardError, one_line};
use crate::request;
use crate::runs_api::shape_text;
use crate::wire::{CheckAsked, CheckError, Checked, CheckedNode};

pub(crate) async fn check(headers: HeaderMap, sent: Body) -> Result<Response, DashboardError> {
    let asked: CheckAsked = request::json(&headers, sent).await?;
    let form = match asked {
        CheckAsked { toml: Some(text), run: None } => Form::Text(text),
        CheckAsked { toml: None, run: Some(run) } => Form::Json(run),
        _ => return Err(DashboardError::bad("either `toml` or `run` is needed")),
    };
    crate::work::light(move || Ok(answer::json(&checked(&form)))).await
}

/// JavaScript's numbers hold every whole number up to this one, and above it not every.
const MAX_EXACT: u64 = (1 << 53) - 1;

/// A run file as it was sent.
pub(crate) enum Form {
    Text(String),
    Json(Value),
}

impl Form {
    /// Its keys and values, whatever they are.
    fn raw(&self) -> Option<Value> {
        match self {
            Self::Text(text) => {
                let mut run = serde_json::to_value(toml::from_str::<toml::Table>(text).ok()?).ok()?;
                quote_seed(&mut run);
                Some(run)
            }
            Self::Json(run) => Some(run.clone()),
        }
    }

    fn read(&self) -> Result<RunFile, CheckError> {
        match self {
            Self::Text(text) => RunFile::from_toml(text).map_err(|error| in_text(text, &error)),
            Self::Json(run) => {
                RunFile::deserialize(unquote_seed(run.clone())).map_err(|error| message(error.to_string()))
            }
        }
    }
}

/// A seed that a page would round is sent as text.
fn quote_seed(run: &mut Value) {
    if let Some(seed) = run.get_mut("seed")
        && let Some(number) = seed.as_u64().filter(|&number| number > MAX_EXACT)
    {
        *seed = number.to_string().into();
    }
}

/// A seed that comes as text is the number that it says.
fn unquote_seed(mut run: Value) -> Value {
    if let Some(seed) = run.get_mut("seed")
        && let Some(number) = seed.as_str().and_then(|text| text.parse::<u64>().ok())
    {
        *seed = number.into();
    }
    run
}

fn message(message: String) -> CheckError {
    CheckError { message, node: None, line: None, column: None }
}

/// With the place where the reader stopped.
fn in_text(text: &str, error: &SpecError) -> CheckError {
    let SpecError::Toml { source, .. } = error else { return message(one_line(error)) };
    let before = source.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let column = before.map(|before| before.chars().rev().take_while(|&c| c != '\n').count() + 1);
    CheckError { message: source.message().trim().replace('\n', " "), node: None, line, column }
}

/// All that can be said of it.
pub(crate) fn checked(form: &Form) -> Checked {
    let raw = form.raw();
    let file = match form.read() {
        Ok(file) => file,
        Err(error) => return unread(raw, error),
    };
    let threads = file.threads;
    let network = match network_of(&file) {
        Ok(network) => network,
        Err(error) => return empty(raw, error),
    };
    let outlined = outline(&network);
    let fault = outlined.fault.as_ref().map(|fault| CheckError {
        message: one_line(&fault.error),
        node: fault.node,
        line: None,
        column: None,
    });
    let spec = whole(file, network.clone());
    let of_run = match &spec {
        // The outline has said it, and better.
        Err(SpecError::Network { .. }) => None,
        Err(error) => Some(message(one_line(error))),
        Ok(spec) => misfit(spec).map(message),
    };
    let spec = spec.ok();
    let toml = spec.as_ref().and_then(|spec| spec.to_toml().ok()).map(|text| with_threads(text, threads));
    let run = spec.as_ref().and_then(|spec| as_json(spec, threads)).or(raw);
    let nodes = network.node_names().into_iter().zip(network.nodes.iter().map(|node| node.layer.kind()));
    let nodes = nodes.map(|(name, kind)| (name, kind.to_owned())).collect();
    tabled(toml, run, nodes, &outlined, fault.or(of_run))
}

/// The file's network in place, fitted to the data set where it was asked for by name.
pub(crate) fn network_of(file: &RunFile) -> Result<NetworkSpec, CheckError> {
    let name = match &file.network {
        Some(NetworkSource::Inline(network)) => return Ok(network.clone()),
        Some(NetworkSource::Named(name)) => name.as_str(),
        None => "lenet",
    };
    let network = preset(name).ok_or_else(|| {
        let presets = PRESETS.map(|preset| preset.name).join(", ");
        message(format!(
            "`network` is {name:?}, but on this page must be a preset ({presets}) or stand in the file"
        ))
    })?;
    let data = file.data.as_deref().unwrap_or(data::fashion_mnist::NAME);
    Ok(match data::known_set(data) {
        Some(known) => network.adapted(known.shape, known.classes().len()),
        None => network,
    })
}

/// The whole run, with that network in place.
fn whole(file: RunFile, network: NetworkSpec) -> Result<TrainSpec, SpecError> {
    let file = RunFile { network: Some(NetworkSource::Inline(network)), ..file };
    file.resolve(|name| Err::<NetworkSpec, _>(format!("{name} is not looked for")))
}

/// Why the network cannot learn from a data set that is known.
fn misfit(spec: &TrainSpec) -> Option<String> {
    let known = data::known_set(&spec.data)?;
    let NetworkSpec { input, classes, .. } = spec.network;
    let (n_classes, name) = (known.classes().len(), known.name);
    if input != known.shape {
        return Some(format!("`input` is {input:?}, but the pictures of {name} are {:?}", known.shape));
    }
    (classes != n_classes).then(|| format!("`classes` is {classes}, but {name} has {n_classes}"))
}

fn with_threads(text: String, threads: Option<usize>) -> String {
    match threads {
        Some(threads) => text.replacen('\n', &format!("\nthreads = {threads}\n"), 1),
        None => text,
    }
}

fn as_json(spec: &TrainSpec, threads: Option<usize>) -> Option<Value> {
    let mut run = serde_json::to_value(spec).ok()?;
    let keys = run.as_object_mut()?;
    keys.retain(|_, value| !value.is_null());
    keys.extend(threads.map(|threads| ("threads".to_owned(), threads.into())));
    quote_seed(&mut run);
    Some(run)
}

fn empty(run: Option<Value>, error: CheckError) -> Checked {
    Checked { toml: None, run, nodes: vec![], parameters: 0, multiply_adds: 0, error: Some(error) }
}

/// What can be said of a file that has a part which is not understood: the nodes before it, if it is a node.
fn unread(run: Option<Value>, error: CheckError) -> Checked {
    let Some(network) = run.as_ref().and_then(|run| run.get("network")).filter(|value| value.is_object())
    else {
        return empty(run, error);
    };
    let values = network.get("node").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let read: Vec<Result<NodeSpec, _>> = values.iter().map(NodeSpec::deserialize).collect();
    let n_read = read.iter().take_while(|node| node.is_ok()).count();
    let names = read.iter().zip(values).enumerate().map(|(idx, (node, value))| {
        let name = value.get("name").and_then(Value::as_str).map_or(idx.to_string(), String::from);
        (name, node.as_ref().map_or("", |node| node.layer.kind()).to_owned())
    });
    let names = names.collect();
    let mut head = network.clone();
    head["node"] = values[..n_read].into();
    let outlined = NetworkSpec::deserialize(&head).map(|network| outline(&network));
    let outlined = outlined.unwrap_or(Outline { layers: vec![], fault: None });
    let error = match read.into_iter().nth(n_read) {
        Some(Err(reason)) => CheckError {
            message: if error.line.is_some() { error.message } else { reason.to_string() },
            node: Some(n_read),
            ..error
        },
        _ => error,
    };
    tabled(None, run, names, &outlined, Some(error))
}

/// A row for each node, by name and kind, with shapes as far as the outline goes.
fn tabled(
    toml: Option<String>,
    run: Option<Value>,
    nodes: Vec<(String, String)>,
    outlined: &Outline,
    error: Option<CheckError>,
) -> Checked {
    let row = |(idx, (name, kind)): (usize, (String, String))| {
        let fitting = outlined.layers.get(idx);
        let dims = fitting.map(|row| row.output.dims());
        let of_node = error.as_ref().filter(|error| error.node == Some(idx));
        CheckedNode {
            name,
            kind,
            output: dims.as_deref().map(shape_text),
            dims,
            parameters: fitting.map_or(0, |row| row.parameters),
            multiply_adds: fitting.map_or(0, |row| row.multiply_adds),
            error: of_node.map(|error| error.message.clone()),
        }
    };
    Checked {
        toml,
        run,
        nodes: nodes.into_iter().enumerate().map(row).collect(),
        parameters: outlined.layers.iter().map(|row| row.parameters).sum(),
        multiply_adds: outlined.layers.iter().map(|row| row.multiply_adds).sum(),
        error,
    }
}
