//! Why a command failed, how that is told, and with which exit code.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use charts::ChartError;
use dashboard::DashboardError;
use data::DataError;
use export::ExportError;
use lanes::UnknownIsa;
use nn::{PlanError, StateDictError};
use runs::RunsError;
use spec::{PRESETS, SpecError};
use store::StoreError;
use study::StudyError;
use train::{CheckpointError, TrainError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Study(#[from] StudyError),
    #[error("`{name}` is neither a study file, nor a study in {}, nor one that comes with danlu ({})", studies.display(), study_names())]
    UnknownStudy { name: String, studies: PathBuf },
    #[error("the study {name} has not been begun in {}; `{command} {}` begins it", studies.display(), named.display())]
    StudyNotBegun { named: PathBuf, name: String, studies: PathBuf, command: &'static str },
    #[error(
        "the study file has no table `run`, so its trials are made by another program: use `danlu study ask` and `tell`"
    )]
    StudyWithoutRun,
    #[error(
        "`{name}` is no figure of a training, so another program has to tell it: use `danlu study ask` and `tell`"
    )]
    ForeignObjective { name: String },
    #[error("none of {n} trials taken from all over the space can be tried; for example {values}: {reason}")]
    NothingToTry { n: u64, values: String, reason: String },
    #[error(
        "`retrain.parameter` is a grid that is measured on the validation images, so the run must not have `validation = 0`"
    )]
    GridWithoutValidation,
    #[error("a process of the study could not be started")]
    StartWorker(#[source] io::Error),
    #[error("a process of the study ended; all trials are kept\n{words}")]
    WorkerFailed { words: String },
    #[error(
        "{n} processes of the study ended while not one trial came to its end, the last by {how}; all trials are kept, and the \
         same command goes on"
    )]
    WorkersDie { n: usize, how: String },
    #[error("{}; the study is kept with what it says of them", all_failed(*n))]
    AllTrialsFailed { n: usize },
    #[error("interrupted; {n_trials} trials are kept, and `{typed}` goes on")]
    StudyInterrupted { typed: String, n_trials: usize },
    #[error("interrupted with the study, which tells it")]
    InterruptedWithStudy,
    #[error("{} is a study without a grammar, so that there is nothing to search for; `danlu study` works on it", study.display())]
    NoSearch { study: PathBuf },
    #[error("the network {network:?} is one of the search's, but cannot be tried: {reason}")]
    CannotBeTried { network: String, reason: String },
    #[error("{} holds a run; name another folder", dir.display())]
    HoldsRun { dir: PathBuf },
    #[error("{} is the model of another network than the one to be written; name another folder", path.display())]
    HoldsModel { path: PathBuf },
    #[error("none of the best can be trained again")]
    NothingToRetrain(#[source] Box<CliError>),
    #[error("the run in {} did not end well; `danlu resume` tells why, and the same command goes on", dir.display())]
    RetrainingFailed { dir: PathBuf },
    #[error("line {line} of the input is not what is read here")]
    JsonLine { line: usize, source: serde_json::Error },
    #[error("line {line} of the input: {}", source.one_line())]
    InputLine { line: usize, source: Box<CliError> },
    #[error("trial {trial}: a line has either `values`, or `step` and `value`, or `state`")]
    TellWhat { trial: u64 },
    #[error("trial {trial}: `constraints` go with `values`, and a `reason` with the state `failed`")]
    TellOfWhat { trial: u64 },
    #[error(
        "no trial would be pruned: `pruner.{pruner}.min_steps` is {min_steps}, and a whole trial has {n_epochs} epochs"
    )]
    NoRungs { pruner: &'static str, min_steps: u64, n_epochs: u64 },
    #[error(transparent)]
    Dashboard(#[from] DashboardError),
    #[error("`{host}` is no address of this machine")]
    Host { host: String, source: io::Error },
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error("the environment variable DANLU_ISA cannot be followed")]
    Isa(#[from] UnknownIsa),
    #[error("cannot use {}", path.display())]
    File { path: PathBuf, source: Box<CliError> },
    #[error(transparent)]
    Runs(#[from] RunsError),
    #[error("the network `{name}` does not fit together")]
    Network { name: String, source: PlanError },
    #[error("`{name}` is neither a preset ({}) nor a file", preset_names())]
    UnknownNetwork { name: String },
    #[error(
        "there is no recipe for `{name}`, but for each preset ({}); a file of your own goes to `--network`, or without a flag where \
         it is a run file",
        preset_names()
    )]
    UnknownRecipe { name: String },
    #[error("`{name}` is no data set that can be downloaded; there is {}", data::fashion_mnist::NAME)]
    UnknownData { name: String },
    #[error("`{name}` is neither the name of a data set ({}) nor a folder", known_names())]
    NeitherNameNorFolder { name: String, source: DataError },
    #[error("`{key}` is {}, but must be valid UTF-8, because run files are", path.display())]
    PathNotUtf8 { key: &'static str, path: PathBuf },
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("the weights could not be written")]
    WriteWeights(#[source] StateDictError),
    #[error("the logits could not be written")]
    WriteLogits(#[source] safetensors::SafeTensorError),
    #[error("the model cannot be exported")]
    Export(#[from] ExportError),
    #[error("{} does not end in .onnx, .py or .safetensors; say with --to which format it should have", path.display())]
    ExportFormat { path: PathBuf },
    #[error("{} does not end in .py; PyTorch's class goes into such a file, and its weights into one of that name that ends in .safetensors", path.display())]
    ExportName { path: PathBuf },
    #[error("{} has the ending of another format than --to asks for", path.display())]
    ExportOther { path: PathBuf },
    #[error("{}: the picture's name must end in {endings}", path.display())]
    PictureName { path: PathBuf, endings: String },
    #[error("{} is a file of the data set; name another", path.display())]
    OntoData { path: PathBuf },
    #[error("{} is the model that is exported; name another file", path.display())]
    ExportOntoModel { path: PathBuf },
    #[error("the run in {} is finished; there is nothing to go on with", dir.display())]
    RunFinished { dir: PathBuf },
    #[error("{} was changed since the run began: {} has another spec", run.display(), record.display())]
    SpecChanged { run: PathBuf, record: PathBuf },
    #[error("{} is there and holds something else; the class's weights would replace it", path.display())]
    WeightsInTheWay { path: PathBuf },
    #[error("the run's epochs cannot be gone on with: {} is missing beside its checkpoint", path.display())]
    NoRecord { path: PathBuf },
    #[error("{} is there, but no record of a run that made it; to begin anew, train into another folder", path.display())]
    ModelWithoutRecord { path: PathBuf },
    #[error("the data set {data} has the classes {found}, but the model knows {expected}")]
    OtherClasses { data: String, expected: String, found: String },
    #[error("{} is what the training begins with; name another file", path.display())]
    OntoInput { path: PathBuf },
    #[error("the data has the classes {found}, but the run began with {expected}")]
    ClassesChanged { expected: String, found: String },
    #[error("the {part} data has SHA-256 {found}, but the run began with {expected}")]
    DataChanged { part: &'static str, found: String, expected: String },
    #[error(
        "the test images of {data} have SHA-256 {found}, but those of the run {expected}; where they are cut from a folder without a test \
         part, others are cut from a changed one, and the model may have learned from them. If they are meant, name them with --data"
    )]
    OtherTestData { data: String, found: String, expected: String },
    #[error("the record tells of epochs, but there is no {}", path.display())]
    NoCheckpoint { path: PathBuf },
    #[error("cannot go on from {}", path.display())]
    Checkpoint { path: PathBuf, source: CheckpointError },
    #[error("the checkpoint could not be written")]
    WriteCheckpoint(#[source] CheckpointError),
    #[error(
        "learning rates from {from:?} to {to:?} cannot be tried: the first must be above 0 and below the last, both within single precision"
    )]
    LrRange { from: f64, to: f64 },
    #[error(
        "node {node} is the last and gives {output}, but the data set {data} has {classes} classes and needs [{classes}]"
    )]
    ClassesMisfit { node: String, output: String, data: String, classes: usize },
    #[error(
        "the network's input is {input:?}, but the pictures of {data} are {pictures:?} (channels, rows, columns)"
    )]
    PicturesMisfit { input: [usize; 3], data: String, pictures: [usize; 3] },
    #[error("the model in {} gives results that are no numbers", path.display())]
    NotFinite { path: PathBuf },
    #[error("the environment variable DANLU_URL is `{url}`, which does not begin with http://")]
    Url { url: String },
    #[error(transparent)]
    Chart(#[from] ChartError),
    #[error("the terminal cannot show a full screen")]
    Screen(#[source] io::Error),
    #[error("--live shows the run on a full screen, and `{key}` asks for none")]
    LiveAndTerse { key: &'static str },
    #[error("{} is there; name another folder, or replace it with --force", path.display())]
    HoldsEvents { path: PathBuf },
    #[error("{} tells of another run", path.display())]
    EventsOfAnotherRun { path: PathBuf },
    #[error("`{pattern}` is no pattern of file names")]
    Pattern { pattern: String, source: glob::PatternError },
    #[error("no file matches `{pattern}`")]
    NoMatch { pattern: String },
    #[error("{} holds no picture (PNG, JPEG, BMP or WebP)", dir.display())]
    NoPictures { dir: PathBuf },
    #[error("{} is a link that leads out of the folder", path.display())]
    LinkOut { path: PathBuf },
    #[error("cannot write CSV")]
    Csv(#[source] csv::Error),
    #[error("cannot draw the contact sheet")]
    Sheet(#[source] image::ImageError),
    #[error("{n_failed} of {n_images} could not be read")]
    Pictures { n_failed: usize, n_images: usize },
    #[error("standard output cannot be written to")]
    Stdout(#[source] io::Error),
    #[error("standard input cannot be read")]
    Stdin(#[source] io::Error),
    #[error("`{command}` is not a command; there are info, train, eval and peak")]
    BenchCommand { command: String },
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    #[error("the signal handler cannot be set")]
    Signals(#[source] ctrlc::Error),
    #[error("cannot write JSON")]
    Json(#[from] serde_json::Error),
    #[error("the run failed {}; {} kept in {}", place_in_run(*n_epochs, *of), epochs_are(*n_epochs), dir.display())]
    RunFailed { dir: PathBuf, n_epochs: usize, of: usize, source: Box<CliError> },
    #[error("standard output was closed; {} kept in {}", epochs_are(*n_epochs), dir.display())]
    StdoutClosed { dir: PathBuf, n_epochs: usize },
    #[error("interrupted before the first step; nothing is kept")]
    InterruptedEarly,
    #[error("interrupted in epoch {}; {} kept in {2}, and `danlu resume {3}` goes on", n_epochs + 1, epochs_are(*n_epochs), dir.display(), crate::output::typed(dir))]
    Interrupted { dir: PathBuf, n_epochs: usize },
    #[error("stopped after epoch {n_epochs} of {of}; the run is kept in {}, and `danlu resume {}` goes on", dir.display(), crate::output::typed(dir))]
    StoppedAfterEpoch { dir: PathBuf, n_epochs: usize, of: usize },
}

fn study_names() -> String {
    study::PRESETS.map(|preset| preset.name).join(", ")
}

fn known_names() -> String {
    data::KNOWN_SETS.map(|known| known.name).join(", ")
}

/// Where a run of `of` epochs is after `n_epochs`.
fn place_in_run(n_epochs: usize, of: usize) -> String {
    if n_epochs < of { format!("in epoch {}", n_epochs + 1) } else { "after its last epoch".into() }
}

fn preset_names() -> String {
    PRESETS.map(|preset| preset.name).join(", ")
}

fn all_failed(n: usize) -> String {
    match n {
        1 => "the only trial failed".into(),
        n => format!("all {n} trials failed"),
    }
}

fn epochs_are(n_epochs: usize) -> String {
    match n_epochs {
        0 => "no epoch is".into(),
        1 => "1 epoch is".into(),
        n => format!("{n} epochs are"),
    }
}

impl CliError {
    /// For `map_err`: what was being done to which path.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.into(), source }
    }

    /// For `map_err`: the file in which the mistake stands.
    pub(crate) fn in_file<E: Into<Self>>(path: &Path) -> impl FnOnce(E) -> Self {
        move |source| Self::File { path: path.to_owned(), source: Box::new(source.into()) }
    }

    /// Whether nobody has to be told.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_closed_pipe() || matches!(self, Self::InterruptedWithStudy)
    }

    /// Whether whoever read what was printed has seen enough, as `head` has, and nothing is lost by that.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        let closed = |source: &io::Error| source.kind() == io::ErrorKind::BrokenPipe;
        // A file to write may be standard output by its path, or another pipe.
        matches!(self, Self::Stdout(source) | Self::Runs(RunsError::Io { source, .. }) if closed(source))
    }

    /// 2 where something else should have been asked for, 130 after an interrupt and 141 behind a closed pipe, as shells count
    /// programs that end by SIGINT and SIGPIPE, 1 for all else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            _ if self.is_closed_pipe() => 141,
            Self::Interrupted { .. } | Self::InterruptedEarly | Self::StoppedAfterEpoch { .. } => 130,
            Self::StudyInterrupted { .. } | Self::InterruptedWithStudy => 130,
            Self::File { source, .. } | Self::InputLine { source, .. } => source.exit_code(),
            // The network may stand in a file that cannot be read.
            Self::Spec(error) if causes(error).any(|cause| cause.is::<io::Error>()) => 1,
            Self::Spec(_) | Self::Isa(_) | Self::Network { .. } => 2,
            Self::UnknownNetwork { .. } | Self::UnknownRecipe { .. } | Self::PathNotUtf8 { .. } => 2,
            Self::UnknownData { .. } | Self::NeitherNameNorFolder { .. } => 2,
            Self::LiveAndTerse { .. } | Self::UnknownStudy { .. } | Self::StudyWithoutRun => 2,
            Self::StudyNotBegun { .. } => 2,
            Self::ForeignObjective { .. } | Self::NothingToTry { .. } | Self::TellWhat { .. } => 2,
            Self::TellOfWhat { .. } | Self::NoRungs { .. } => 2,
            Self::JsonLine { .. } | Self::NoSearch { .. } | Self::CannotBeTried { .. } => 2,
            Self::HoldsRun { .. } | Self::HoldsModel { .. } | Self::GridWithoutValidation => 2,
            Self::NothingToRetrain(error) => error.exit_code(),
            Self::Study(error) => study_exit_code(error),
            Self::BenchCommand { .. } | Self::Url { .. } | Self::LrRange { .. } => 2,
            Self::Runs(RunsError::OntoRunFile { .. } | RunsError::InitIsReplaced { .. }) => 2,
            Self::Runs(RunsError::HoldsRun { .. }) | Self::HoldsEvents { .. } => 2,
            Self::Train(TrainError::NoValidation) => 2,
            Self::WeightsInTheWay { .. } => 2,
            Self::ExportFormat { .. } | Self::ExportName { .. } | Self::ExportOntoModel { .. } => 2,
            Self::ExportOther { .. } | Self::PictureName { .. } | Self::OntoData { .. } => 2,
            Self::ClassesMisfit { .. } | Self::PicturesMisfit { .. } => 2,
            Self::OtherClasses { .. } | Self::OntoInput { .. } => 2,
            _ => 1,
        }
    }

    /// The message, with a line for each cause; messages of several lines stay as they are, but for a margin.
    pub(crate) fn report(&self) -> String {
        let prefix = if self.exit_code() == 130 { "" } else { "error: " };
        let mut text = format!("{prefix}{self}");
        for cause in causes(self) {
            let cause = narrowed(cause.to_string().trim_end()).replace('\n', "\n    ");
            // Some libraries put their cause into their own message.
            if !text.contains(&cause) {
                text.push_str(&format!("\n  because {cause}"));
            }
        }
        text
    }

    /// The message and its causes on one line, for a record.
    pub(crate) fn one_line(&self) -> String {
        let text = causes(self).fold(self.to_string(), |text, cause| format!("{text}: {cause}"));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Columns of a line of a file that a message shows at most, and of those before the place that it points at.
const MAX_SHOWN: usize = 160;
const BEFORE: usize = 60;

/// A message that shows lines of a file and points into one, with no more of long ones than what lies around that place.
fn narrowed(message: &str) -> String {
    let lines: Vec<Vec<char>> = message.lines().map(|line| line.chars().collect()).collect();
    // Behind the number of a line of the file.
    let margin = |line: &[char]| {
        let at = line.iter().position(|&c| c == '|')?;
        line[..at].iter().all(|&c| c == ' ' || c.is_ascii_digit()).then_some(at + 1)
    };
    if !lines.iter().any(|line| line.len() > MAX_SHOWN && margin(line).is_some()) {
        return message.into();
    }
    let pointed = |line: &Vec<char>| {
        let (margin, place) = (margin(line)?, line.iter().position(|&c| c == '^')?);
        line[margin..place].iter().all(|&c| c == ' ').then_some(place)
    };
    let start = lines.iter().find_map(pointed).unwrap_or(0).saturating_sub(BEFORE);
    let shown = |line: &Vec<char>| match margin(line) {
        Some(margin) => {
            line[..margin].iter().chain(line[margin..].iter().skip(start).take(MAX_SHOWN)).collect()
        }
        None => line.iter().collect::<String>(),
    };
    lines.iter().map(shown).collect::<Vec<_>>().join("\n")
}

/// 2 where the study file or what was typed asks for what cannot be.
fn study_exit_code(error: &StudyError) -> u8 {
    use StudyError as E;
    match error {
        E::Spec(_)
        | E::Space(_)
        | E::File { .. }
        | E::Patch { .. }
        | E::Condition { .. }
        | E::NoKey { .. }
        | E::Changed { .. }
        | E::NetworkChanged { .. }
        | E::RunKey { .. } => 2,
        E::PrunerOfSeveral
        | E::PrunerOfWhat { .. }
        | E::Sampler(_)
        | E::NoTrial { .. }
        | E::NoParameter { .. } => 2,
        E::NotInDomain { .. } | E::ValueCount { .. } | E::NotAllowed { .. } | E::NotThere { .. } => 2,
        E::MinutesOutside | E::StepsOutside => 2,
        E::Data { source, .. } => source.downcast_ref::<CliError>().map_or(1, CliError::exit_code),
        E::Grammar(_) | E::TwoNetworks { .. } | E::NoGrammar { .. } | E::Outside { .. } => 2,
        E::Store(
            StoreError::LeaseLost { .. } | StoreError::NoTrial { .. } | StoreError::TrialOver { .. },
        ) => 2,
        _ => 1,
    }
}

/// The causes of an error, the nearest first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable() -> CliError {
        CliError::io("read", "net.toml")(io::Error::from(io::ErrorKind::PermissionDenied))
    }

    #[test]
    fn a_network_that_cannot_be_read_is_a_failure_and_an_unknown_one_wrong_usage() {
        let network = |source: CliError| {
            CliError::Spec(SpecError::Network { name: "net.toml".into(), source: Box::new(source) })
        };
        assert_eq!(network(unreadable()).exit_code(), 1);
        assert_eq!(network(CliError::UnknownNetwork { name: "net.toml".into() }).exit_code(), 2);
        assert_eq!(CliError::InterruptedEarly.exit_code(), 130);
    }

    #[test]
    fn of_a_long_line_the_place_is_shown_that_a_message_points_at() {
        let reason = "unknown field `x`, expected one of ".repeat(9);
        let of = |n: usize| {
            let blanks = " ".repeat(n);
            format!(
                "TOML parse error\n  |\n1 | {}here{}\n  | {blanks}^^^^\n{reason}",
                "a".repeat(n),
                "b".repeat(n)
            )
        };
        assert_eq!(narrowed(&of(9)), of(9));
        let shown = narrowed(&of(9000));
        let lines: Vec<&str> = shown.lines().collect();
        assert!(
            lines[2].starts_with("1 |aaaa") && lines[2].contains("here") && lines[2].len() < 200,
            "{shown}"
        );
        assert_eq!(lines[2].find("here"), lines[3].find("^^^^"));
        assert_eq!([lines[0], lines[4]], ["TOML parse error", &reason]);
    }

    #[test]
    fn the_report_has_a_line_for_each_cause() {
        let error =
            CliError::RunFailed { dir: "r".into(), n_epochs: 2, of: 3, source: Box::new(unreadable()) };
        assert_eq!(
            error.report(),
            "error: the run failed in epoch 3; 2 epochs are kept in r\n  because cannot read net.toml\n  \
             because permission denied"
        );
        assert!(error.one_line().ends_with("in r: cannot read net.toml: permission denied"));
    }
}
