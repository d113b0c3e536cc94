use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{GrayImage, ImageEncoder, LumaA, Rgb, RgbImage, RgbaImage};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::testing::{encoded, png_header};

fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.png");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// From a file, and the same from its bytes alone.
fn read(bytes: &[u8], shape: [usize; 3]) -> Result<Picture, DataError> {
    let (_dir, path) = written(bytes);
    let picture = read_picture(&path, shape);
    match (decode_picture(bytes, shape), &picture) {
        (Ok(decoded), Ok(picture)) => assert_eq!(&decoded, picture),
        (Err(decoding), Err(reading)) => {
            let reading = reading.to_string().replace(&format!(" {}", path.display()), "");
            assert_eq!(decoding.to_string(), reading);
        }
        (decoded, picture) => panic!("{decoded:?} from bytes, {picture:?} from a file"),
    }
    picture
}

fn colors(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(20 * x) as u8, (30 * y) as u8, 200]))
}

#[test]
fn a_gray_picture_of_the_right_size_is_taken_as_it_is() {
    let gray = GrayImage::from_fn(5, 3, |x, y| image::Luma([(50 * x + y) as u8]));
    for format in [ImageFormat::Png, ImageFormat::Bmp] {
        let picture = read(&encoded(&gray.clone().into(), format), [1, 3, 5]).unwrap();
        assert_eq!((picture.pixels, picture.original_size), (gray.clone().into_raw(), [5, 3]));
    }
}

#[test]
fn colors_become_planes_in_every_format() {
    let expected: Vec<u8> = (0..3)
        .flat_map(|channel| colors(4, 2).pixels().map(|pixel| pixel.0[channel]).collect::<Vec<_>>())
        .collect();
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP] {
        let picture = read(&encoded(&colors(4, 2).into(), format), [3, 2, 4]).unwrap();
        assert_eq!(picture.pixels, expected, "{format:?}");
    }
    let jpeg =
        read(&encoded(&RgbImage::from_pixel(8, 8, Rgb([200, 100, 50])).into(), ImageFormat::Jpeg), [3, 8, 8]);
    for (plane, expected) in jpeg.unwrap().pixels.chunks_exact(64).zip([200_u8, 100, 50]) {
        assert!(plane.iter().all(|&pixel| pixel.abs_diff(expected) <= 3), "{plane:?}");
    }
}

#[test]
fn other_sizes_are_fitted() {
    let white = RgbImage::from_pixel(40, 20, Rgb([255; 3]));
    let picture = read(&encoded(&white.into(), ImageFormat::Png), [1, 4, 6]).unwrap();
    assert_eq!((picture.pixels, picture.original_size), (vec![255; 24], [40, 20]));
    // Shrinking averages: black and white stripes, one pixel each, become gray and not either.
    let stripes = GrayImage::from_fn(64, 64, |x, _| image::Luma([if x % 2 == 0 { 255 } else { 0 }]));
    let picture = read(&encoded(&stripes.into(), ImageFormat::Png), [1, 8, 8]).unwrap();
    let inner = picture.pixels.chunks_exact(8).flat_map(|row| &row[1..7]);
    assert!(inner.clone().all(|&pixel| pixel.abs_diff(128) < 6), "{:?}", picture.pixels);
}

/// The values of Pillow's `convert("L")`.
#[test]
fn colors_become_gray_as_in_pillow() {
    let colors = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 100, 50], [255; 3], [1, 2, 3]];
    let color = RgbImage::from_fn(6, 1, |x, _| Rgb(colors[x as usize]));
    let picture = read(&encoded(&color.into(), ImageFormat::Png), [1, 1, 6]).unwrap();
    assert_eq!(picture.pixels, [76, 150, 29, 124, 255, 2]);
    let clear = RgbaImage::from_fn(2, 1, |x, _| image::Rgba([255, 0, 0, if x == 0 { 0 } else { 255 }]));
    let picture = read(&encoded(&clear.into(), ImageFormat::Png), [1, 1, 2]).unwrap();
    assert_eq!(picture.pixels, [0, 76]);
}

#[test]
fn sizes_that_a_decoder_refuses_are_no_damage() {
    for (width, height) in [(536_870_912, 10), (40_000, 10)] {
        let fault = fit_bytes(&png_header(width, height), [1, 4, 4]).unwrap_err();
        assert!(matches!(fault, PictureFault::TooLarge | PictureFault::Size { .. }), "{fault}");
    }
}

