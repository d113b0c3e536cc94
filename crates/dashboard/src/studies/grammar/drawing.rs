//! The network of a child as what a picture of it needs.

use nn::outline;
use search::Frame;
use serde::Serialize;
use serde_json::Value as Json;
use spec::{Assignment, NetworkSpec, RunFile, StudySpec, TrainSpec, TrialRecord};
use study::Template;

use crate::check;
use crate::palette::{Group, group_of};
use crate::run_dir::RUN;
use crate::studies::opened::View;
use crate::studies::place::TrialRun;

/// `GET /api/studies/ID/networks/NUMBER`
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Drawing {
    pub(crate) number: u64,
    /// Empty where the network is not known.
    pub(crate) nodes: Vec<DrawnNode>,
    pub(crate) parameters: usize,
    pub(crate) multiply_adds: u64,
    /// The run that shows it as blocks; where there is none, `toml` does.
    pub(crate) run: Option<String>,
    /// The run file.
    pub(crate) toml: Option<String>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct DrawnNode {
    pub(crate) name: String,
    pub(crate) group: Group,
    /// As in a run file.
    pub(crate) layer: Json,
    /// Shape of its output.
    pub(crate) dims: Option<Vec<usize>>,
    /// Positions of the nodes that it reads; `null` is the image.
    pub(crate) inputs: Vec<Option<usize>>,
}

/// The picture of a trial's network.
pub(crate) fn drawing(view: &View<'_>, trial: &TrialRecord) -> Drawing {
    let run = view.place.run(TrialRun::Tried(trial.number));
    let kept = run.as_ref().and_then(|run| RunFile::from_toml(&run.read_text(RUN).ok()?).ok());
    let id = run.filter(|_| kept.is_some()).map(|run| run.id);
    let file = kept.or_else(|| decoded(view.spec?, trial));
    let network = file.as_ref().and_then(|file| check::network_of(file).ok());
    let toml = match (&id, &network, file) {
        (None, Some(network), Some(file)) => written(file, network),
        _ => None,
    };
    let nothing =
        Drawing { number: trial.number, nodes: vec![], parameters: 0, multiply_adds: 0, run: id, toml };
    match network {
        Some(network) => drawn(&network, nothing),
        None => nothing,
    }
}

/// The run that the trial's values ask for. Its network is made for a data set that is known by its name, else for pictures
/// as those of Fashion-MNIST.
fn decoded(spec: &StudySpec, trial: &TrialRecord) -> Option<RunFile> {
    let load = |name: &str| Err(format!("{name} is not looked for").into());
    let template = Template::new(spec, &load).ok()??;
    let values: Assignment = trial.params.iter().map(|(name, param)| (name.clone(), param.value)).collect();
    let frame = |data: &str| {
        let known = data::known_set(data);
        let known = known.map(|known| Frame { input: known.shape, classes: known.classes().len() });
        Ok(known.unwrap_or_default())
    };
    template.run_file_for(&values, &load, &frame).ok()
}

fn written(file: RunFile, network: &NetworkSpec) -> Option<String> {
    let file = RunFile { network: Some(spec::NetworkSource::Inline(network.clone())), ..file };
    let whole: TrainSpec =
        file.resolve(|name| Err::<NetworkSpec, _>(format!("{name} is not looked for"))).ok()?;
    whole.to_toml().ok()
}

fn drawn(network: &NetworkSpec, nothing: Drawing) -> Drawing {
    let outlined = outline(network);
    let names = network.node_names();
    let position = |name: &String| names.iter().position(|known| known == name);
    let node = |(idx, node): (usize, &spec::NodeSpec)| DrawnNode {
        name: names[idx].clone(),
        group: group_of(&node.layer),
        layer: serde_json::to_value(&node.layer).unwrap_or_default(),
        dims: outlined.layers.get(idx).map(|row| row.output.dims().to_vec()),
        inputs: match &node.inputs {
            Some(inputs) => inputs.iter().map(position).collect(),
            None => vec![idx.checked_sub(1)],
        },
    };
    Drawing {
        nodes: network.nodes.iter().enumerate().map(node).collect(),
        parameters: outlined.layers.iter().map(|row| row.parameters).sum(),
        multiply_adds: outlined.layers.iter().map(|row| row.multiply_adds).sum(),
        ..nothing
    }
}
