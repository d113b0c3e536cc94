//! Where each pixel comes from: shift, then flip, then rotation.

use rand_core::Rng;
use spec::AugmentSpec;

use super::unit;
use crate::order::below;

/// Of one picture, all channels alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Geometry {
    /// Rows and columns that the source lies further than the target.
    pub(super) shift: [isize; 2],
    pub(super) flip: bool,
    /// Degrees; 0: no rotation.
    pub(super) angle: f64,
}

impl Geometry {
    pub(super) fn draw(spec: &AugmentSpec, rng: &mut impl Rng) -> Self {
        let max = spec.shift as isize;
        // Below the sides of a picture, so far below 2^32.
        let n_shifts = (2 * spec.shift + 1) as u32;
        let [row, column] = [(); 2].map(|()| below(rng, n_shifts) as isize - max);
        let flip = unit(rng) < spec.horizontal_flip;
        let angle = (2.0 * unit(rng) - 1.0) * spec.rotation;
        Self { shift: [row, column], flip, angle }
    }

    /// One channel, `[H][W]`.
    pub(super) fn apply(self, dims: [usize; 2], from: &[u8], to: &mut [u8]) {
        let moved = Moved { geometry: self, dims, from };
        if self.angle == 0.0 {
            moved.copy(to);
        } else {
            moved.rotate(to);
        }
    }
}

/// A channel that is shifted and flipped.
struct Moved<'a> {
    geometry: Geometry,
    dims: [usize; 2],
    from: &'a [u8],
}

impl Moved<'_> {
    fn copy(&self, to: &mut [u8]) {
        let [_, w] = self.dims;
        let [_, right] = self.geometry.shift;
        // Columns of the target whose source is in the picture.
        let start = right.min(0).unsigned_abs().min(w);
        let end = w - right.max(0).unsigned_abs().min(w);
        for (row, to) in to.chunks_exact_mut(w).enumerate() {
            to.fill(0);
            if let Some(from) = self.source_row(row) {
                let columns = start.saturating_add_signed(right)..end.saturating_add_signed(right);
                to[start..end].copy_from_slice(&from[columns]);
                if self.geometry.flip {
                    to.reverse();
                }
            }
        }
    }

    /// The row of the source that a row comes from.
    fn source_row(&self, row: usize) -> Option<&[u8]> {
        let [h, w] = self.dims;
        let row = row.checked_add_signed(self.geometry.shift[0]).filter(|&row| row < h)?;
        Some(&self.from[row * w..(row + 1) * w])
    }

    /// Turns around the middle; each pixel is the bilinear mean of the four around its source.
    fn rotate(&self, to: &mut [u8]) {
        let [h, w] = self.dims;
        let radians = self.geometry.angle.to_radians();
        let (sin, cos) = (libm::sin(radians) as f32, libm::cos(radians) as f32);
        let [middle_row, middle_column] = [h, w].map(|n| (n as f32 - 1.0) / 2.0);
        for (row, to) in to.chunks_exact_mut(w).enumerate() {
            let down = row as f32 - middle_row;
            for (column, to) in to.iter_mut().enumerate() {
                let right = column as f32 - middle_column;
                let from_row = cos * down - sin * right + middle_row;
                let from_column = sin * down + cos * right + middle_column;
                *to = self.bilinear(from_row, from_column);
            }
        }
    }

    /// The value between pixels; behind the border they are 0.
    fn bilinear(&self, row: f32, column: f32) -> u8 {
        let (top, left) = (row.floor(), column.floor());
        let (below, beside) = (row - top, column - left);
        let (top, left) = (top as isize, left as isize);
        let [a, b, c, d] = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(i, j)| self.pixel(top + i, left + j));
        let upper = a + beside * (b - a);
        let lower = c + beside * (d - c);
        (upper + below * (lower - upper) + 0.5) as u8
    }

    fn pixel(&self, row: isize, column: isize) -> f32 {
        let [h, w] = self.dims;
        let Geometry { shift: [down, right], flip, .. } = self.geometry;
        if !(0..h as isize).contains(&row) || !(0..w as isize).contains(&column) {
            return 0.0;
        }
        let column = if flip { w as isize - 1 - column } else { column };
        let (row, column) = (row + down, column + right);
        if !(0..h as isize).contains(&row) || !(0..w as isize).contains(&column) {
            return 0.0;
        }
        f32::from(self.from[row as usize * w + column as usize])
    }
}
