//! Mixup (Zhang et al. 2017, arXiv 1710.09412): pairs of samples, blended.

use spec::MixupSpec;

use super::beta::beta;
use super::{AugmentStreams, substream};
use crate::order::below;

/// How the samples of one batch are mixed; its memory is used again for the next.
#[derive(Clone, Debug, Default)]
pub struct Mix {
    partners: Vec<u32>,
    shares: Vec<f32>,
}

impl Mix {
    /// Draws anew for the samples of step `step` of an epoch, counted from 0. The share of a sample comes from its own
    /// stream; the partners are a random cycle through all samples of the batch, so that nobody is mixed with itself.
    pub fn draw(&mut self, spec: &MixupSpec, streams: &AugmentStreams, step: usize, samples: &[u32]) {
        let share =
            |&sample: &u32| beta(spec.alpha, &mut substream(&streams.shares, u64::from(sample))) as f32;
        self.shares.clear();
        self.shares.extend(samples.iter().map(share));
        self.partners.clear();
        self.partners.extend_from_slice(samples);
        // Sattolo 1986: Fisher-Yates that never leaves an element in its place.
        let mut rng = substream(&streams.partners, step as u64);
        for last in (1..samples.len()).rev() {
            self.partners.swap(last, below(&mut rng, last as u32) as usize);
        }
    }

    /// For each sample of the batch the one that it is mixed with; itself only where it is alone.
    pub fn partners(&self) -> &[u32] {
        &self.partners
    }

    /// For each sample of the batch its own share, 0 to 1.
    pub fn shares(&self) -> &[f32] {
        &self.shares
    }
}

/// Blends `picture` with its partner: byte by byte its share of one and the rest of the other, rounded. Rounding to bytes
/// is off by 1/510 of the range at most.
pub fn mix_bytes(picture: &mut [u8], partner: &[u8], share: f32) {
    for (byte, &other) in picture.iter_mut().zip(partner) {
        let (own, other) = (f32::from(*byte), f32::from(other));
        *byte = (other + share * (own - other) + 0.5) as u8;
    }
}
