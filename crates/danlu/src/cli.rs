//! What can be typed.

mod search;
mod study;
mod training;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

pub(crate) use search::{SearchArgs, SearchBestArgs, SearchCommand, SearchEnqueueArgs, SearchRunArgs};
pub(crate) use study::{
    StateName, StudyAgainArgs, StudyArgs, StudyAskArgs, StudyBestArgs, StudyCommand, StudyExportArgs,
    StudyFlags, StudyListArgs, StudyNameArgs, StudyShowArgs, StudyStopArgs, StudyTrialsArgs, StudyWorkArgs,
};
pub(crate) use training::{LrFindArgs, ResumeArgs, RunArgs, TrainArgs};
use values::{at_least_one, shape, threads};

/// Where studies are kept, beside the runs.
pub(crate) const DEFAULT_STUDIES: &str = "studies";

const ENVIRONMENT: &str = "\
Environment:
  DANLU_DATA  folder of the data set, where --data names none
  DANLU_ISA   instruction set: avx512, avx2, neon or plain; default: the best there is
  DANLU_URL   address to download the data set from, in place of the official one
  NO_COLOR    no colors

Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 141 nobody reads on.";

const TRAIN_EXAMPLES: &str = "\
Examples:
  danlu train                                   LeNet on Fashion-MNIST, 10 epochs
  danlu train --network lenet-3x3 --epochs 20
  danlu train --optimizer sgd --learning-rate 0.1 --out runs/sgd
  danlu train --validation 0.1 --schedule cosine --average 0.999 --shift 2
  danlu train --live                            watch it learn on a full screen
  danlu train run.toml --seed 7                 a run file; flags win over it
  danlu train runs/lenet-1/run.toml             the same run again, to the bit";

const DATA_FORMATS: &str = "\
Data sets:
  by name    fashion-mnist (downloaded if need be); mnist, kmnist, emnist-balanced, emnist-byclass,
             emnist-bymerge, emnist-letters, emnist-digits, emnist-mnist and cifar-10, whose files are looked for
             in $DANLU_DATA and $DANLU_DATA/NAME, or, where that is not set, in the folder danlu/NAME of the
             user's cache and in /usr/share/datasets/NAME
  a folder   with IDX files, with CIFAR-10's binary batches, or with a folder of pictures (PNG, JPEG, BMP, WebP)
             for each class, if you like in train/, val/ and test/; else a tenth of each class is for validation
             and a tenth for testing";

const EXPORT_EXAMPLES: &str = "\
Examples:
  danlu export runs/lenet-1 lenet.onnx            raw pixels [N, C, H, W] to logits, normalization inside
  danlu export runs/lenet-1 lenet.py              a class, and lenet.safetensors beside it
  danlu export runs/lenet-1 lenet.safetensors     weights as PyTorch's state dict names them";

/// Builds, trains, evaluates and applies small convolutional networks.
#[derive(Debug, Parser)]
#[command(name = "danlu", version, after_help = ENVIRONMENT)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network; the run's record, model and curves go into a folder.
    #[command(after_help = TRAIN_EXAMPLES)]
    Train(Box<TrainArgs>),
    /// Go on with a run that was interrupted or killed, from its last whole epoch; it comes to the same result as
    /// without the break.
    Resume(ResumeArgs),
    /// Look for a learning rate: train for some steps while it rises, and see where the loss falls and explodes.
    ///
    /// Smith 2015 (arXiv 1506.01186) in fastai's form. Takes the run file and the flags of `danlu train`, of which epochs, learning
    /// rate, schedule, warm-up, average and patience do not count here.
    LrFind(Box<LrFindArgs>),
    /// Loss and accuracy of a model on the test images.
    ///
    /// The loss is that by which the model's run measures its epochs: cross-entropy without label smoothing and class
    /// weights, or LeNet-5's own with the run's `rubbish`. For a model file without the record of a run beside it, it is
    /// LeNet-5's own with a `rubbish` of 1 if the outputs come from radial basis functions, else cross-entropy.
    Eval(EvalArgs),
    /// What a model sees in pictures.
    ///
    /// Pictures are turned gray, or kept in color if the network takes three channels, and resized to its input, as
    /// in training; what is transparent becomes black; otherwise they are taken as they are. Fashion-MNIST is light on dark: a
    /// model of it expects clothes brighter than the background.
    Predict(PredictArgs),
    /// Carry a model to other tools: ONNX, a PyTorch class, weights alone.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// The layers of a network, with shapes, parameters and multiply-adds.
    Summary(SummaryArgs),
    /// Try values of hyperparameters and networks, many trials, and keep all of them.
    Study(StudyArgs),
    /// Search for networks: build them of decisions, train them, and learn which decisions are good.
    Search(SearchArgs),
    /// Get or look at a data set.
    Data(DataArgs),
    /// A page in the browser: runs as they learn, networks of blocks, pictures to try.
    ///
    /// It listens on this machine only and needs nothing from elsewhere. Trainings that are started there are processes
    /// of their own: they go on when this ends, and are on the page when it comes again.
    Dashboard(DashboardArgs),
    /// Measure the speed of training.
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// A model file, or a run folder: its model after the last epoch. The best by the validation part is RUN/best.safetensors.
    pub(crate) model: PathBuf,
    /// A data set's name or its folder [default: what the run that the model is of learned from, else fashion-mnist]. Of a folder
    /// without a test part a tenth of each class is tested.
    #[arg(long, value_name = "NAME|DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Number of threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the logits of all test images, F32 [images, classes], to this file.
    #[arg(long, value_name = "FILE.safetensors")]
    pub(crate) logits: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// A model file, or a run folder: its model after the last epoch. The best by the validation part is RUN/best.safetensors.
    pub(crate) model: PathBuf,
    /// PNG, JPEG, BMP or WebP files, folders of such, or patterns ("*.png").
    #[arg(required = true, value_name = "PATH")]
    pub(crate) images: Vec<PathBuf>,
    /// Print one JSON object per image.
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Print a table: path, rank, class and probability, a row for each class that is printed.
    #[arg(long)]
    pub(crate) csv: bool,
    /// Number of threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// How many classes to print, the best first [default: 3, with --json all].
    #[arg(long, value_name = "K", value_parser = value_parser!(u16).range(1..), allow_negative_numbers = true)]
    pub(crate) top: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A model file, or a run folder: its model after the last epoch. The best by the validation part is RUN/best.safetensors.
    pub(crate) model: PathBuf,
    /// The file to write; one that is there is replaced.
    pub(crate) out: PathBuf,
    /// The format [default: as OUT ends: .onnx, .py or .safetensors].
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: Option<ExportFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// ONNX, opset 17.
    Onnx,
    /// A Python file with a class of PyTorch, and its weights beside it.
    Pytorch,
    /// The weights alone.
    Safetensors,
}

