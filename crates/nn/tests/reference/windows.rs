//! Layers that move a window over rows and columns.

use spec::{Conv2dSpec, Pair, PartialConv2dSpec, PoolSpec, SubsampleSpec};

use super::tape::Var;
use super::{Context, Map};

/// How a window moves.
#[derive(Clone, Copy)]
pub(super) struct Window {
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
}

impl Window {
    pub(super) fn of_conv(conv: &Conv2dSpec) -> Self {
        let Conv2dSpec { kernel, stride, padding, dilation, .. } = *conv;
        Self { kernel, stride, padding, dilation }
    }

    pub(super) fn of_pool(pool: &PoolSpec) -> Self {
        let PoolSpec { kernel, stride, padding } = *pool;
        Self { kernel, stride: stride.unwrap_or(kernel), padding, dilation: Pair::square(1) }
    }

    pub(super) fn dense(kernel: Pair, stride: Pair) -> Self {
        Self { kernel, stride, padding: Pair::square(0), dilation: Pair::square(1) }
    }

    /// Rows and columns of the output.
    fn out(&self, [_, height, width]: [usize; 3]) -> [usize; 2] {
        let out = |len, kernel, stride, padding, dilation| {
            (len + 2 * padding - (kernel - 1) * dilation - 1) / stride + 1
        };
        let Self { kernel, stride, padding, dilation } = *self;
        [
            out(height, kernel.h, stride.h, padding.h, dilation.h),
            out(width, kernel.w, stride.w, padding.w, dilation.w),
        ]
    }

    /// The values of channel `c` under the window for output (r, q), each with its place in the kernel; those outside
    /// are left out.
    fn under(&self, x: &Map, c: usize, r: usize, q: usize) -> Vec<(usize, Var)> {
        let [_, height, width] = x.shape;
        let mut under = vec![];
        for kh in 0..self.kernel.h {
            for kw in 0..self.kernel.w {
                let row = (r * self.stride.h + kh * self.dilation.h).wrapping_sub(self.padding.h);
                let column = (q * self.stride.w + kw * self.dilation.w).wrapping_sub(self.padding.w);
                if row < height && column < width {
                    under.push((kh * self.kernel.w + kw, x.values[(c * height + row) * width + column]));
                }
            }
        }
        under
    }

    fn area(&self) -> usize {
        self.kernel.h * self.kernel.w
    }
}

impl Context {
    /// One output channel: the filter over some channels of x, a kernel for each.
    fn filter(&mut self, window: Window, x: &Map, channels: &[usize], w: &[Var], b: Option<Var>) -> Vec<Var> {
        let [height, width] = window.out(x.shape);
        let mut y = vec![];
        for i in 0..height * width {
            let mut sum = b.unwrap_or_else(|| self.tape.leaf(0.0));
            for (&c, w) in channels.iter().zip(w.chunks(window.area())) {
                for (k, x) in window.under(x, c, i / width, i % width) {
                    sum = self.tape.mul_add(w[k], x, sum);
                }
            }
            y.push(sum);
        }
        y
    }

    /// What `value` makes of each window of each channel.
    fn pool(&mut self, window: Window, x: &Map, value: impl Fn(&mut Self, usize, Vec<Var>) -> Var) -> Map {
        let [height, width] = window.out(x.shape);
        let mut values = vec![];
        for c in 0..x.shape[0] {
            for i in 0..height * width {
                let under = window.under(x, c, i / width, i % width);
                values.push(value(self, c, under.into_iter().map(|(_, x)| x).collect()));
            }
        }
        Map { shape: [x.shape[0], height, width], values }
    }

    pub(super) fn conv2d(&mut self, conv: &Conv2dSpec, xs: &[Map]) -> Vec<Map> {
        let window = Window::of_conv(conv);
        let shape = xs[0].shape;
        let (n_in, n_out) = (shape[0] / conv.groups, conv.out_channels / conv.groups);
        let connections: Vec<Vec<usize>> =
            (0..conv.out_channels).map(|oc| (oc / n_out * n_in..(oc / n_out + 1) * n_in).collect()).collect();
        self.filters(window, &connections, conv.bias, xs)
    }

    pub(super) fn partial_conv2d(&mut self, conv: &PartialConv2dSpec, xs: &[Map]) -> Vec<Map> {
        self.filters(Window::dense(conv.kernel, Pair::square(1)), &conv.connections, true, xs)
    }

    /// One filter for each list of channels.
    fn filters(&mut self, window: Window, connections: &[Vec<usize>], bias: bool, xs: &[Map]) -> Vec<Map> {
        let n_kernels: usize = connections.iter().map(Vec::len).sum();
        let w = self.take(n_kernels * window.area());
        let b = self.take(if bias { connections.len() } else { 0 });
        let mut ys = vec![];
        for x in xs {
            let mut values = vec![];
            let mut rest = &w[..];
            for (oc, channels) in connections.iter().enumerate() {
                let (w, others) = rest.split_at(channels.len() * window.area());
                values.extend(self.filter(window, x, channels, w, b.get(oc).copied()));
                rest = others;
            }
            let [height, width] = window.out(x.shape);
            ys.push(Map { shape: [connections.len(), height, width], values });
        }
        ys
    }

    /// The first largest value of each window.
    pub(super) fn max_pool2d(&mut self, pool: &PoolSpec, x: &Map) -> Map {
        self.pool(Window::of_pool(pool), x, |cx, _, under| {
            let larger = |best, x| if cx.tape.value(x) > cx.tape.value(best) { x } else { best };
            under.into_iter().reduce(larger).unwrap()
        })
    }

    pub(super) fn avg_pool2d(&mut self, pool: &PoolSpec, x: &Map) -> Map {
        let window = Window::of_pool(pool);
        let share = 1.0 / window.area() as f64;
        self.pool(window, x, |cx, _, under| {
            let sum = cx.tape.sum(under);
            cx.tape.scale(sum, share)
        })
    }

    pub(super) fn subsample(&mut self, subsample: &SubsampleSpec, xs: &[Map]) -> Vec<Map> {
        let (w, b) = (self.take(xs[0].shape[0]), self.take(xs[0].shape[0]));
        let window = Window::dense(subsample.kernel, subsample.kernel);
        let mut ys = vec![];
        for x in xs {
            ys.push(self.pool(window, x, |cx, c, under| {
                let sum = cx.tape.sum(under);
                cx.tape.mul_add(w[c], sum, b[c])
            }));
        }
        ys
    }
}
