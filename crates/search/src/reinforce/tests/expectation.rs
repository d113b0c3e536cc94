//! The mean of REINFORCE's gradients against the gradient of the expected reward, which is a sum over all
//! points.
//!
//! For every parameter the mean over many steps has a z-score: its difference from the exact value over its
//! standard error. If the code is right they are standard normal (there are thousands of steps), so that the
//! largest of n of them is above z with a probability of at most n erfc(z / √2): z is chosen so that this is
//! 1e-6 for each case. The same numbers must tell wrong code from right code.

use spec::Seed;

use super::cases::{Case, cases, controller, history, learning, points, table};
use super::gradients::{Make, POLICIES};
use crate::reinforce::baseline::Baseline;
use crate::reinforce::decisions::category;
use crate::reinforce::samples::{Sample, Setting, advantages};
use crate::reinforce::{Learning, Policy, Walk};
use crate::{Observation, Outcome, Point};

const N_STEPS: u64 = 3000;
const N_CHILDREN: u64 = 8;

/// What a point is worth: anything between 0 and 1 that depends on all of it.
fn worth(point: &Point) -> f64 {
    let text = format!("{point:?}");
    let sum = text.bytes().fold(7u64, |sum, byte| crate::draw::mix(sum ^ u64::from(byte)));
    (sum >> 40) as f64 / (1u64 << 24) as f64
}

/// A point that breaks a constraint: one of five.
fn is_refused(point: &Point) -> bool {
    worth(point) < 0.2
}

struct Subject<'a> {
    setting: Setting<'a>,
    policy: Box<dyn Policy>,
    params: Vec<f64>,
}

impl Subject<'_> {
    /// Probability of every point, reward, and gradient of the logarithm of the probability.
    fn exact(&mut self) -> Vec<(f64, f64, Vec<f64>)> {
        let mut all = Vec::new();
        for point in points(self.setting.decisions) {
            let sample = Sample { point, reward: 0.0, is_refused: false };
            let log_p = self.setting.log_p(&mut *self.policy, &self.params, std::slice::from_ref(&sample));
            let log_p: f64 = log_p[0].iter().sum();
            let gradient = self.setting.gradient(
                &mut *self.policy,
                &self.params,
                std::slice::from_ref(&sample),
                &|_, _, _| 1.0,
            );
            let reward = if is_refused(&sample.point) { 0.0 } else { worth(&sample.point) };
            all.push((libm::exp(log_p), reward, gradient.values));
        }
        all
    }

    /// The trials of a step as a study makes them, and what the step learns from.
    fn samples(&mut self, step: u64) -> Vec<Sample> {
        let mut trials = Vec::new();
        for number in step * N_CHILDREN..(step + 1) * N_CHILDREN {
            let mut attempt = 0;
            let point = loop {
                let point = self.setting.draw(&mut *self.policy, &self.params, number, attempt);
                if !is_refused(&point) {
                    break point;
                }
                attempt += 1;
            };
            let outcome = Outcome::Complete(vec![-worth(&point)]);
            trials.push(Observation { attempt: Some(attempt), ..Observation::new(number, point, outcome) });
        }
        self.setting.samples(&mut *self.policy, &self.params, &trials)
    }

    fn gradient(&mut self, samples: &[Sample], advantages: &[f64]) -> Vec<f64> {
        let weight = |sample: usize, _, _| advantages[sample];
        self.setting.gradient(&mut *self.policy, &self.params, samples, &weight).values
    }
}

/// z so that none of `n` standard normal numbers is farther from 0 but with a probability of 1e-6.
fn threshold(n: usize) -> f64 {
    let tail = |z: f64| n as f64 * libm::erfc(z / std::f64::consts::SQRT_2);
    (40..).map(|tenths| f64::from(tenths) / 10.0).find(|&z| tail(z) < 1e-6).unwrap()
}

/// Sums of numbers and of their squares.
#[derive(Clone, Default)]
struct Moments {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        *self = Self { n: self.n + 1.0, sum: self.sum + x, squares: self.squares + x * x };
    }

    /// How many standard errors the mean is from `expected`.
    fn z(&self, expected: f64) -> f64 {
        let mean = self.sum / self.n;
        let variance = (self.squares / self.n - mean * mean).max(0.0) * self.n / (self.n - 1.0);
        let difference = (mean - expected).abs();
        if difference < 1e-12 { 0.0 } else { difference / (variance / self.n).sqrt() }
    }
}

