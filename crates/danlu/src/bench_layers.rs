//! The tables of `danlu bench` with a row for each layer.

use nn::Shape;
use serde::Serialize;
use spec::{LayerSpec, NetworkSpec};
use train::{Bound, LayerCase, LayerSpeed, Setup, Speed};

use crate::error::CliError;
use crate::output;
use crate::table::{Align, table};

#[derive(Serialize)]
struct LayersJson<'a> {
    version: &'a str,
    isa: &'a str,
    /// Of one thread.
    peak_gflops: f64,
    layers: Vec<LayerJson<'a>>,
}

#[derive(Serialize)]
struct LayerJson<'a> {
    name: &'a str,
    inputs: Vec<Vec<usize>>,
    layer: &'a LayerSpec,
    forward: SpeedJson,
    training: SpeedJson,
}

#[derive(Serialize)]
struct SpeedJson {
    ns: f64,
    bound: &'static str,
    share: f64,
}

/// `danlu bench --layers`: every kind of layer, with shapes as they occur.
pub(crate) fn all(setup: Setup, as_json: bool) -> Result<(), CliError> {
    let measured = train::measure_layer_cases(setup)?;
    let peak_gflops = peak(setup)?;
    if as_json {
        let layers = measured.iter().map(|(case, speed)| layer_json(case, speed)).collect();
        let (version, isa) = (env!("CARGO_PKG_VERSION"), setup.isa.name());
        return output::json(&LayersJson { version, isa, peak_gflops, layers });
    }
    let inputs = |case: &LayerCase| case.inputs.iter().map(Shape::to_string).collect::<Vec<_>>().join(", ");
    let rows = measured.iter().map(|(case, speed)| (inputs(case), speed)).collect();
    print("input", rows, peak_gflops, setup)
}

/// The layers of a network that compute anything.
pub(crate) fn of_network(network: &NetworkSpec, setup: Setup) -> Result<(), CliError> {
    let measured = train::measure_layers(network, setup)?;
    let nodes = network.node_names().into_iter().zip(&network.nodes);
    let kinds: Vec<_> = nodes.map(|(name, node)| (name, node.layer.kind())).collect();
    let kind = |speed: &LayerSpeed| {
        kinds.iter().find(|(name, _)| *name == speed.name).map_or(String::new(), |(_, kind)| kind.to_string())
    };
    let rows = measured.iter().map(|speed| (kind(speed), speed)).collect();
    print("layer", rows, peak(setup)?, setup)
}

fn peak(setup: Setup) -> Result<f64, CliError> {
    Ok(train::measure_peak(Setup { threads: 1, ..setup })?)
}

/// `about` heads the second column, which each row has in its text.
fn print(about: &str, rows: Vec<(String, &LayerSpeed)>, peak: f64, setup: Setup) -> Result<(), CliError> {
    let head = ["name", about, "forward, ns", "share of", "", "training, ns", "share of", ""];
    let mut cells = vec![head.map(String::from).to_vec()];
    for (text, LayerSpeed { name, forward, training }) in rows {
        let row = vec![name.clone(), text];
        cells.push(row.into_iter().chain(speed_cells(forward)).chain(speed_cells(training)).collect());
    }
    let speed = [Align::Right, Align::Right, Align::Left];
    let aligns = [&[Align::Left; 2], &speed[..], &speed[..]].concat();
    output::line(&format!(
        "each layer alone, one thread, {}: time for one sample, as a share of the multiply-add peak of {peak:.1} GFLOP/s\n\
         or of the memory bandwidth where its buffers lie, whichever bounds it\n{}",
        setup.isa,
        table(&aligns, &cells)
    ))
}

fn speed_cells(speed: &Speed) -> [String; 3] {
    [format!("{:.1}", speed.ns), format!("{:.0} %", 100.0 * speed.share), bound_name(speed.bound).into()]
}

fn bound_name(bound: Bound) -> &'static str {
    match bound {
        Bound::MultiplyAdds => "peak",
        Bound::Memory => "memory",
    }
}

fn layer_json<'a>(case: &'a LayerCase, speed: &LayerSpeed) -> LayerJson<'a> {
    let json = |speed: &Speed| SpeedJson { ns: speed.ns, bound: bound_name(speed.bound), share: speed.share };
    LayerJson {
        name: case.name,
        inputs: case.inputs.iter().map(|shape| shape.dims()).collect(),
        layer: &case.layer,
        forward: json(&speed.forward),
        training: json(&speed.training),
    }
}
