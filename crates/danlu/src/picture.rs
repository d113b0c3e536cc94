//! From a picture file to the bytes that a network reads.

use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageReader};

use crate::error::CliError;

/// The picture in gray, `height` rows of `width` pixels, row after row.
pub(crate) fn read(path: &Path, height: usize, width: usize) -> Result<Vec<u8>, CliError> {
    let picture = decode(path).map_err(|source| CliError::Picture { path: path.to_owned(), source })?;
    let size = |n: usize| u32::try_from(n).expect("sizes of a network are at most 2^20");
    let gray = on_black(&picture);
    if (gray.height(), gray.width()) == (size(height), size(width)) {
        return Ok(gray.into_raw());
    }
    // Lanczos keeps edges sharp, and averages over the source's pixels where it shrinks.
    Ok(imageops::resize(&gray, size(width), size(height), FilterType::Lanczos3).into_raw())
}

/// What the file is, is told by its contents; photographs are turned upright.
fn decode(path: &Path) -> Result<DynamicImage, ImageError> {
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Gray; what is transparent is black, the background of Fashion-MNIST, whatever color lies there unseen.
fn on_black(picture: &DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.to_luma8();
    }
    let picture = picture.to_luma_alpha8();
    let pixel = |x, y| {
        let [gray, alpha] = picture.get_pixel(x, y).0.map(u16::from);
        // At most 255.
        image::Luma([((gray * alpha + 127) / 255) as u8])
    };
    GrayImage::from_fn(picture.width(), picture.height(), pixel)
}

#[cfg(test)]
mod tests {
    use image::{LumaA, RgbImage};

    use super::*;

    #[test]
    fn a_gray_picture_of_the_right_size_is_taken_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let gray = GrayImage::from_fn(5, 3, |x, y| image::Luma([(50 * x + y) as u8]));
        gray.save(&path).unwrap();
        assert_eq!(read(&path, 3, 5).unwrap(), gray.into_raw());
    }

    #[test]
    fn colors_sizes_and_misleading_names_are_no_matter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("white.jpeg");
        let white = RgbImage::from_pixel(40, 20, image::Rgb([255; 3]));
        white.save_with_format(&path, image::ImageFormat::Png).unwrap();
        assert_eq!(read(&path, 4, 4).unwrap(), [255; 16]);
    }

    #[test]
    fn what_is_transparent_is_black() {
        let picture = image::ImageBuffer::from_fn(2, 1, |x, _| LumaA([200_u8, if x == 0 { 0 } else { 255 }]));
        assert_eq!(on_black(&DynamicImage::ImageLumaA8(picture)).into_raw(), [0, 200]);
    }

    #[test]
    fn what_is_no_picture_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        assert!(read(&path, 2, 2).is_err());
        std::fs::write(&path, "hello").unwrap();
        let message = read(&path, 2, 2).unwrap_err().one_line();
        assert!(message.contains("a.png"), "{message}");
        assert!(read(dir.path(), 2, 2).is_err());
    }
}
