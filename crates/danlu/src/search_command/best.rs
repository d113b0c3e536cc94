//! `danlu search best`: the best network of a search, and its files.

use std::fs;
use std::path::{Path, PathBuf};

use nn::Plan;
use runs::{MODEL, RECORD, RUN, atomic_file, model_file};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use spec::{Testing, TrainSpec, TrialRecord};
use study::StudyView;

use crate::cli::{ExportFormat, SearchBestArgs};
use crate::error::CliError;
use crate::study_command::report::{Retrained, joined, retrained, values};
use crate::study_command::{Candidates, grid, retrain};
use crate::{export_command, network_file, output, request};

/// The best network, for programs.
#[derive(Serialize)]
struct Best {
    search: String,
    trial: u64,
    values: Map<String, Json>,
    #[serde(flatten)]
    size: Size,
    params: Map<String, Json>,
    retrained: Option<Retrained>,
    /// Better trials of those that were to be trained again, of which no such training has ended well.
    passed_over: Vec<u64>,
    /// The network that was written, where it is a wider one.
    widened: Option<Size>,
    /// What was written.
    files: Vec<String>,
}

/// What the network alone says.
#[derive(Clone, Copy, Serialize)]
struct Size {
    parameters: usize,
    multiply_adds: u64,
    activation_bytes: usize,
}

pub(crate) fn run(args: &SearchBestArgs) -> Result<(), CliError> {
    let view = super::check(&args.of.study, &args.of.studies)?;
    let (trial, retrained, passed_over) = best(&view)?;
    let trained = trained(&view, trial);
    let spec = match &trained {
        Some(dir) => request::read_run(&dir.join(RUN))?,
        None => {
            let prepared = Candidates::of(&view)?.prepare(&retrain::values_of(trial))?;
            TrainSpec { test: Testing::EachEpoch, ..prepared.spec }
        }
    };
    let size = Size::of(&network_file::compile(&spec.network)?);
    let (mut widened, mut files) = (None, Vec::new());
    if let Some(out) = &args.out {
        let model = trained.map(|dir| model_file::load(&dir)).transpose()?;
        let mut found = Files { spec, model };
        if let Some(factor) = args.widen {
            let network = found.spec.network.widened(factor);
            widened = Some(Size::of(&network_file::compile(&network)?));
            // There is no model of it yet.
            found = Files { spec: TrainSpec { network, ..found.spec }, model: None };
        }
        files = found.write(out)?;
    }
    let best = Best {
        search: view.spec().name.clone(),
        trial: trial.number,
        values: values(view.objectives(), trial),
        size,
        params: study::params_to_json(trial),
        retrained,
        passed_over,
        widened,
        files,
    };
    if args.json { output::json(&best) } else { output::line(&best.to_text()) }
}

/// The best of those that were trained again, by the grid that came before and never by the test samples, and those before it
/// that were not; else the best trial.
fn best(view: &StudyView) -> Result<(&TrialRecord, Option<Retrained>, Vec<u64>), CliError> {
    let mut passed_over = Vec::new();
    for finalist in grid::finalists(view) {
        match retrained(view, finalist.trial.number) {
            Some(retrained) => return Ok((finalist.trial, Some(retrained), passed_over)),
            None => passed_over.push(finalist.trial.number),
        }
    }
    let first = view.best().into_iter().next();
    first.map(|trial| (trial, None, Vec::new())).ok_or_else(|| view.nothing_good().into())
}

/// The first of a trial's finished trainings.
fn trained(view: &StudyView, trial: &TrialRecord) -> Option<PathBuf> {
    let dirs = (0..view.spec().retrain.seeds).map(|idx| view.folder().retrained(trial.number, idx));
    dirs.into_iter().find(|dir| retrain::is_finished(dir))
}

impl Size {
    fn of(plan: &Plan) -> Self {
        Self {
            parameters: plan.n_parameters(),
            multiply_adds: plan.multiply_adds(),
            activation_bytes: plan.activation_bytes(),
        }
    }

    fn to_text(self) -> String {
        let Self { parameters, multiply_adds, activation_bytes } = self;
        format!(
            "{parameters} parameters, {multiply_adds} multiply-adds, {activation_bytes} bytes of activations"
        )
    }
}

impl Best {
    fn to_text(&self) -> String {
        let Self { trial, size, .. } = self;
        let (values, params) = (joined(&self.values), joined(&self.params));
        let mut text = format!("trial {trial}: {values}, {}\n  {params}", size.to_text());
        match &self.retrained {
            Some(retrained) => text.push_str(&format!("\n  {}", retrained.to_text())),
            None => text.push_str("\n  not trained again yet, so that there is no model of it"),
        }
        for better in &self.passed_over {
            text.push_str(&format!("\n  trial {better} is better, but was not trained again to the end"));
        }
        if let Some(widened) = &self.widened {
            text.push_str(&format!("\n  written wider, not trained yet: {}", widened.to_text()));
        }
        self.files.iter().for_each(|file| text.push_str(&format!("\n{file}")));
        text
    }
}

const ONNX: &str = "model.onnx";

/// What is written of a network.
struct Files {
    spec: TrainSpec,
    model: Option<model_file::Model>,
}

impl Files {
    /// Files of the same names that are there are replaced, but no run is, and no model of another network stays beside this one.
    fn write(self, out: &Path) -> Result<Vec<String>, CliError> {
        if out.join(RECORD).exists() {
            return Err(CliError::HoldsRun { dir: out.to_owned() });
        }
        let mut models = [MODEL, ONNX].map(|name| out.join(name)).into_iter();
        if let Some(path) = models.find(|path| self.model.is_none() && path.exists()) {
            return Err(CliError::HoldsModel { path });
        }
        fs::create_dir_all(out).map_err(CliError::io("make the folder", out))?;
        let mut files = vec![
            (out.join("run.toml"), self.spec.to_toml()?.into_bytes()),
            (out.join("network.toml"), self.spec.network.to_toml()?.into_bytes()),
        ];
        if let Some(model) = &self.model {
            for (format, name) in [(ExportFormat::Safetensors, MODEL), (ExportFormat::Onnx, ONNX)] {
                files.extend(export_command::files(model, format, &out.join(name))?);
            }
        }
        for (path, bytes) in &files {
            atomic_file::replace(path, bytes)?;
        }
        Ok(files.iter().map(|(path, _)| path.display().to_string()).collect())
    }
}
