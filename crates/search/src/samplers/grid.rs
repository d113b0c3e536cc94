//! Every combination of values once, in an order that the seed shuffles.
//!
//! Dimensions that conditions name *control* others. A *cell* holds the combinations that agree in all of these: in it the
//! same dimensions exist, so it is a box of numbers, and the cells one after another number all combinations.

use std::collections::BTreeMap;

use rand_core::Rng;
use spec::{Domain, ParamValue, Seed};

use crate::{Answer, Ask, Dimension, Point, Sampler, SamplerError, Space, draw};

pub(super) struct Grid;

/// Combinations that can be numbered with room for sums.
const MAX_COMBINATIONS: u64 = 1 << 53;
/// Cells that are listed for each answer.
const MAX_CELLS: usize = 100_000;

/// Whether every combination can be tried in turn.
pub(super) fn check(space: &Space) -> Result<(), SamplerError> {
    Table::new(space).map(|_| ())
}

impl Sampler for Grid {
    /// The first combination, in shuffled order, that no trial has; after refusals the second, the third and so on. Nothing
    /// where [`check`] fails.
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        let space = ask.history.space();
        let Ok(table) = Table::new(space) else { return Answer::Exhausted };
        let others = ask.history.observations().iter().filter(|trial| trial.number != ask.number);
        let mut tried: Vec<u64> = others.filter_map(|trial| table.index(space, &trial.point)).collect();
        tried.sort_unstable();
        let order = Shuffle::new(table.n_combinations, ask.seed);
        let untried = (0..table.n_combinations).map(|place| order.at(place));
        let untried = untried.filter(|idx| tried.binary_search(idx).is_err());
        let mut untried = untried.filter(|&idx| space.contains(&table.point(space, idx)));
        let idx = usize::try_from(ask.attempt).ok().and_then(|attempt| untried.nth(attempt));
        idx.map_or(Answer::Exhausted, |idx| table.point(space, idx).into())
    }
}

/// All combinations, numbered.
struct Table {
    controls: Vec<bool>,
    cells: Vec<Cell>,
    /// The cell of each combination of the controlling dimensions.
    by_controls: BTreeMap<Vec<Option<usize>>, usize>,
    n_combinations: u64,
}

/// The combinations that agree in the dimensions that control others.
struct Cell {
    /// The category of each controlling dimension, `None` for one that does not exist, and for all others.
    categories: Vec<Option<usize>>,
    /// Of each dimension how many values it takes in this cell: 1 for what controls or does not exist.
    n_values: Vec<u64>,
    /// Number of its first combination.
    start: u64,
}

impl Table {
    fn new(space: &Space) -> Result<Self, SamplerError> {
        let mut controls = vec![false; space.len()];
        for condition in space.dimensions().iter().flat_map(|dimension| &dimension.conditions) {
            controls[condition.dimension] = true;
        }
        let mut table = Self { controls, cells: vec![], by_controls: BTreeMap::new(), n_combinations: 0 };
        table.add_cells(space, Point::new(), Vec::new())?;
        Ok(table)
    }

    /// Adds the cells that begin with the controlling values of `prefix`; other dimensions count as one value there.
    fn add_cells(
        &mut self,
        space: &Space,
        prefix: Point,
        mut n_values: Vec<u64>,
    ) -> Result<(), SamplerError> {
        let dim = prefix.len();
        let Some(dimension) = space.dimensions().get(dim) else { return self.add_cell(&prefix, n_values) };
        let extended = |value| prefix.iter().copied().chain([value]).collect::<Point>();
        let is_active = space.is_active(dim, &prefix);
        if is_active && self.controls[dim] {
            n_values.push(1);
            for category in 0..n_values_of(dimension)? as usize {
                self.add_cells(space, extended(Some(ParamValue::Category(category))), n_values.clone())?;
            }
            return Ok(());
        }
        n_values.push(if is_active { n_values_of(dimension)? } else { 1 });
        self.add_cells(space, extended(None), n_values)
    }

    fn add_cell(&mut self, controls: &Point, n_values: Vec<u64>) -> Result<(), SamplerError> {
        let too_many = SamplerError::TooMany { limit: MAX_COMBINATIONS };
        let size = n_values.iter().try_fold(1u64, |product, &n| product.checked_mul(n));
        let end = size.and_then(|size| self.n_combinations.checked_add(size));
        let Some(end) = end.filter(|&end| end <= MAX_COMBINATIONS) else { return Err(too_many) };
        if self.cells.len() == MAX_CELLS {
            return Err(too_many);
        }
        let categories: Vec<_> = controls.iter().map(|value| category(*value)).collect();
        self.by_controls.insert(categories.clone(), self.cells.len());
        self.cells.push(Cell { categories, n_values, start: self.n_combinations });
        self.n_combinations = end;
        Ok(())
    }

