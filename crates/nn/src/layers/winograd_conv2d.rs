//! A convolution with fewer multiplications: tiles of outputs from products at points (Winograd's minimal filtering).
//!
//! ```text
//! y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A     for each tile of M × M outputs, ⊙ summed over channels
//! ```
//!
//! The two axes are apart: `points` has the transforms along one, `maps` and `filters` take them through maps and filters,
//! and `products` is what is left of the multiplications, a matrix product at each point. Samples in lanes need no
//! rearrangement for any of this. A 3 × 3 filter takes 36 products for 16 outputs instead of 144, one of 5 × 5 takes 64
//! instead of 400. Gradients are the transposed steps in turned order, which is exact.
//!
//! Lavin & Gray 2015 (arXiv 1509.09308); the points and what they cost in rounding: docs/design/winograd.md.

mod filters;
mod maps;
mod points;
mod products;
#[cfg(test)]
mod tests;

use lanes::{Lane, Scalar};
use spec::{Conv2dSpec, Pair};

pub(crate) use self::filters::{Filters, KnownValues};
use self::maps::{
    InputLines, InputLinesBack, InputValues, InputValuesBack, Lines, OutputLines, OutputLinesBack,
    OutputValues, OutputValuesBack, Values,
};
use self::points::Points;
use self::products::Products;
use super::conv2d::bias_gradient;
use crate::gradient::Sum;
use crate::tiles::tiles;
use crate::workspace::OpScratch;

/// The geometry of one such convolution, of one group and in steps of 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WinogradConv2d {
    channels: usize,
    out_channels: usize,
    rows: Axis,
    columns: Axis,
}

/// One axis of the maps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// K taps
    kernel: usize,
    /// N points
    n_points: usize,
    /// M = N − K + 1
    n_outputs: usize,
    /// Of x, without and with half of its border, and of y.
    len: usize,
    padding: usize,
    out_len: usize,
    n_tiles: usize,
}

impl Axis {
    /// `None` for filters without a scheme.
    fn new(kernel: usize, len: usize, padding: usize) -> Option<Self> {
        let n_points = match kernel {
            1 => 1,
            3 => 6,
            5 | 7 => 8,
            _ => return None,
        };
        let (n_outputs, out_len) = (n_points - kernel + 1, len + 2 * padding - kernel + 1);
        Some(Self {
            kernel,
            n_points,
            n_outputs,
            len,
            padding,
            out_len,
            n_tiles: out_len.div_ceil(n_outputs),
        })
    }

    /// Columns of the lines of x, and of y: whole tiles.
    fn line(&self) -> usize {
        self.out_line() + self.kernel - 1
    }

    fn out_line(&self) -> usize {
        self.n_tiles * self.n_outputs
    }
}

/// Tiles of a block at least: as many as a register tile of the products has columns.
const TILES: usize = 4;

/// The same backward, where each block pays for its sums over lanes.
const GRADIENT_TILES: usize = 8;

/// Some tile rows with the layout of what belongs to them.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// The first, and how many.
    rows: (usize, usize),
    /// Of x's lines and values, and of y's.
    x: Side,
    y: Side,
}

/// The lines and values of x or y.
#[derive(Clone, Copy, Debug)]
struct Side {
    n_channels: usize,
    /// Columns of the map, those of the line before them, and of the line.
    width: usize,
    border: usize,
    line: usize,
    /// Vectors of all lines of one point.
    plane: usize,
    /// From the values of one point to those of the next: one vector more than they take, or those of one channel and tile
    /// would often fall on the same set of a cache.
    stride: usize,
}

/// Scratch cut to what a pass needs.
struct Parts<'a, V> {
    zeros: &'a [V],
    x_lines: &'a mut [V],
    y_lines: &'a mut [V],
    x_values: &'a mut [V],
    y_values: &'a mut [V],
}

/// What a backward pass is asked for.
pub(crate) struct Gradients<'a, V: Lane> {
    /// Overwritten.
    pub(crate) dx: Option<&'a mut [V]>,
    pub(crate) weights: Option<WeightGradients<'a, V::Scalar>>,
}

