//! Gradients against differences.

use spec::Seed;

use super::cases::{Case, cases, controller, history, learning, table};
use crate::reinforce::learned::clipped_weight;
use crate::reinforce::samples::{Sample, Setting};
use crate::reinforce::{Decisions, Learning, Limits, Objective, Policy};

pub(super) type Make = fn(&Decisions) -> (Box<dyn Policy>, Vec<f64>);

pub(super) const POLICIES: [(&str, Make); 2] = [("controller", controller), ("table", table)];

/// Everything off and everything on, one after the other.
fn learnings() -> Vec<(&'static str, Learning)> {
    let plain = learning(8);
    let limits = Limits { temperature: 1.7, tanh: Some(1.3) };
    let objective = |entropy_bonus, skip_penalty| Objective { entropy_bonus, skip_penalty, skip_rate: 0.3 };
    vec![
        ("plain", plain),
        ("temperature", Learning { limits: Limits { tanh: None, ..limits }, ..plain }),
        ("tanh", Learning { limits, ..plain }),
        ("entropy bonus", Learning { objective: objective(0.7, 0.0), ..plain }),
        ("skip penalty", Learning { objective: objective(0.0, 0.9), ..plain }),
        ("fixed depth", Learning { grow_every: Some(1), ..plain }),
        ("clip", Learning { clip: Some(0.2), ..plain }),
        ("all", Learning { limits, objective: objective(0.7, 0.9), clip: Some(0.2), ..plain }),
    ]
}

/// min(r A, clip(r) A) by its definition.
fn clipped(ratio: f64, advantage: f64, clip: f64) -> f64 {
    (ratio * advantage).min(ratio.clamp(1.0 - clip, 1.0 + clip) * advantage)
}

/// What is maximized, from its definition: the mean over the samples.
fn value(
    setting: &Setting<'_>,
    policy: &mut dyn Policy,
    params: &[f64],
    samples: &[Sample],
    (advantages, old): (&[f64], &[Vec<f64>]),
) -> f64 {
    let mut sum = 0.0;
    for (idx, sample) in samples.iter().enumerate() {
        let walk = setting.follow(policy, params, sample);
        for (decision, taken) in walk.taken().iter().enumerate() {
            let (log_p, advantage) = (walk.log_p_taken(taken), advantages[idx]);
            sum += match setting.learning.clip {
                None => advantage * log_p,
                Some(clip) => clipped((log_p - old[idx][decision]).exp(), advantage, clip),
            };
        }
        sum += setting.learning.objective.value(&walk);
    }
    sum / samples.len() as f64
}

/// Six draws, and advantages of both signs for them.
fn samples(setting: &Setting<'_>, policy: &mut dyn Policy, params: &[f64]) -> (Vec<Sample>, Vec<f64>) {
    let sample =
        |number| Sample { point: setting.draw(policy, params, number, 0), reward: 0.0, is_refused: false };
    ((0..6).map(sample).collect(), vec![0.7, -0.4, 1.1, -0.9, 0.2, -1.3])
}

/// The largest difference between the gradient and fourth-order differences, over the largest component.
fn error(case: &Case, learning: &Learning, make: Make) -> f64 {
    let history = history(case.decisions.space());
    let setting = Setting { decisions: &case.decisions, learning, seed: Seed(3), history: &history };
    let (mut policy, params) = make(&case.decisions);
    let policy = &mut *policy;
    let (samples, advantages) = samples(&setting, policy, &params);
    // Elsewhere than where they are drawn from, so that ratios differ from 1; none lies at a kink.
    let elsewhere: Vec<_> = params.iter().zip(0..).map(|(p, idx)| p + 0.2 * f64::sin(idx as f64)).collect();
    let old = setting.log_p(policy, &elsewhere, &samples);
    let weight = |sample: usize, decision: usize, log_p: f64| match learning.clip {
        None => advantages[sample],
        Some(clip) => clipped_weight((log_p - old[sample][decision]).exp(), advantages[sample], clip),
    };
    let gradient = setting.gradient(policy, &params, &samples, &weight).values;
    let largest = gradient.iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
    assert!(largest > 1e-3, "{}: nothing to check", case.name);
    let mut at = |idx: usize, step: f64| {
        let mut moved = params.clone();
        moved[idx] += step;
        value(&setting, policy, &moved, &samples, (&advantages, &old))
    };
    let h = 2e-3;
    let differences = (0..params.len())
        .map(|idx| (8.0 * (at(idx, h) - at(idx, -h)) - (at(idx, 2.0 * h) - at(idx, -2.0 * h))) / (12.0 * h));
    let errors = differences.zip(&gradient).map(|(difference, g)| (difference - g).abs() / largest);
    errors.fold(0.0, f64::max)
}

#[test]
fn gradients_agree_with_differences() {
    for case in cases() {
        for (name, learning) in learnings() {
            for (policy, make) in POLICIES {
                let error = error(&case, &learning, make);
                assert!(error < 1e-8, "{} {name} {policy}: {error:e}", case.name);
            }
        }
    }
}

#[test]
fn a_clipped_weight_is_the_derivative_of_the_clipped_objective() {
    let h = 1e-6;
    for advantage in [-1.5, 0.7] {
        for ratio in [0.5_f64, 0.79, 0.81, 1.0, 1.19, 1.21, 2.0] {
            let at = |step: f64| clipped((ratio.ln() + step).exp(), advantage, 0.2);
            let difference = (at(h) - at(-h)) / (2.0 * h);
            let weight = clipped_weight(ratio, advantage, 0.2);
            assert!((weight - difference).abs() < 1e-8, "{ratio} {advantage}: {weight} {difference}");
        }
    }
}
