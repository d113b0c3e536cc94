//! Functions to minimize; `bench/functions.py` has the same formulas.

use std::f64::consts::{E, PI, TAU};

use search::{Condition, Dimension, Space};
use spec::{Category, Domain, FloatDomain, IntDomain, Scale};

use crate::{Objective, numbers};

/// Steps of the functions that have curves.
const N_STEPS: usize = 27;

pub(crate) fn named(name: &str) -> Option<Objective> {
    Some(match name {
        "sphere-5" => plain(floats(5, -5.0, 5.0), sphere),
        // Only for the time of an answer: whole numbers are the slowest.
        "ints-10" => with_curve(
            (0..10).map(|idx| int(&format!("x{idx}"), 1, 1_000_000, 1, Scale::Log)).collect(),
            |x| vec![x.iter().flatten().map(|x| x.ln()).sum()],
        ),
        "sphere-10" => plain(floats(10, -5.0, 5.0), sphere),
        "rosenbrock-4" => plain(floats(4, -5.0, 10.0), rosenbrock),
        "branin" => plain(vec![float("x0", -5.0, 10.0), float("x1", 0.0, 15.0)], branin),
        "hartmann-6" => plain(floats(6, 0.0, 1.0), hartmann),
        "ackley-5" => plain(floats(5, -32.768, 32.768), ackley),
        "rastrigin-5" => plain(floats(5, -5.12, 5.12), rastrigin),
        "styblinski-tang-5" => plain(floats(5, -5.0, 5.0), styblinski_tang),
        "network" => with_curve(network_space(), |x| vec![network(x)]),
        "noisy" => with_curve(network_space(), |x| vec![noisy(x)]),
        "branches" => with_curve(branches_space(), |x| vec![branches(x)]),
        "discrete" => with_curve(discrete_space(), |x| vec![discrete(x)]),
        "curves" => with_curve(curves_space(), curves),
        "crossing" => with_curve(curves_space(), crossing),
        _ => return None,
    })
}

/// A function of numbers that all exist.
fn plain(space: Vec<Dimension>, cost: fn(&[f64]) -> f64) -> Objective {
    with_curve(space, move |x| vec![cost(&x.iter().copied().flatten().collect::<Vec<_>>())])
}

fn with_curve(space: Vec<Dimension>, curve: impl Fn(&[Option<f64>]) -> Vec<f64> + 'static) -> Objective {
    let space = Space::new(space).expect("the functions' spaces are spaces");
    Objective { space, curve: Box::new(move |point| curve(&numbers(point))) }
}

// ---- Numbers only: the usual test functions (Surjanovic & Bingham, sfu.ca/~ssurjano/optimization.html) ------------

fn sphere(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

fn rosenbrock(x: &[f64]) -> f64 {
    x.windows(2).map(|x| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2)).sum()
}

fn branin(x: &[f64]) -> f64 {
    let curve = x[1] - 5.1 / (4.0 * PI * PI) * x[0] * x[0] + 5.0 / PI * x[0] - 6.0;
    curve * curve + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x[0].cos() + 10.0
}

fn hartmann(x: &[f64]) -> f64 {
    const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let well = |idx: usize| {
        let distance: f64 = (0..6).map(|dim| A[idx][dim] * (x[dim] - P[idx][dim]).powi(2)).sum();
        ALPHA[idx] * (-distance).exp()
    };
    -(0..4).map(well).sum::<f64>()
}

fn ackley(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let square = x.iter().map(|x| x * x).sum::<f64>() / n;
    let wave = x.iter().map(|x| (TAU * x).cos()).sum::<f64>() / n;
    -20.0 * (-0.2 * square.sqrt()).exp() - wave.exp() + 20.0 + E
}

fn rastrigin(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x - 10.0 * (TAU * x).cos() + 10.0).sum()
}

fn styblinski_tang(x: &[f64]) -> f64 {
    x.iter().map(|x| 0.5 * (x.powi(4) - 16.0 * x * x + 5.0 * x)).sum()
}

