//! From maps to the tiles' values at the points and back, first along the columns of a map, then along its rows.
//!
//! What lies between the two steps are *lines*: `[point of the rows][channel][tile row][column]`. The values of one such
//! point are `[point of the columns][channel][tile]`, where the tiles of all rows of the block follow each other.
//!
//! Up to eight numbers go into a transform at once, with as many that come out. Where a vector takes several registers
//! these would be more than there are, so all of this is done register by register.

use lanes::{Kernel, Lane};

use super::Axis;
use super::points::Points;

/// The maps of all channels with the lines of a block of tile rows.
pub(super) struct Lines<'a, V: Lane> {
    pub(super) points: &'a Points<V::Scalar>,
    /// Along the columns of the maps.
    pub(super) axis: Axis,
    /// The block's tile rows: the first, and how many.
    pub(super) rows: (usize, usize),
    pub(super) n_channels: usize,
    /// Columns of a map, and of a line, which has `border` others before them; those that only the line has are 0.
    pub(super) width: usize,
    pub(super) border: usize,
    pub(super) line: usize,
    /// A row of zeros.
    pub(super) zeros: &'a [V],
}

impl<'a, V: Lane> Lines<'a, V> {
    /// The rows of a map that a tile row of the block is from, those outside as zeros.
    #[inline(always)]
    fn map_rows<const N: usize>(&self, map: &'a [V], first: usize) -> [&'a [V]; N] {
        let mut rows = [&self.zeros[..self.width]; N];
        for i in 0..N {
            let start = first.wrapping_add(i).wrapping_mul(self.width);
            if start < map.len() {
                rows[i] = &map[start..][..self.width];
            }
        }
        rows
    }

    /// From the lines of one point to those of the next.
    #[inline(always)]
    fn stride(&self) -> usize {
        self.n_channels * self.rows.1 * self.line
    }

    /// Where the line of a channel and a tile row of the block begins.
    #[inline(always)]
    fn start(&self, channel: usize, row: usize) -> usize {
        (channel * self.rows.1 + row) * self.line
    }

    #[inline(always)]
    fn clear_borders<const N: usize>(&self, lines: &mut [V]) {
        for i in 0..N {
            let line = &mut lines[i * self.stride()..][..self.line];
            line[..self.border].fill(V::zero());
            line[self.border + self.width..].fill(V::zero());
        }
    }
}

/// Bᵀ along the columns of x.
pub(super) struct InputLines<'a, V: Lane, const N: usize, const M: usize> {
    pub(super) args: Lines<'a, V>,
    pub(super) x: &'a [V],
    pub(super) lines: &'a mut [V],
}

impl<V: Lane, const N: usize, const M: usize> Kernel for InputLines<'_, V, N, M> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Lines { points, axis, rows: (first, n_rows), width, border, .. } = self.args;
        let stride = self.args.stride();
        for (channel, x) in self.x.chunks_exact(axis.len * width).enumerate() {
            for row in 0..n_rows {
                let rows = self.args.map_rows::<N>(x, ((first + row) * M).wrapping_sub(axis.padding));
                let lines = &mut self.lines[self.args.start(channel, row)..];
                for q in 0..width {
                    let mut d = [V::zero(); N];
                    for i in 0..N {
                        d[i] = rows[i][q];
                    }
                    let at = points.of_input(&d);
                    for i in 0..N {
                        lines[i * stride + border + q] = at[i];
                    }
                }
                self.args.clear_borders::<N>(lines);
            }
        }
    }
}

/// Adds B of the lines to dx.
pub(super) struct InputLinesBack<'a, V: Lane, const N: usize, const M: usize> {
    pub(super) args: Lines<'a, V>,
    pub(super) lines: &'a [V],
    pub(super) dx: &'a mut [V],
}

