//! Whether a JPEG file is whole. Its decoder fills what is missing with gray and says nothing.
//!
//! A file is a row of segments, each of two bytes `FF xx` (the marker) and, but for a few, a length of two bytes, big
//! endian, that counts itself. After a start of scan (`DA`) follow the packed pixels to the next marker; a byte `FF`
//! of theirs is written `FF 00`, and restart markers `D0` to `D7` belong to them. The file ends with `FF D9`.
//! Source: ITU-T T.81 (1992), annex B.

const START_OF_SCAN: u8 = 0xda;
const END: u8 = 0xd9;

/// Whether all segments are there to the end marker. What follows it is no matter: cameras add a preview.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    // The start marker.
    let mut at = 2;
    while let Some((marker, after)) = next_marker(bytes, at) {
        at = match marker {
            END => return true,
            // Markers without a length.
            0x01 | 0xd0..=0xd8 => after,
            _ => {
                let Some(&[high, low]) = bytes.get(after..).and_then(<[u8]>::first_chunk) else {
                    return false;
                };
                after + usize::from(u16::from_be_bytes([high, low]))
            }
        };
        if marker == START_OF_SCAN {
            at = end_of_scan(bytes, at);
        }
    }
    false
}

/// The marker at or after `at` and the place behind it.
fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let start = at + bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
    // Any number of FF may stand before a marker.
    let marker = start + bytes[start..].iter().position(|&byte| byte != 0xff)?;
    Some((bytes[marker], marker + 1))
}

/// The place of the first marker after packed pixels, or the end of the file.
fn end_of_scan(bytes: &[u8], mut at: usize) -> usize {
    while let Some((marker, after)) = next_marker(bytes, at) {
        if !matches!(marker, 0x00 | 0xd0..=0xd7) {
            return after - 2;
        }
        at = after;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;

    use super::*;

    #[test]
    fn a_file_is_whole_to_the_last_byte() {
        let mut bytes = vec![];
        let picture = image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([(7 * x) as u8, (5 * y) as u8, 99]));
        picture.write_with_encoder(JpegEncoder::new(&mut bytes)).unwrap();
        assert!(is_whole(&bytes));
        for len in 0..bytes.len() {
            assert!(!is_whole(&bytes[..len]), "{len} of {}", bytes.len());
        }
        assert!(is_whole(&[&bytes[..], b"a preview"].concat()));
    }

    #[test]
    fn segments_may_hold_anything() {
        let segment = [0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9];
        assert!(!is_whole(&segment));
        assert!(is_whole(&[&segment[..], &[0xff, 0xd9]].concat()));
        let scan = [0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 0xff, 0, 0xff, 0xd3, 2];
        assert!(!is_whole(&scan));
        assert!(is_whole(&[&scan[..], &[0xff, 0xff, 0xd9]].concat()));
        assert!(!is_whole(&[0xff, 0xd8, 0xff, 0xe1, 0xff]));
    }
}
