//! A number that stands for all that was learned from, so that what was worked out of another history is seen.

use super::decisions::category;
use crate::draw::mix;
use crate::{Observation, Point};

/// Of a sequence of numbers and texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Digest(pub(super) u64);

impl Digest {
    /// Of a text.
    pub(super) fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let mut digest = Self(0).and(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            digest = digest.and(u64::from_le_bytes(word));
        }
        digest
    }

    pub(super) fn and(self, number: u64) -> Self {
        Self(mix(self.0.rotate_left(23) ^ number))
    }

    /// With a trial that is over.
    pub(super) fn and_trial(self, trial: &Observation, reward: f64) -> Self {
        let attempt = trial.attempt.map_or(0, |attempt| attempt.saturating_add(1));
        self.and(trial.number).and(attempt).and(reward.to_bits()).and_point(&trial.point)
    }

    pub(super) fn and_point(self, point: &Point) -> Self {
        let number = |value| category(value).map_or(0, |category| category as u64 + 1);
        point.iter().fold(self.and(point.len() as u64), |digest, &value| digest.and(number(value)))
    }
}
