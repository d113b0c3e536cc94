//! Matrices times vectors, in loops that compilers turn into vector instructions, with one order of every sum.

/// y += a x.
pub(super) fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// Σ x y, as eight sums side by side.
pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    const N: usize = 8;
    let mut sums = [0.0; N];
    let (x_chunks, y_chunks) = (x.chunks_exact(N), y.chunks_exact(N));
    let rest: f64 = x_chunks.remainder().iter().zip(y_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in x_chunks.zip(y_chunks) {
        for lane in 0..N {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// y += x W for `w` of `[x.len()][y.len()]`.
pub(super) fn add_product(x: &[f64], w: &[f64], y: &mut [f64]) {
    for (&x, w) in x.iter().zip(w.chunks_exact(y.len())) {
        axpy(x, w, y);
    }
}

/// The way back of [`add_product`]: dx += dy Wᵀ and dw += x ⊗ dy.
pub(super) fn add_product_backward(x: &[f64], w: &[f64], dy: &[f64], dx: &mut [f64], dw: &mut [f64]) {
    let rows = w.chunks_exact(dy.len()).zip(dw.chunks_exact_mut(dy.len()));
    for ((&x, dx), (w, dw)) in x.iter().zip(dx).zip(rows) {
        *dx += dot(w, dy);
        axpy(x, dy, dw);
    }
}
