//! Labeled images in memory.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::idx;

/// Labeled images, all of one shape. Dimensions: N samples, C channels, H rows, W columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// The data set's name, as on the command line.
    pub name: String,
    /// Shape of one image: C, H, W.
    pub shape: [usize; 3],
    /// N·C·H·W pixels, row-major, 0 to 255.
    pub images: Vec<u8>,
    /// N labels; each is an index into `classes`.
    pub labels: Vec<u8>,
    /// The classes' names.
    pub classes: Vec<String>,
    /// SHA-256, hexadecimal, of shape, pixels and labels: of an IDX file of the images, [N, H, W] or with more
    /// than one channel [N, C, H, W], followed by an IDX file of the labels.
    pub sha256: String,
}

impl Dataset {
    /// The number of samples, N.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample. A [`Source`](crate::Source) never gives such a part.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The C·H·W pixels of one image.
    ///
    /// # Panics
    /// If `idx` is not below [`len`](Self::len).
    pub fn image(&self, idx: usize) -> &[u8] {
        let image_len: usize = self.shape.iter().product();
        &self.images[idx * image_len..(idx + 1) * image_len]
    }

    /// Bytes of one image, C·H·W.
    pub(crate) fn image_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Keeps the first `n` samples, if there are more.
    pub fn truncate(&mut self, n: usize) {
        if n < self.len() {
            self.images.truncate(n * self.image_len());
            self.labels.truncate(n);
            *self = std::mem::take(self).hashed();
        }
    }

    /// Puts the samples of another part of the same data set behind its own.
    pub(crate) fn extend(&mut self, more: Self) {
        debug_assert_eq!((self.shape, &self.classes), (more.shape, &more.classes), "parts of one data set");
        self.images.extend(more.images);
        self.labels.extend(more.labels);
        *self = std::mem::take(self).hashed();
    }

    /// A copy of the samples that `splits` puts into `split`.
    pub(crate) fn taken(&self, splits: &[Split], split: Split) -> Self {
        let n = splits.iter().filter(|&&part| part == split).count();
        let mut images = Vec::with_capacity(n * self.image_len());
        let mut labels = Vec::with_capacity(n);
        for idx in (0..self.len()).filter(|&idx| splits[idx] == split) {
            images.extend_from_slice(self.image(idx));
            labels.push(self.labels[idx]);
        }
        let (name, classes) = (self.name.clone(), self.classes.clone());
        Self { name, shape: self.shape, images, labels, classes, sha256: String::new() }.hashed()
    }

    /// Keeps only the samples that `splits` puts into `split`, without a copy of all of them.
    pub(crate) fn retain(&mut self, splits: &[Split], split: Split) {
        let image_len = self.image_len();
        let mut n_kept = 0;
        for idx in (0..self.len()).filter(|&idx| splits[idx] == split) {
            self.images.copy_within(idx * image_len..(idx + 1) * image_len, n_kept * image_len);
            self.labels[n_kept] = self.labels[idx];
            n_kept += 1;
        }
        self.images.truncate(n_kept * image_len);
        self.labels.truncate(n_kept);
        *self = std::mem::take(self).hashed();
    }

    /// With its hash filled in.
    pub(crate) fn hashed(mut self) -> Self {
        let [channels, height, width] = self.shape;
        let sizes = match channels {
            1 => vec![self.len(), height, width],
            _ => vec![self.len(), channels, height, width],
        };
        let images = Sha256::new().chain_update(idx::header_of(&sizes)).chain_update(&self.images);
        self.sha256 = joint_sha256(images, &self.labels);
        self
    }

    /// The number of samples of each class, in the order of `classes`.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }
}

/// The hash of an IDX file of images goes on with one of `labels`.
pub(crate) fn joint_sha256(images: Sha256, labels: &[u8]) -> String {
    hex(&images.chain_update(idx::header_of(&[labels.len()])).chain_update(labels).finalize())
}

/// The parts of a data set. Test data is for the figure that is reported, never for choosing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// What is learned from.
    Train,
    /// What choices are made by.
    Validation,
    /// What is measured on.
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_counts_are_found_by_index() {
        let dataset = Dataset {
            name: "three".into(),
            shape: [1, 1, 2],
            images: vec![1, 2, 3, 4, 5, 6],
            labels: vec![2, 0, 2],
            classes: ["a", "b", "c"].map(String::from).to_vec(),
            sha256: String::new(),
        };
        assert_eq!(dataset.len(), 3);
        assert!(!dataset.is_empty());
        assert_eq!(dataset.image(1), [3, 4]);
        assert_eq!(dataset.class_counts(), [1, 0, 2]);
    }

    #[test]
    fn the_first_samples_are_kept_with_a_hash_of_their_own() {
        let dataset = Dataset {
            name: "three".into(),
            shape: [1, 1, 2],
            images: vec![1, 2, 3, 4, 5, 6],
            labels: vec![2, 0, 2],
            classes: ["a", "b", "c"].map(String::from).to_vec(),
            sha256: String::new(),
        };
        let of = |n| {
            let mut first = dataset.clone();
            first.truncate(n);
            (first.images, first.labels, first.sha256)
        };
        let (images, labels, sha256) = of(2);
        assert_eq!((images, labels), (vec![1, 2, 3, 4], vec![2, 0]));
        assert_ne!(sha256, of(1).2);
        assert_eq!(of(7), (dataset.images.clone(), dataset.labels.clone(), String::new()));
    }
}
