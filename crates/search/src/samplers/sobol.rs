//! Quasi-random points: Sobol's sequence with the direction numbers of Joe & Kuo 2008, scrambled (Owen 1998, in the form of
//! Burley 2020). The first 2^k points lie in the space as evenly as points can, and each one by itself is uniform.

use rand_core::Rng;

use crate::{Answer, Ask, Sampler, draw};

pub(super) struct Sobol;

/// The sequence repeats after so many points; then another scrambling begins.
const N_POINTS: u64 = 1 << 16;
/// Dimensions of the sequence; then they begin again with another scrambling.
const N_DIMENSIONS: usize = 256;

impl Sampler for Sobol {
    /// The point whose index is the trial's number. An answer that was refused is followed by the point of that index in a
    /// sequence of another scrambling, so that the points of other trials stay their own.
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        let (block, idx) = (ask.number / N_POINTS, (ask.number % N_POINTS) as u32);
        let mut scramblings = ask.seed.stream(&format!("sobol/{block}/{}", ask.attempt));
        let space = ask.history.space();
        let scrambling: Vec<u32> =
            (0..space.len().div_ceil(N_DIMENSIONS)).map(|_| scramblings.next_u32()).collect();
        let point = space.fill(|dim, dimension| {
            let u = sobol_burley::sample(idx, (dim % N_DIMENSIONS) as u32, scrambling[dim / N_DIMENSIONS]);
            draw::at(&dimension.domain, f64::from(u))
        });
        point.into()
    }
}
