//! What can be wrong with the files of a run.

use std::io;
use std::path::PathBuf;

use nn::StateDictError;
use spec::SpecError;
use thiserror::Error;

/// A file of a run that cannot be read or written, or a folder that cannot take a run.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RunsError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error("cannot use {}", path.display())]
    File { path: PathBuf, source: SpecError },
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is not text in UTF-8: byte {offset} is wrong", path.display())]
    NotText { path: PathBuf, offset: usize },
    #[error("{} has more than {max_mib} MiB", path.display())]
    FileTooLarge { path: PathBuf, max_mib: u64 },
    #[error("the weights in {} cannot be used", path.display())]
    Weights { path: PathBuf, source: StateDictError },
    #[error("{} has SHA-256 {found}, but the run file asks for {expected}", path.display())]
    WeightsChanged { path: PathBuf, found: String, expected: String },
    #[error("{} is no model of danlu: {reason}", path.display())]
    NoModel { path: PathBuf, reason: String },
    #[error("the run folder {} has no model: not one epoch was finished", dir.display())]
    NoEpoch { dir: PathBuf },
    #[error("{} holds no predictions: {reason}", path.display())]
    NoPredictions { path: PathBuf, reason: String },
    #[error("the predictions could not be written")]
    WritePredictions(#[source] safetensors::SafeTensorError),
    #[error("{} is not as a run writes it", path.display())]
    NotJson { path: PathBuf, source: serde_json::Error },
    #[error("cannot write JSON")]
    Json(#[from] serde_json::Error),
    #[error("{} holds a run ({file}); name another folder, or replace it with --force", dir.display())]
    HoldsRun { dir: PathBuf, file: &'static str },
    #[error("{} holds no run that could go on: it has neither run.toml nor a run that was about to begin", dir.display())]
    NoRun { dir: PathBuf },
    #[error("{} is a file of a run; another name keeps the run whole", path.display())]
    OntoRunFile { path: PathBuf },
    #[error("another run is writing to {}", dir.display())]
    FolderInUse { dir: PathBuf },
    #[error("the run folder {} is no longer this run's: it was removed, or its .lock was", dir.display())]
    FolderLost { dir: PathBuf },
    #[error("the start weights {} are the model that this run would replace; copy them elsewhere first", path.display())]
    InitIsReplaced { path: PathBuf },
    #[error("{} is not a folder", path.display())]
    NotAFolder { path: PathBuf },
}

impl RunsError {
    /// For `map_err`: what was being done to which path.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.into(), source }
    }
}
