//! One child, decision by decision: drawn from a policy, or followed to find out how probable it was.

use rand_chacha::ChaCha8Rng;
use spec::ParamValue;

use super::decisions::category;
use super::softmax::{category_at, entropy};
use super::{Decisions, Limits};
use crate::{Point, draw};

/// The way through a space's decisions, and the distribution of each that was taken.
pub(crate) struct Walk<'a> {
    decisions: &'a Decisions,
    limits: Limits,
    source: Source<'a>,
    point: Point,
    taken: Vec<Taken>,
    /// Of all categories of all decisions that were taken, one after the other.
    log_p: Vec<f64>,
    slopes: Vec<f64>,
}

/// Who says what is taken.
enum Source<'a> {
    /// Chance; the depth may be fixed, as a position among its categories.
    Draw { rng: &'a mut ChaCha8Rng, depth: Option<usize> },
    /// A point; the depth may be no decision.
    Follow { point: &'a Point, is_depth_fixed: bool },
    /// Whatever is most probable.
    #[cfg(test)]
    MostProbable,
}

/// One decision.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// Its dimension.
    pub(crate) dim: usize,
    /// Where its categories begin in [`Walk::log_p`].
    pub(crate) start: usize,
    /// How many categories it has.
    pub(crate) n: usize,
    /// Which was taken.
    pub(crate) category: usize,
}

impl<'a> Walk<'a> {
    /// Draws a child.
    pub(crate) fn draw(
        decisions: &'a Decisions,
        limits: Limits,
        rng: &'a mut ChaCha8Rng,
        depth: Option<usize>,
    ) -> Self {
        Self::from(decisions, limits, Source::Draw { rng, depth })
    }

    /// Follows a point of the space.
    pub(crate) fn follow(
        decisions: &'a Decisions,
        limits: Limits,
        point: &'a Point,
        is_depth_fixed: bool,
    ) -> Self {
        Self::from(decisions, limits, Source::Follow { point, is_depth_fixed })
    }

    /// Takes whatever is most probable.
    #[cfg(test)]
    pub(super) fn most_probable(decisions: &'a Decisions, limits: Limits) -> Self {
        Self::from(decisions, limits, Source::MostProbable)
    }

    fn from(decisions: &'a Decisions, limits: Limits, source: Source<'a>) -> Self {
        let point = Point::with_capacity(decisions.len());
        Self { decisions, limits, source, point, taken: vec![], log_p: vec![], slopes: vec![] }
    }

    /// Whether dimension `dim` exists, as far as is known.
    pub(crate) fn exists(&self, dim: usize) -> bool {
        self.decisions.space().is_active(dim, &self.point)
    }

    /// Whether the policy is to say what the next dimension is; then [`Walk::take`] comes next. Else it does
    /// not exist or is fixed, and the walk has gone past it.
    pub(crate) fn decides(&mut self) -> bool {
        let dim = self.point.len();
        if !self.exists(dim) {
            self.point.push(None);
            return false;
        }
        let fixed = match &self.source {
            Source::Draw { depth: Some(depth), .. } if self.decisions.is_depth(dim) => {
                Some(ParamValue::Category(self.nearest_allowed(dim, *depth)))
            }
            Source::Follow { point, is_depth_fixed: true } if self.decisions.is_depth(dim) => point[dim],
            _ => return true,
        };
        self.point.push(fixed);
        false
    }

    /// The largest category up to `category` that is allowed, or else the smallest.
    fn nearest_allowed(&self, dim: usize, category: usize) -> usize {
        let category = category.min(self.decisions.n_categories(dim) - 1);
        let Some(allowed) = self.decisions.allowed(dim, &self.point) else { return category };
        let below = allowed[..=category].iter().rposition(|&is| is);
        below.or_else(|| allowed.iter().position(|&is| is)).unwrap_or(category)
    }

    /// What is taken of the next dimension's categories, which have these logits.
    pub(crate) fn take(&mut self, logits: &[f64]) -> usize {
        let (dim, start) = (self.point.len(), self.log_p.len());
        let allowed = self.decisions.allowed(dim, &self.point);
        self.limits.log_softmax(logits, allowed.as_deref(), &mut self.log_p, &mut self.slopes);
        let taken = match &mut self.source {
            Source::Draw { rng, .. } => category_at(&self.log_p[start..], draw::uniform(rng)),
            Source::Follow { point, .. } => category(point[dim]).expect("a point of the space is followed"),
            #[cfg(test)]
            Source::MostProbable => {
                let log_p = &self.log_p[start..];
                (0..log_p.len()).max_by(|&a, &b| log_p[a].total_cmp(&log_p[b])).unwrap()
            }
        };
        self.point.push(Some(ParamValue::Category(taken)));
        self.taken.push(Taken { dim, start, n: logits.len(), category: taken });
        taken
    }

    /// The dimensions that were passed.
    pub(crate) fn point(&self) -> &Point {
        &self.point
    }

    pub(crate) fn into_point(self) -> Point {
        self.point
    }

    /// What was decided, in order.
    pub(crate) fn taken(&self) -> &[Taken] {
        &self.taken
    }

    pub(crate) fn decisions(&self) -> &'a Decisions {
        self.decisions
    }

    /// The logarithms of the probabilities of a decision's categories.
    pub(crate) fn log_p(&self, taken: &Taken) -> &[f64] {
        &self.log_p[taken.start..taken.start + taken.n]
    }

    /// The derivatives of a decision's limited logits by its logits; 0 where they are not allowed.
    pub(crate) fn slopes(&self, taken: &Taken) -> &[f64] {
        &self.slopes[taken.start..taken.start + taken.n]
    }

    /// The logarithm of the probability of what a decision took.
    pub(crate) fn log_p_taken(&self, taken: &Taken) -> f64 {
        self.log_p[taken.start + taken.category]
    }

    /// The entropy of a decision's distribution in nats.
    pub(crate) fn entropy(&self, taken: &Taken) -> f64 {
        entropy(self.log_p(taken))
    }

    /// How many logits were given.
    pub(crate) fn n_logits(&self) -> usize {
        self.log_p.len()
    }
}
