use std::path::Path;

use super::*;
use crate::testing::{gzip, images, labels};

fn read<const D: usize>(bytes: &[u8]) -> Result<([usize; D], Vec<u8>), DataError> {
    let mut contents = Contents::new(Path::new("some-file"), bytes.len() as u64, bytes)?;
    let header = Header::<D>::read(&mut contents)?;
    read_elements(&mut contents, &header).map(|elements| (header.dims, elements))
}

#[test]
fn images_and_labels_are_read_plain_and_packed() {
    let (images, labels) = (images(3, 2, 4), labels(&[9, 0, 5]));
    let pixels: Vec<u8> = (0..24).collect();
    for pack in [<[u8]>::to_vec, gzip] {
        assert_eq!(read::<3>(&pack(&images)).unwrap(), ([3, 2, 4], pixels.clone()));
        assert_eq!(read::<1>(&pack(&labels)).unwrap(), ([3], vec![9, 0, 5]));
    }
}

/// More than one chunk, and not a whole number of them.
#[test]
fn long_files_are_read_whole() {
    let images = images(1000, 28, 28);
    assert_eq!(read::<3>(&gzip(&images)).unwrap().1, images[16..]);
    assert_eq!(read::<3>(&images).unwrap().1, images[16..]);
}

#[test]
fn ill_formed_files_are_refused_with_offset_and_reason() {
    let whole = images(2, 2, 2);
    let sizes = |sizes: [u32; 3]| header_bytes(&sizes);
    let overflow = [u32::MAX; 3];
    let cases = [
        (b"".to_vec(), 0, Fault::Empty),
        (b"<htm".to_vec(), 0, Fault::Magic { found: 0x3c68_746d, expected: 0x0803 }),
        (vec![0, 0, 0x0d, 3], 2, Fault::ElementType { found: 0x0d, expected: 0x08 }),
        (labels(&[1, 2]), 3, Fault::Dimensions { found: 1, expected: 3 }),
        (whole[..3].to_vec(), 3, Fault::Truncated { expected: 16, found: 3 }),
        (whole[..14].to_vec(), 14, Fault::Truncated { expected: 16, found: 14 }),
        (whole[..16].to_vec(), 16, Fault::Truncated { expected: 24, found: 16 }),
        (whole[..23].to_vec(), 23, Fault::Truncated { expected: 24, found: 23 }),
        ([&whole[..], b"\0"].concat(), 24, Fault::TooLong { expected: 24 }),
        (sizes([0, 28, 28]), 4, Fault::NoSamples),
        (sizes([1, 0, 28]), 8, Fault::ZeroDimension { dimension: 1 }),
        (sizes([1, 28, 0]), 12, Fault::ZeroDimension { dimension: 2 }),
        (sizes(overflow), 4, Fault::Overflow { dims: overflow.to_vec() }),
        (sizes([1 << 31, 1 << 30, 4]), 4, Fault::Overflow { dims: vec![1 << 31, 1 << 30, 4] }),
    ];
    for (bytes, offset, fault) in cases {
        let packed = gzip(&bytes);
        // An empty file is not gzip, and a gzip stream of nothing is a header cut off at byte 0.
        let ways = if bytes.is_empty() { vec![bytes] } else { vec![bytes, packed] };
        for bytes in ways {
            match read::<3>(&bytes).unwrap_err() {
                DataError::Format { file, offset: found, fault: reason } => {
                    assert_eq!(
                        (file.as_path(), found, reason),
                        (Path::new("some-file"), offset, fault.clone())
                    );
                }
                other => panic!("{other:?} for {fault:?}"),
            }
        }
    }
}

#[test]
fn messages_say_file_offset_and_numbers() {
    let message = |bytes: &[u8]| read::<3>(bytes).unwrap_err().to_string();
    let truncated = "some-file: byte 20: truncated: the header asks for 24 bytes in all, found 20";
    assert_eq!(message(&images(2, 2, 2)[..20]), truncated);
    assert_eq!(message(&labels(&[1])), "some-file: byte 3: 1 dimensions, expected 3");
    let magic = "some-file: byte 0: no IDX file: it starts with 0x25504446, expected 0x00000803";
    assert_eq!(message(b"%PDF-1.4"), magic);
}

/// A header that promises 2^62 bytes costs no more memory than the file can hold: it would abort the test
/// otherwise.
#[test]
fn a_lying_header_allocates_nothing() {
    let lie = [header_bytes(&[1 << 31, 1 << 16, 1 << 15]), vec![7; 100]].concat();
    for bytes in [lie.clone(), gzip(&lie)] {
        match read::<3>(&bytes).unwrap_err() {
            DataError::Format { offset: 116, fault: Fault::Truncated { expected, found: 116 }, .. } => {
                assert_eq!(expected, (1 << 62) + 16);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_gzip_stream_cut_anywhere_is_an_error() {
    let packed = gzip(&images(4, 3, 3));
    for len in 2..packed.len() {
        match read::<3>(&packed[..len]).unwrap_err() {
            DataError::GzipTruncated { offset, .. } => assert!(offset <= len as u64),
            other => panic!("{other:?} at {len}"),
        }
    }
}

/// No byte matters less than another, but for the header's time, flags and system (4 to 9).
#[test]
fn a_gzip_stream_with_a_flipped_byte_is_an_error() {
    let packed = gzip(&images(4, 3, 3));
    for flipped in (0..packed.len()).filter(|at| !(4..10).contains(at)) {
        let mut packed = packed.clone();
        packed[flipped] ^= 0xff;
        let error = read::<3>(&packed).unwrap_err();
        assert!(!matches!(error, DataError::Io { .. }), "{error:?} at {flipped}");
    }
}

#[test]
fn a_wrong_gzip_checksum_keeps_its_cause() {
    let mut packed = gzip(&images(4, 3, 3));
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    let error = read::<3>(&packed).unwrap_err();
    assert!(matches!(error, DataError::GzipCorrupt { .. }), "{error:?}");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("checksum"));
}

#[test]
fn what_follows_a_gzip_stream_is_an_error() {
    let packed = gzip(&images(4, 3, 3));
    for garbage in [&b"\0"[..], &packed] {
        let error = read::<3>(&[&packed[..], garbage].concat()).unwrap_err();
        assert!(
            matches!(error, DataError::GzipTrailing { offset, .. } if offset == packed.len() as u64),
            "{error:?}"
        );
    }
}
