//! What comes of a trial: reported on the way, told at its end, or taken from an earlier one of the same run.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use spec::{TrialRecord, TrialState};
use store::Changes;

use crate::ask::{FAILURE, LASTING, PARENT};
use crate::worker::Worker;
use crate::{Study, StudyError, journal};
use search::{ATTEMPT, DUPLICATE_OF};

/// The trial attribute, Optuna's, that says by how much constraints are violated.
const CONSTRAINTS: &str = "constraints";

/// Trial attributes that another trial of the same run does not have in common with it.
const OF_ONE_TRIAL: [&str; 3] = [DUPLICATE_OF, ATTEMPT, PARENT];

/// What came of a trial.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A value for each objective, and by how much each constraint is violated (above 0) or kept.
    Complete {
        /// In the order of the objectives.
        values: Vec<f64>,
        /// In the order of the constraints.
        violations: Vec<f64>,
    },
    /// The pruner ended it.
    Pruned,
    /// It could not be tried.
    Failed {
        /// Why.
        reason: String,
        /// Whether the same values would fail again.
        is_lasting: bool,
    },
}

impl Study {
    /// Puts down a value of the first objective after a step; whether the trial should end.
    pub fn report(&mut self, number: u64, step: u64, value: f64) -> Result<bool, StudyError> {
        self.view.store.set_intermediate(self.view.id, number, &self.lease, step, value)?;
        self.beat(number)?;
        self.view.sync()?;
        Ok(self.pruner.prune(&self.view.history, number, step))
    }

    /// Says that the trial is still at work.
    pub fn beat(&self, number: u64) -> Result<(), StudyError> {
        self.worker.as_ref().map_or(Ok(()), Worker::beat)?;
        Ok(self.view.store.heartbeat(self.view.id, number, &self.lease)?)
    }

    /// Puts down what came of a trial, with what is to be noted of it. An objective that is NaN makes it a failed one.
    pub fn tell(
        &mut self,
        number: u64,
        told: Told,
        mut attributes: BTreeMap<String, Json>,
    ) -> Result<(), StudyError> {
        let mut system = BTreeMap::new();
        let (told, expected) = (self.without_nan(told), self.view.objectives().len());
        let state = match told {
            Told::Complete { values, .. } if values.len() != expected => {
                return Err(StudyError::ValueCount { number, found: values.len(), expected });
            }
            Told::Complete { values, violations } => {
                if !violations.is_empty() {
                    system.insert(CONSTRAINTS.to_owned(), violations.into_iter().map(finite).collect());
                }
                TrialState::Complete { values }
            }
            Told::Pruned => TrialState::Pruned { values: self.last_value(number)? },
            Told::Failed { reason, is_lasting } => {
                attributes.insert(FAILURE.into(), Json::from(reason));
                if is_lasting {
                    attributes.insert(LASTING.into(), Json::from(true));
                }
                TrialState::Failed
            }
        };
        let (user_attributes, system_attributes) = (attributes, system);
        self.finish(number, &state, Changes { user_attributes, system_attributes, ..Changes::default() })
    }

    fn finish(&mut self, number: u64, state: &TrialState, changes: Changes) -> Result<(), StudyError> {
        self.view.store.finish(self.view.id, number, &self.lease, state, &changes)?;
        self.put_down(number)
    }

    /// Puts a trial down outside of the store too.
    pub(crate) fn put_down(&mut self, number: u64) -> Result<(), StudyError> {
        self.view.sync()?;
        journal::write(self.view.folder(), self.view.trial(number)?)
    }

    fn without_nan(&self, told: Told) -> Told {
        match &told {
            Told::Complete { values, .. } => match values.iter().position(|value| value.is_nan()) {
                Some(idx) => {
                    let name = self.view.objectives().get(idx).map_or("a value", |objective| &objective.name);
                    Told::Failed { reason: format!("{name} is not a number"), is_lasting: true }
                }
                None => told,
            },
            _ => told,
        }
    }

    /// What a pruned trial has of its objectives: of several nothing, as steps tell the first alone.
    fn last_value(&self, number: u64) -> Result<Vec<f64>, StudyError> {
        if self.view.objectives().len() != 1 {
            return Ok(Vec::new());
        }
        let last = self.view.trial(number)?.intermediate.values().next_back().copied();
        Ok(last.filter(|value| !value.is_nan()).into_iter().collect())
    }

    /// Lets go of a trial: it waits, with what was done of it, for whoever comes next.
    pub fn release(&mut self, number: u64) -> Result<(), StudyError> {
        Ok(self.view.store.release(self.view.id, number, &self.lease)?)
    }

    /// Takes the result of an earlier trial of the same run.
    pub(crate) fn repeat(&mut self, number: u64, earlier: u64) -> Result<(), StudyError> {
        let TrialRecord { state, intermediate, user_attributes, system_attributes, .. } =
            self.view.trial(earlier)?.clone();
        let kept =
            |(key, _): &(String, Json)| key.starts_with("danlu:") && !OF_ONE_TRIAL.contains(&key.as_str());
        let mut user_attributes: BTreeMap<String, Json> = user_attributes.into_iter().filter(kept).collect();
        user_attributes.insert(DUPLICATE_OF.into(), Json::from(earlier));
        let system_attributes = system_attributes.into_iter().filter(|(key, _)| key == CONSTRAINTS).collect();
        let params = BTreeMap::new();
        self.finish(number, &state, Changes { params, intermediate, user_attributes, system_attributes })
    }
}

/// A violation as JSON has a number for it.
fn finite(violation: f64) -> f64 {
    if violation.is_nan() { f64::MAX } else { violation.clamp(-f64::MAX, f64::MAX) }
}
