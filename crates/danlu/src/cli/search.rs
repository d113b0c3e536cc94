//! The arguments of `danlu search`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::study::{StudyFlags, StudyListArgs, StudyNameArgs, StudyShowArgs, StudyStopArgs, StudyTrialsArgs};
use super::values::factor;

const SEARCH_EXAMPLES: &str = "\
A search is a study whose networks come from a grammar: all of `danlu study` works on it too.

Examples:
  danlu search                                   a small space around LeNet, kept in studies/lenet-space
  danlu search zoph --jobs 2                     the search of Zoph & Le 2016; the same command goes on after any break
  danlu search my.toml                           a grammar of your own (docs/study.toml)
  danlu search enqueue lenet-space --network lenet   have a network tried that lies in the space
  danlu search best zoph --out best              the best network: run.toml, network.toml, model.safetensors, model.onnx
  danlu search best zoph --out wide --widen 2    the same with twice the filters, to be trained: danlu train wide/run.toml";

#[derive(Debug, Args)]
#[command(after_help = SEARCH_EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct SearchArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SearchCommand>,
    #[command(flatten)]
    pub(crate) run: SearchRunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SearchRunArgs {
    /// A study file with a grammar, the name of a search that comes with danlu, or one that was begun.
    #[arg(value_name = "SEARCH.toml|NAME", default_value = "lenet-space")]
    pub(crate) search: PathBuf,
    #[command(flatten)]
    pub(crate) flags: StudyFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SearchCommand {
    /// The searches that come with danlu, and those in the folder.
    List(StudyListArgs),
    /// How far a search is, and its best networks.
    Show(StudyShowArgs),
    /// All children in a table.
    Trials(StudyTrialsArgs),
    /// End the processes that work on a search; the same command as before goes on.
    Stop(StudyStopArgs),
    /// Have a network tried that lies in the space of the search; one that does not is told why.
    Enqueue(SearchEnqueueArgs),
    /// The best network: what it costs, how good it is, and its files.
    Best(SearchBestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SearchEnqueueArgs {
    #[command(flatten)]
    pub(crate) of: StudyNameArgs,
    /// A preset or a network file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) network: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SearchBestArgs {
    #[command(flatten)]
    pub(crate) of: StudyNameArgs,
    /// Write run.toml and network.toml into this folder, and, if it was trained again, model.safetensors and model.onnx.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The network with so many times the filters in every convolution, which nothing was trained of yet.
    #[arg(long, value_name = "FACTOR", requires = "out", value_parser = factor, allow_negative_numbers = true)]
    pub(crate) widen: Option<f64>,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
