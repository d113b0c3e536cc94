//! The IDX format of MNIST and its relatives.
//!
//! ```text
//! byte 0, 1   zero
//! byte 2      element type; 0x08 is unsigned bytes, the only one here
//! byte 3      number of dimensions D
//! byte 4…     D sizes, 4 bytes each, big endian; the first is the number of samples N
//! then        the elements, row-major, to the end of the file
//! ```
//! Source: LeCun, Cortes & Burges, "The MNIST database of handwritten digits" (1998).

use std::io::BufRead;

use crate::contents::Contents;
use crate::error::{DataError, Fault};

const UNSIGNED_BYTE: u8 = 0x08;

/// The D sizes that a header states, none of them zero, their product addressable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header<const D: usize> {
    pub(crate) dims: [usize; D],
}

impl<const D: usize> Header<D> {
    /// Length in bytes of a header with D dimensions.
    pub(crate) const LEN: usize = 4 + 4 * D;

    /// Reads and checks a header.
    pub(crate) fn read(contents: &mut Contents<impl BufRead>) -> Result<Self, DataError> {
        let magic: [u8; 4] = word(contents, Self::LEN)?;
        check_magic(magic, D).map_err(|(offset, fault)| at(contents, offset, fault))?;
        let mut sizes = [0; D];
        for size in &mut sizes {
            *size = u32::from_be_bytes(word(contents, Self::LEN)?);
        }
        check_sizes(sizes).map_err(|(offset, fault)| at(contents, offset, fault))
    }

    /// The number of elements. It fits: [`Header::read`] checked the product.
    fn n_elements(&self) -> usize {
        self.dims.iter().product()
    }
}

/// Reads the elements that follow a header and checks that nothing follows them.
pub(crate) fn read_elements<const D: usize>(
    contents: &mut Contents<impl BufRead>,
    header: &Header<D>,
) -> Result<Vec<u8>, DataError> {
    let elements = contents.read_vec(header.n_elements())?;
    let expected = (Header::<D>::LEN as u64).saturating_add(header.n_elements() as u64);
    let found = contents.offset();
    if found < expected {
        return Err(at(contents, found, Fault::Truncated { expected, found }));
    }
    if !contents.has_ended()? {
        return Err(at(contents, expected, Fault::TooLong { expected }));
    }
    Ok(elements)
}

/// The bytes of a header with those sizes.
pub(crate) fn header_bytes(sizes: &[u32]) -> Vec<u8> {
    let n_dims = u8::try_from(sizes.len()).expect("IDX has at most 255 dimensions");
    let magic = [0, 0, UNSIGNED_BYTE, n_dims];
    magic.into_iter().chain(sizes.iter().flat_map(|size| size.to_be_bytes())).collect()
}

/// As [`header_bytes`], of sizes in memory.
///
/// # Panics
/// If one does not fit 32 bits; no data set that fits memory comes near.
pub(crate) fn header_of(sizes: &[usize]) -> Vec<u8> {
    let narrow = |&size| u32::try_from(size).expect("a data set has sizes below 2^32");
    header_bytes(&sizes.iter().map(narrow).collect::<Vec<_>>())
}

fn word(contents: &mut Contents<impl BufRead>, header_len: usize) -> Result<[u8; 4], DataError> {
    let mut word = [0; 4];
    if contents.read(&mut word)? < word.len() {
        let found = contents.offset();
        return Err(at(contents, found, Fault::Truncated { expected: header_len as u64, found }));
    }
    Ok(word)
}

fn check_magic(magic: [u8; 4], n_dims: usize) -> Result<(), (u64, Fault)> {
    match magic {
        [0, 0, UNSIGNED_BYTE, found] if usize::from(found) == n_dims => Ok(()),
        [0, 0, UNSIGNED_BYTE, found] => Err((3, Fault::Dimensions { found, expected: n_dims })),
        [0, 0, found, _] => Err((2, Fault::ElementType { found, expected: UNSIGNED_BYTE })),
        _ => {
            let expected = u32::from(UNSIGNED_BYTE) << 8 | n_dims as u32;
            Err((0, Fault::Magic { found: u32::from_be_bytes(magic), expected }))
        }
    }
}

fn check_sizes<const D: usize>(sizes: [u32; D]) -> Result<Header<D>, (u64, Fault)> {
    if let Some(dimension) = sizes.iter().position(|&size| size == 0) {
        let fault = if dimension == 0 { Fault::NoSamples } else { Fault::ZeroDimension { dimension } };
        return Err((4 + 4 * dimension as u64, fault));
    }
    let product = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size as usize));
    match product {
        Some(len) if isize::try_from(len).is_ok() => Ok(Header { dims: sizes.map(|size| size as usize) }),
        _ => Err((4, Fault::Overflow { dims: sizes.to_vec() })),
    }
}

fn at<R: BufRead>(contents: &Contents<R>, offset: u64, fault: Fault) -> DataError {
    DataError::Format { file: contents.file().to_owned(), offset, fault }
}

#[cfg(test)]
mod tests;