/// Set or added to.
pub(crate) struct WeightGradients<'a, S> {
    pub(crate) dw: &'a mut [S],
    /// Empty where there is no bias.
    pub(crate) db: &'a mut [S],
    pub(crate) sum: Sum,
}

/// Runs a kernel for a type of vectors with the points and outputs of an axis as constants.
macro_rules! enter_scheme {
    ($vector:ty, $axis:expr, $kernel:ident $fields:tt) => {
        match $axis.kernel {
            1 => <$vector>::enter($kernel::<$vector, 1, 1> $fields),
            3 => <$vector>::enter($kernel::<$vector, 6, 4> $fields),
            5 => <$vector>::enter($kernel::<$vector, 8, 4> $fields),
            _ => <$vector>::enter($kernel::<$vector, 8, 2> $fields),
        }
    };
}

/// The two axes' constants.
struct Constants<S> {
    rows: Points<S>,
    columns: Points<S>,
}

impl WinogradConv2d {
    /// The convolution over [C, H, W], if it is one of these and takes less time so.
    pub(crate) fn suited(conv: &Conv2dSpec, [channels, height, width]: [usize; 3]) -> Option<Self> {
        let Conv2dSpec { out_channels, kernel, stride, padding, dilation, groups, .. } = *conv;
        if groups > 1 || [stride, dilation] != [Pair::square(1); 2] {
            return None;
        }
        let rows = Axis::new(kernel.h, height, padding.h)?;
        let columns = Axis::new(kernel.w, width, padding.w)?;
        let suited = Self { channels, out_channels, rows, columns };
        suited.is_faster().then_some(suited)
    }

    /// Multiply-adds of one sample's forward pass without any tricks; each of the two gradients takes as many.
    pub(crate) fn multiply_adds(&self) -> u64 {
        (self.n_weights() * self.n_positions()) as u64
    }

    fn n_weights(&self) -> usize {
        self.channels * self.out_channels * self.n_taps()
    }

    /// OH·OW
    fn n_positions(&self) -> usize {
        self.rows.out_len * self.columns.out_len
    }

    /// By what was measured (docs/design/winograd.md), in multiply-adds at the machine's peak: what a product takes, a value's
    /// way through the transforms, a weight's way to one point, and a multiply-add of [`super::conv2d`].
    fn is_faster(&self) -> bool {
        const PRODUCT: f64 = 1.15;
        const VALUE: f64 = 10.0;
        const WEIGHT: f64 = 3.0;
        const DIRECT: f64 = 1.2;
        let Self { channels, out_channels, rows, columns } = *self;
        let n_weights = (channels * out_channels) as f64;
        let of_tile = PRODUCT * n_weights + VALUE * (channels + out_channels) as f64;
        let n_tiles = (rows.n_tiles * columns.n_tiles) as f64;
        let taken = self.n_points() as f64 * (n_tiles * of_tile + WEIGHT * n_weights);
        taken < DIRECT * self.multiply_adds() as f64
    }

    fn n_points(&self) -> usize {
        self.rows.n_points * self.columns.n_points
    }

    fn constants<S: Scalar>(&self) -> Constants<S> {
        Constants { rows: Points::new(self.rows.n_points), columns: Points::new(self.columns.n_points) }
    }

    /// Numbers of scratch.
    pub(crate) fn n_scalars(&self) -> usize {
        let of_gradient = self.filters().n_values() + self.filters().n_scalars();
        of_gradient.max(self.filters().turned().n_scalars())
    }

    /// The filters as both passes read them.
    pub(crate) fn all_filters(&self) -> [Filters; 2] {
        [self.filters(), self.filters().turned()]
    }

    fn filters(&self) -> Filters {
        Filters::new(self.rows, self.columns, self.out_channels, self.channels)
    }

