//! Uniformly: what everything else is compared with (Bergstra & Bengio 2012).

use rand_chacha::ChaCha8Rng;

use crate::{Answer, Ask, Point, Sampler, Space, draw};

pub(super) struct Random;

impl Sampler for Random {
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        point(ask.history.space(), &mut ask.stream()).into()
    }
}

/// Any point, each as probable as any other on the scales of its dimensions.
pub(super) fn point(space: &Space, rng: &mut ChaCha8Rng) -> Point {
    space.fill(|_, dimension| draw::value(&dimension.domain, rng))
}