/// What a step makes of its samples, where it is given the baseline of the steps before.
type Estimate = fn(&mut Subject<'_>, &[Sample], Option<f64>) -> Vec<f64>;

fn right(subject: &mut Subject<'_>, samples: &[Sample], baseline: Option<f64>) -> Vec<f64> {
    let advantages = advantages(samples, baseline);
    subject.gradient(samples, &advantages)
}

/// Every step as if it were the first.
fn first_step(subject: &mut Subject<'_>, samples: &[Sample], _baseline: Option<f64>) -> Vec<f64> {
    right(subject, samples, None)
}

fn wrong_sign(subject: &mut Subject<'_>, samples: &[Sample], baseline: Option<f64>) -> Vec<f64> {
    let advantages: Vec<_> = advantages(samples, baseline).into_iter().map(|advantage| -advantage).collect();
    subject.gradient(samples, &advantages)
}

/// The baseline is the mean of the step's own rewards.
fn own_rewards_in_baseline(
    subject: &mut Subject<'_>,
    samples: &[Sample],
    _baseline: Option<f64>,
) -> Vec<f64> {
    let mean = samples.iter().map(|sample| sample.reward).sum::<f64>() / samples.len() as f64;
    right(subject, samples, Some(mean))
}

/// Refused proposals count as if they had never been made.
fn refused_forgotten(subject: &mut Subject<'_>, samples: &[Sample], baseline: Option<f64>) -> Vec<f64> {
    let kept: Vec<_> = samples.iter().filter(|sample| !sample.is_refused).cloned().collect();
    let scale = kept.len() as f64 / samples.len() as f64;
    right(subject, &kept, baseline).into_iter().map(|g| g * scale).collect()
}

/// What is fed back is the most probable category, not the one that was drawn. Only where all dimensions
/// always exist.
fn argmax_fed_back(subject: &mut Subject<'_>, samples: &[Sample], baseline: Option<f64>) -> Vec<f64> {
    let Subject { setting, policy, params } = subject;
    let advantages = advantages(samples, baseline);
    let mut gradient = vec![0.0; params.len()];
    for (sample, advantage) in samples.iter().zip(advantages) {
        let mut walk = Walk::most_probable(setting.decisions, setting.learning.limits);
        policy.walk(params, &mut walk);
        let mut dlogits = vec![0.0; walk.n_logits()];
        for taken in walk.taken() {
            let drawn = category(sample.point[taken.dim]).unwrap();
            for (category, &log_p) in walk.log_p(taken).iter().enumerate() {
                let is_drawn = f64::from(u8::from(category == drawn));
                dlogits[taken.start + category] =
                    advantage * (is_drawn - libm::exp(log_p)) / samples.len() as f64;
            }
        }
        policy.backward(params, &dlogits, &mut gradient);
    }
    gradient
}

/// The largest z-score of all parameters and of the direction of the exact gradient, over its threshold. The
/// sum over a step's samples is looked at, not the mean: as samples are drawn until so many are taken, the
/// expectation of the sum is that of one sample times that of their number (Wald 1944).
fn deviation(case: &Case, make: Make, estimate: Estimate) -> f64 {
    let learning: Learning = learning(N_CHILDREN);
    let history = history(case.decisions.space());
    let setting =
        Setting { decisions: &case.decisions, learning: &learning, seed: Seed(11), history: &history };
    let (policy, params) = make(&case.decisions);
    let n_params = params.len();
    let mut subject = Subject { setting, policy, params };
    let all = subject.exact();
    let accepted: f64 = all.iter().filter(|(_, reward, _)| *reward > 0.0).map(|(p, _, _)| p).sum();
    let n_samples = N_CHILDREN as f64 / accepted;
    let mut exact = vec![0.0; n_params];
    for (p, reward, gradient) in &all {
        exact.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += n_samples * p * reward * g);
    }
    let norm = exact.iter().map(|g| g * g).sum::<f64>().sqrt();
    let mut moments = vec![Moments::default(); n_params + 1];
    let mut baseline = Baseline::default();
    for step in 0..N_STEPS {
        let samples = subject.samples(step);
        let before = baseline.value();
        samples.iter().filter(|one| !one.is_refused).for_each(|one| baseline.add(one.reward, 0.9));
        let gradient = estimate(&mut subject, &samples, before);
        let n = samples.len() as f64;
        moments.iter_mut().zip(&gradient).for_each(|(moments, g)| moments.add(n * g));
        moments[n_params].add(n * gradient.iter().zip(&exact).map(|(g, e)| g * e / norm).sum::<f64>());
    }
    let expected = exact.iter().copied().chain([norm]);
    let largest = moments.iter().zip(expected).map(|(moments, e)| moments.z(e)).fold(0.0, f64::max);
    largest / threshold(n_params + 1)
}

