//! The exponential moving average of the parameters.

use lanes::{Kernel, Lane};
use nn::Params;
use spec::AverageSpec;

/// The average so far, running statistics included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Average {
    spec: AverageSpec,
    pub(crate) params: Params<f32>,
}

impl Average {
    pub(crate) fn new(spec: AverageSpec, params: Params<f32>) -> Self {
        Self { spec, params }
    }

    /// Takes in the parameters after update `step`, counted from 0.
    pub(crate) fn update<V: Lane<Scalar = f32>>(&mut self, params: &Params<f32>, step: usize) {
        let share = (1.0 - self.spec.keep(step)) as f32;
        V::enter(Blend { average: &mut self.params.0, params: &params.0, share });
    }
}

/// a ← a + share · (p − a)
struct Blend<'a> {
    average: &'a mut [f32],
    params: &'a [f32],
    share: f32,
}

impl Kernel for Blend<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (a, &p) in self.average.iter_mut().zip(self.params) {
            *a += self.share * (p - *a);
        }
    }
}
