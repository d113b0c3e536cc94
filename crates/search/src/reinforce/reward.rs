//! What a trial is rewarded with.

use spec::RewardSpec;

use crate::{Observation, Outcome};

/// The best of the last values, to a power (Zoph & Le 2016, section 4.1); the final value where there are no
/// others. A trial that was ended early counts like a whole one, with what it had. 0 for a failed one, one
/// that breaks a constraint, and no number. A value below 0 keeps its sign, so that a better one is rewarded better; failing is
/// better than any of these then.
pub(super) fn reward(trial: &Observation, spec: &RewardSpec) -> f64 {
    let costs = match &trial.outcome {
        Outcome::Complete(costs) | Outcome::Pruned(costs) => costs,
        Outcome::Failed | Outcome::Pending => return 0.0,
    };
    if trial.violation.is_nan() || trial.violation > 0.0 {
        return 0.0;
    }
    let last = trial.intermediate.iter().rev().take(spec.last_epochs).map(|(_, cost)| -cost);
    let last = last.filter(|value| !value.is_nan()).reduce(f64::max);
    let value = if trial.intermediate.is_empty() { costs.first().map(|cost| -cost) } else { last };
    let power = |value: f64| libm::pow(value.abs(), spec.power).copysign(value);
    let reward = value.map_or(0.0, power);
    if reward.is_finite() { reward } else { 0.0 }
}
