//! Where each pixel comes from: shift, then flip, then rotation.

use std::ops::Range;

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
        let moved = Moved::new(self, dims, from);
        if self.angle == 0.0 {
            moved.copy(to);
        } else {
            moved.rotate(self.angle, to);
        }
    }
}

/// A channel that is shifted and flipped. It is 0 where its source is not in the picture.
struct Moved<'a> {
    dims: [usize; 2],
    from: &'a [u8],
    /// Rows and columns whose source is in the picture.
    rows: Range<isize>,
    columns: Range<isize>,
    /// The source of row `r` is `r + down`, that of column `c` is `right + step · c`.
    down: isize,
    right: isize,
    step: isize,
}

impl<'a> Moved<'a> {
    fn new(geometry: Geometry, dims: [usize; 2], from: &'a [u8]) -> Self {
        let [h, w] = dims.map(|n| n as isize);
        let Geometry { shift: [down, right], flip, .. } = geometry;
        let within = |shift: isize, n: isize| (-shift).clamp(0, n)..(n - shift).clamp(0, n);
        let (rows, columns) = (within(down, h), within(right, w));
        if flip {
            let columns = w - columns.end..w - columns.start;
            return Self { dims, from, rows, columns, down, right: w - 1 + right, step: -1 };
        }
        Self { dims, from, rows, columns, down, right, step: 1 }
    }

    /// Where the source of a pixel lies, whose row and column have one.
    fn source(&self, row: isize, column: isize) -> usize {
        ((row + self.down) * self.dims[1] as isize + self.right + self.step * column) as usize
    }

    fn copy(&self, to: &mut [u8]) {
        let w = self.dims[1];
        let columns = self.columns.start as usize..self.columns.end as usize;
        to.fill(0);
        if columns.is_empty() {
            return;
        }
        for row in self.rows.clone() {
            let to = &mut to[row as usize * w..][columns.clone()];
            let ends = [columns.start, columns.end - 1].map(|column| self.source(row, column as isize));
            to.copy_from_slice(&self.from[ends[0].min(ends[1])..=ends[0].max(ends[1])]);
            if self.step < 0 {
                to.reverse();
            }
        }
    }

    /// Turns around the middle; each pixel is the bilinear mean of the four around its source.
    fn rotate(&self, angle: f64, to: &mut [u8]) {
        let [h, w] = self.dims;
        let radians = angle.to_radians();
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

    /// The value between pixels.
    fn bilinear(&self, row: f32, column: f32) -> u8 {
        let (top, left) = (floor(row), floor(column));
        let (below, beside) = (row - top as f32, column - left as f32);
        let inside = self.rows.contains(&top)
            && self.rows.contains(&(top + 1))
            && self.columns.contains(&left)
            && self.columns.contains(&(left + 1));
        let [a, b, c, d] = if inside {
            let a = self.source(top, left);
            let b = a.wrapping_add_signed(self.step);
            let w = self.dims[1];
            [a, b, a + w, b + w].map(|at| f32::from(self.from[at]))
        } else {
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(i, j)| self.pixel(top + i, left + j))
        };
        let upper = a + beside * (b - a);
        let lower = c + beside * (d - c);
        (upper + below * (lower - upper) + 0.5) as u8
    }

    fn pixel(&self, row: isize, column: isize) -> f32 {
        if self.rows.contains(&row) && self.columns.contains(&column) {
            f32::from(self.from[self.source(row, column)])
        } else {
            0.0
        }
    }
}

/// The largest whole number that is not above `x`, which is small. `f32::floor` is a call where the instruction set of all
/// processors is compiled for.
fn floor(x: f32) -> isize {
    let whole = x as isize;
    if whole as f32 > x { whole - 1 } else { whole }
}
