//! Regularized evolution (Real et al. 2019, algorithm 1): of the youngest trials a few are drawn; the best of them has a
//! child that differs in one dimension. Old trials are forgotten however good they were, so that what was lucky once does
//! not stay.

use rand_chacha::ChaCha8Rng;
use spec::EvolutionSpec;

use super::{N_MODEL_ATTEMPTS, mutation, random};
use crate::standing::{Standing, by_standing, standing};
use crate::{Answer, Ask, Observation, Proposal, Sampler, draw};

pub(super) struct Evolution {
    pub(super) spec: EvolutionSpec,
}

impl Sampler for Evolution {
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        let (space, mut rng) = (ask.history.space(), ask.stream());
        let population = self.population(ask);
        if population.len() < self.spec.population.max(1) || ask.attempt >= N_MODEL_ATTEMPTS {
            return random::point(space, &mut rng).into();
        }
        let parent = self.parent(&population, &mut rng);
        let point = mutation::mutate(space, &parent.point, &mut rng);
        Answer::Try(Proposal { point, parent: Some(parent.number) })
    }
}

impl Evolution {
    /// The youngest trials that are over. A history does not tell when; of trials that run at once the later begun is
    /// the younger.
    fn population<'a>(&self, ask: &Ask<'a>) -> Vec<(Standing, &'a Observation)> {
        let trials = ask.history.observations().iter().rev().filter(|trial| trial.number != ask.number);
        trials.filter_map(|trial| Some((standing(trial)?, trial))).take(self.spec.population).collect()
    }

    /// The best of a tournament, whose members are drawn without putting back.
    fn parent<'a>(
        &self,
        population: &[(Standing, &'a Observation)],
        rng: &mut ChaCha8Rng,
    ) -> &'a Observation {
        let mut members: Vec<_> = population.to_vec();
        let n = self.spec.tournament.clamp(1, members.len());
        for idx in 0..n {
            let other = idx + draw::below(rng, members.len() - idx);
            members.swap(idx, other);
        }
        let best = members[..n].iter().min_by(|a, b| by_standing(a, b));
        best.expect("a tournament has a member").1
    }
}