#[test]
fn the_mean_gradient_is_that_of_the_expected_reward() {
    for case in cases() {
        for (name, make) in POLICIES {
            let deviation = deviation(&case, make, right);
            assert!(deviation < 1.0, "{} {name}: {deviation} times what chance allows", case.name);
        }
    }
}

#[test]
fn so_it_is_in_the_first_step() {
    for case in &cases()[..2] {
        for (name, make) in POLICIES {
            let deviation = deviation(case, make, first_step);
            assert!(deviation < 1.0, "{} {name}: {deviation} times what chance allows", case.name);
        }
    }
}

#[test]
fn wrong_gradients_are_told_from_right_ones() {
    let [plain, conditions, ..] = &cases()[..] else { unreachable!("there are more") };
    let wrong: [(&str, &Case, Make, Estimate); 7] = [
        ("sign", plain, controller, wrong_sign),
        ("sign", conditions, table, wrong_sign),
        ("argmax fed back", plain, controller, argmax_fed_back),
        ("own rewards in the baseline", plain, controller, own_rewards_in_baseline),
        ("own rewards in the baseline", plain, table, own_rewards_in_baseline),
        ("refused forgotten", plain, controller, refused_forgotten),
        ("refused forgotten", conditions, table, refused_forgotten),
    ];
    for (name, case, make, estimate) in wrong {
        let deviation = deviation(case, make, estimate);
        assert!(deviation > 1.5, "{name}, {}: {deviation}", case.name);
    }
}

/// Pearson's statistic over the points with 20 expected draws or more, and all others as one, against
/// chi-square by Wilson & Hilferty's approximation, at a probability of 1e-6 for each case.
#[test]
fn points_are_drawn_as_often_as_they_are_probable() {
    const N_DRAWS: u64 = 20_000;
    for case in cases() {
        for (name, make) in POLICIES {
            let learning = learning(N_CHILDREN);
            let history = history(case.decisions.space());
            let setting =
                Setting { decisions: &case.decisions, learning: &learning, seed: Seed(2), history: &history };
            let (policy, params) = make(&case.decisions);
            let mut subject = Subject { setting, policy, params };
            let mut counts = std::collections::BTreeMap::new();
            for number in 0..N_DRAWS {
                let point = subject.setting.draw(&mut *subject.policy, &subject.params, number, 0);
                *counts.entry(format!("{point:?}")).or_insert(0.0) += 1.0;
            }
            let probabilities: Vec<f64> = subject.exact().into_iter().map(|(p, _, _)| p).collect();
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{} {name}", case.name);
            let mut cells = vec![(0.0, 0.0)];
            for (point, p) in points(&case.decisions).iter().zip(probabilities) {
                let cell = (p * N_DRAWS as f64, counts.remove(&format!("{point:?}")).unwrap_or(0.0));
                if cell.0 >= 20.0 {
                    cells.push(cell)
                } else {
                    cells[0] = (cells[0].0 + cell.0, cells[0].1 + cell.1)
                }
            }
            assert!(counts.is_empty(), "{} {name}: {counts:?} cannot be", case.name);
            let cells: Vec<_> = cells.into_iter().filter(|(expected, _)| *expected > 5.0).collect();
            let statistic: f64 = cells.iter().map(|(expected, n)| (n - expected).powi(2) / expected).sum();
            let k = cells.len() as f64 - 1.0;
            let z = ((statistic / k).cbrt() - (1.0 - 2.0 / (9.0 * k))) / (2.0 / (9.0 * k)).sqrt();
            assert!(k > 10.0 && z < 4.75, "{} {name}: {statistic} of {k}", case.name);
        }
    }
}
