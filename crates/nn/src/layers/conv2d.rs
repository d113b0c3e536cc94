//! Two-dimensional convolution (cross-correlation, as everywhere in this field).
//!
//! ```text
//! y[oc][r][c] = b[oc] + Σ_ic Σ_kh Σ_kw  w[oc][ic][kh][kw] · x[ic][r·SH + kh][c·SW + kw]
//! ```
//!
//! x is [C][H][W], y is [OC][OH][OW] of lane vectors; w is [OC][C][KH][KW] and b is [OC] of scalars.
//! OH = (H − KH) / SH + 1, OW likewise. Padding is a node of its own before the convolution, so the loops know
//! no edges. LeCun et al. 1998; conventions of PyTorch's `nn.Conv2d`.
//!
//! A *tap* is one (ic, kh, kw); `taps[t]` is its offset in x, `positions[p]` the offset of output position p,
//! so that y[oc][p] = b[oc] + Σ_t w[oc][t] · x[taps[t] + positions[p]] for every kernel and stride.

mod forward;
mod input_gradient;
mod weight_gradient;

use spec::Pair;

/// The geometry of one convolution.
#[derive(Clone, Debug)]
pub(crate) struct Conv2d {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) out_channels: usize,
    pub(crate) kernel: Pair,
    /// As u32: their sums cannot overflow a usize, which spares the kernels' loops a check.
    taps: Vec<u32>,
    positions: Vec<u32>,
    /// For every position of x, the (kh · KW + kw, position of y) that read it.
    readers: Vec<Vec<(u32, u32)>>,
}

impl Conv2d {
    /// The convolution over [C, H, W]; the kernel must fit.
    pub(crate) fn new(shape: [usize; 3], out_channels: usize, kernel: Pair, stride: Pair) -> Self {
        let [channels, height, width] = shape;
        let out_height = (height - kernel.h) / stride.h + 1;
        let out_width = (width - kernel.w) / stride.w + 1;
        let offset = |c, r, q| ((c * height + r) * width + q) as u32;
        let taps = (0..channels)
            .flat_map(|c| (0..kernel.h).flat_map(move |kh| (0..kernel.w).map(move |kw| offset(c, kh, kw))))
            .collect();
        let positions = (0..out_height)
            .flat_map(|r| (0..out_width).map(move |q| offset(0, r * stride.h, q * stride.w)))
            .collect();
        let readers = readers([height, width], kernel, stride, [out_height, out_width]);
        Self { height, width, channels, out_channels, kernel, taps, positions, readers }
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
        (self.out_channels * self.n_taps() * self.n_positions()) as u64
    }

    /// OC·C·KH·KW; as many scalars of scratch each pass needs to put weights in the order in which it reads them.
    pub(crate) fn n_weights(&self) -> usize {
        self.out_channels * self.n_taps()
    }
}

/// See [`Conv2d::readers`]. A table rather than divisions by the stride and two clipped loops, whose bookkeeping took a
/// fifth of the input gradient's time.
fn readers(
    [height, width]: [usize; 2],
    kernel: Pair,
    stride: Pair,
    [out_height, out_width]: [usize; 2],
) -> Vec<Vec<(u32, u32)>> {
    let mut readers = vec![Vec::new(); height * width];
    for k in 0..kernel.h * kernel.w {
        let (kh, kw) = (k / kernel.w, k % kernel.w);
        for o in 0..out_height * out_width {
            let (r, q) = (o / out_width * stride.h + kh, o % out_width * stride.w + kw);
            readers[r * width + q].push((k as u32, o as u32));
        }
    }
    readers
}
