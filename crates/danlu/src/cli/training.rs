//! The arguments of what trains: `train`, `resume`, `lr-find`.

use std::path::PathBuf;

use clap::{ArgAction, Args, value_parser};
use spec::{NormalizationSpec, OptimizerKind, ScheduleKind};

use super::values::{number, threads, whole};

const LEARNING: &str = "Learning";
const AUGMENTATION: &str = "Augmentation";

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
    #[arg(long, value_name = "X", default_value_t = 1e-7, allow_negative_numbers = true, value_parser = number)]
    pub(crate) from: f64,
    /// The last one.
    #[arg(long, value_name = "X", default_value_t = 10.0, allow_negative_numbers = true, value_parser = number)]
    pub(crate) to: f64,
    /// How many steps there are from one to the other.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u16).range(2..))]
    pub(crate) steps: u16,
    /// Where the picture of the curve goes: SVG, or PNG.
    #[arg(long, value_name = "FILE.svg|png", default_value = "lr-find.svg")]
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
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    pub(crate) epochs: Option<usize>,
    /// Images per step [default: 256].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    pub(crate) batch_size: Option<usize>,
    /// adam, adamw, sgd or rmsprop [default: adam].
    #[arg(long, value_name = "KIND")]
    pub(crate) optimizer: Option<OptimizerKind>,
    /// Step size [default: 0.001, rmsprop 0.01].
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = number)]
    pub(crate) learning_rate: Option<f64>,
    /// Where all random numbers come from [default: 1].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>)]
    pub(crate) seed: Option<u64>,
    /// Number of threads; changes no bit of the result [default: all cores].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    pub(crate) threads: Option<usize>,
    /// Start from these weights, named as PyTorch's state dict names them.
    #[arg(long, value_name = "FILE.safetensors")]
    pub(crate) init: Option<PathBuf>,
    /// Whether every epoch has an order of its own [default: true].
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    pub(crate) shuffle: Option<bool>,
    /// Share of the training images that is kept apart to choose the best epoch on, from 0 to below 1; with 0 a
    /// validation part of the data set itself is learned from too.
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = number)]
    pub(crate) validation: Option<f64>,
    /// unit (0 to 1) or standard (mean 0, deviation 1, measured on the training images) [default: unit].
    #[arg(long, value_name = "KIND")]
    pub(crate) normalization: Option<NormalizationSpec>,
    /// constant, step, cosine or one_cycle [default: constant].
    #[arg(long, value_name = "KIND", help_heading = LEARNING)]
    pub(crate) schedule: Option<ScheduleKind>,
    /// Epochs in which the learning rate rises linearly before the schedule begins [default: 0].
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = LEARNING, value_parser = number)]
    pub(crate) warm_up_epochs: Option<f64>,
    /// Share of the target that is spread over all classes [default: 0].
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = LEARNING, value_parser = number)]
    pub(crate) label_smoothing: Option<f64>,
    /// Shorten longer gradients to this norm.
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = LEARNING, value_parser = number)]
    pub(crate) clip_gradient: Option<f64>,
    /// Evaluate and save a moving average of the parameters that keeps this share at each step.
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true, help_heading = LEARNING, value_parser = number)]
    pub(crate) average: Option<f64>,
    /// End after so many epochs without a rise of the validation accuracy.
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = LEARNING, value_parser = whole::<usize>)]
    pub(crate) patience: Option<usize>,
    /// Move training images by up to as many pixels.
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = AUGMENTATION, value_parser = whole::<usize>)]
    pub(crate) shift: Option<usize>,
    /// Mirror them with this probability.
    #[arg(long, value_name = "P", allow_negative_numbers = true, help_heading = AUGMENTATION, value_parser = number)]
    pub(crate) horizontal_flip: Option<f64>,
    /// Turn them by up to as many degrees.
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true, help_heading = AUGMENTATION, value_parser = number)]
    pub(crate) rotation: Option<f64>,
    /// Put noise into a rectangle of them with this probability.
    #[arg(long, value_name = "P", allow_negative_numbers = true, help_heading = AUGMENTATION, value_parser = number)]
    pub(crate) erasing: Option<f64>,
    /// Mix pairs of them with shares from Beta(ALPHA, ALPHA).
    #[arg(long, value_name = "ALPHA", allow_negative_numbers = true, help_heading = AUGMENTATION, value_parser = number)]
    pub(crate) mixup: Option<f64>,
}
