//! Labeled images in memory.

use std::fmt;

/// Labeled images, all of one shape. Dimensions: N samples, C channels, H rows, W columns.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// SHA-256, hexadecimal, of the unpacked images file followed by the unpacked labels file.
    pub sha256: String,
}

impl Dataset {
    /// The number of samples, N.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no sample. [`load`](crate::load()) never returns such a data set.
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

    /// The number of samples of each class, in the order of `classes`.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }
}

/// The two parts of a data set. Test data is for the figure that is reported, never for choosing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// What is learned from.
    Train,
    /// What is measured on.
    Test,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
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
}
