//! Data sets: finding, checking, reading, shuffling.
//!
//! The way of an image: [`find`] says which folder holds the data set (or [`fetch()`] downloads it),
//! [`load()`] reads and checks one [`Split`] into a [`Dataset`], [`epoch_order`] says in which order an epoch
//! visits it, and [`Normalization`] turns its bytes into numbers.
//!
//! This crate reads files and downloads. It never prints, reads no environment variable (whoever calls it
//! fills in [`Places`]), and knows nothing of networks.

mod augment;
mod checksum;
mod contents;
mod dataset;
mod download;
mod error;
pub mod fashion_mnist;
mod fetch;
mod folder;
mod idx;
mod load;
mod locate;
mod normalization;
mod order;
#[cfg(test)]
mod testing;

pub use augment::{Augment, AugmentStreams, Mix, mix_bytes};
pub use dataset::{Dataset, Split};
pub use download::Progress;
pub use error::{DataError, Fault, Tried};
pub use fetch::fetch;
pub use load::{Strictness, load};
pub use locate::{Found, Place, Places, find};
pub use normalization::Normalization;
pub use order::epoch_order;
