//! `danlu study`, on small data and with a network that learns in moments.

mod asking;
mod damage;
mod killing;
mod looking;
mod retraining;
mod running;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Place, Ran};

/// Averages of 4 × 4 pixels, one convolution, one layer above it.
pub(crate) const NETWORK: &str = r#"
name = "small"
input = [1, 28, 28]
classes = 10
node = [
    { layer = { max_pool2d = { kernel = 4 } } },
    { name = "conv", layer = { conv2d = { out_channels = 4, kernel = 3 } } },
    { layer = "relu" },
    { layer = "flatten" },
    { layer = { linear = { out_features = 10 } } },
]
"#;

/// What all studies here train.
pub(crate) const RUN: &str = r#"
[run]
data = "data"
network = "small.toml"
epochs = 3
batch_size = 32
validation = 0.2
"#;

/// Some parameters of each kind, one of them of the network.
pub(crate) const PARAMETERS: &str = r#"
[[parameter]]
name = "kernel"
key = "network.node.conv.layer.conv2d.kernel"
choices = [1, 3, 5]

[[parameter]]
name = "optimizer"
key = "optimizer"
choices = ["adam", "sgd"]

[[parameter]]
name = "learning_rate"
key = "optimizer.*.learning_rate"
float = { low = 1e-3, high = 1e-1, scale = "log" }

[[parameter]]
name = "momentum"
key = "optimizer.sgd.momentum"
float = { low = 0.0, high = 0.9, step = 0.3 }
when = { optimizer = "sgd" }

[[parameter]]
name = "shift"
key = "augment.shift"
int = { low = 0, high = 2 }
"#;

/// A study file of the study `s`.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) trials: u64,
    pub(crate) objectives: &'a str,
    pub(crate) sampler: &'a str,
    /// Further keys.
    pub(crate) keys: &'a str,
    pub(crate) run: &'a str,
    pub(crate) parameters: &'a str,
}

impl Default for Asked<'_> {
    fn default() -> Self {
        let (objectives, sampler) = ("\"validation_accuracy\"", "\"random\"");
        Self {
            trials: 6,
            objectives,
            sampler,
            keys: "retrain = { best = 0 }",
            run: RUN,
            parameters: PARAMETERS,
        }
    }
}

impl Asked<'_> {
    pub(crate) fn text(&self) -> String {
        let Self { trials, objectives, sampler, keys, run, parameters } = self;
        format!(
            "name = \"s\"\nobjectives = [{objectives}]\nsampler = {sampler}\nbudget.trials = {trials}\n{keys}\n{run}\n{parameters}"
        )
    }

    /// A folder with the data, the network `small.toml` and this as the study file `s.toml`.
    pub(crate) fn place(&self) -> Place {
        let place = Place::new();
        place.write("small.toml", NETWORK);
        place.write("s.toml", self.text());
        place
    }
}

/// The program with lines on its standard input.
pub(crate) fn with_input(place: &Place, arguments: &str, input: &str) -> Ran {
    let mut command = place.command(arguments);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // The program may have ended before it read all of it.
    let _heard_less = child.stdin.take().unwrap().write_all(input.as_bytes());
    Ran::of(child.wait_with_output().unwrap())
}

/// A JSON value on each line.
#[track_caller]
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// All trials, without what depends on clocks and on who did them.
#[track_caller]
pub(crate) fn trials(place: &Place, study: &str) -> Vec<Value> {
    let exported = place.run(&format!("study export {study} --json")).succeeds().stdout;
    let mut trials = json_lines(&exported);
    for trial in &mut trials {
        let trial = trial.as_object_mut().unwrap();
        trial.remove("started_ms");
        trial.remove("completed_ms");
        let attributes = trial["user_attributes"].as_object_mut().unwrap();
        attributes.remove("danlu:seconds");
        attributes.remove("danlu:deaths");
    }
    trials
}

/// All files and folders below, as paths from there, in order.
pub(crate) fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}
