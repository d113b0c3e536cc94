//! From the files of a folder to a data set in memory, checked.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::contents::Contents;
use crate::error::DataError;
use crate::fashion_mnist::{self, CLASSES, FILES, FileSpec, NAME};
use crate::folder::{check_folder, find_file};
use crate::idx::{self, Header};
use crate::{Dataset, Split};

/// What a folder may hold. MNIST is refused either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Any images and labels below 10 in the right format: for a folder that the user named.
    WellFormed,
    /// Exactly Fashion-MNIST, by SHA-256: for the cache and the system's folder.
    Exact,
}

/// Reads one split of the data set in `dir`: its images and its labels, each from `NAME` or, if there is
/// none, `NAME.gz`. Whether a file is packed is told by its content.
///
/// Memory: the split's unpacked size and a megabyte; packed files are unpacked as they are read.
///
/// # Errors
/// A missing, unreadable, damaged or ill-formed file, images and labels that do not belong together, MNIST's
/// files, test images of another shape than the train images beside them (when there are any), and with
/// [`Strictness::Exact`] whatever is not Fashion-MNIST.
pub fn load(dir: &Path, split: Split, strictness: Strictness) -> Result<Dataset, DataError> {
    read(dir, split, strictness).map_err(|error| match strictness {
        Strictness::Exact if error.is_damage() => {
            DataError::Damaged { dir: dir.to_owned(), source: Box::new(error) }
        }
        _ => error,
    })
}

fn read(dir: &Path, split: Split, strictness: Strictness) -> Result<Dataset, DataError> {
    check_folder(dir)?;
    let (images_spec, labels_spec) = fashion_mnist::split_files(split);
    let labels = IdxFile::<1>::load(&find_file(dir, labels_spec.name)?)?;
    check_labels(dir, &labels)?;
    let images = IdxFile::<3>::load(&find_file(dir, images_spec.name)?)?;
    check_counts(&images, &labels)?;
    if strictness == Strictness::Exact {
        images.check_exact(&images_spec)?;
        labels.check_exact(&labels_spec)?;
    }
    let [_, rows, columns] = images.header.dims;
    let shape = [1, rows, columns];
    if split == Split::Test {
        check_same_shape(dir, &images.file, shape)?;
    }
    Ok(Dataset {
        name: NAME.to_owned(),
        shape,
        sha256: joint_sha256(images.hasher, &labels),
        images: images.elements,
        labels: labels.elements,
        classes: CLASSES.map(String::from).to_vec(),
    })
}

/// A whole IDX file: D sizes, their product of elements, and the SHA-256 of both.
struct IdxFile<const D: usize> {
    file: PathBuf,
    header: Header<D>,
    elements: Vec<u8>,
    hasher: Sha256,
}

impl<const D: usize> IdxFile<D> {
    fn load(file: &Path) -> Result<Self, DataError> {
        let mut contents = Contents::open(file)?;
        let header = Header::read(&mut contents)?;
        let elements = idx::read_elements(&mut contents, &header)?;
        Ok(Self { file: file.to_owned(), header, elements, hasher: contents.into_hasher() })
    }

    fn check_exact(&self, spec: &FileSpec<'_>) -> Result<(), DataError> {
        let found = hex(&self.hasher.clone().finalize());
        if found == spec.sha256 {
            return Ok(());
        }
        Err(DataError::NotExact { file: self.file.clone(), found, expected: spec.sha256.to_owned() })
    }
}

/// The hash of the images file followed by the labels file goes on where the images' own stopped, so that 47
/// MB are not hashed twice.
fn joint_sha256(images: Sha256, labels: &IdxFile<1>) -> String {
    let n_labels = u32::try_from(labels.elements.len()).expect("the header's sizes are 32 bits wide");
    hex(&images.chain_update(idx::header_bytes(&[n_labels])).chain_update(&labels.elements).finalize())
}

fn check_labels(dir: &Path, labels: &IdxFile<1>) -> Result<(), DataError> {
    let n_classes = CLASSES.len();
    if let Some(idx) = labels.elements.iter().position(|&label| usize::from(label) >= n_classes) {
        return Err(DataError::LabelOutOfRange {
            file: labels.file.clone(),
            offset: (Header::<1>::LEN + idx) as u64,
            idx,
            value: labels.elements[idx],
            n_classes,
        });
    }
    if fashion_mnist::is_mnist(&labels.elements) {
        return Err(DataError::Mnist { file: labels.file.clone(), dir: dir.to_owned() });
    }
    Ok(())
}

fn check_counts(images: &IdxFile<3>, labels: &IdxFile<1>) -> Result<(), DataError> {
    let ([n_images, ..], [n_labels]) = (images.header.dims, labels.header.dims);
    if n_images == n_labels {
        return Ok(());
    }
    let (images, labels) = (images.file.clone(), labels.file.clone());
    Err(DataError::CountsDiffer { images, n_images, labels, n_labels })
}

/// Only the header of the train images is read. A folder with nothing but test files is fine: a trained model
/// can be measured on it.
fn check_same_shape(dir: &Path, test: &Path, test_shape: [usize; 3]) -> Result<(), DataError> {
    let train = match find_file(dir, FILES[0].name) {
        Ok(train) => train,
        Err(DataError::MissingFiles { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let [_, rows, columns] = Header::<3>::read(&mut Contents::open(&train)?)?.dims;
    let train_shape = [1, rows, columns];
    if test_shape == train_shape {
        return Ok(());
    }
    Err(DataError::ShapesDiffer { test: test.to_owned(), test_shape, train, train_shape })
}

#[cfg(test)]
mod tests;
