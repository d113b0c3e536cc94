//! Fashion-MNIST: 70,000 pictures of clothes, 28 × 28, gray, ten classes.
//!
//! Xiao, Rasul & Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
//! Algorithms", arXiv:1708.07747 (2017). It was made as a drop-in replacement for MNIST, down to the file
//! names, and so the one is often taken for the other: results near 99 % are MNIST's.

use crate::Split;

/// The name on the command line and of the folder in a cache.
pub const NAME: &str = "fashion-mnist";

/// The name in prose.
pub const TITLE: &str = "Fashion-MNIST";

/// Debian's package.
pub const PACKAGE: &str = "dataset-fashion-mnist";

/// Where Debian's package puts the four files.
pub const SYSTEM_DIR: &str = "/usr/share/datasets/fashion-mnist";

/// The official address; file names follow it.
pub const URL: &str = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";

/// Channels, rows and columns of a picture.
pub const SHAPE: [usize; 3] = [1, 28, 28];

/// What the labels 0 to 9 stand for.
pub const CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// A file of the data set and how to know it.
#[derive(Clone, Copy, Debug)]
pub struct FileSpec<'a> {
    /// Its name when unpacked; `.gz` is added for the packed one.
    pub name: &'a str,
    /// MD5, hexadecimal, of the official packed file. Debian's are packed anew (the same contents without the
    /// file name and time in the gzip header) and have others.
    pub md5: &'a str,
    /// SHA-256, hexadecimal, of the unpacked contents.
    pub sha256: &'a str,
}

/// The four files: train images, train labels, test images, test labels.
pub const FILES: [FileSpec<'static>; 4] = [
    FileSpec {
        name: "train-images-idx3-ubyte",
        md5: "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    FileSpec {
        name: "train-labels-idx1-ubyte",
        md5: "25c81989df183df01b3e8a0aad5dffbe",
        sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    FileSpec {
        name: "t10k-images-idx3-ubyte",
        md5: "bef4ecab320f06d8554ea6380940ec79",
        sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    FileSpec {
        name: "t10k-labels-idx1-ubyte",
        md5: "bb300cfdad3c16e7a12a480ee83cd310",
        sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
];

/// The images file and the labels file of a part; it comes without validation part.
pub const fn split_files(split: Split) -> Option<(FileSpec<'static>, FileSpec<'static>)> {
    match split {
        Split::Train => Some((FILES[0], FILES[1])),
        Split::Validation => None,
        Split::Test => Some((FILES[2], FILES[3])),
    }
}

/// How often MNIST's 60,000 train labels are 0, 1, … 9. Fashion-MNIST has 6000 of each.
const MNIST_TRAIN_COUNTS: [usize; 10] = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];

/// How often MNIST's 10,000 test labels are 0, 1, … 9. Fashion-MNIST has 1000 of each.
const MNIST_TEST_COUNTS: [usize; 10] = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];

/// Whether these are MNIST's labels, of either split, in any order.
pub(crate) fn is_mnist(labels: &[u8]) -> bool {
    let mut counts = [0; 10];
    for &label in labels {
        match counts.get_mut(usize::from(label)) {
            Some(count) => *count += 1,
            None => return false,
        }
    }
    counts == MNIST_TRAIN_COUNTS || counts == MNIST_TEST_COUNTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(counts: [usize; 10]) -> Vec<u8> {
        (0..10_u8).zip(counts).flat_map(|(label, n)| std::iter::repeat_n(label, n)).collect()
    }

    #[test]
    fn mnist_is_known_by_its_counts() {
        assert_eq!(MNIST_TRAIN_COUNTS.iter().sum::<usize>(), 60_000);
        assert_eq!(MNIST_TEST_COUNTS.iter().sum::<usize>(), 10_000);
        assert!(is_mnist(&labels(MNIST_TRAIN_COUNTS)));
        assert!(is_mnist(&labels(MNIST_TEST_COUNTS)));
        assert!(!is_mnist(&labels([6000; 10])));
        assert!(!is_mnist(&[200]));
    }

    #[test]
    fn checksums_have_their_lengths() {
        assert!(FILES.iter().all(|file| file.md5.len() == 32 && file.sha256.len() == 64));
    }
}
