//! Trained networks in the formats of other tools: [`onnx`] gives a model file's bytes, [`pytorch`] the text of a Python
//! file with a readable class whose weights are the safetensors file of [`nn::to_safetensors`].
//!
//! Both take pictures as they come out of a file, [N, C, H, W] with values from 0 to 255; the normalization of the
//! training is a part of what is written. [`tensorboard`] gives the records of an event file. Values in, bytes and text
//! out: nothing here reads or writes a file.

mod error;
mod model;
mod onnx;
mod pytorch;
pub mod tensorboard;
mod wiring;

pub use error::ExportError;
pub use model::{Model, Normalization};
pub use onnx::onnx;
pub use pytorch::pytorch;
