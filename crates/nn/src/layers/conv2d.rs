//! Two-dimensional convolution (cross-correlation, as everywhere in this field).
//!
//! ```text
//! y[oc][r][c] = b[oc] + Σ_ic Σ_kh Σ_kw  w[oc][ic][kh][kw] · x[ic][r·SH + kh·DH][c·SW + kw·DW]
//! ```
//!
//! x is [C][H][W], y is [OC][OH][OW] of lane vectors; w is [OC][C][KH][KW] and b is [OC] of scalars, or empty.
//! OH = (H − (KH − 1)·DH − 1) / SH + 1, OW likewise. Padding is a node of its own before the convolution, so the loops
//! know no edges. LeCun et al. 1998; conventions of PyTorch's `nn.Conv2d`.
//!
//! A *tap* is one (ic, kh, kw); `taps[t]` is its offset in x, `positions[p]` the offset of output position p,
//! so that y[oc][p] = b[oc] + Σ_t w[oc][t] · x[taps[t] + positions[p]] for every kernel, stride and dilation.
//!
//! With groups the channels and filters are cut into equal parts, and each part is a convolution of its own: C and OC
//! count those of one group, and x, w, b and y of the groups lie one after the other.

mod forward;
mod input_gradient;
mod pointwise;
mod weight_gradient;

use spec::Pair;

pub(super) use weight_gradient::bias_gradient;

/// Positions, about, that all filters and taps go through before the next are fetched: dy of two channels and the rows of x
/// under them stay in a first-level cache of 32 KiB, those of all channels in a second-level cache.
const POSITION_BLOCK: usize = 96;

/// Positions of the smallest blocks, about.
const MIN_BLOCK: usize = 12;

/// The geometry of one convolution.
#[derive(Clone, Debug)]
pub(crate) struct Conv2d {
    /// Channels of one group.
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Filters of one group.
    pub(crate) out_channels: usize,
    pub(crate) groups: usize,
    pub(crate) kernel: Pair,
    /// Whether a kernel row has several taps, which are neighbors in x.
    dense_rows: bool,
    /// As u32: their sums cannot overflow a usize, which spares the kernels' loops a check.
    taps: Vec<u32>,
    positions: Vec<u32>,
    /// Positions, about, of a block that goes through all filters forward.
    block: usize,
    /// See [`Window::is_pointwise`].
    is_pointwise: bool,
    /// For every position of x, the (kh · KW + kw, position of y) that read it; empty for kernels of 1 × 1 in steps of 1.
    readers: Vec<Vec<(u32, u32)>>,
    /// For every position of x, whether it is the first of two neighbors that the same taps read; no position is in two
    /// such pairs.
    paired: Vec<bool>,
}

/// How a kernel moves over its input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) kernel: Pair,
    pub(crate) stride: Pair,
    pub(crate) dilation: Pair,
}

impl Window {
    /// Of neighboring taps, in steps of 1.
    pub(crate) fn dense(kernel: Pair) -> Self {
        Self { kernel, stride: Pair::square(1), dilation: Pair::square(1) }
    }

    /// Whether the kernel is 1 × 1 in steps of 1.
    pub(crate) fn is_pointwise(self) -> bool {
        [self.kernel, self.stride] == [Pair::square(1); 2]
    }

    /// Rows and columns from the kernel's first tap to its last.
    pub(crate) fn extent(self) -> Pair {
        let extent = |kernel: usize, dilation| (kernel - 1) * dilation + 1;
        Pair::new(extent(self.kernel.h, self.dilation.h), extent(self.kernel.w, self.dilation.w))
    }

    /// Rows and columns of the output; the window must fit.
    pub(crate) fn out_size(self, height: usize, width: usize) -> Pair {
        let Pair { h, w } = self.extent();
        Pair::new((height - h) / self.stride.h + 1, (width - w) / self.stride.w + 1)
    }
}

impl Conv2d {
    /// The convolution over [C, H, W] with `out_channels` filters, both counted over all groups, which divide them; the
    /// window must fit.
    pub(crate) fn new(shape: [usize; 3], out_channels: usize, groups: usize, window: Window) -> Self {
        let [channels, height, width] = shape;
        let (channels, out_channels) = (channels / groups, out_channels / groups);
        let Window { kernel, stride, dilation } = window;
        let out = window.out_size(height, width);
        let offset = |c, r, q| ((c * height + r) * width + q) as u32;
        let row = |c, kh| (0..kernel.w).map(move |kw| offset(c, kh * dilation.h, kw * dilation.w));
        let taps = (0..channels).flat_map(|c| (0..kernel.h).flat_map(move |kh| row(c, kh))).collect();
        let positions =
            (0..out.h).flat_map(|r| (0..out.w).map(move |q| offset(0, r * stride.h, q * stride.w))).collect();
        let is_pointwise = window.is_pointwise();
        let readers = if is_pointwise { Vec::new() } else { readers([height, width], window, out) };
        let paired = paired(&readers);
        let dense_rows = dilation.w == 1 && kernel.w > 1;
        Self {
            height,
            width,
            channels,
            out_channels,
            groups,
            kernel,
            dense_rows,
            taps,
            positions,
            // In steps of more than 1 each reads as many more of x.
            block: (POSITION_BLOCK / (stride.h * stride.w)).max(MIN_BLOCK),
            is_pointwise,
            readers,
            paired,
        }
    }

    /// Weights of one filter: C·KH·KW.
    pub(crate) fn n_taps(&self) -> usize {
        self.taps.len()
    }

    /// OH·OW.
    pub(crate) fn n_positions(&self) -> usize {
        self.positions.len()
    }

    /// Multiply-adds of one sample's forward pass; each of the two gradients takes as many.
    pub(crate) fn multiply_adds(&self) -> u64 {
        (self.n_weights() * self.n_positions()) as u64
    }

    /// Weights of all groups.
    pub(crate) fn n_weights(&self) -> usize {
        self.groups * self.group_weights()
    }

    /// Numbers of scratch that each pass needs, to put weights in the order in which it reads them.
    pub(crate) fn n_scalars(&self) -> usize {
        self.group_weights()
    }

    /// OC·C·KH·KW
    fn group_weights(&self) -> usize {
        self.out_channels * self.n_taps()
    }

    /// Values of x of one group.
    fn group_inputs(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Values of y of one group.
    fn group_outputs(&self) -> usize {
        self.out_channels * self.n_positions()
    }
}

/// See [`Conv2d::readers`]. A table rather than divisions by the stride and two clipped loops, whose bookkeeping took a
/// fifth of the input gradient's time.
fn readers([height, width]: [usize; 2], window: Window, out: Pair) -> Vec<Vec<(u32, u32)>> {
    let Window { kernel, stride, dilation } = window;
    let mut readers = vec![Vec::new(); height * width];
    for k in 0..kernel.h * kernel.w {
        let (kh, kw) = (k / kernel.w * dilation.h, k % kernel.w * dilation.w);
        for o in 0..out.h * out.w {
            let (r, q) = (o / out.w * stride.h + kh, o % out.w * stride.w + kw);
            readers[r * width + q].push((k as u32, o as u32));
        }
    }
    readers
}

/// See [`Conv2d::paired`].
fn paired(readers: &[Vec<(u32, u32)>]) -> Vec<bool> {
    let taps = |position: usize| readers[position].iter().map(|&(k, _)| k);
    let mut paired = vec![false; readers.len()];
    let mut position = 0;
    while position + 1 < readers.len() {
        let is_pair = taps(position).eq(taps(position + 1));
        paired[position] = is_pair;
        position += if is_pair { 2 } else { 1 };
    }
    paired
}