impl<V: Lane, const N: usize, const M: usize> Kernel for InputLinesBack<'_, V, N, M> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Lines { points, axis, rows: (first, n_rows), width, border, .. } = self.args;
        let stride = self.args.stride();
        for (channel, dx) in self.dx.chunks_exact_mut(axis.len * width).enumerate() {
            for row in 0..n_rows {
                let lines = &self.lines[self.args.start(channel, row)..];
                let map_row = ((first + row) * M).wrapping_sub(axis.padding);
                for q in 0..width {
                    let mut g = [V::zero(); N];
                    for i in 0..N {
                        g[i] = lines[i * stride + border + q];
                    }
                    let d = points.to_input(&g);
                    for i in 0..N {
                        // Outside of the map it goes nowhere.
                        if let Some(dx) =
                            dx.get_mut(map_row.wrapping_add(i).wrapping_mul(width).wrapping_add(q))
                        {
                            *dx = *dx + d[i];
                        }
                    }
                }
            }
        }
    }
}

/// Aᵀ along the columns of y, and the biases, one for each channel or none.
pub(super) struct OutputLines<'a, V: Lane, const N: usize, const M: usize> {
    pub(super) args: Lines<'a, V>,
    pub(super) lines: &'a [V],
    pub(super) biases: &'a [V::Scalar],
    pub(super) y: &'a mut [V],
}

impl<V: Lane, const N: usize, const M: usize> Kernel for OutputLines<'_, V, N, M> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Lines { points, axis, rows: (first, n_rows), width, .. } = self.args;
        let stride = self.args.stride();
        for (channel, y) in self.y.chunks_exact_mut(axis.out_len * width).enumerate() {
            let bias = if self.biases.is_empty() { V::zero() } else { V::splat(self.biases[channel]) };
            for row in 0..n_rows {
                let lines = &self.lines[self.args.start(channel, row)..];
                let map_row = (first + row) * M;
                let n = M.min(axis.out_len - map_row);
                let y = &mut y[map_row * width..][..n * width];
                for q in 0..width {
                    let mut p = [V::zero(); N];
                    for i in 0..N {
                        p[i] = lines[i * stride + q];
                    }
                    let out = points.to_output::<V, N, M>(&p);
                    for i in 0..M {
                        if i < n {
                            y[i * width + q] = out[i] + bias;
                        }
                    }
                }
            }
        }
    }
}

/// A along the columns of dy.
pub(super) struct OutputLinesBack<'a, V: Lane, const N: usize, const M: usize> {
    pub(super) args: Lines<'a, V>,
    pub(super) dy: &'a [V],
    pub(super) lines: &'a mut [V],
}

impl<V: Lane, const N: usize, const M: usize> Kernel for OutputLinesBack<'_, V, N, M> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Lines { points, axis, rows: (first, n_rows), width, .. } = self.args;
        let stride = self.args.stride();
        for (channel, dy) in self.dy.chunks_exact(axis.out_len * width).enumerate() {
            for row in 0..n_rows {
                let rows = self.args.map_rows::<M>(dy, (first + row) * M);
                let lines = &mut self.lines[self.args.start(channel, row)..];
                for q in 0..width {
                    let mut y = [V::zero(); M];
                    for i in 0..M {
                        y[i] = rows[i][q];
                    }
                    let p = points.of_output::<V, N, M>(&y);
                    for i in 0..N {
                        lines[i * stride + q] = p[i];
                    }
                }
                self.args.clear_borders::<N>(lines);
            }
        }
    }
}

/// The lines of one point of the rows with their values.
pub(super) struct Values<'a, V: Lane> {
    pub(super) points: &'a Points<V::Scalar>,
    /// Tiles of a line.
    pub(super) n_tiles: usize,
    pub(super) line: usize,
    /// From the values of one point to those of the next.
    pub(super) stride: usize,
}

/// Bᵀ along the lines.
pub(super) struct InputValues<'a, V: Lane, const N: usize, const M: usize> {
    pub(super) args: Values<'a, V>,
    pub(super) lines: &'a [V],
    pub(super) values: &'a mut [V],
}

