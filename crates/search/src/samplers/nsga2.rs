//! NSGA-II (Deb et al. 2002). A generation is a stretch of `population` numbers. Its parents are the best of the generation
//! before and of that one's parents: those that fewer dominate, and among these those in emptier neighborhoods.

use rand_chacha::ChaCha8Rng;
use spec::Nsga2Spec;

use super::{N_MODEL_ATTEMPTS, random};
use crate::pareto::{crowding_distances, fronts};
use crate::standing::{Standing, by_standing, costs, standing};
use crate::{Answer, Ask, History, Observation, Point, Sampler, Space, draw};

pub(super) struct Nsga2 {
    pub(super) spec: Nsga2Spec,
}

/// A trial that may have children; the better one has the smaller rank, then the larger distance.
#[derive(Clone, Copy)]
struct Parent<'a> {
    trial: &'a Observation,
    rank: usize,
    distance: f64,
}

impl Sampler for Nsga2 {
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        let (space, mut rng) = (ask.history.space(), ask.stream());
        let parents = self.parents(ask.history, ask.number);
        if parents.len() < 2 || ask.attempt >= N_MODEL_ATTEMPTS {
            return random::point(space, &mut rng).into();
        }
        self.child(space, &parents, &mut rng).into()
    }
}

impl Nsga2 {
    /// The parents of the generation that `number` belongs to; none of the first.
    fn parents<'a>(&self, history: &'a History, number: u64) -> Vec<Parent<'a>> {
        let size = self.spec.population.max(2);
        let generation = |trial: &Observation| trial.number / size as u64;
        let trials = history.observations();
        let n_earlier = trials.partition_point(|trial| generation(trial) < number / size as u64);
        let mut parents: Vec<Parent<'a>> = Vec::new();
        for children in trials[..n_earlier].chunk_by(|a, b| generation(a) == generation(b)) {
            let is_usable = |trial: &&Observation| standing(trial).is_some_and(|one| one != Standing::Failed);
            let pool = parents.iter().map(|parent| parent.trial).chain(children.iter().filter(is_usable));
            parents = survivors(pool.collect(), history.directions().len(), size);
        }
        parents
    }

    fn child(&self, space: &Space, parents: &[Parent<'_>], rng: &mut ChaCha8Rng) -> Point {
        let first = tournament(parents, rng);
        let second = (draw::uniform(rng) < self.spec.crossover).then(|| tournament(parents, rng));
        let mutation = self.spec.mutation.unwrap_or(1.0 / space.len().max(1) as f64);
        space.fill(|dim, dimension| {
            // All three are drawn in any case, so that one dimension's luck is not another's.
            let (is_crossed, is_mutated) = (draw::uniform(rng) < 0.5, draw::uniform(rng) < mutation);
            let fresh = draw::value(&dimension.domain, rng);
            let other = second.and_then(|parent| parent.point[dim]);
            let inherited = if is_crossed { other.or(first.point[dim]) } else { first.point[dim].or(other) };
            if is_mutated { fresh } else { inherited.unwrap_or(fresh) }
        })
    }
}

/// The better of two parents drawn at random.
fn tournament<'a>(parents: &[Parent<'a>], rng: &mut ChaCha8Rng) -> &'a Observation {
    let (a, b) = (parents[draw::below(rng, parents.len())], parents[draw::below(rng, parents.len())]);
    let order = a.rank.cmp(&b.rank).then(b.distance.total_cmp(&a.distance));
    if order.is_le() { a.trial } else { b.trial }
}

/// The `n` best of `pool`. Feasible whole trials come in fronts; after them, each a front of its own, what was pruned and
/// what violates constraints, by standing (constrained domination).
fn survivors(pool: Vec<&Observation>, n_objectives: usize, n: usize) -> Vec<Parent<'_>> {
    let ranked = pool.into_iter().filter_map(|trial| Some((standing(trial)?, trial)));
    let (whole, mut others): (Vec<_>, Vec<_>) =
        ranked.partition(|(standing, _)| matches!(standing, Standing::Complete(_)));
    let all: Vec<Vec<f64>> = whole.iter().map(|(_, trial)| costs(trial, n_objectives)).collect();
    let mut survivors = Vec::new();
    for (rank, front) in fronts(&all, n).into_iter().enumerate() {
        let distances = crowding_distances(&all, &front).into_iter();
        let parent = |(&idx, distance): (&usize, f64)| Parent { trial: whole[idx].1, rank, distance };
        let mut parents: Vec<_> = front.iter().zip(distances).map(parent).collect();
        parents.sort_by(|a, b| b.distance.total_cmp(&a.distance).then(a.trial.number.cmp(&b.trial.number)));
        survivors.extend(parents);
    }
    others.sort_by(by_standing);
    let n_ranks = whole.len();
    let parent = |(place, (_, trial))| Parent { trial, rank: n_ranks + place, distance: 0.0 };
    survivors.extend(others.into_iter().enumerate().map(parent));
    survivors.truncate(n);
    survivors
}
