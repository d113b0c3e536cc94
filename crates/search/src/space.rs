//! What may vary: dimensions with domains, some of which exist only under conditions.

use std::sync::Arc;

use spec::{Assignment, Domain, ParamValue};

use crate::grammar::Rule;

/// What may vary. Dimensions stand in an order in which each comes after those that its conditions name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    dimensions: Vec<Dimension>,
    rule: Option<Arc<Rule>>,
}

/// How often [`Space::fill`] asks for another value in the place of one that is not allowed.
const MAX_ASKED: usize = 64;

/// One thing that may vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// The parameter's name.
    pub name: String,
    /// What it may be.
    pub domain: Domain,
    /// It exists where all of these hold.
    pub conditions: Vec<Condition>,
    /// What it decides, for samplers that look at a network's structure.
    pub role: Role,
}

/// What a dimension decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Something of its own.
    #[default]
    Single,
    /// How many layers there are; its categories stand in ascending order.
    Depth,
    /// A decision that is taken for each layer: `kind` is the same for all, as `filter_height`.
    Layer {
        /// Which decision.
        kind: String,
        /// For which layer, from 0.
        layer: usize,
    },
    /// Whether layer `layer` reads the output of the earlier layer `from`: category 0 no, 1 yes.
    Skip {
        /// The layer that reads, from 1.
        layer: usize,
        /// The layer whose output is read, from 0.
        from: usize,
    },
}

/// That an earlier, categorical dimension exists and has one of some values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Position of the earlier dimension.
    pub dimension: usize,
    /// Positions among its categories.
    pub categories: Vec<usize>,
}

impl Condition {
    /// Whether it is met by the values of `point`, in the order of the dimensions; what the point does not reach is not there.
    pub fn is_met(&self, point: &[Option<ParamValue>]) -> bool {
        match point.get(self.dimension) {
            Some(Some(ParamValue::Category(category))) => self.categories.contains(category),
            _ => false,
        }
    }
}

/// A value for each dimension of a space, in its order; `None` where the dimension does not exist.
pub type Point = Vec<Option<ParamValue>>;

/// Why a space is none.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// Two dimensions of one name.
    #[error("two parameters are called `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// Numbers that are no domain.
    #[error("parameter `{name}`: {reason}")]
    Domain {
        /// The parameter.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A condition on something that is no earlier categorical dimension, or on categories that it does not have.
    #[error(
        "parameter `{name}`: its condition must name an earlier parameter with choices, and some of these"
    )]
    Condition {
        /// The parameter.
        name: String,
    },
}

impl Space {
    /// Checks names, domains and conditions.
    pub fn new(dimensions: Vec<Dimension>) -> Result<Self, SpaceError> {
        for (idx, dimension) in dimensions.iter().enumerate() {
            let name = || dimension.name.clone();
            if dimensions[..idx].iter().any(|earlier| earlier.name == dimension.name) {
                return Err(SpaceError::DuplicateName { name: name() });
            }
            if let Some(reason) = domain_fault(&dimension.domain) {
                return Err(SpaceError::Domain { name: name(), reason });
            }
            if !dimension.conditions.iter().all(|condition| condition.fits(&dimensions[..idx])) {
                return Err(SpaceError::Condition { name: name() });
            }
        }
        Ok(Self { dimensions, rule: None })
    }

    /// The same, but the first dimensions, those of a grammar, follow its rule.
    pub fn with_rule(self, rule: Option<Arc<Rule>>) -> Self {
        Self { rule, ..self }
    }

    /// In their order.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// How many dimensions there are.
    pub fn len(&self) -> usize {
        self.dimensions.len()
    }

    /// Whether nothing varies.
    pub fn is_empty(&self) -> bool {
        self.dimensions.is_empty()
    }

    /// Whether dimension `idx` exists where the earlier ones have the values of `point`, which may end before `idx`'s own; what its
    /// conditions name and the point does not reach counts as not there.
    pub fn is_active(&self, idx: usize, point: &[Option<ParamValue>]) -> bool {
        self.dimensions[idx].conditions.iter().all(|condition| condition.is_met(point))
    }

    /// Which categories of dimension `idx` may follow the values of `prefix`, which ends before it: those from which a
    /// sequence of further values leads to a point of the space. `None`: all.
    pub fn allowed(&self, idx: usize, prefix: &[Option<ParamValue>]) -> Option<Vec<bool>> {
        self.rule.as_ref()?.allowed(idx, prefix)
    }

    /// Makes a point one value after the other: `value` is asked, in order, for each dimension that exists. Where its answer
    /// is not allowed, it is asked again, so that what draws at random draws from what is allowed; in the end the next
    /// category that is allowed is taken.
    pub fn fill(&self, mut value: impl FnMut(usize, &Dimension) -> ParamValue) -> Point {
        let mut point = Point::with_capacity(self.len());
        for (idx, dimension) in self.dimensions.iter().enumerate() {
            let one = match (self.is_active(idx, &point), self.allowed(idx, &point)) {
                (false, _) => None,
                (true, None) => Some(value(idx, dimension)),
                (true, Some(allowed)) => {
                    let mut asked = (0..MAX_ASKED).map(|_| value(idx, dimension));
                    let first = asked.next().unwrap_or(ParamValue::Category(0));
                    let found = [first].into_iter().chain(asked).find(|&value| is_allowed(&allowed, value));
                    Some(found.unwrap_or_else(|| next_allowed(&allowed, first)))
                }
            };
            point.push(one);
        }
        point
    }

