//! Values set to 0 at random, by value or by whole channels.
//!
//! ```text
//! y[j][p] = x[j][p] · mask[j]      dx[j][p] = dy[j][p] · mask[j]
//! mask[j] = 0 with probability p, else 1 / (1 − p)
//! ```
//!
//! x is [J][N]: J values with N = 1 for dropout, J = C channels with N = H·W for spatial dropout. Only in training; in
//! inference y = x, which is copied. Srivastava et al. 2014; Tompson et al. 2014 (arXiv 1411.4280) for whole
//! channels. PyTorch's `nn.Dropout` and `nn.Dropout2d`, with other random numbers.
//!
//! Every sample draws from a stream of its own, so its mask depends on nothing but that.

use lanes::{GROUP, Lane, Scalar};
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

use super::multiply;

/// The geometry of one dropout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropout {
    /// Probability of 0, below 1.
    pub(crate) p: f64,
    /// J
    pub(crate) n_masks: usize,
    /// N
    pub(crate) plane: usize,
}

/// Random words of a stream that are drawn at once: with all lanes 4 KiB.
const BLOCK: usize = 64;

impl Dropout {
    /// The masks of lanes `0..streams.len()`, lane l's from `streams[l]`: one `u32` for each mask, in order. The other
    /// lanes get 0.
    pub(crate) fn draw<V: Lane>(self, streams: &mut [ChaCha8Rng], mask: &mut [V]) {
        assert!(streams.len() <= V::LANES, "{} streams for {} lanes", streams.len(), V::LANES);
        // Of the 2³² words so many give 0: a probability of 32 bits, exactly.
        let n_zeros = (self.p * 2f64.powi(32)).round() as u64;
        let kept = V::Scalar::from_f64(1.0 / (1.0 - self.p));
        let mut words = [[0; GROUP]; BLOCK];
        for block in mask.chunks_mut(BLOCK) {
            // First words, then numbers, so that both loops are without branches.
            for (lane, stream) in streams.iter_mut().enumerate() {
                words[..block.len()].iter_mut().for_each(|words| words[lane] = stream.next_u32());
            }
            for (mask, words) in block.iter_mut().zip(&words) {
                let mut lanes = [V::Scalar::ZERO; GROUP];
                for (lane, &word) in lanes.iter_mut().zip(&words[..streams.len()]) {
                    *lane = if u64::from(word) < n_zeros { V::Scalar::ZERO } else { kept };
                }
                *mask = V::load(&lanes);
            }
        }
    }

    /// y (overwritten) from x.
    pub(crate) fn forward<V: Lane>(self, x: &[V], mask: &[V], y: &mut [V]) {
        match self.plane {
            1 => multiply::forward(x, mask, y),
            plane => multiply::forward_broadcast(plane, x, mask, y),
        }
    }

    /// dx (overwritten) from dy.
    pub(crate) fn backward<V: Lane>(self, mask: &[V], dy: &[V], dx: &mut [V]) {
        self.forward(dy, mask, dx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanes::{Isa, WithLane};
    use spec::Seed;

    fn streams(n: usize) -> Vec<ChaCha8Rng> {
        (0..n).map(|i| Seed(1).stream(&format!("dropout/{i}"))).collect()
    }

    /// The masks of 13 lanes, as scalars.
    struct Masks(Dropout);

    impl WithLane for Masks {
        type Output = Vec<f32>;
        fn run<V: Lane<Scalar = f32>>(self) -> Vec<f32> {
            let mut mask = vec![V::splat(9.0); self.0.n_masks];
            self.0.draw(&mut streams(13), &mut mask);
            V::as_scalars(&mask).to_vec()
        }
    }

    #[test]
    fn a_lane_s_mask_is_its_stream_s() {
        let dropout = Dropout { p: 0.25, n_masks: 201, plane: 1 };
        for isa in Isa::available() {
            let got = isa.run(Masks(dropout));
            for (lane, mut stream) in streams(13).into_iter().enumerate() {
                for j in 0..201 {
                    let want = if stream.next_u32() < 1 << 30 { 0.0 } else { 4.0 / 3.0 };
                    assert_eq!(got[j * GROUP + lane], want, "{isa}: mask {j} of lane {lane}");
                }
            }
            assert!(got.chunks(GROUP).all(|lanes| lanes[13..] == [0.0; 3]), "{isa}: dead lanes");
        }
    }

    #[test]
    fn the_stream_goes_on_where_it_was() {
        let dropout = Dropout { p: 0.5, n_masks: 100, plane: 1 };
        let (mut once, mut twice) = (vec![0.0; 100], vec![0.0; 100]);
        dropout.draw(&mut streams(1), &mut once);
        let mut stream = streams(1);
        for half in twice.chunks_mut(37) {
            dropout.draw(&mut stream, half);
        }
        assert_eq!(once, twice);
    }

    #[test]
    fn the_share_of_zeros_is_p_and_the_mean_stays() {
        for p in [0.0, 0.1, 0.5, 0.9] {
            let n = 100_000;
            let mut mask = vec![0.0f64; n];
            Dropout { p, n_masks: n, plane: 1 }.draw(&mut streams(1), &mut mask);
            let share = mask.iter().filter(|&&m| m == 0.0).count() as f64 / n as f64;
            // Five standard deviations of a share.
            assert!((share - p).abs() <= 5.0 * (p * (1.0 - p) / n as f64).sqrt(), "{share} for {p}");
            let kept = mask.iter().find(|&&m| m != 0.0).unwrap();
            assert!((kept * (1.0 - p) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn whole_channels_or_single_values() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut y = [0.0; 6];
        Dropout { p: 0.5, n_masks: 3, plane: 2 }.forward(&x, &[2.0, 0.0, 2.0], &mut y);
        assert_eq!(y, [2.0, 4.0, 0.0, 0.0, 10.0, 12.0]);
        Dropout { p: 0.5, n_masks: 6, plane: 1 }.backward(&[2.0, 0.0, 0.0, 2.0, 0.0, 2.0], &x, &mut y);
        assert_eq!(y, [2.0, 0.0, 0.0, 8.0, 0.0, 12.0]);
    }
}