#[test]
fn what_is_transparent_is_black() {
    let gray = image::ImageBuffer::from_fn(2, 1, |x, _| LumaA([200_u8, if x == 0 { 0 } else { 255 }]));
    let picture = read(&encoded(&gray.into(), ImageFormat::Png), [1, 1, 2]).unwrap();
    assert_eq!(picture.pixels, [0, 200]);
    let color = RgbaImage::from_fn(2, 1, |x, _| image::Rgba([200, 100, 50, if x == 0 { 0 } else { 128 }]));
    let picture = read(&encoded(&color.into(), ImageFormat::Png), [3, 1, 2]).unwrap();
    assert_eq!(picture.pixels, [0, 100, 0, 50, 0, 25]);
}

/// EXIF with one entry: orientation 6, to be turned by a quarter clockwise.
const TURNED: [u8; 26] =
    [b'I', b'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn photographs_are_turned_upright() {
    let half = GrayImage::from_fn(16, 8, |x, _| image::Luma([if x < 8 { 0 } else { 255 }]));
    let (mut jpeg, mut png) = (vec![], vec![]);
    let mut encoder = JpegEncoder::new(&mut jpeg);
    encoder.set_exif_metadata(TURNED.to_vec()).unwrap();
    half.write_with_encoder(encoder).unwrap();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_exif_metadata(TURNED.to_vec()).unwrap();
    half.write_with_encoder(encoder).unwrap();
    for bytes in [jpeg, png] {
        let picture = read(&bytes, [1, 16, 8]).unwrap();
        assert_eq!(picture.original_size, [8, 16]);
        let (upper, lower) = picture.pixels.split_at(64);
        assert!(
            upper.iter().all(|&pixel| pixel < 9) && lower.iter().all(|&pixel| pixel > 246),
            "{picture:?}"
        );
    }
}

#[test]
fn what_is_no_picture_is_refused_with_its_reason() {
    let png = encoded(&colors(30, 20).into(), ImageFormat::Png);
    let jpeg = encoded(&colors(30, 20).into(), ImageFormat::Jpeg);
    let bmp = encoded(&colors(30, 20).into(), ImageFormat::Bmp);
    let webp = encoded(&colors(30, 20).into(), ImageFormat::WebP);
    let mut bad_sum = png.clone();
    let at = png.windows(4).position(|word| word == b"IDAT").unwrap();
    bad_sum[at + 10] ^= 1;
    let mut no_width = bmp.clone();
    no_width[18..22].fill(0);
    let cases = [
        (vec![], "is empty"),
        (b"hello, I am text".to_vec(), "is neither PNG, JPEG, BMP nor WebP"),
        (b"GIF89a with more".to_vec(), "is neither PNG, JPEG, BMP nor WebP"),
        (png[..png.len() / 2].to_vec(), "is damaged"),
        (bad_sum, "is damaged"),
        (jpeg[..jpeg.len() * 2 / 3].to_vec(), "is cut off"),
        (webp[..webp.len() / 2].to_vec(), "is damaged"),
        (bmp[..bmp.len() / 2].to_vec(), "is damaged"),
        (crate::testing::png_header(40_000, 40_000), "claims 40000 × 40000 pixels"),
        (crate::testing::png_header(20_000, 20_000), "claims 20000 × 20000 pixels"),
    ];
    for (bytes, expected) in cases {
        let message = read(&bytes, [1, 4, 4]).unwrap_err().to_string();
        assert!(message.contains("a.png ") && message.contains(expected), "{message}");
    }
    assert!(read(&no_width, [1, 4, 4]).is_err());
    let dir = tempfile::tempdir().unwrap();
    assert!(read_picture(dir.path(), [1, 4, 4]).unwrap_err().to_string().ends_with("is no file"));
    assert!(
        read_picture(&dir.path().join("none"), [1, 4, 4]).unwrap_err().to_string().contains("cannot be read")
    );
    assert!(matches!(read(&png, [2, 4, 4]), Err(DataError::Channels { channels: 2 })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is done to a picture: a picture of the right size, or an error.
    #[test]
    fn spoiled_pictures_never_panic(
        format in prop::sample::select(vec![
            ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::WebP,
        ]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let mut bytes = encoded(&colors(12, 9).into(), format);
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        match read(&bytes, [3, 5, 7]) {
            Ok(picture) => prop_assert_eq!(picture.pixels.len(), 105),
            Err(error) => prop_assert!(!error.to_string().contains("decoder fail"), "{error}"),
        }
    }
}
