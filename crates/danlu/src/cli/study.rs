//! The arguments of `danlu study`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::DEFAULT_STUDIES;
use super::values::{at_least_one, threads};

const STUDY_EXAMPLES: &str = "\
Examples:
  danlu study run lenet-tune                     a study that comes with danlu, kept in studies/lenet-tune
  danlu study run my.toml --jobs 2               two trials at once; the same command goes on after any break
  danlu study show lenet-tune                    how far it is and what is best
  danlu study best lenet-tune --toml > best.toml the run file of the best trial
  echo '{\"learning_rate\": 0.01}' | danlu study enqueue lenet-tune
  danlu study ask my; danlu study tell my        trials of another program, in JSON";

#[derive(Debug, Args)]
#[command(after_help = STUDY_EXAMPLES)]
pub(crate) struct StudyArgs {
    #[command(subcommand)]
    pub(crate) command: StudyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    /// Work on a study until its budget is used up; after any break the same command goes on. Several may run at once.
    Run(StudyRunArgs),
    /// The studies that come with danlu, and those in the folder.
    List(StudyListArgs),
    /// How far a study is, and its best trials.
    Show(StudyShowArgs),
    /// The best trial, or the front of several objectives.
    Best(StudyBestArgs),
    /// All trials in a table.
    Trials(StudyTrialsArgs),
    /// All trials for other programs, with --csv or --json.
    Export(StudyExportArgs),
    /// How much of the differences between trials each parameter explains.
    Importance(StudyShowArgs),
    /// Have values tried: reads JSON objects, one a line, from standard input and prints the trials' numbers.
    Enqueue(StudyNameArgs),
    /// End the processes that work on a study; `danlu study run` goes on.
    Stop(StudyStopArgs),
    /// Begin a trial for another program: prints its number and values as JSON.
    ///
    /// {"trial": 3, "params": {…}}, and "run", a run file's text, where the study has one; {"trial": null, "wait": true} while other trials
    /// must end first, {"trial": null, "done": "trials"} at the end (or "time", "target", "exhausted").
    Ask(StudyAskArgs),
    /// What came of trials that another program was asked for: reads JSON objects, one a line, from standard input.
    ///
    /// {"trial": 3, "values": [0.9]} ends a trial, with "constraints": [0.2] if one is broken by 0.2 (0 or less: kept); {"trial": 3, "step": 1, "value": 0.4} reports and is answered
    /// {"trial": 3, "prune": false}; {"trial": 3, "state": "pruned"} and {"trial": 3, "state": "failed", "reason": "…"} end it
    /// too.
    Tell(StudyNameArgs),
    /// Make a damaged store again from the trials' folders.
    Repair(StudyNameArgs),
    /// One process of `danlu study run`.
    #[command(hide = true)]
    Work(StudyWorkArgs),
    /// One training of `danlu study run`.
    #[command(hide = true)]
    Again(StudyAgainArgs),
}

/// Which study.
#[derive(Debug, Args)]
pub(crate) struct StudyNameArgs {
    /// A study's name or its folder.
    #[arg(value_name = "STUDY")]
    pub(crate) study: PathBuf,
    /// The folder that studies are kept in.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STUDIES)]
    pub(crate) studies: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StudyRunArgs {
    /// A study file, the name of one that comes with danlu, or one that was begun.
    #[arg(value_name = "STUDY.toml|NAME")]
    pub(crate) study: PathBuf,
    #[command(flatten)]
    pub(crate) flags: StudyFlags,
}

/// How a study is worked on.
#[derive(Debug, Args)]
pub(crate) struct StudyFlags {
    /// The folder that studies are kept in.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STUDIES)]
    pub(crate) studies: PathBuf,
    /// Trials at once, each on its share of the cores [default: as the study says].
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    pub(crate) jobs: Option<usize>,
    /// Number of threads of all trials together [default: all cores].
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Print the summary as a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print no progress.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Watch the study on a full screen.
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    pub(crate) live: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StudyListArgs {
    /// The folder that studies are kept in.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STUDIES)]
    pub(crate) studies: PathBuf,
    /// Print JSON objects, one a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StudyShowArgs {
    #[command(flatten)]
    pub(crate) of: StudyNameArgs,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StudyBestArgs {
    #[command(flatten)]
    pub(crate) of: StudyNameArgs,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print its run file, which `danlu train` takes.
    #[arg(long, conflicts_with = "json")]
    pub(crate) toml: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StudyTrialsArgs {
    #[command(flatten)]
    pub(crate) of: StudyNameArgs,
    /// Only those in this state.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<StateName>,
    /// Sort by the first objective, the best first, instead of by number.
    #[arg(long)]
    pub(crate) sorted: bool,
    /// At most so many.
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    pub(crate) limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateName {
    Waiting,
    Running,
    Complete,
    Pruned,
    Failed,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("format").required(true).args(["csv", "json"]))]
pub(crate) struct StudyExportArgs {
    #[command(flatten)]
    pub(crate) of: StudyNameArgs,
    /// A table with a row for each trial.
    #[arg(long)]
    pub(crate) csv: bool,
    /// An object for each trial, one a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StudyStopArgs {
    #[command(flatten)]
    pub(crate) of: StudyNameArgs,
    /// Within seconds, in the middle of trials, which go on later from their last epoch; else after the running trials.
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StudyAskArgs {
    /// A study file, or a study's name or folder.
    #[arg(value_name = "STUDY")]
    pub(crate) study: PathBuf,
    /// The folder that studies are kept in.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STUDIES)]
    pub(crate) studies: PathBuf,
    /// How many trials.
    #[arg(long, short, value_name = "N", default_value = "1", value_parser = at_least_one, allow_negative_numbers = true)]
    pub(crate) n: usize,
}

#[derive(Debug, Args)]
pub(crate) struct StudyWorkArgs {
    /// The study's folder.
    pub(crate) dir: PathBuf,
    /// Number of threads.
    #[arg(long, value_parser = threads)]
    pub(crate) threads: usize,
}

#[derive(Debug, Args)]
pub(crate) struct StudyAgainArgs {
    /// What follows `danlu`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub(crate) command: Vec<OsString>,
}