// ---- Mixed spaces -------------------------------------------------------------------------------------------------

/// What tuning a network looks like: each optimizer has a setting of its own, which shifts the best learning rate.
fn network_space() -> Vec<Dimension> {
    vec![
        categories("optimizer", 2),
        log_float("learning_rate", 1e-5, 1.0),
        when(float("momentum", 0.0, 0.99), 0, 0),
        when(log_float("forgetting", 1e-4, 0.5), 0, 1),
        int("layers", 1, 4, 1, Scale::Linear),
        int("units", 8, 1024, 1, Scale::Log),
        stepped_float("dropout", 0.0, 0.5, 0.05),
        categories("activation", 3),
        int("batch", 16, 256, 16, Scale::Linear),
    ]
}

fn network(x: &[Option<f64>]) -> f64 {
    let at = |idx: usize| x[idx].unwrap_or(f64::NAN);
    let rate = at(1).log10();
    let optimizer = if at(0) == 0.0 {
        0.25 * ((at(1) / (1.0 - at(2))).log10() + 1.0).powi(2) + 0.3 * (at(2) - 0.9).powi(2)
    } else {
        0.3 * (rate + 3.0).powi(2) + 0.05 * (at(3).log10() + 3.0).powi(2) + 0.02
    };
    let size = 0.02 * ((at(5) * at(4)).log2() - 8.0).powi(2) + 0.02 * (at(4) - 2.0).abs();
    let activation = [0.0, 0.03, 0.15][at(7) as usize];
    let batch = 0.01 * ((at(8) / 64.0).log2() - rate - 2.0).powi(2);
    optimizer + size + (at(6) - 0.3).powi(2) + activation + batch
}

/// The same, with what looks like noise of a standard deviation of 0.014, but is the same again at the same point.
fn noisy(x: &[Option<f64>]) -> f64 {
    let at = |idx: usize| x[idx].unwrap_or(f64::NAN);
    network(x) + 0.02 * (12345.678 * (at(1).log10() + at(6) + at(5).ln())).sin()
}

/// A choice with a space of its own behind each value.
fn branches_space() -> Vec<Dimension> {
    vec![
        categories("kind", 3),
        when(float("a0", -5.0, 5.0), 0, 0),
        when(float("a1", -5.0, 5.0), 0, 0),
        when(float("b0", -2.0, 2.0), 0, 1),
        when(float("b1", -2.0, 2.0), 0, 1),
        when(int("c0", 0, 20, 1, Scale::Linear), 0, 2),
        when(int("c1", 1, 100, 1, Scale::Log), 0, 2),
        when(categories("c2", 3), 0, 2),
    ]
}

fn branches(x: &[Option<f64>]) -> f64 {
    let at = |idx: usize| x[idx].unwrap_or(f64::NAN);
    match at(0) as usize {
        0 => 0.5 + at(1).powi(2) + at(2).powi(2),
        1 => 0.1 + 0.1 * (100.0 * (at(4) - at(3) * at(3)).powi(2) + (1.0 - at(3)).powi(2)),
        _ => 0.05 * (at(5) - 13.0).powi(2) + (at(6).ln() - 20f64.ln()).powi(2) + 0.5 * at(7),
    }
}

/// As an architecture: categories and small numbers that hang on one another.
fn discrete_space() -> Vec<Dimension> {
    vec![
        categories("kernel", 4),
        categories("pooling", 3),
        categories("activation", 4),
        int("stages", 1, 5, 1, Scale::Linear),
        int("width", 8, 64, 8, Scale::Linear),
        int("depth", 1, 6, 1, Scale::Linear),
        stepped_float("ratio", 0.25, 2.0, 0.25),
        int("groups", 1, 16, 1, Scale::Log),
    ]
}

