//! Training pictures changed at random, byte by byte, before they are packed into lanes.
//!
//! Every sample has a stream of its own in every epoch, so that what becomes of it depends on nothing but seed, epoch and
//! sample. Angles and draws use functions that give the same bits on every platform (the `libm` crate's and operations
//! that are correctly rounded).

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use spec::{AugmentSpec, Seed};

mod beta;
mod erasing;
mod geometry;
mod mixup;

pub use mixup::{Mix, mix_bytes};

use geometry::Geometry;

/// Changes pictures of one shape; mixup apart, which is for pairs: see [`Mix`].
#[derive(Clone, Copy, Debug)]
pub struct Augment {
    spec: AugmentSpec,
    shape: [usize; 3],
}

impl Augment {
    /// For pictures of `shape`, C, H, W. [`AugmentSpec::validate`] has found the spec well-formed for it.
    pub fn new(spec: &AugmentSpec, shape: [usize; 3]) -> Self {
        Self { spec: *spec, shape }
    }

    /// Whether [`Augment::apply`] copies.
    pub fn is_identity(&self) -> bool {
        AugmentSpec { mixup: None, ..self.spec }.is_identity()
    }

    /// Writes the changed `sample`, `[C][H][W]`, to `out` of the same length.
    ///
    /// The position is drawn first and in any case, so that the kinds of change do not disturb each other's draws.
    pub fn apply(&self, sample: &[u8], rng: &mut impl Rng, out: &mut [u8]) {
        let [c, h, w] = self.shape;
        assert_eq!([sample.len(), out.len()], [c * h * w; 2], "bytes of a picture");
        let geometry = Geometry::draw(&self.spec, rng);
        for (from, to) in sample.chunks_exact(h * w).zip(out.chunks_exact_mut(h * w)) {
            geometry.apply([h, w], from, to);
        }
        if let Some(erasing) = &self.spec.erasing {
            erasing::erase(erasing, self.shape, rng, out);
        }
    }
}

/// Where the changes of one epoch are drawn from.
#[derive(Clone, Debug)]
pub struct AugmentStreams {
    pixels: ChaCha8Rng,
    shares: ChaCha8Rng,
    partners: ChaCha8Rng,
}

impl AugmentStreams {
    /// The seed's streams `augment/EPOCH`, `mixup/EPOCH` and `mixup-partners/EPOCH`.
    pub fn new(seed: Seed, epoch: usize) -> Self {
        let stream = |name: &str| seed.stream(&format!("{name}/{epoch}"));
        Self { pixels: stream("augment"), shares: stream("mixup"), partners: stream("mixup-partners") }
    }

    /// For [`Augment::apply`] to one sample.
    pub fn sample(&self, idx: u32) -> ChaCha8Rng {
        substream(&self.pixels, u64::from(idx))
    }
}

/// One of the 2^64 streams of a key.
fn substream(key: &ChaCha8Rng, idx: u64) -> ChaCha8Rng {
    let mut stream = key.clone();
    stream.set_stream(idx);
    stream
}

/// Uniform from 0 to below 1, in steps of 2^-53.
fn unit(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests;
