//! `danlu export`.

use std::fs;
use std::path::{Path, PathBuf};

use export::Normalization;
use runs::check_no_run_file;

use crate::cli::{ExportArgs, ExportFormat};
use crate::error::CliError;
use crate::output;
use runs::atomic_file::{self, is_same_file};
use runs::model_file::{self, Model};

pub(crate) fn run(args: &ExportArgs) -> Result<(), CliError> {
    let format = format(args)?;
    let model = model_file::load(&args.model)?;
    if is_same_file(&args.out, &model.path) {
        return Err(CliError::ExportOntoModel { path: args.out.clone() });
    }
    if format_of(&args.out).is_some_and(|named| named != format) {
        return Err(CliError::ExportOther { path: args.out.clone() });
    }
    let files = files(&model, format, &args.out)?;
    // The model's own weights may lie where those of the class go, as they are the same.
    let is_own = |path: &Path| is_same_file(path, &model.path);
    for (path, bytes) in files.iter().filter(|(path, _)| !is_own(path)) {
        check_no_run_file(path)?;
        atomic_file::check_place(path)?;
        check_weights_free(path, bytes, &args.out)?;
    }
    for (path, bytes) in files {
        if !is_own(&path) {
            atomic_file::replace(&path, &bytes)?;
        }
        let written = format!("{}, {} bytes", path.display(), bytes.len());
        // It may be standard output itself.
        if atomic_file::is_special(&path) { output::note(&written) } else { output::line(&written)? }
    }
    Ok(())
}

/// The weights beside a class were not named: where no class lies beside them, they are something else.
fn check_weights_free(path: &Path, bytes: &[u8], out: &Path) -> Result<(), CliError> {
    let is_free = path == out || out.is_file() || !path.exists();
    match is_free || fs::read(path).is_ok_and(|found| found == bytes) {
        true => Ok(()),
        false => Err(CliError::WeightsInTheWay { path: path.to_owned() }),
    }
}

/// What a file's name says.
fn format_of(out: &Path) -> Option<ExportFormat> {
    match out.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "onnx" => Some(ExportFormat::Onnx),
        "py" => Some(ExportFormat::Pytorch),
        "safetensors" => Some(ExportFormat::Safetensors),
        _ => None,
    }
}

/// What was asked for, or what the file's name says.
fn format(args: &ExportArgs) -> Result<ExportFormat, CliError> {
    match (args.to, format_of(&args.out)) {
        (Some(ExportFormat::Pytorch), by_name) if by_name != Some(ExportFormat::Pytorch) => {
            Err(CliError::ExportName { path: args.out.clone() })
        }
        (asked, by_name) => {
            asked.or(by_name).ok_or_else(|| CliError::ExportFormat { path: args.out.clone() })
        }
    }
}

/// The files to write; the weights come before the class that reads them.
pub(crate) fn files(
    model: &Model,
    format: ExportFormat,
    out: &Path,
) -> Result<Vec<(PathBuf, Vec<u8>)>, CliError> {
    let channels = 0..model.network.input[0];
    let (scale, shift): (Vec<_>, Vec<_>) =
        channels.map(|channel| model.normalization.channel(channel)).unzip();
    let exported = export::Model {
        network: &model.network,
        plan: &model.plan,
        params: &model.params,
        normalization: Normalization { scale: &scale, shift: &shift },
        classes: &model.classes,
    };
    Ok(match format {
        ExportFormat::Onnx => vec![(out.to_owned(), export::onnx(&exported)?)],
        ExportFormat::Pytorch => {
            let class = export::pytorch(&exported)?.into_bytes();
            vec![(out.with_extension("safetensors"), weights(model)?), (out.to_owned(), class)]
        }
        ExportFormat::Safetensors => vec![(out.to_owned(), weights(model)?)],
    })
}

/// A model file.
fn weights(model: &Model) -> Result<Vec<u8>, CliError> {
    let metadata = model_file::metadata(&model.network, &model.classes, &model.normalization)?;
    nn::to_safetensors(&model.plan, &model.params, &metadata).map_err(CliError::WriteWeights)
}
