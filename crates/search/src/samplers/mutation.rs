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
