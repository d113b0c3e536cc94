//! `danlu eval`.

use std::path::Path;

use data::{Dataset, fashion_mnist};
use runs::atomic_file::{self, is_same_file};
use runs::check_no_run_file;
use runs::model_file;
use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;
use spec::{DataRecord, LossSpec, RunRecord};
use train::Evaluation;

use crate::cli::EvalArgs;
use crate::error::CliError;
use crate::loading::{TestPart, Wanted};
use crate::{environment, output};

#[derive(Serialize)]
struct EvalJson {
    model: String,
    data: String,
    loss: f64,
    accuracy: f64,
    n: usize,
    /// Pictures of the data set that could not be read.
    n_rejected: usize,
}

pub(crate) fn run(args: &EvalArgs) -> Result<(), CliError> {
    let setup = environment::setup(args.threads)?;
    let model = model_file::load(&args.model)?;
    if let Some(path) = &args.logits {
        check_no_run_file(path)?;
        atomic_file::check_place(path)?;
        if is_same_file(path, &model.path) {
            return Err(CliError::ExportOntoModel { path: path.clone() });
        }
    }
    let record = model.path.parent().map(runs::read_record).transpose()?.flatten();
    let loss = record.as_ref().map_or_else(|| LossSpec::fitting(&model.network), |run| run.spec.loss.clone());
    let learned_from = record.as_ref().map(|run| run.data.clone());
    let (data, wanted, record) = data(args, record)?;
    wanted.check_fit(&model.plan)?;
    args.logits.as_ref().map_or(Ok(()), |logits| wanted.check_no_input(logits))?;
    let TestPart { dataset: test, is_cut, n_rejected } = wanted.load_test(model.network.input)?;
    check_classes(&model.classes, &test)?;
    record.map_or(Ok(()), |record| check_same(&record, &test))?;
    if is_cut && learned_from.is_none_or(|record| record.test_sha256 != test.sha256) {
        output::note(&format!(
            "note: {} has no test part; a tenth of it, drawn by chance, is tested, and the model may have learned from these pictures",
            test.name
        ));
    }
    let evaluation = train::evaluate(&model.plan, &model.params, &test, &model.normalization, &loss, setup)?;
    if !evaluation.loss.is_finite() {
        return Err(CliError::NotFinite { path: model.path });
    }
    if let Some(path) = &args.logits {
        let logits = train::logits(&model.plan, &model.params, &test, &model.normalization, setup)?;
        write_logits(path, &logits, [test.len(), model.plan.classes()])?;
    }
    let Evaluation { loss, accuracy, n, .. } = evaluation;
    if args.json {
        let model = model.path.display().to_string();
        return output::json(&EvalJson { model, data, loss, accuracy, n, n_rejected });
    }
    output::line(&format!("test loss {loss:.4}, test acc {accuracy:.4}, {n} images"))
}

/// Classes are counted by their places: under other names, or in another order, they would be taken for each other. Numbers stand
/// in for names where the data has none.
fn check_classes(expected: &[String], test: &Dataset) -> Result<(), CliError> {
    let are_names = |classes: &[String]| classes.iter().enumerate().any(|(i, name)| *name != i.to_string());
    let differs = expected.len() == test.classes.len() && expected != test.classes;
    if differs && are_names(expected) && are_names(&test.classes) {
        let (expected, found) = (expected.join(", "), test.classes.join(", "));
        return Err(CliError::OtherClasses { data: test.name.clone(), expected, found });
    }
    Ok(())
}

/// What nobody named must be what the run was tested on.
fn check_same(record: &DataRecord, test: &Dataset) -> Result<(), CliError> {
    let (expected, found) = (record.test_sha256.clone(), test.sha256.clone());
    match expected == found {
        true => Ok(()),
        false => Err(CliError::OtherTestData { data: record.name.clone(), expected, found }),
    }
}

/// The data that is asked for, what it is called, and where nothing is asked for, what the run had.
fn data(
    args: &EvalArgs,
    record: Option<RunRecord>,
) -> Result<(String, Wanted, Option<DataRecord>), CliError> {
    if let Some(data) = &args.data {
        return Ok((data.display().to_string(), Wanted::new(data)?, None));
    }
    match record {
        Some(RunRecord { spec, data, .. }) => {
            let wanted = Wanted::of_run(&spec.data, Some(&data))?;
            Ok((spec.data, wanted, Some(data)))
        }
        None => Ok((fashion_mnist::NAME.into(), Wanted::new(Path::new(fashion_mnist::NAME))?, None)),
    }
}

/// A safetensors file of one tensor `logits`, F32 [N, classes].
fn write_logits(path: &Path, logits: &[f32], dims: [usize; 2]) -> Result<(), CliError> {
    let bytes: Vec<u8> = logits.iter().flat_map(|logit| logit.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, dims.to_vec(), &bytes).map_err(CliError::WriteLogits)?;
    let file = safetensors::serialize([("logits", view)], None).map_err(CliError::WriteLogits)?;
    Ok(atomic_file::replace(path, &file)?)
}