    fn point(&self, space: &Space, idx: u64) -> Point {
        let cell = &self.cells[self.cells.partition_point(|cell| cell.start <= idx) - 1];
        let mut rest = idx - cell.start;
        space.fill_freely(|dim, dimension| match cell.categories[dim] {
            Some(category) => ParamValue::Category(category),
            None => {
                let digit = rest % cell.n_values[dim];
                rest /= cell.n_values[dim];
                nth_value(&dimension.domain, digit)
            }
        })
    }

    /// The number of a point; `None` for one that is not of the grid.
    fn index(&self, space: &Space, point: &Point) -> Option<u64> {
        let control =
            |(&value, &controls): (&Option<ParamValue>, &bool)| category(value.filter(|_| controls));
        let controls: Vec<_> = point.iter().zip(&self.controls).map(control).collect();
        let cell = &self.cells[*self.by_controls.get(&controls)?];
        let (mut idx, mut weight) = (cell.start, 1);
        for (dim, dimension) in space.dimensions().iter().enumerate() {
            let digit = match point[dim] {
                None if space.is_active(dim, point) => return None,
                Some(value) if !self.controls[dim] => value_index(&dimension.domain, value)?,
                _ => 0,
            };
            idx += digit * weight;
            weight *= cell.n_values[dim];
        }
        Some(idx)
    }
}

fn category(value: Option<ParamValue>) -> Option<usize> {
    match value {
        Some(ParamValue::Category(category)) => Some(category),
        _ => None,
    }
}

fn n_values_of(dimension: &Dimension) -> Result<u64, SamplerError> {
    match &dimension.domain {
        Domain::Categorical(all) => Ok(all.len() as u64),
        Domain::Int(int) => Ok(int.n_values()),
        Domain::Float(float) if float.low == float.high => Ok(1),
        Domain::Float(float) if float.step.is_none() => {
            Err(SamplerError::Continuous { name: dimension.name.clone() })
        }
        Domain::Float(float) => Ok(draw::n_floats(float)),
    }
}

fn nth_value(domain: &Domain, idx: u64) -> ParamValue {
    match domain {
        Domain::Categorical(_) => ParamValue::Category(idx as usize),
        Domain::Int(int) => ParamValue::Int(draw::nth_int(int, idx)),
        Domain::Float(float) => ParamValue::Float(draw::nth_float(float, idx)),
    }
}

/// The inverse of [`nth_value`]; `None` for a number between two steps.
fn value_index(domain: &Domain, value: ParamValue) -> Option<u64> {
    let idx = match (domain, value) {
        (Domain::Categorical(_), ParamValue::Category(idx)) => idx as u64,
        (Domain::Int(int), ParamValue::Int(x)) => x.abs_diff(int.low) / int.step.unsigned_abs(),
        (Domain::Float(float), ParamValue::Float(x)) => {
            float.step.map_or(0, |step| ((x - float.low) / step).round() as u64)
        }
        _ => return None,
    };
    // A float that went through text may be a few bits off.
    let is_same = match (nth_value(domain, idx), value) {
        (ParamValue::Float(ours), ParamValue::Float(x)) => (ours - x).abs() <= 1e-9 * ours.abs().max(x.abs()),
        (ours, theirs) => ours == theirs,
    };
    is_same.then_some(idx)
}

/// The numbers below `n` in another order, one at a time: a Feistel network over the next power of four, walked until it
/// falls below `n` (Black & Rogaway 2002).
struct Shuffle {
    n: u64,
    half_bits: u32,
    keys: [u64; 4],
}

impl Shuffle {
    fn new(n: u64, seed: Seed) -> Self {
        let mut rng = seed.stream("grid");
        let bits = u64::BITS - n.saturating_sub(1).leading_zeros();
        Self { n, half_bits: bits.div_ceil(2), keys: std::array::from_fn(|_| rng.next_u64()) }
    }

    fn at(&self, place: u64) -> u64 {
        let mut x = self.step(place);
        while x >= self.n {
            x = self.step(x);
        }
        x
    }

    fn step(&self, x: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let round = |(left, right), key| (right, left ^ (draw::mix(right ^ key) & mask));
        let (left, right) = self.keys.into_iter().fold((x >> self.half_bits, x & mask), round);
        left << self.half_bits | right
    }
}
