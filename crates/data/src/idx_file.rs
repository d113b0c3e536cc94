//! A whole IDX file in memory, with its hash.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::contents::Contents;
use crate::error::DataError;
use crate::fashion_mnist::FileSpec;
use crate::idx::{self, Header};

/// D sizes, their product of elements, and the SHA-256 of both.
#[derive(Clone, Debug)]
pub(crate) struct IdxFile<const D: usize> {
    pub(crate) file: PathBuf,
    pub(crate) header: Header<D>,
    pub(crate) elements: Vec<u8>,
    pub(crate) hasher: Sha256,
}

impl<const D: usize> IdxFile<D> {
    pub(crate) fn load(file: &Path) -> Result<Self, DataError> {
        let mut contents = Contents::open(file)?;
        let header = Header::read(&mut contents)?;
        let elements = idx::read_elements(&mut contents, &header)?;
        Ok(Self { file: file.to_owned(), header, elements, hasher: contents.into_hasher() })
    }

    /// SHA-256 of the unpacked file, hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        hex(&self.hasher.clone().finalize())
    }

    pub(crate) fn check_exact(&self, spec: &FileSpec<'_>) -> Result<(), DataError> {
        let found = self.sha256();
        if found == spec.sha256 {
            return Ok(());
        }
        Err(DataError::NotExact { file: self.file.clone(), found, expected: spec.sha256.to_owned() })
    }
}

/// Only the header of a file.
pub(crate) fn read_header<const D: usize>(file: &Path) -> Result<Header<D>, DataError> {
    Header::read(&mut Contents::open(file)?)
}
