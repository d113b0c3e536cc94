//! What was tried, in the form that samplers and pruners look at.

use spec::{Direction, Domain, Param, ParamValue, TrialRecord, TrialState};

use crate::{Point, Space};

/// The trial attribute that says at which attempt the sampler's answer was taken.
pub const ATTEMPT: &str = "danlu:attempt";
/// The trial attribute that names the trial whose result was taken.
pub const DUPLICATE_OF: &str = "danlu:duplicate_of";

/// All trials of a study so far, by their numbers.
#[derive(Clone, Debug)]
pub struct History {
    space: Space,
    directions: Vec<Direction>,
    observations: Vec<Observation>,
}

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Its number.
    pub number: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// A value for each dimension of the space; `None` also for what the trial has outside of its domain.
    pub point: Point,
    /// The first objective by step, in the order of the steps, as costs: smaller is better. May be NaN.
    pub intermediate: Vec<(u64, f64)>,
    /// By how much constraints are violated, summed over them; 0 where all hold.
    pub violation: f64,
    /// The attempt at which the sampler's answer was taken ([`crate::Ask::attempt`]); `None` where others chose.
    pub attempt: Option<u64>,
    /// Whether its result is that of an earlier trial of the same run.
    pub is_reused: bool,
}

/// What came of a trial, as costs: smaller is better, whatever the direction of the objective.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It waits or runs.
    Pending,
    /// One cost for each objective.
    Complete(Vec<f64>),
    /// It was ended early; its costs then, empty where there is none.
    Pruned(Vec<f64>),
    /// It could not be tried, or gave no number.
    Failed,
}

impl Observation {
    /// A trial that others chose, without intermediate values and within all constraints.
    pub fn new(number: u64, point: Point, outcome: Outcome) -> Self {
        Self {
            number,
            outcome,
            point,
            intermediate: Vec::new(),
            violation: 0.0,
            attempt: None,
            is_reused: false,
        }
    }
}

impl History {
    /// Nothing tried yet.
    pub fn new(space: Space, directions: Vec<Direction>) -> Self {
        Self { space, directions, observations: Vec::new() }
    }

    /// What may vary.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// What is better, for each objective.
    pub fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// In the order of their numbers.
    pub fn observations(&self) -> &[Observation] {
        &self.observations
    }

    /// The trial of that number.
    pub fn get(&self, number: u64) -> Option<&Observation> {
        let idx = self.observations.binary_search_by_key(&number, |one| one.number).ok()?;
        Some(&self.observations[idx])
    }

    /// Puts a trial in, or in the place of what was known of it.
    pub fn record(&mut self, trial: &TrialRecord) {
        self.insert(self.observe(trial));
    }

    /// As [`History::record`], for what is no stored trial.
    pub fn insert(&mut self, observation: Observation) {
        match self.observations.binary_search_by_key(&observation.number, |one| one.number) {
            Ok(idx) => self.observations[idx] = observation,
            Err(idx) => self.observations.insert(idx, observation),
        }
    }

    fn observe(&self, trial: &TrialRecord) -> Observation {
        let value = |name: &str, domain| trial.params.get(name).and_then(|param| value_in(domain, param));
        let dimensions = self.space.dimensions();
        let first = self.directions.first().copied().unwrap_or(Direction::Minimize);
        Observation {
            number: trial.number,
            outcome: self.outcome(&trial.state),
            point: dimensions.iter().map(|dimension| value(&dimension.name, &dimension.domain)).collect(),
            intermediate: trial.intermediate.iter().map(|(&step, &x)| (step, first.cost(x))).collect(),
            violation: trial.constraints().iter().map(|violation| violation.max(0.0)).sum(),
            attempt: trial.user_attributes.get(ATTEMPT).and_then(serde_json::Value::as_u64),
            is_reused: trial.user_attributes.contains_key(DUPLICATE_OF),
        }
    }

    fn outcome(&self, state: &TrialState) -> Outcome {
        let costs = |values: &[f64]| self.directions.iter().zip(values).map(|(d, &x)| d.cost(x)).collect();
        match state {
            TrialState::Waiting | TrialState::Running => Outcome::Pending,
            TrialState::Complete { values } => Outcome::Complete(costs(values)),
            TrialState::Pruned { values } => Outcome::Pruned(costs(values)),
            TrialState::Failed => Outcome::Failed,
        }
    }
}

/// A stored value as one of `domain`: another program may have had the same choices in another order, or a wider range.
fn value_in(domain: &Domain, param: &Param) -> Option<ParamValue> {
    let value = match (domain, &param.domain, param.value) {
        (Domain::Categorical(ours), Domain::Categorical(theirs), ParamValue::Category(idx)) => {
            let category = theirs.get(idx)?;
            ParamValue::Category(ours.iter().position(|one| one == category)?)
        }
        (_, _, value) => value,
    };
    domain.contains(value).then_some(value)
}
