//! Random erasing (Zhong et al. 2017, arXiv 1708.04896, algorithm 1), each pixel noise of its own.

use rand_core::Rng;
use spec::ErasingSpec;

use super::unit;
use crate::order::below;

/// Tries for a rectangle that fits, as torchvision's; then the picture stays as it is.
const N_TRIES: usize = 10;

/// Noise in a rectangle of a picture of C, H, W. The aspect is drawn evenly by its logarithm, as torchvision does.
pub(super) fn erase(spec: &ErasingSpec, shape: [usize; 3], rng: &mut impl Rng, picture: &mut [u8]) {
    if unit(rng) >= spec.probability {
        return;
    }
    let [_, h, w] = shape;
    let Some([height, width]) = (0..N_TRIES).find_map(|_| draw_size(spec, [h, w], rng)) else { return };
    let [row, column] = [(h, height), (w, width)].map(|(n, len)| below(rng, (n - len + 1) as u32) as usize);
    for plane in picture.chunks_exact_mut(h * w) {
        for line in plane.chunks_exact_mut(w).skip(row).take(height) {
            rng.fill_bytes(&mut line[column..column + width]);
        }
    }
}

/// Rows and columns of a rectangle, if it fits.
fn draw_size(spec: &ErasingSpec, dims: [usize; 2], rng: &mut impl Rng) -> Option<[usize; 2]> {
    let between = |low: f64, high: f64, unit: f64| low + (high - low) * unit;
    let area = between(spec.min_area, spec.max_area, unit(rng)) * (dims[0] * dims[1]) as f64;
    let aspect = libm::exp(between(libm::log(spec.min_aspect), libm::log(spec.max_aspect), unit(rng)));
    let size = [area * aspect, area / aspect].map(|square| square.sqrt().round() as usize);
    let fits = |(len, n): (&usize, usize)| (1..=n).contains(len);
    size.iter().zip(dims).all(fits).then_some(size)
}
