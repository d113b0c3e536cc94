//! A picture of pictures: a row for each class, with the first pictures of each.

use data::Dataset;
use image::{Rgb, RgbImage};

/// Pictures in a row.
const N_COLUMNS: usize = 10;
/// Pixels between pictures.
const GAP: usize = 2;
/// Pictures smaller than this are enlarged by a whole number.
const MIN_SIDE: usize = 48;
/// Rows or columns of a sheet: beyond it, many programs show no picture.
const MAX_SIDE: usize = 1 << 16;
/// Of a sheet, which are three bytes each: 384 MiB.
const MAX_PIXELS: usize = 1 << 27;
const BACKGROUND: Rgb<u8> = Rgb([255; 3]);
/// In the place of a picture that is not there.
const EMPTY: Rgb<u8> = Rgb([230; 3]);

/// Draws the sheet. Beside it: of how many rows and columns of a picture it shows one.
pub(crate) fn draw(dataset: &Dataset) -> (RgbImage, usize) {
    let (shape, n_classes) = (dataset.shape, dataset.classes.len());
    let scale @ Scale { step, zoom } = Scale::of(shape, n_classes);
    let [channels, _, width] = shape;
    let [sheet_height, sheet_width] = scale.sheet(shape, n_classes);
    let [cell_height, cell_width] = scale.cell(shape);
    let mut sheet = RgbImage::from_pixel(sheet_width as u32, sheet_height as u32, BACKGROUND);
    for (row, samples) in first_of_each_class(dataset).into_iter().enumerate() {
        for column in 0..N_COLUMNS {
            let picture = samples.get(column).map(|&idx| dataset.image(idx));
            let (left, top) = (GAP + column * cell_width, GAP + row * cell_height);
            for y in 0..cell_height - GAP {
                for x in 0..cell_width - GAP {
                    let at = y / zoom * step * width + x / zoom * step;
                    let color = picture.map_or(EMPTY, |pixels| color(pixels, channels, at));
                    sheet.put_pixel((left + x) as u32, (top + y) as u32, color);
                }
            }
        }
    }
    (sheet, step)
}

/// How pictures are enlarged or thinned; one of both is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    /// Of so many rows and columns one is shown.
    step: usize,
    /// A pixel becomes as many rows and columns.
    zoom: usize,
}

impl Scale {
    /// The largest with which the sheet is not too large, but no larger than it need be.
    fn of(shape: [usize; 3], n_classes: usize) -> Self {
        let wanted = MIN_SIDE.div_ceil(shape[1].min(shape[2])).max(1);
        let enlarged = (1..=wanted).rev().map(|zoom| Self { step: 1, zoom });
        let thinned = (2..).map(|step| Self { step, zoom: 1 });
        let fits = |scale: &Self| {
            let [height, width] = scale.sheet(shape, n_classes);
            height.max(width) <= MAX_SIDE && height * width <= MAX_PIXELS
        };
        enlarged.chain(thinned).find(fits).expect("256 rows of pictures of one pixel fit")
    }

    /// Rows and columns of a picture and the gap behind it.
    fn cell(self, [_, height, width]: [usize; 3]) -> [usize; 2] {
        [height, width].map(|side| side.div_ceil(self.step) * self.zoom + GAP)
    }

    /// Rows and columns of the sheet.
    fn sheet(self, shape: [usize; 3], n_classes: usize) -> [usize; 2] {
        let [height, width] = self.cell(shape);
        [height * n_classes + GAP, width * N_COLUMNS + GAP]
    }
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
        let (sheet, step) = draw(&dataset);
        assert_eq!(step, 1);
        assert_eq!(sheet.dimensions(), (10 * 98 + 2, 2 * 50 + 2));
        assert_eq!(sheet.get_pixel(0, 0), &BACKGROUND);
        assert_eq!(sheet.get_pixel(2, 2), &Rgb([7, 9, 11]));
        assert_eq!(sheet.get_pixel(97, 49), &Rgb([8, 10, 12]));
        assert_eq!(sheet.get_pixel(100, 2), &EMPTY);
        assert_eq!(sheet.get_pixel(100, 52), &Rgb([13, 15, 17]));
    }

    #[test]
    fn what_would_be_too_large_is_enlarged_less_and_then_thinned() {
        let cases = [
            ([1, 28, 28], 256, Scale { step: 1, zoom: 2 }),
            ([1, 1, 300], 10, Scale { step: 1, zoom: 21 }),
            ([3, 40, 40], 256, Scale { step: 1, zoom: 2 }),
            ([1, 300, 1], 256, Scale { step: 2, zoom: 1 }),
            ([3, 256, 256], 256, Scale { step: 2, zoom: 1 }),
            ([3, 6000, 6000], 10, Scale { step: 6, zoom: 1 }),
            ([1, 1, 1 << 20], 256, Scale { step: 161, zoom: 1 }),
        ];
        for (shape, n_classes, expected) in cases {
            assert_eq!(Scale::of(shape, n_classes), expected, "{shape:?}");
        }
    }

    #[test]
    fn a_thinned_picture_keeps_its_corner() {
        let images = (0..7000 * 3).map(|at| (at / 7000 * 100 + at % 2) as u8).collect();
        let dataset = Dataset {
            name: "long".into(),
            shape: [1, 3, 7000],
            images,
            labels: vec![0],
            classes: vec!["a".into()],
            sha256: String::new(),
        };
        let (sheet, step) = draw(&dataset);
        assert_eq!((step, sheet.dimensions()), (2, (10 * 3502 + 2, 2 + 4)));
        assert_eq!([2, 3].map(|y| sheet.get_pixel(3501, y).0[0]), [0, 200]);
        assert_eq!(sheet.get_pixel(3502, 2), &BACKGROUND);
    }
}