fn discrete(x: &[Option<f64>]) -> f64 {
    let at = |idx: usize| x[idx].unwrap_or(f64::NAN);
    let kernel = [0.4, 0.0, 0.1, 0.3][at(0) as usize];
    let pooling = if at(0) == 1.0 { [0.0, 0.3, 0.2] } else { [0.3, 0.0, 0.1] }[at(1) as usize];
    let activation = [0.0, 0.05, 0.2, 0.4][at(2) as usize];
    let size = (at(3) * at(5) - 9.0).abs() * 0.03 + 0.05 * (at(4) / 8.0 - 5.0).powi(2) / 4.0;
    kernel
        + pooling
        + activation
        + size
        + 0.2 * (at(6) - 1.25).powi(2)
        + 0.1 * (at(7) / at(4) * 8.0 - 1.0).abs()
}

// ---- Curves: a cost after each of 27 steps ------------------------------------------------------------------------

fn curves_space() -> Vec<Dimension> {
    vec![
        log_float("learning_rate", 1e-4, 1.0),
        int("width", 8, 256, 1, Scale::Log),
        log_float("decay", 1e-6, 1e-1),
        float("dropout", 0.0, 0.5),
    ]
}

/// Where a curve ends, how fast it falls there (a power of the steps), and some waves as noise.
fn curve(x: &[Option<f64>], end: f64, speed: f64) -> Vec<f64> {
    let at = |idx: usize| x[idx].unwrap_or(f64::NAN);
    let phase = 78.233 * at(0).log10() + 37.719 * at(3);
    let cost =
        |step: f64| end + 0.9 * step.powf(-speed) + 0.02 * (12.9898 * step + phase).sin() / step.sqrt();
    (1..=N_STEPS).map(|step| cost(step as f64)).collect()
}

fn quality(x: &[Option<f64>], best_rate: f64) -> f64 {
    let at = |idx: usize| x[idx].unwrap_or(f64::NAN);
    0.05 * (at(0).log10() - best_rate).powi(2)
        + 0.02 * (at(1).log2() - 6.5).powi(2)
        + 0.01 * (at(2).log10() + 3.5).powi(2)
        + 0.2 * (at(3) - 0.2).powi(2)
}

/// Who is good early is good late.
fn curves(x: &[Option<f64>]) -> Vec<f64> {
    curve(x, quality(x, -1.5), 1.0)
}

/// Large learning rates fall fast and end high, so that early rungs mislead.
fn crossing(x: &[Option<f64>]) -> Vec<f64> {
    let rate = x[0].unwrap_or(f64::NAN).log10();
    curve(x, quality(x, -2.5), 0.3 + 0.2 * (rate + 4.0))
}

// ---- Dimensions ---------------------------------------------------------------------------------------------------

fn dimension(name: &str, domain: Domain) -> Dimension {
    Dimension::new(name, domain)
}

fn when(mut dimension: Dimension, controlling: usize, category: usize) -> Dimension {
    dimension.conditions.push(Condition { dimension: controlling, categories: vec![category] });
    dimension
}

fn any_float(name: &str, low: f64, high: f64, scale: Scale, step: Option<f64>) -> Dimension {
    dimension(name, Domain::Float(FloatDomain { low, high, scale, step }))
}

fn float(name: &str, low: f64, high: f64) -> Dimension {
    any_float(name, low, high, Scale::Linear, None)
}

fn log_float(name: &str, low: f64, high: f64) -> Dimension {
    any_float(name, low, high, Scale::Log, None)
}

fn stepped_float(name: &str, low: f64, high: f64, step: f64) -> Dimension {
    any_float(name, low, high, Scale::Linear, Some(step))
}

fn floats(n: usize, low: f64, high: f64) -> Vec<Dimension> {
    (0..n).map(|idx| float(&format!("x{idx}"), low, high)).collect()
}

fn int(name: &str, low: i64, high: i64, step: i64, scale: Scale) -> Dimension {
    dimension(name, Domain::Int(IntDomain { low, high, scale, step }))
}

fn categories(name: &str, n: usize) -> Dimension {
    dimension(name, Domain::Categorical((0..n).map(|idx| Category::Int(idx as i64)).collect()))
}