#[derive(Debug, Args)]
pub(crate) struct SummaryArgs {
    /// A preset, a network file, a run file, a model file or a run folder [default: a list of the presets].
    pub(crate) network: Option<PathBuf>,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Download a data set into the user's cache, as far as it is not there.
    Fetch {
        /// The data set: fashion-mnist.
        name: String,
    },
    /// Where a data set lies and what it holds.
    #[command(after_help = DATA_FORMATS)]
    Info(DataInfoArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DataInfoArgs {
    /// A data set's name or its folder.
    #[arg(value_name = "NAME|DIR")]
    pub(crate) name: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw some pictures of each class, a row a class, into this file; large ones with fewer rows and columns.
    #[arg(long, value_name = "FILE.png")]
    pub(crate) sheet: Option<PathBuf>,
    /// Channels, rows and columns that the pictures of a folder are fitted to [default: 3,32,32].
    #[arg(long, value_name = "C,H,W", value_parser = shape)]
    pub(crate) input: Option<[usize; 3]>,
}

#[derive(Debug, Args)]
pub(crate) struct DashboardArgs {
    /// The folder whose runs are shown.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub(crate) runs: PathBuf,
    /// The folder whose studies are shown: folders of `danlu study`, and stores of Optuna.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STUDIES)]
    pub(crate) studies: PathBuf,
    /// The port; 0 takes one that is free [default: 8765, or one of the next that is free].
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
    /// The address to listen on. Whoever reaches another than the default can read the runs and start trainings.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// Show it in the browser.
    #[arg(long)]
    pub(crate) open: bool,
    /// The run that the browser shows.
    #[arg(long, value_name = "RUN", hide = true, requires = "open")]
    pub(crate) run: Option<String>,
    /// End when nobody has looked for half an hour.
    #[arg(long, hide = true)]
    pub(crate) while_used: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// A preset or a network file.
    #[arg(long, value_name = "NAME|FILE", default_value = "lenet")]
    pub(crate) network: PathBuf,
    /// A data set's name or its folder.
    #[arg(long, value_name = "NAME|DIR", default_value = data::fashion_mnist::NAME)]
    pub(crate) data: PathBuf,
    /// Number of threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Obey a benchmark's driver: read info, train, eval and peak, a line each, and answer a line each.
    #[arg(long)]
    pub(crate) serve: bool,
    /// Use only the first N images for training, and for evaluation [default: all].
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    pub(crate) images: Option<usize>,
    /// Every kind of layer alone instead of a network: time, and share of what bounds it.
    #[arg(long, conflicts_with_all = ["network", "data", "serve", "images"])]
    pub(crate) layers: bool,
    /// Print the layers as a JSON object.
    #[arg(long, requires = "layers", conflicts_with_all = ["network", "data", "serve", "images"])]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_definitions_fit_each_other() {
        Cli::command().debug_assert();
    }
}
