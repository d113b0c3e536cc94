//! Rewards, baselines, advantages and Adam by hand.

use spec::RewardSpec;

use crate::reinforce::adam::Adam;
use crate::reinforce::baseline::Baseline;
use crate::reinforce::reward::reward;
use crate::reinforce::samples::{Sample, advantages};
use crate::{Observation, Outcome};

const NAN: f64 = f64::NAN;

fn trial(outcome: Outcome, accuracies: &[f64], violation: f64) -> Observation {
    let intermediate = (1..).zip(accuracies.iter().map(|accuracy| -accuracy)).collect();
    Observation { intermediate, violation, attempt: Some(0), ..Observation::new(0, vec![], outcome) }
}

#[test]
fn the_reward_is_the_best_of_the_last_epochs_to_a_power() {
    let complete = |accuracy: f64| Outcome::Complete(vec![-accuracy]);
    let pruned = Outcome::Pruned;
    let spec = RewardSpec { last_epochs: 3, power: 3.0, ..RewardSpec::default() };
    for (what, outcome, accuracies, violation, expected) in [
        ("the best of the last three", complete(0.7), vec![0.9, 0.5, 0.8, 0.7], 0.0, 0.512),
        ("fewer epochs than are looked at", complete(0.5), vec![0.5], 0.0, 0.125),
        ("no epochs", complete(0.5), vec![], 0.0, 0.125),
        ("some are no number", complete(0.5), vec![0.9, NAN, 0.5, NAN], 0.0, 0.125),
        ("all are no number", complete(0.5), vec![0.9, NAN, NAN, NAN], 0.0, 0.0),
        ("no number", complete(NAN), vec![], 0.0, 0.0),
        ("infinite", complete(f64::INFINITY), vec![], 0.0, 0.0),
        ("no values", Outcome::Complete(vec![]), vec![], 0.0, 0.0),
        ("ended early", pruned(vec![-0.5]), vec![0.4, 0.5], 0.0, 0.125),
        ("ended before anything was known", pruned(vec![]), vec![], 0.0, 0.0),
        ("failed", Outcome::Failed, vec![0.9], 0.0, 0.0),
        ("a constraint is broken", complete(0.9), vec![0.9], 0.1, 0.0),
        ("a constraint is not known", complete(0.9), vec![0.9], NAN, 0.0),
    ] {
        let found = reward(&trial(outcome, &accuracies, violation), &spec);
        assert!((found - expected).abs() < 1e-15, "{what}: {found}");
    }
    let square_root = RewardSpec { power: 0.5, ..spec };
    assert_eq!(reward(&trial(complete(-0.25), &[], 0.0), &square_root), -0.5, "the sign stays");
    let square = RewardSpec { power: 2.0, ..spec };
    let [bad, good] = [-3.0, -1.0].map(|value| reward(&trial(complete(value), &[], 0.0), &square));
    assert!(bad < good, "{bad} {good}");
}

fn samples(rewards: &[(f64, bool)]) -> Vec<Sample> {
    let sample = |&(reward, is_refused)| Sample { point: vec![], reward, is_refused };
    rewards.iter().map(sample).collect()
}

/// The baseline never holds the reward that is compared with it.
#[test]
fn advantages_are_over_earlier_rewards_and_in_the_first_step_over_the_others() {
    let three = [(0.2, false), (0.0, true), (0.5, false), (0.8, false)];
    for (what, rewards, baseline, expected) in [
        ("later", &three[..], Some(0.4), vec![-0.2, -0.4, 0.1, 0.4]),
        ("first", &three[..], None, vec![0.2 - 0.65, -0.5, 0.0, 0.8 - 0.35]),
        ("one", &three[..2], None, vec![0.0, -0.2]),
        ("none", &[], None, vec![]),
    ] {
        let found = advantages(&samples(rewards), baseline);
        let is_near = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-15);
        assert!(found.len() == expected.len() && is_near, "{what}: {found:?}");
    }
}

#[test]
fn the_baseline_is_a_moving_average_that_begins_with_the_first_rewards() {
    let mut baseline = Baseline::default();
    assert_eq!(baseline.value(), None);
    let mut by_hand = Vec::new();
    for reward in [0.5, 0.7, 0.1, 0.1] {
        by_hand.push(reward);
        baseline.add(reward, 0.9);
        let weights = (0..by_hand.len()).map(|age| 0.9_f64.powi(age as i32));
        let weighted: f64 =
            weights.clone().zip(by_hand.iter().rev()).map(|(weight, reward)| weight * reward).sum();
        let expected = weighted / weights.sum::<f64>();
        let found = baseline.value().unwrap();
        assert!((found - expected).abs() < 1e-15, "{found} {expected}");
    }
}

/// Three updates worked out apart, with Python's decimal numbers, from the algorithm in the paper (Kingma &
/// Ba 2015).
#[test]
fn adam_goes_uphill_as_its_paper_says() {
    let mut params = vec![1.0, -2.0];
    let mut adam = Adam::new(2);
    for gradient in [[0.5, -1e-9], [-0.25, 3.0], [0.125, 0.0]] {
        adam.update(&mut params, &gradient, 0.1);
    }
    for (found, expected) in params.iter().zip([1.160_676_615_083_346, -1.8771552353208156]) {
        assert!((found - expected).abs() < 1e-14, "{found} {expected}");
    }
}
