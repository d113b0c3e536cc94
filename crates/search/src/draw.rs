//! Values of domains from numbers of [0, 1), and random numbers themselves.

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use spec::{Domain, FloatDomain, IntDomain, ParamValue, Scale};

/// A number of [0, 1), with 53 random bits.
pub(crate) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * f64::EPSILON / 2.0
}

/// A whole number below `n`, which is above 0. Its bias is below `n` / 2^53.
pub(crate) fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    ((uniform(rng) * n as f64) as usize).min(n - 1)
}

/// A number of the standard normal distribution (Box & Muller 1958).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - uniform(rng)));
    radius * libm::cos(std::f64::consts::TAU * uniform(rng))
}

/// A value of `domain`, each as probable as any other of its scale.
pub(crate) fn value(domain: &Domain, rng: &mut ChaCha8Rng) -> ParamValue {
    at(domain, uniform(rng))
}

/// The value of `domain` that lies at the share `u` of its scale, 0 to 1: with `u` uniform every value is as probable.
pub(crate) fn at(domain: &Domain, u: f64) -> ParamValue {
    match domain {
        Domain::Float(float) => ParamValue::Float(float_at(float, u)),
        Domain::Int(int) => ParamValue::Int(int_at(int, u)),
        Domain::Categorical(all) => {
            ParamValue::Category(((u * all.len() as f64) as usize).min(all.len() - 1))
        }
    }
}

fn float_at(float: &FloatDomain, u: f64) -> f64 {
    let x = match (float.scale, float.step) {
        (Scale::Log, _) => libm::exp(between(libm::log(float.low), libm::log(float.high), u)),
        (Scale::Linear, None) => between(float.low, float.high, u),
        (Scale::Linear, Some(_)) => return nth_float(float, share_of(n_floats(float), u)),
    };
    x.clamp(float.low, float.high)
}

/// Whole numbers on a log scale take the stretch of the line that is nearest to them, from `low` - 1/2 to `high` + 1/2.
fn int_at(int: &IntDomain, u: f64) -> i64 {
    match int.scale {
        Scale::Linear => nth_int(int, share_of(int.n_values(), u)),
        Scale::Log => {
            let (low, high) = (libm::log(int.low as f64 - 0.5), libm::log(int.high as f64 + 0.5));
            nearest_int(int, libm::exp(between(low, high, u)))
        }
    }
}

/// Low and high are weighed one by one, so that no difference of huge numbers overflows.
fn between(low: f64, high: f64, u: f64) -> f64 {
    (1.0 - u) * low + u * high
}

fn share_of(n: u64, u: f64) -> u64 {
    ((u * n as f64) as u64).min(n - 1)
}

/// How many values a number with a step has; 0 without a step.
pub(crate) fn n_floats(float: &FloatDomain) -> u64 {
    float.step.map_or(0, |step| (((float.high - float.low) / step).round() as u64).saturating_add(1))
}

/// The value `idx` steps above the lowest.
pub(crate) fn nth_float(float: &FloatDomain, idx: u64) -> f64 {
    (float.low + idx as f64 * float.step.unwrap_or(0.0)).min(float.high)
}

/// The value `idx` steps above the lowest.
pub(crate) fn nth_int(int: &IntDomain, idx: u64) -> i64 {
    let value = i128::from(int.low) + i128::from(idx) * i128::from(int.step);
    value.min(i128::from(int.high)) as i64
}

/// The value of the domain that is nearest to `x`.
pub(crate) fn nearest_int(int: &IntDomain, x: f64) -> i64 {
    let idx = ((x - int.low as f64) / int.step as f64).round().max(0.0) as u64;
    nth_int(int, idx.min(int.n_values() - 1))
}

/// The value of a number with a step that is nearest to `x`.
pub(crate) fn nearest_float(float: &FloatDomain, x: f64) -> f64 {
    match float.step {
        Some(step) => {
            let idx = ((x - float.low) / step).round().max(0.0) as u64;
            nth_float(float, idx.min(n_floats(float) - 1))
        }
        None => x.clamp(float.low, float.high),
    }
}

/// Whether there is only one value.
pub(crate) fn is_single(domain: &Domain) -> bool {
    match domain {
        Domain::Float(float) => float.low == float.high,
        Domain::Int(int) => int.low == int.high,
        Domain::Categorical(all) => all.len() == 1,
    }
}

/// The finalizer of SplitMix64 (Steele et al. 2014).
pub(crate) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
