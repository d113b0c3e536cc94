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
    /// The network that was written, where it is a wider one.
    widened: Option<Size>,
    /// What was written.
    files: Vec<PathBuf>,
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
    let candidates = Candidates::of(&view)?;
    let (trial, retrained) = best(&view)?;
    let prepared = candidates.prepare(&retrain::values_of(trial))?;
    let (mut widened, mut files) = (None, Vec::new());
    if let Some(out) = &args.out {
        let mut found = match trained(&view, trial) {
            Some(dir) => Files::of_run(&dir)?,
            None => Files { spec: TrainSpec { test: Testing::EachEpoch, ..prepared.spec }, model: None },
        };
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
        size: Size::of(&prepared.plan),
        params: study::params_to_json(trial),
        retrained,
        widened,
        files,
    };
    if args.json { output::json(&best) } else { output::line(&best.to_text()) }
}

/// The best of those that were trained again, by the grid that came before and never by the test samples; else the best
/// trial.
fn best(view: &StudyView) -> Result<(&TrialRecord, Option<Retrained>), CliError> {
    let trained = grid::finalists(view).into_iter().find_map(|one| {
        let retrained = retrained(view, one.trial.number)?;
        Some((one.trial, Some(retrained)))
    });
    let first = view.best().into_iter().next();
    let found = trained.or(first.map(|trial| (trial, None)));
    found.ok_or_else(|| view.nothing_good().into())
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
        if let Some(widened) = &self.widened {
            text.push_str(&format!("\n  written wider, not trained yet: {}", widened.to_text()));
        }
        self.files.iter().for_each(|file| text.push_str(&format!("\n{}", file.display())));
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
    fn of_run(dir: &Path) -> Result<Self, CliError> {
        let spec = request::read_run(&dir.join(RUN))?;
        let model = Some(model_file::load(dir)?);
        Ok(Self { spec, model })
    }

    /// Files of the same names that are there are replaced, but no run is, and no model of another network stays beside this one.
    fn write(self, out: &Path) -> Result<Vec<PathBuf>, CliError> {
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
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }
}