    /// Vectors of scratch.
    pub(crate) fn n_vectors(&self) -> usize {
        let n = |side: Side| side.plane * self.rows.n_points + side.stride * self.columns.n_points;
        let blocks = self.blocks(TILES).chain(self.blocks(GRADIENT_TILES));
        blocks.map(|block| self.zeros_len() + n(block.x) + n(block.y)).max().unwrap_or(0)
    }

    /// A row of either map.
    fn zeros_len(&self) -> usize {
        self.columns.len.max(self.columns.out_len)
    }

    fn n_taps(&self) -> usize {
        self.rows.kernel * self.columns.kernel
    }

    /// All tile rows in blocks of few, but of `n_least` tiles or more.
    fn blocks(&self, n_least: usize) -> impl Iterator<Item = Block> {
        let Self { channels, out_channels, columns, rows } = *self;
        let side = move |n_channels, (width, border, line), n_rows| {
            let (plane, n_tiles) = (n_channels * n_rows * line, n_rows * columns.n_tiles);
            Side { n_channels, width, border, line, plane, stride: n_channels * n_tiles + 1 }
        };
        tiles(rows.n_tiles, n_least.div_ceil(columns.n_tiles)).map(move |rows| Block {
            rows,
            x: side(channels, (columns.len, columns.padding, columns.line()), rows.1),
            y: side(out_channels, (columns.out_len, 0, columns.out_line()), rows.1),
        })
    }

