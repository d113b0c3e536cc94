//! What can be typed.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, value_parser};
use spec::{NormalizationSpec, OptimizerKind, ScheduleKind};

const ENVIRONMENT: &str = "\
Environment:
  DANLU_DATA  folder of the data set, where --data names none
  DANLU_ISA   instruction set: avx512, avx2, neon or plain; default: the best there is
  DANLU_URL   address to download the data set from, in place of the official one
  NO_COLOR    no colors

Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

const TRAIN_EXAMPLES: &str = "\
Examples:
  danlu train                                   LeNet on Fashion-MNIST, 10 epochs
  danlu train --network lenet-3x3 --epochs 20
  danlu train --optimizer sgd --learning-rate 0.1 --out runs/sgd
  danlu train --validation 0.1 --schedule cosine --average 0.999 --shift 2
  danlu train --live                            watch it learn on a full screen
  danlu train run.toml --seed 7                 a run file; flags win over it
  danlu train runs/lenet-1/run.toml             the same run again, to the bit";

const LEARNING: &str = "Learning";
const AUGMENTATION: &str = "Augmentation";

const DATA_FORMATS: &str = "\
Data sets:
  by name    fashion-mnist (downloaded if need be); mnist, kmnist, emnist-balanced, emnist-byclass,
             emnist-bymerge, emnist-letters, emnist-digits, emnist-mnist and cifar-10, whose files are looked for
             in $DANLU_DATA, in $DANLU_DATA/NAME and in the folder danlu/NAME of the user's cache
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
    /// Smith 2015 (arXiv 1506.01186) in fastai's form. Takes the run file and the flags of `danlu train`.
    LrFind(Box<LrFindArgs>),
    /// Loss and accuracy of a model on the test images.
    Eval(EvalArgs),
    /// What a model sees in pictures.
    ///
    /// Pictures are turned gray, or kept in color if the network takes three channels, and resized to its input, as
    /// in training; otherwise they are taken as they are. Fashion-MNIST is light on dark: a model of it expects clothes
    /// brighter than the background.
    Predict(PredictArgs),
    /// Carry a model to other tools: ONNX, a PyTorch class, weights alone.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// The layers of a network, with shapes, parameters and multiply-adds.
    Summary(SummaryArgs),
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
#[command(args_override_self = true)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// The run folder [default: runs/NETWORK-N, the first that is free].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object per epoch, and one at the end.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print no epochs and no progress.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Watch it learn on a full screen: moving curves, confusion matrix, speed; `?` tells the keys.
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    pub(crate) live: bool,
    /// Write an event file for TensorBoard into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) tensorboard: Option<PathBuf>,
    /// Replace the run that --out holds, and the event file that --tensorboard holds.
    #[arg(long)]
    pub(crate) force: bool,
    /// Show the run in the browser, on the page of `danlu dashboard`, which goes on for half an hour after the last look.
    #[arg(long)]
    pub(crate) open: bool,
    /// Write the loss of every step to this file, one a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) steps_log: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run folder.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Number of threads; changes no bit of the result [default: all cores].
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Print one JSON object per epoch, and one at the end.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print no epochs and no progress.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Watch it learn on a full screen: moving curves, confusion matrix, speed; `?` tells the keys.
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    pub(crate) live: bool,
    /// Go on with the event file for TensorBoard in this folder, or write one of all epochs.
    #[arg(long, value_name = "DIR")]
    pub(crate) tensorboard: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct LrFindArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// The first learning rate.
    #[arg(long, value_name = "X", default_value_t = 1e-7, allow_negative_numbers = true)]
    pub(crate) from: f64,
    /// The last one.
    #[arg(long, value_name = "X", default_value_t = 10.0, allow_negative_numbers = true)]
    pub(crate) to: f64,
    /// How many steps there are from one to the other.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u16).range(2..))]
    pub(crate) steps: u16,
    /// Where the picture of the curve goes.
    #[arg(long, value_name = "FILE.svg", default_value = "lr-find.svg")]
    pub(crate) plot: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What determines a run, and on how many threads it is computed.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A run file; every key is explained in docs/reference.toml.
    #[arg(value_name = "RUN.toml")]
    pub(crate) file: Option<PathBuf>,
    /// A preset with the settings that suit it, in place of a run file; flags win over it.
    #[arg(long, value_name = "PRESET", conflicts_with = "file")]
    pub(crate) recipe: Option<String>,
    /// A preset (`danlu summary` lists them) or a network file [default: lenet].
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) network: Option<PathBuf>,
    /// A data set's name or its folder [default: fashion-mnist].
    #[arg(long, value_name = "NAME|DIR")]
    pub(crate) data: Option<PathBuf>,
    /// How many times all training images are seen [default: 10].
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) epochs: Option<usize>,
    /// Images per step [default: 256].
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) batch_size: Option<usize>,
    /// adam, adamw, sgd or rmsprop [default: adam].
    #[arg(long, value_name = "KIND")]
    pub(crate) optimizer: Option<OptimizerKind>,
    /// Step size [default: 0.001, rmsprop 0.01].
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) learning_rate: Option<f64>,
    /// Where all random numbers come from [default: 1].
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// Number of threads; changes no bit of the result [default: all cores].
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Start from these weights, named as PyTorch's state dict names them.
    #[arg(long, value_name = "FILE.safetensors")]
    pub(crate) init: Option<PathBuf>,
    /// Whether every epoch has an order of its own [default: true].
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    pub(crate) shuffle: Option<bool>,
    /// Share of the training images that is kept apart to choose the best epoch on, above 0 and below 1.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) validation: Option<f64>,
    /// unit (0 to 1) or standard (mean 0, deviation 1, measured on the training images) [default: unit].
    #[arg(long, value_name = "KIND")]
    pub(crate) normalization: Option<NormalizationSpec>,
    /// constant, step, cosine or one_cycle [default: constant].
    #[arg(long, value_name = "KIND", help_heading = LEARNING)]
    pub(crate) schedule: Option<ScheduleKind>,
    /// Epochs in which the learning rate rises linearly before the schedule begins [default: 0].
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = LEARNING)]
    pub(crate) warm_up_epochs: Option<f64>,
    /// Share of the target that is spread over all classes [default: 0].
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = LEARNING)]
    pub(crate) label_smoothing: Option<f64>,
    /// Shorten longer gradients to this norm.
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = LEARNING)]
    pub(crate) clip_gradient: Option<f64>,
    /// Evaluate and save a moving average of the parameters that keeps this share at each step.
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true, help_heading = LEARNING)]
    pub(crate) average: Option<f64>,
    /// End after so many epochs without a rise of the validation accuracy.
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = LEARNING)]
    pub(crate) patience: Option<usize>,
    /// Move training images by up to as many pixels.
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = AUGMENTATION)]
    pub(crate) shift: Option<usize>,
    /// Mirror them with this probability.
    #[arg(long, value_name = "P", allow_negative_numbers = true, help_heading = AUGMENTATION)]
    pub(crate) horizontal_flip: Option<f64>,
    /// Turn them by up to as many degrees.
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true, help_heading = AUGMENTATION)]
    pub(crate) rotation: Option<f64>,
    /// Put noise into a rectangle of them with this probability.
    #[arg(long, value_name = "P", allow_negative_numbers = true, help_heading = AUGMENTATION)]
    pub(crate) erasing: Option<f64>,
    /// Mix pairs of them with shares from Beta(ALPHA, ALPHA).
    #[arg(long, value_name = "ALPHA", allow_negative_numbers = true, help_heading = AUGMENTATION)]
    pub(crate) mixup: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// A model file or a run folder.
    pub(crate) model: PathBuf,
    /// A data set's name or its folder [default: what the run that the model is of learned from, else fashion-mnist].
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
    /// A model file or a run folder.
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
    /// A model file or a run folder.
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
    /// A preset, a network file, a model file or a run folder [default: a list of the presets].
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
    /// Draw some pictures of each class, a row a class, into this file.
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
    #[arg(long, requires = "layers")]
    pub(crate) json: bool,
}

fn threads(text: &str) -> Result<usize, String> {
    let max = spec::MAX_THREADS;
    match text.parse() {
        Ok(threads) if (1..=max).contains(&threads) => Ok(threads),
        _ => Err(format!("must be from 1 to {max}")),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&n| n > 0).ok_or_else(|| "must be 1 or more".into())
}

fn shape(text: &str) -> Result<[usize; 3], String> {
    let sizes: Result<Vec<usize>, _> = text.split(',').map(|size| size.trim().parse()).collect();
    match sizes.as_deref() {
        Ok(&[channels @ (1 | 3), height @ 1..=4096, width @ 1..=4096]) => Ok([channels, height, width]),
        _ => Err("must be 1 or 3 channels, and rows and columns from 1 to 4096, such as 1,28,28".into()),
    }
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
