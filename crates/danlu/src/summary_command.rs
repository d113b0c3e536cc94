//! `danlu summary`.

use std::path::Path;

use nn::Plan;
use runs::{MODEL, RUN, input_file, model_file};
use serde::Serialize;
use spec::{NetworkSpec, PRESETS, Preset};

use crate::cli::SummaryArgs;
use crate::error::CliError;
use crate::table::{Align, table, thousands};
use crate::{network_file, output, request};

#[derive(Serialize)]
struct SummaryJson<'a> {
    network: &'a str,
    input: [usize; 3],
    classes: usize,
    layers: Vec<LayerJson<'a>>,
    parameters: usize,
    multiply_adds: u64,
    training_multiply_adds: u64,
}

#[derive(Serialize)]
struct LayerJson<'a> {
    name: &'a str,
    layer: &'a str,
    output: Vec<usize>,
    parameters: usize,
    multiply_adds: u64,
}

pub(crate) fn run(args: &SummaryArgs) -> Result<(), CliError> {
    let Some(name) = &args.network else { return list_presets(args.json) };
    let network = find_network(name)?;
    let plan = network_file::compile(&network)?;
    match args.json {
        true => output::json(&summary_json(&network, &plan)),
        false => output::line(&summary_text(&network, &plan)),
    }
}

#[derive(Serialize)]
struct PresetJson {
    name: &'static str,
    about: &'static str,
    source: &'static str,
}

fn list_presets(json: bool) -> Result<(), CliError> {
    let presets = PRESETS.map(|Preset { name, about, source, .. }| PresetJson { name, about, source });
    if json {
        return output::json(&presets);
    }
    let rows =
        presets.map(|PresetJson { name, about, source }| format!("{name:<14} {about}\n{:14} ({source})", ""));
    output::line(&rows.join("\n"))
}

/// The network that a preset's name, a network file, a run file, a model file or a run folder stands for.
fn find_network(name: &Path) -> Result<NetworkSpec, CliError> {
    if let Some(network) = name.to_str().and_then(spec::preset) {
        return Ok(network);
    }
    if name.is_dir() {
        let model = name.join(MODEL);
        return if model.exists() { in_file(&model) } else { in_run_file(&name.join(RUN)) };
    }
    in_file(name)
}

fn in_file(path: &Path) -> Result<NetworkSpec, CliError> {
    // Read once: it may be a pipe. The other reader knows what to say of files that are not there.
    let Ok(bytes) = input_file::read(path) else { return network_file::read(path) };
    if model_file::is_model(path, &bytes) {
        return Ok(model_file::load_network(path, &bytes)?);
    }
    let text = input_file::text(path, bytes)?;
    match NetworkSpec::is_meant(&text) {
        true => network_file::in_text(path, &text),
        false => Ok(request::run_in_text(path, &text)?.network),
    }
}

fn in_run_file(path: &Path) -> Result<NetworkSpec, CliError> {
    Ok(request::read_run(path)?.network)
}

fn summary_json<'a>(network: &'a NetworkSpec, plan: &'a Plan) -> SummaryJson<'a> {
    let layers = plan.summary().iter().map(|row| LayerJson {
        name: &row.name,
        layer: row.layer,
        output: row.output.dims(),
        parameters: row.parameters,
        multiply_adds: row.multiply_adds,
    });
    SummaryJson {
        network: &network.name,
        input: network.input,
        classes: network.classes,
        layers: layers.collect(),
        parameters: plan.n_parameters(),
        multiply_adds: plan.multiply_adds(),
        training_multiply_adds: plan.training_multiply_adds(),
    }
}

fn summary_text(network: &NetworkSpec, plan: &Plan) -> String {
    let row = |name: &str, layer: &str, output: String, parameters: String, multiply_adds: String| {
        vec![name.to_owned(), layer.to_owned(), output, parameters, multiply_adds]
    };
    let mut rows = vec![row("name", "layer", "output".into(), "parameters".into(), "multiply-adds".into())];
    rows.push(row("input", "", format!("{:?}", network.input), String::new(), String::new()));
    rows.extend(plan.summary().iter().map(|layer| {
        let counts = (thousands(layer.parameters as u64), thousands(layer.multiply_adds));
        row(&layer.name, layer.layer, layer.output.to_string(), counts.0, counts.1)
    }));
    let totals = (thousands(plan.n_parameters() as u64), thousands(plan.multiply_adds()));
    rows.push(row("total", "", String::new(), totals.0, totals.1));
    let aligns = [Align::Left, Align::Left, Align::Left, Align::Right, Align::Right];
    let training = thousands(plan.training_multiply_adds());
    format!("{}\n\n{training} multiply-adds to train on one sample", table(&aligns, &rows))
}
