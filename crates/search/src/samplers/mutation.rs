//! Children that differ from their parent in one dimension.

use rand_chacha::ChaCha8Rng;
use spec::{Domain, ParamValue};

use crate::{Point, Space, draw};

/// The parent with another value in one of its dimensions, each as probable. What begins to exist by that is drawn
/// uniformly, as is what the parent should have had but has not.
pub(super) fn mutate(space: &Space, parent: &Point, rng: &mut ChaCha8Rng) -> Point {
    let varies = |dim: &usize| parent[*dim].is_some() && !draw::is_single(&space.dimensions()[*dim].domain);
    let candidates: Vec<usize> = (0..space.len()).filter(varies).collect();
    let mutated = (!candidates.is_empty()).then(|| candidates[draw::below(rng, candidates.len())]);
    space.fill(|dim, dimension| match parent[dim] {
        Some(value) if mutated == Some(dim) => other_value(&dimension.domain, value, rng),
        Some(value) => value,
        None => draw::value(&dimension.domain, rng),
    })
}

/// Of a number with more values than this, so many are drawn.
const MAX_VALUES: u64 = 16;

/// The points that differ from the parent in one of its dimensions, each once, in an order that `rng` shuffles. Of a number with
/// many values some are drawn; what begins to exist by the change is drawn as by [`mutate`].
pub(super) fn neighbors(space: &Space, parent: &Point, rng: &mut ChaCha8Rng) -> Vec<Point> {
    let mut neighbors: Vec<Point> = Vec::new();
    for (changed, dimension) in space.dimensions().iter().enumerate() {
        let Some(old) = parent[changed] else { continue };
        for value in other_values(&dimension.domain, old, rng) {
            let point = space.fill(|dim, dimension| match parent[dim] {
                _ if dim == changed => value,
                Some(value) => value,
                None => draw::value(&dimension.domain, rng),
            });
            // A rule of the space may have put another value in the place of this one.
            if point[changed] == Some(value) && !neighbors.contains(&point) {
                neighbors.push(point);
            }
        }
    }
    for idx in (1..neighbors.len()).rev() {
        neighbors.swap(idx, draw::below(rng, idx + 1));
    }
    neighbors
}

/// All values but `old`, or [`MAX_VALUES`] at random where there are more.
fn other_values(domain: &Domain, old: ParamValue, rng: &mut ChaCha8Rng) -> Vec<ParamValue> {
    let all: Vec<ParamValue> = match domain {
        Domain::Categorical(all) => (0..all.len()).map(ParamValue::Category).collect(),
        Domain::Int(int) if int.n_values() <= MAX_VALUES => {
            (0..int.n_values()).map(|idx| ParamValue::Int(draw::nth_int(int, idx))).collect()
        }
        Domain::Float(float) if (1..=MAX_VALUES).contains(&draw::n_floats(float)) => {
            let values = (0..draw::n_floats(float)).map(|idx| draw::nth_float(float, idx));
            values.map(ParamValue::Float).collect()
        }
        _ => (0..MAX_VALUES).map(|_| draw::value(domain, rng)).collect(),
    };
    all.into_iter().filter(|&value| value != old).collect()
}

/// A value of the domain other than `value`, which is not its only one.
fn other_value(domain: &Domain, value: ParamValue, rng: &mut ChaCha8Rng) -> ParamValue {
    match (domain, value) {
        (Domain::Categorical(all), ParamValue::Category(old)) => {
            let other = draw::below(rng, all.len() - 1);
            ParamValue::Category(other + usize::from(other >= old))
        }
        // Of two values one in two draws is another, of more a larger share, so this many draws do not fail.
        _ => (0..64).map(|_| draw::value(domain, rng)).find(|&other| other != value).unwrap_or(value),
    }
}