    fn parts<'a, V: Lane>(&self, block: Block, vectors: &'a mut [V]) -> Parts<'a, V> {
        let (zeros, rest) = vectors.split_at_mut(self.zeros_len());
        zeros.fill(V::zero());
        let (x_lines, rest) = rest.split_at_mut(block.x.plane * self.rows.n_points);
        let (y_lines, rest) = rest.split_at_mut(block.y.plane * self.rows.n_points);
        let (x_values, rest) = rest.split_at_mut(block.x.stride * self.columns.n_points);
        Parts {
            zeros,
            x_lines,
            y_lines,
            x_values,
            y_values: &mut rest[..block.y.stride * self.columns.n_points],
        }
    }

    /// y from x; see [`super::conv2d::Conv2d::forward`].
    pub(crate) fn forward<V: Lane>(
        &self,
        x: &[V],
        w: &[V::Scalar],
        biases: &[V::Scalar],
        y: &mut [V],
        OpScratch { scalars, vectors, known_values }: &mut OpScratch<V>,
    ) {
        let constants = &self.constants();
        let filters = self.filters();
        let u = known_values.of::<V>(filters, constants, w, scalars);
        for block in self.blocks(TILES) {
            let Parts { zeros, x_lines, y_lines, x_values, y_values } = self.parts(block, vectors);
            let (args, lines) = (self.lines(constants, block, block.x, zeros), V::registers_mut(x_lines));
            enter_scheme!(V::Register, self.rows, InputLines { args, x: V::registers(x), lines });
            let planes = x_lines.chunks_exact(block.x.plane).zip(y_lines.chunks_exact_mut(block.y.plane));
            for ((x_lines, y_lines), u) in planes.zip(u.chunks_exact(filters.row_len())) {
                let (args, values) = (self.values(constants, block.x), &mut *x_values);
                enter_scheme!(V, self.columns, InputValues { args, lines: x_lines, values });
                self.products_of(block.rows.1, block.x, block.y).multiply(u, x_values, y_values);
                let (args, values) = (self.values(constants, block.y), &*y_values);
                enter_scheme!(V, self.columns, OutputValues { args, values, lines: y_lines });
            }
            let (args, lines) = (self.lines(constants, block, block.y, zeros), V::registers(y_lines));
            let y = V::registers_mut(y);
            enter_scheme!(V::Register, self.rows, OutputLines { args, lines, biases, y });
        }
    }

    /// What is asked for of dx, dw and db, from dy, the filters and the x of the forward pass: together, because what they need
    /// of dy is the same.
    pub(crate) fn backward<V: Lane>(
        &self,
        (x, dy): (&[V], &[V]),
        w: &[V::Scalar],
        Gradients { mut dx, weights }: Gradients<'_, V>,
        OpScratch { scalars, vectors, known_values }: &mut OpScratch<V>,
    ) {
        let constants = &self.constants();
        let (filters, turned) = (self.filters(), self.filters().turned());
        let mut u: &[V::Scalar] = &[];
        if let Some(dx) = dx.as_deref_mut() {
            u = known_values.of::<V>(turned, constants, w, scalars);
            dx.fill(V::zero());
        }
        let (du, scalars) = scalars.split_at_mut(filters.n_values());
        du.fill(V::Scalar::ZERO);
        for block in self.blocks(GRADIENT_TILES) {
            let Parts { zeros, x_lines, y_lines, x_values, y_values } = self.parts(block, vectors);
            if weights.is_some() {
                let (args, lines) = (self.lines(constants, block, block.x, zeros), V::registers_mut(x_lines));
                enter_scheme!(V::Register, self.rows, InputLines { args, x: V::registers(x), lines });
            }
            let (args, lines) = (self.lines(constants, block, block.y, zeros), V::registers_mut(y_lines));
            enter_scheme!(V::Register, self.rows, OutputLinesBack { args, dy: V::registers(dy), lines });
            let planes = x_lines.chunks_exact_mut(block.x.plane).zip(y_lines.chunks_exact(block.y.plane));
            for (point, (x_lines, y_lines)) in planes.enumerate() {
                let (args, values) = (self.values(constants, block.y), &mut *y_values);
                enter_scheme!(V, self.columns, OutputValuesBack { args, lines: y_lines, values });
                if weights.is_some() {
                    let (args, values) = (self.values(constants, block.x), &mut *x_values);
                    enter_scheme!(V, self.columns, InputValues { args, lines: &*x_lines, values });
                    let du = &mut du[point * filters.row_len()..][..filters.row_len()];
                    self.products_of(block.rows.1, block.x, block.y).correlate(y_values, x_values, du);
                }
                if dx.is_some() {
                    // Nobody reads the values and lines of x any more.
                    let u = &u[point * turned.row_len()..][..turned.row_len()];
                    self.products_of(block.rows.1, block.y, block.x).multiply(u, y_values, x_values);
                    let (args, values) = (self.values(constants, block.x), &*x_values);
                    enter_scheme!(V, self.columns, InputValuesBack { args, values, lines: x_lines });
                }
            }
            if let Some(dx) = dx.as_deref_mut() {
                let (args, lines) = (self.lines(constants, block, block.x, zeros), V::registers(x_lines));
                enter_scheme!(
                    V::Register,
                    self.rows,
                    InputLinesBack { args, lines, dx: V::registers_mut(dx) }
                );
            }
        }
        if let Some(WeightGradients { dw, db, sum }) = weights {
            filters.gradient::<V>(constants, du, scalars, (dw, sum));
            bias_gradient(self.n_positions(), dy, db, sum);
        }
    }

    fn products_of(&self, n_rows: usize, from: Side, to: Side) -> Products {
        Products {
            n_points: self.columns.n_points,
            n_in: from.n_channels,
            n_out: to.n_channels,
            n_tiles: n_rows * self.columns.n_tiles,
            in_stride: from.stride,
            out_stride: to.stride,
        }
    }

    /// Of registers: a column is as many columns as a vector has registers.
    fn lines<'a, V: Lane>(
        &self,
        constants: &'a Constants<V::Scalar>,
        block: Block,
        side: Side,
        zeros: &'a [V],
    ) -> Lines<'a, V::Register> {
        Lines {
            points: &constants.rows,
            axis: self.rows,
            rows: block.rows,
            n_channels: side.n_channels,
            width: side.width * V::REGISTERS,
            border: side.border * V::REGISTERS,
            line: side.line * V::REGISTERS,
            zeros: V::registers(zeros),
        }
    }

    fn values<'a, V: Lane>(&self, constants: &'a Constants<V::Scalar>, side: Side) -> Values<'a, V> {
        let Side { line, stride, .. } = side;
        Values { points: &constants.columns, n_tiles: self.columns.n_tiles, line, stride }
    }
}