impl<V: Lane, const N: usize, const M: usize> Kernel for InputValues<'_, V, N, M> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Values { points, n_tiles, line, stride } = self.args;
        let (lines, values) = (V::registers(self.lines), V::registers_mut(self.values));
        for (idx, line) in lines.chunks_exact(line * V::REGISTERS).enumerate() {
            for tile in 0..n_tiles {
                let from = &line[tile * M * V::REGISTERS..][..N * V::REGISTERS];
                for part in 0..V::REGISTERS {
                    let mut d = [V::Register::zero(); N];
                    for i in 0..N {
                        d[i] = from[i * V::REGISTERS + part];
                    }
                    let at = points.of_input(&d);
                    for i in 0..N {
                        values[(i * stride + idx * n_tiles + tile) * V::REGISTERS + part] = at[i];
                    }
                }
            }
        }
    }
}

/// B of the values, to the lines.
pub(super) struct InputValuesBack<'a, V: Lane, const N: usize, const M: usize> {
    pub(super) args: Values<'a, V>,
    pub(super) values: &'a [V],
    pub(super) lines: &'a mut [V],
}

impl<V: Lane, const N: usize, const M: usize> Kernel for InputValuesBack<'_, V, N, M> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Values { points, n_tiles, line, stride } = self.args;
        let (values, lines) = (V::registers(self.values), V::registers_mut(self.lines));
        for (idx, line) in lines.chunks_exact_mut(line * V::REGISTERS).enumerate() {
            line.fill(V::Register::zero());
            for tile in 0..n_tiles {
                let to = &mut line[tile * M * V::REGISTERS..][..N * V::REGISTERS];
                for part in 0..V::REGISTERS {
                    let mut g = [V::Register::zero(); N];
                    for i in 0..N {
                        g[i] = values[(i * stride + idx * n_tiles + tile) * V::REGISTERS + part];
                    }
                    let d = points.to_input(&g);
                    for i in 0..N {
                        let to = &mut to[i * V::REGISTERS + part];
                        *to = *to + d[i];
                    }
                }
            }
        }
    }
}

/// Aᵀ of the products, to the lines.
pub(super) struct OutputValues<'a, V: Lane, const N: usize, const M: usize> {
    pub(super) args: Values<'a, V>,
    pub(super) values: &'a [V],
    pub(super) lines: &'a mut [V],
}

impl<V: Lane, const N: usize, const M: usize> Kernel for OutputValues<'_, V, N, M> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Values { points, n_tiles, line, stride } = self.args;
        let (values, lines) = (V::registers(self.values), V::registers_mut(self.lines));
        for (idx, line) in lines.chunks_exact_mut(line * V::REGISTERS).enumerate() {
            for tile in 0..n_tiles {
                let to = &mut line[tile * M * V::REGISTERS..][..M * V::REGISTERS];
                for part in 0..V::REGISTERS {
                    let mut p = [V::Register::zero(); N];
                    for i in 0..N {
                        p[i] = values[(i * stride + idx * n_tiles + tile) * V::REGISTERS + part];
                    }
                    let out = points.to_output::<V::Register, N, M>(&p);
                    for i in 0..M {
                        to[i * V::REGISTERS + part] = out[i];
                    }
                }
            }
        }
    }
}

/// A along the lines of dy.
pub(super) struct OutputValuesBack<'a, V: Lane, const N: usize, const M: usize> {
    pub(super) args: Values<'a, V>,
    pub(super) lines: &'a [V],
    pub(super) values: &'a mut [V],
}

impl<V: Lane, const N: usize, const M: usize> Kernel for OutputValuesBack<'_, V, N, M> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Values { points, n_tiles, line, stride } = self.args;
        let (lines, values) = (V::registers(self.lines), V::registers_mut(self.values));
        for (idx, line) in lines.chunks_exact(line * V::REGISTERS).enumerate() {
            for tile in 0..n_tiles {
                let from = &line[tile * M * V::REGISTERS..][..M * V::REGISTERS];
                for part in 0..V::REGISTERS {
                    let mut y = [V::Register::zero(); M];
                    for i in 0..M {
                        y[i] = from[i * V::REGISTERS + part];
                    }
                    let p = points.of_output::<V::Register, N, M>(&y);
                    for i in 0..N {
                        values[(i * stride + idx * n_tiles + tile) * V::REGISTERS + part] = p[i];
                    }
                }
            }
        }
    }
}
