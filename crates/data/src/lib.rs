//! Data sets: finding, checking, reading, shuffling.
//!
//! The way of an image: [`Source::open`] finds the data set (or [`fetch()`] downloads it) and says what it is,
//! [`Source::read`] reads and checks its [`Parts`] into [`Dataset`]s, [`epoch_order`] says in which order an epoch
//! visits the training part, and [`Normalization`] turns its bytes into numbers.
//!
//! Read are the files of MNIST and its relatives, those of CIFAR-10, and folders of pictures.
//!
//! This crate reads files, downloads, and writes only into the caches that it is given. It never prints, reads no
//! environment variable (whoever calls it fills in [`Places`]), and knows nothing of networks.

mod augment;
mod checksum;
mod cifar;
mod contents;
mod dataset;
mod download;
mod error;
pub mod fashion_mnist;
mod fetch;
mod folder;
mod idx;
mod idx_file;
mod idx_folder;
mod idx_mapping;
mod idx_set;
mod jpeg;
mod known;
mod locate;
mod normalization;
mod order;
mod partition;
mod picture;
mod picture_cache;
mod picture_folder;
mod picture_set;
mod source;
#[cfg(test)]
mod testing;

pub use augment::{Augment, AugmentStreams, Mix, mix_bytes};
pub use dataset::{Dataset, Split};
pub use download::Progress;
pub use error::{DataError, Fault, Tried};
pub use fetch::fetch;
pub use idx_set::Strictness;
pub use known::{KNOWN_SETS, KnownSet, known_set};
pub use locate::{Found, Place, Places};
pub use normalization::Normalization;
pub use order::epoch_order;
pub use partition::{CUT_SHARE, Partition, Parts, Rejected};
pub use picture::{
    MAX_DECODED_LEN, MAX_FILE_LEN, MAX_SIDE, Picture, PictureFault, decode_picture, read_picture,
    read_pictures,
};
pub use picture_folder::is_named_as_picture;
pub use source::Source;
