//! A picture of pictures: a row for each class, with the first pictures of each.

use data::Dataset;
use image::{Rgb, RgbImage};

/// Pictures in a row.
const N_COLUMNS: usize = 10;
/// Pixels between pictures.
const GAP: u32 = 2;
/// Pictures smaller than this are enlarged by a whole number.
const MIN_SIDE: u32 = 48;
const BACKGROUND: Rgb<u8> = Rgb([255; 3]);
/// In the place of a picture that is not there.
const EMPTY: Rgb<u8> = Rgb([230; 3]);

/// Draws the sheet. `None`: it would be larger than any program shows.
pub(crate) fn draw(dataset: &Dataset) -> Option<RgbImage> {
    let [channels, height, width] = dataset.shape;
    let [height, width] = [u32::try_from(height).ok()?, u32::try_from(width).ok()?];
    let zoom = MIN_SIDE.div_ceil(height.min(width)).max(1);
    let [cell_height, cell_width] = [height, width].map(|side| side.checked_mul(zoom)?.checked_add(GAP));
    let (cell_height, cell_width) = (cell_height?, cell_width?);
    let sheet_width = cell_width.checked_mul(N_COLUMNS as u32)?.checked_add(GAP)?;
    let sheet_height = cell_height.checked_mul(dataset.classes.len() as u32)?.checked_add(GAP)?;
    if sheet_width.max(sheet_height) > 1 << 16 {
        return None;
    }
    let mut sheet = RgbImage::from_pixel(sheet_width, sheet_height, BACKGROUND);
    for (row, samples) in first_of_each_class(dataset).into_iter().enumerate() {
        for column in 0..N_COLUMNS {
            let picture = samples.get(column).map(|&idx| dataset.image(idx));
            let (left, top) = (GAP + column as u32 * cell_width, GAP + row as u32 * cell_height);
            for y in 0..height * zoom {
                for x in 0..width * zoom {
                    let at = ((y / zoom) * width + x / zoom) as usize;
                    let color = picture.map_or(EMPTY, |pixels| color(pixels, channels, at));
                    sheet.put_pixel(left + x, top + y, color);
                }
            }
        }
    }
    Some(sheet)
}

fn first_of_each_class(dataset: &Dataset) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); dataset.classes.len()];
    for (idx, &label) in dataset.labels.iter().enumerate() {
        let row = &mut rows[usize::from(label)];
        if row.len() < N_COLUMNS {
            row.push(idx);
        }
    }
    rows
}

/// The pixel at a place of a plane; gray has one plane.
fn color(pixels: &[u8], channels: usize, at: usize) -> Rgb<u8> {
    let plane_len = pixels.len() / channels;
    Rgb([0, 1, 2].map(|channel: usize| pixels[channel.min(channels - 1) * plane_len + at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_rows_and_samples_columns() {
        let dataset = Dataset {
            name: "some".into(),
            shape: [3, 1, 2],
            images: (1..=18).collect(),
            labels: vec![1, 0, 1],
            classes: ["a", "b"].map(String::from).to_vec(),
            sha256: String::new(),
        };
        let sheet = draw(&dataset).unwrap();
        assert_eq!(sheet.dimensions(), (10 * 98 + 2, 2 * 50 + 2));
        assert_eq!(sheet.get_pixel(0, 0), &BACKGROUND);
        assert_eq!(sheet.get_pixel(2, 2), &Rgb([7, 9, 11]));
        assert_eq!(sheet.get_pixel(97, 49), &Rgb([8, 10, 12]));
        assert_eq!(sheet.get_pixel(100, 2), &EMPTY);
        assert_eq!(sheet.get_pixel(100, 52), &Rgb([13, 15, 17]));
    }
}
