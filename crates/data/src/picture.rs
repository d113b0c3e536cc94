//! From a picture file to the bytes that a network reads.
//!
//! Pictures come from anywhere. A file is read whole, at most [`MAX_FILE_LEN`] of it; what it claims to hold is
//! checked against [`MAX_SIDE`] and [`MAX_DECODED_LEN`] before anything is made room for.

use std::fs;
use std::io::{self, Cursor, Read};
use std::panic;
use std::path::Path;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeError, ResizeOptions, Resizer};
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use rayon::prelude::*;

use crate::error::DataError;
use crate::jpeg;

/// Bytes of a file: more than any photograph takes.
pub const MAX_FILE_LEN: u64 = 128 << 20;

/// Rows or columns of a picture.
pub const MAX_SIDE: u32 = 1 << 15;

/// Bytes of an unpacked picture: 89 million pixels in color, more than most cameras have.
pub const MAX_DECODED_LEN: u64 = 256 << 20;

/// A picture as a network reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// C·H·W bytes, row-major: gray, or red, green and blue.
    pub pixels: Vec<u8>,
    /// Width and height before it was fitted, turned upright.
    pub original_size: [u32; 2],
}

/// What keeps a file from being a picture.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message right above a variant says what its fields are")]
pub enum PictureFault {
    /// The file system refused.
    #[error("cannot be read")]
    Io(#[from] io::Error),
    /// A folder, a pipe, a device.
    #[error("is no file")]
    NoFile,
    /// No byte at all.
    #[error("is empty")]
    Empty,
    /// A file that no picture needs.
    #[error("has {len} bytes, more than the {MAX_FILE_LEN} that are read")]
    TooLong { len: u64 },
    /// Not a picture, or of a format that is not read.
    #[error("is neither PNG, JPEG, BMP nor WebP")]
    Format,
    /// A picture of no size, or of one that is not unpacked.
    #[error("claims {width} × {height} pixels, which is not read")]
    Size { width: u32, height: u32 },
    /// So large that its decoder does not begin.
    #[error("claims more pixels than are read")]
    TooLarge,
    /// The end is missing, of a format whose decoder would not say so.
    #[error("is cut off")]
    Cut,
    /// The decoder has a mistake of its own.
    #[error("makes its decoder fail")]
    Decoder,
    /// The decoder failed.
    #[error("is damaged")]
    Damaged(#[from] ImageError),
    /// It could not be resized.
    #[error("cannot be resized")]
    Resize(#[from] ResizeError),
}

/// Reads a picture and fits it to `shape`: channels (1 is gray, 3 is red, green, blue), rows and columns. What the
/// file is, is told by its contents. Photographs are turned upright, what is transparent becomes black, and a picture
/// of another size is resized to H × W, whatever its proportions.
///
/// # Errors
/// [`DataError::Picture`], and [`DataError::Channels`] for other numbers of channels.
pub fn read_picture(path: &Path, shape: [usize; 3]) -> Result<Picture, DataError> {
    check_shape(shape)?;
    fit(path, shape).map_err(|fault| DataError::Picture { path: path.to_owned(), source: Box::new(fault) })
}

/// As [`read_picture`], of a file's bytes, of which there are at most [`MAX_FILE_LEN`].
///
/// # Errors
/// [`DataError::PictureBytes`], and [`DataError::Channels`] for other numbers of channels.
pub fn decode_picture(bytes: &[u8], shape: [usize; 3]) -> Result<Picture, DataError> {
    check_shape(shape)?;
    let len = bytes.len() as u64;
    let fitted = match len {
        0 => Err(PictureFault::Empty),
        len if len > MAX_FILE_LEN => Err(PictureFault::TooLong { len }),
        _ => fit_bytes(bytes, shape),
    };
    fitted.map_err(|fault| DataError::PictureBytes { source: Box::new(fault) })
}

/// As [`read_picture`], many pictures on all cores, in the order of their paths.
///
/// # Errors
/// [`DataError::Channels`]; a picture that cannot be read is an error in its place.
pub fn read_pictures<P: AsRef<Path> + Sync>(
    paths: &[P],
    shape: [usize; 3],
) -> Result<Vec<Result<Picture, DataError>>, DataError> {
    check_shape(shape)?;
    Ok(paths.par_iter().map(|path| read_picture(path.as_ref(), shape)).collect())
}

/// Whether pictures can be fitted to a shape.
pub(crate) fn check_shape([channels, ..]: [usize; 3]) -> Result<(), DataError> {
    match channels {
        1 | 3 => Ok(()),
        _ => Err(DataError::Channels { channels }),
    }
}

/// Whether the file begins as a picture of a format that is read.
pub(crate) fn is_picture(path: &Path) -> bool {
    let mut start = Vec::new();
    let opened = fs::File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    opened.is_ok() && format(&start).is_some()
}

/// As [`read_picture`], of a shape that was checked.
pub(crate) fn fit(path: &Path, shape: [usize; 3]) -> Result<Picture, PictureFault> {
    fit_bytes(&read_file(path)?, shape)
}

fn fit_bytes(bytes: &[u8], shape: [usize; 3]) -> Result<Picture, PictureFault> {
    // One file that brings a decoder down is one picture less, not the end of the program.
    let picture = panic::catch_unwind(|| decode(bytes)).unwrap_or(Err(PictureFault::Decoder))?;
    let original_size = [picture.width(), picture.height()];
    let [channels, height, width] = shape;
    let pixels = match channels {
        1 => resized::<U8>(gray_on_black(&picture), original_size, [width, height])?,
        _ => resized::<U8x3>(color_on_black(&picture), original_size, [width, height])?,
    };
    Ok(Picture { pixels: planes(pixels, channels), original_size })
}

fn read_file(path: &Path) -> Result<Vec<u8>, PictureFault> {
    // Before it is opened: a pipe would keep this program waiting.
    let metadata = fs::metadata(path)?;
    match metadata.len() {
        _ if !metadata.is_file() => return Err(PictureFault::NoFile),
        0 => return Err(PictureFault::Empty),
        len if len > MAX_FILE_LEN => return Err(PictureFault::TooLong { len }),
        _ => {}
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE_LEN).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn format(start: &[u8]) -> Option<ImageFormat> {
    let format = image::guess_format(start).ok()?;
    matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp | ImageFormat::WebP)
        .then_some(format)
}

/// The picture, upright.
fn decode(bytes: &[u8]) -> Result<DynamicImage, PictureFault> {
    let format = format(bytes).ok_or(PictureFault::Format)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // Sizes are checked below, where the message can tell them.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(2 * MAX_DECODED_LEN);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| match error {
        ImageError::Limits(_) => PictureFault::TooLarge,
        error => error.into(),
    })?;
    let (width, height) = decoder.dimensions();
    let is_read = (1..=MAX_SIDE).contains(&width)
        && (1..=MAX_SIDE).contains(&height)
        && decoder.total_bytes() <= MAX_DECODED_LEN;
    if !is_read {
        return Err(PictureFault::Size { width, height });
    }
    if format == ImageFormat::Jpeg && !jpeg::is_whole(bytes) {
        return Err(PictureFault::Cut);
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// What is transparent is black, the background of Fashion-MNIST, whatever color lies there unseen.
fn on_black(value: u8, alpha: u8) -> u8 {
    // At most 255.
    ((u16::from(value) * u16::from(alpha) + 127) / 255) as u8
}

fn gray_on_black(picture: &DynamicImage) -> Vec<u8> {
    match (picture.color().has_color(), picture.color().has_alpha()) {
        (false, false) => picture.to_luma8().into_raw(),
        (false, true) => {
            picture.to_luma_alpha8().pixels().map(|pixel| on_black(pixel.0[0], pixel.0[1])).collect()
        }
        (true, false) => picture.to_rgb8().pixels().map(|pixel| luma(pixel.0)).collect(),
        (true, true) => {
            let flat = |[red, green, blue, alpha]: [u8; 4]| on_black(luma([red, green, blue]), alpha);
            picture.to_rgba8().pixels().map(|pixel| flat(pixel.0)).collect()
        }
    }
}

/// 0.299 · red + 0.587 · green + 0.114 · blue in 65,536ths, rounded (ITU-R BT.601), as Pillow's mode `L` and OpenCV have it: whoever
/// prepares pictures for an exported model in Python gives it the same.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue) + 0x8000) >> 16) as u8
}

fn color_on_black(picture: &DynamicImage) -> Vec<u8> {
    if !picture.color().has_alpha() {
        return picture.to_rgb8().into_raw();
    }
    let pixels = picture.to_rgba8();
    let flat = |[red, green, blue, alpha]: [u8; 4]| [red, green, blue].map(|value| on_black(value, alpha));
    pixels.pixels().flat_map(|pixel| flat(pixel.0)).collect()
}

/// Lanczos keeps edges sharp, and averages over the source's pixels where it shrinks. Sizes are [width, height].
///
/// The kind of pixel is a type: the function that finds it out at run time has code for every kind, which was three
/// quarters of this crate.
fn resized<P: PixelTrait>(pixels: Vec<u8>, from: [u32; 2], to: [usize; 2]) -> Result<Vec<u8>, PictureFault> {
    if from.map(|side| side as usize) == to {
        return Ok(pixels);
    }
    let mut fitted = vec![0; size_of::<P>() * to[0] * to[1]];
    let to = to.map(|side| u32::try_from(side).expect("sizes of a network are at most 2^20"));
    let source = TypedImageRef::<P>::from_buffer(from[0], from[1], &pixels).expect("the pixels of a picture");
    let mut target = TypedImage::<P>::from_buffer(to[0], to[1], &mut fitted).expect("room for the pixels");
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize_typed(&source, &mut target, &options)?;
    Ok(fitted)
}

/// From pixel after pixel to channel after channel.
fn planes(pixels: Vec<u8>, channels: usize) -> Vec<u8> {
    if channels == 1 {
        return pixels;
    }
    let channel = |channel| pixels.iter().skip(channel).step_by(channels).copied();
    (0..channels).flat_map(channel).collect()
}

#[cfg(test)]
mod tests;
