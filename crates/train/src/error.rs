//! Why a training could not go on.

use thiserror::Error;

/// Why a training could not begin or go on.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The loss is no number before anything was learned.
    #[error(
        "the loss is {loss} at the first step, before the first update, so that no learning rate helps: the start weights, the \
         normalization or the layers make of the pictures what single precision cannot hold"
    )]
    NoFirstLoss {
        /// NaN or infinity.
        loss: f64,
    },
    /// The loss is no longer a number.
    #[error(
        "the loss became {loss} at epoch {epoch}, step {step}; a lower learning rate than {learning_rate:?} may help"
    )]
    Diverged {
        /// From 1.
        epoch: usize,
        /// From 1, in the epoch.
        step: usize,
        /// NaN or infinity.
        loss: f64,
        /// The rate that was used.
        learning_rate: f64,
    },
    /// A parameter is no longer a number.
    #[error(
        "tensor `{tensor}` held {value} at index {idx} after epoch {epoch}; a lower learning rate than {learning_rate:?} may help"
    )]
    NotFinite {
        /// From 1.
        epoch: usize,
        /// Which tensor.
        tensor: String,
        /// Where in it, row by row.
        idx: usize,
        /// NaN or infinity.
        value: f32,
        /// The rate that was used.
        learning_rate: f64,
    },
    /// Pictures and network do not fit.
    #[error(
        "the network takes pictures of {network:?}, the data set `{name}` has {data:?} (channels, rows, columns)"
    )]
    InputShape {
        /// The data set.
        name: String,
        /// Channels, rows, columns that the network takes.
        network: [usize; 3],
        /// Channels, rows, columns of the data.
        data: [usize; 3],
    },
    /// Labels and network do not fit.
    #[error("the network has {network} classes, the data set `{name}` has {data}")]
    Classes {
        /// The data set.
        name: String,
        /// Classes that the network tells apart.
        network: usize,
        /// Classes of the data.
        data: usize,
    },
    /// No pictures, or not one label for each.
    #[error("the data set `{name}` has {n_bytes} bytes of pictures of {n_values} each and {n_labels} labels")]
    Lengths {
        /// The data set.
        name: String,
        /// Bytes of all pictures.
        n_bytes: usize,
        /// Bytes of one picture.
        n_values: usize,
        /// Labels.
        n_labels: usize,
    },
    /// A label that is no class.
    #[error("the data set `{name}` has label {label} at index {idx}, which is no class of it")]
    Label {
        /// The data set.
        name: String,
        /// Which sample.
        idx: usize,
        /// Its label.
        label: u8,
    },
    /// A batch keeps the inputs of linear layers of all its samples, and where a layer looks at the whole batch, all
    /// activations.
    #[error(
        "a batch of {batch_size} needs {mib} MiB for what its samples keep, more than {max_mib} MiB; a smaller batch may do"
    )]
    OutOfMemory {
        /// Samples.
        batch_size: usize,
        /// How much they need.
        mib: usize,
        /// The largest allowed.
        max_mib: usize,
    },
    /// A network that learns from batches, but gives no numbers in use after training.
    #[error(
        "epoch {epoch}: the loss of the {part} samples is {loss}, though that of the training batches is a number"
    )]
    NoEvaluation {
        /// Counted from 1.
        epoch: usize,
        /// Which samples.
        part: &'static str,
        /// Their mean loss.
        loss: f64,
    },
    /// A run that is to end early, without anything to see when.
    #[error(
        "early stopping needs a validation part, but the run has none: set `validation` to a share of the training samples"
    )]
    NoValidation,
    /// The threads could not be started.
    #[error("could not start {threads} threads")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
}
