//! From the filters' taps to their values at the points and back.
//!
//! Lanes are pairs of a filter and a channel here, not samples: all of one register tile lie side by side.

use lanes::{Kernel, Lane, Scalar};

use super::points::Points;
use super::products::Products;
use super::{Axis, Constants};
use crate::gradient::Sum;
use crate::tiles::{TILE, tiles};

/// As [`enter_scheme`], with points and taps.
macro_rules! enter_filter {
    ($axis:expr, $kernel:ident $fields:tt) => {
        match $axis.kernel {
            1 => V::enter($kernel::<V, 1, 1> $fields),
            3 => V::enter($kernel::<V, 6, 3> $fields),
            5 => V::enter($kernel::<V, 8, 5> $fields),
            _ => V::enter($kernel::<V, 8, 7> $fields),
        }
    };
}

/// All filters as a matrix that the products read: register tiles of rows, each with all columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Filters {
    rows: Axis,
    columns: Axis,
    n_rows: usize,
    n_columns: usize,
    /// From one weight to that of the next row, and of the next column.
    row_stride: usize,
    column_stride: usize,
}

impl Filters {
    /// A row for each filter, a column for each channel that it reads.
    pub(super) fn new(rows: Axis, columns: Axis, n_rows: usize, n_columns: usize) -> Self {
        let n_taps = rows.kernel * columns.kernel;
        Self { rows, columns, n_rows, n_columns, row_stride: n_columns * n_taps, column_stride: n_taps }
    }

