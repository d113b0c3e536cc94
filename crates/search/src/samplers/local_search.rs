//! Local search (White et al. 2021, "Local search is state of the art for neural architecture search benchmarks"): from a random
//! point climb to better neighbors until there is none, then begin at another random point.
//!
//! A neighbor differs in one dimension, as a mutation of [`super::evolution`] does. Of the paper's variants this is the one that
//! moves as soon as it knows a better neighbor (`query_until_lower`), not after having tried all of them. Trials that run count
//! as tried. Nothing is remembered: the climb is walked again through the history, from its last random point on.

use super::{mutation, random};
use crate::standing::{by_standing, standing};
use crate::{Answer, Ask, Observation, Point, Proposal, Sampler};

pub(super) struct LocalSearch;

impl Sampler for LocalSearch {
    /// The untried neighbors of the center one attempt after the other, then random points.
    fn ask(&self, ask: &Ask<'_>) -> Answer {
        let climb = Climb { ask };
        let untried = climb.start().and_then(|start| climb.untried(start));
        match untried {
            Some((center, point)) => Answer::Try(Proposal { point, parent: Some(center.number) }),
            None => random::point(ask.history.space(), &mut ask.stream()).into(),
        }
    }
}

/// The climb that a question belongs to.
struct Climb<'a> {
    ask: &'a Ask<'a>,
}

impl<'a> Climb<'a> {
    fn trials(&self) -> impl DoubleEndedIterator<Item = &'a Observation> {
        let number = self.ask.number;
        self.ask.history.observations().iter().filter(move |trial| trial.number != number)
    }

    /// The last trial that was drawn at random. Before there is one, the best of those that others chose.
    fn start(&self) -> Option<&'a Observation> {
        self.trials().rev().find(|trial| self.is_random(trial)).or_else(|| {
            let space = self.ask.history.space();
            let is_foreign = |trial: &&Observation| trial.attempt.is_none() && space.contains(&trial.point);
            let ranked = self.trials().filter(is_foreign).filter_map(|trial| Some((standing(trial)?, trial)));
            ranked.min_by(by_standing).map(|(_, trial)| trial)
        })
    }

    /// Whether the trial's values are the random ones of its number and attempt.
    fn is_random(&self, trial: &Observation) -> bool {
        let Some(attempt) = trial.attempt else { return false };
        let then = Ask { number: trial.number, attempt, ..*self.ask };
        random::point(then.history.space(), &mut then.stream()) == trial.point
    }

    /// Climbs from `start` as far as is known; the untried neighbor whose turn it is, and the trial that it is one of.
    fn untried(&self, start: &'a Observation) -> Option<(&'a Observation, Point)> {
        let mut center = start;
        loop {
            let neighbors = self.neighbors(center);
            let tried = |point: &Point| self.trials().find(|trial| trial.point == *point);
            let better = |trial: &&Observation| match (standing(trial), standing(center)) {
                (Some(its), Some(ours)) => its.compare(&ours).is_lt(),
                _ => false,
            };
            if let Some(next) = neighbors.iter().filter_map(tried).find(better) {
                center = next;
                continue;
            }
            let mut untried = neighbors.into_iter().filter(|point| tried(point).is_none());
            let turn = usize::try_from(self.ask.attempt).ok()?;
            return untried.nth(turn).map(|point| (center, point));
        }
    }

    /// The center's neighbors, in an order of its own that the seed shuffles.
    fn neighbors(&self, center: &Observation) -> Vec<Point> {
        let mut rng = self.ask.seed.stream(&format!("local_search/{}", center.number));
        mutation::neighbors(self.ask.history.space(), &center.point, &mut rng)
    }
}