    /// As [`Space::fill`], but `value` is asked once for each dimension, and the point may be outside of the space.
    pub(crate) fn fill_freely(&self, mut value: impl FnMut(usize, &Dimension) -> ParamValue) -> Point {
        let mut point = Point::with_capacity(self.len());
        for (idx, dimension) in self.dimensions.iter().enumerate() {
            point.push(self.is_active(idx, &point).then(|| value(idx, dimension)));
        }
        point
    }

    /// Whether exactly the dimensions that exist have values, all inside of their domains and allowed.
    pub fn contains(&self, point: &[Option<ParamValue>]) -> bool {
        let is_free = |idx: usize, value| {
            self.allowed(idx, &point[..idx]).is_none_or(|allowed| is_allowed(&allowed, value))
        };
        let fits = |(idx, dimension): (usize, &Dimension)| match point[idx] {
            Some(value) => {
                self.is_active(idx, point) && dimension.domain.contains(value) && is_free(idx, value)
            }
            None => !self.is_active(idx, point),
        };
        point.len() == self.len() && self.dimensions.iter().enumerate().all(fits)
    }

    /// The values by name.
    pub fn assignment(&self, point: &[Option<ParamValue>]) -> Assignment {
        let named = self.dimensions.iter().zip(point);
        named.filter_map(|(dimension, value)| Some((dimension.name.clone(), (*value)?))).collect()
    }

    /// The values by position; names that the space does not have are left out.
    pub fn point(&self, assignment: &Assignment) -> Point {
        self.dimensions.iter().map(|dimension| assignment.get(&dimension.name).copied()).collect()
    }
}

impl Dimension {
    /// One that always exists and decides something of its own.
    pub fn new(name: &str, domain: Domain) -> Self {
        Self { name: name.into(), domain, conditions: Vec::new(), role: Role::Single }
    }
}

impl Condition {
    fn fits(&self, earlier: &[Dimension]) -> bool {
        match earlier.get(self.dimension).map(|dimension| &dimension.domain) {
            Some(Domain::Categorical(all)) => {
                !self.categories.is_empty() && self.categories.iter().all(|&category| category < all.len())
            }
            _ => false,
        }
    }
}

fn is_allowed(allowed: &[bool], value: ParamValue) -> bool {
    matches!(value, ParamValue::Category(category) if allowed.get(category) == Some(&true))
}

/// The first allowed category from a value on, round about; the value itself where none is.
fn next_allowed(allowed: &[bool], value: ParamValue) -> ParamValue {
    let ParamValue::Category(first) = value else { return value };
    let round = (first..allowed.len()).chain(0..first);
    round
        .into_iter()
        .find(|&category| allowed.get(category) == Some(&true))
        .map_or(value, ParamValue::Category)
}

/// What is wrong with a domain, if anything.
fn domain_fault(domain: &Domain) -> Option<String> {
    use spec::Scale::Log;
    match domain {
        Domain::Float(float) => {
            let (low, high) = (float.low, float.high);
            let is_whole = |steps: f64| (steps - steps.round()).abs() < 1e-9 * steps.max(1.0);
            match float.step {
                _ if !(low.is_finite() && high.is_finite() && low <= high) => {
                    Some(format!("`low` {low} and `high` {high} must be finite, low not above high"))
                }
                _ if !(high - low).is_finite() => {
                    Some(format!("`low` {low} and `high` {high} are farther apart than a number can say"))
                }
                _ if float.scale == Log && low <= 0.0 => {
                    Some(format!("`low` {low} must be above 0 on a log scale"))
                }
                Some(_) if float.scale == Log => Some("a log scale has no `step`".into()),
                Some(step) if !(step > 0.0 && is_whole((high - low) / step)) => {
                    Some(format!("`step` {step} must be above 0 and lead from {low} to {high}"))
                }
                _ => None,
            }
        }
        Domain::Int(int) => {
            let (low, high, step) = (int.low, int.high, int.step);
            match int.scale {
                _ if low > high => Some(format!("`low` {low} is above `high` {high}")),
                _ if step < 1 || high.abs_diff(low) % step.unsigned_abs() != 0 => {
                    Some(format!("`step` {step} must be 1 or more and lead from {low} to {high}"))
                }
                Log if low < 1 => Some(format!("`low` {low} must be 1 or more on a log scale")),
                Log if step != 1 => Some("a log scale has no `step`".into()),
                _ => None,
            }
        }
        Domain::Categorical(all) if all.is_empty() => Some("it has no choices".into()),
        Domain::Categorical(all) => {
            let twice = all.iter().enumerate().find(|(idx, one)| all[..*idx].contains(one));
            twice.map(|(_, one)| format!("the choice {one} is there twice"))
        }
    }
}