    /// Rows and columns exchanged.
    pub(super) fn turned(self) -> Self {
        Self {
            n_rows: self.n_columns,
            n_columns: self.n_rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Numbers of scratch that a register tile needs on its way.
    pub(super) fn n_scalars(self) -> usize {
        self.len() * (self.n_taps() + self.rows.n_points * self.columns.kernel)
    }

    fn n_weights(self) -> usize {
        self.n_rows * self.n_columns * self.n_taps()
    }

    /// Values at all points.
    pub(super) fn n_values(self) -> usize {
        self.row_len() * self.rows.n_points
    }

    /// Values at one point of the rows.
    pub(super) fn row_len(self) -> usize {
        self.n_register_tiles() * self.len() * self.columns.n_points
    }

    fn n_register_tiles(self) -> usize {
        self.n_rows.div_ceil(TILE)
    }

    /// Numbers of a register tile.
    fn len(self) -> usize {
        Products::filter_len(self.n_columns, self.n_rows)
    }

    fn n_taps(self) -> usize {
        self.rows.kernel * self.columns.kernel
    }

    /// The filters' values at the points, [point][register tile][column][its rows].
    fn values<V: Lane>(
        self,
        constants: &Constants<V::Scalar>,
        w: &[V::Scalar],
        u: &mut [V::Scalar],
        scalars: &mut [V::Scalar],
    ) {
        let len = self.len();
        let (g, between) = scalars.split_at_mut(len * self.n_taps());
        let (along_rows, along_columns) = self.steps();
        for (tile, (first, n)) in tiles(self.n_rows, TILE).enumerate() {
            for column in 0..self.n_columns {
                for i in 0..n {
                    let start = (first + i) * self.row_stride + column * self.column_stride;
                    for (tap, &w) in w[start..][..self.n_taps()].iter().enumerate() {
                        g[tap * len + column * n + i] = w;
                    }
                }
            }
            let (points, steps) = (&constants.rows, along_rows);
            enter_filter!(self.rows, ToValues { points, steps, taps: g, values: between });
            let (points, steps) = (&constants.columns, along_columns);
            let values = &mut u[tile * len..];
            enter_filter!(self.columns, ToValues { points, steps, taps: between, values });
        }
    }

    /// dw from the gradient of the filters' values.
    pub(super) fn gradient<V: Lane>(
        self,
        constants: &Constants<V::Scalar>,
        du: &[V::Scalar],
        scalars: &mut [V::Scalar],
        (dw, sum): (&mut [V::Scalar], Sum),
    ) {
        let len = self.len();
        let (g, between) = scalars.split_at_mut(len * self.n_taps());
        let (along_rows, along_columns) = self.steps();
        for (tile, (first, n)) in tiles(self.n_rows, TILE).enumerate() {
            let (points, steps) = (&constants.columns, along_columns);
            enter_filter!(self.columns, ToTaps { points, steps, values: &du[tile * len..], taps: between });
            let (points, steps) = (&constants.rows, along_rows);
            enter_filter!(self.rows, ToTaps { points, steps, values: between, taps: g });
            for column in 0..self.n_columns {
                for i in 0..n {
                    let start = (first + i) * self.row_stride + column * self.column_stride;
                    for (tap, dw) in dw[start..][..self.n_taps()].iter_mut().enumerate() {
                        let g = g[tap * len + column * n + i];
                        *dw = if sum == Sum::Set { g } else { *dw + g };
                    }
                }
            }
        }
    }

    /// Of the filters' transforms, first along their columns (with the points of the rows), then along their rows.
    fn steps(self) -> (Steps, Steps) {
        let (kernel, n_points, len) = (self.columns.kernel, self.columns.n_points, self.len());
        let along_rows = Steps { n: kernel, taps: (1, kernel), values: (1, kernel), len };
        let n_register_tiles = self.n_register_tiles();
        let values = (n_points * n_register_tiles, n_register_tiles);
        let along_columns = Steps { n: self.rows.n_points, taps: (kernel, 1), values, len };
        (along_rows, along_columns)
    }
}

/// The values of the filters that a thread has last used: lane groups that follow each other read the same.
#[derive(Clone, Debug)]
pub(crate) struct KnownValues<S> {
    of: Option<Filters>,
    weights: Vec<S>,
    values: Vec<S>,
}

impl<S: Scalar> KnownValues<S> {
    /// Room for the values of all of these.
    pub(crate) fn new(all: impl Iterator<Item = Filters> + Clone) -> Self {
        let n_weights = all.clone().map(Filters::n_weights).max().unwrap_or(0);
        let n_values = all.map(Filters::n_values).max().unwrap_or(0);
        Self { of: None, weights: vec![S::ZERO; n_weights], values: vec![S::ZERO; n_values] }
    }

    /// The filters' values at the points, [point][register tile][column][its rows].
    pub(super) fn of<V: Lane<Scalar = S>>(
        &mut self,
        filters: Filters,
        constants: &Constants<S>,
        w: &[S],
        scalars: &mut [S],
    ) -> &[S] {
        let (weights, values) = (&mut self.weights[..w.len()], &mut self.values[..filters.n_values()]);
        if self.of != Some(filters) || !are_equal(weights, w) {
            filters.values::<V>(constants, w, values, scalars);
            weights.copy_from_slice(w);
            self.of = Some(filters);
        }
        values
    }
}

/// All are looked at, several at once: an end at the first difference would take them one by one.
fn are_equal<S: Scalar>(a: &[S], b: &[S]) -> bool {
    a.iter().zip(b).fold(true, |so_far, (a, b)| so_far & (a == b))
}

/// Where the numbers of a transform along one axis lie, of `n` filters that are independent of each other. Everything is
/// counted in register tiles.
#[derive(Clone, Copy, Debug)]
struct Steps {
    n: usize,
    /// From one filter's taps to those of the next, and from tap to tap; likewise of its values at the points.
    taps: (usize, usize),
    values: (usize, usize),
    /// Numbers of a register tile: a multiple of the lanes.
    len: usize,
}

/// G
struct ToValues<'a, V: Lane, const N: usize, const K: usize> {
    points: &'a Points<V::Scalar>,
    steps: Steps,
    taps: &'a [V::Scalar],
    values: &'a mut [V::Scalar],
}

impl<V: Lane, const N: usize, const K: usize> Kernel for ToValues<'_, V, N, K> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Steps { n, taps, values, len } = self.steps;
        for idx in 0..n {
            for lane in (0..len).step_by(V::LANES) {
                let mut g = [V::zero(); K];
                for k in 0..K {
                    g[k] = V::load(&self.taps[(idx * taps.0 + k * taps.1) * len + lane..]);
                }
                let at = self.points.of_filter::<V, N, K>(&g);
                for i in 0..N {
                    at[i].store(&mut self.values[(idx * values.0 + i * values.1) * len + lane..]);
                }
            }
        }
    }
}

/// Gᵀ
struct ToTaps<'a, V: Lane, const N: usize, const K: usize> {
    points: &'a Points<V::Scalar>,
    steps: Steps,
    values: &'a [V::Scalar],
    taps: &'a mut [V::Scalar],
}

impl<V: Lane, const N: usize, const K: usize> Kernel for ToTaps<'_, V, N, K> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Steps { n, taps, values, len } = self.steps;
        for idx in 0..n {
            for lane in (0..len).step_by(V::LANES) {
                let mut u = [V::zero(); N];
                for i in 0..N {
                    u[i] = V::load(&self.values[(idx * values.0 + i * values.1) * len + lane..]);
                }
                let g = self.points.to_filter::<V, N, K>(&u);
                for k in 0..K {
                    g[k].store(&mut self.taps[(idx * taps.0 + k * taps.1) * len + lane..]);
                }
            }
        }
    }
}
