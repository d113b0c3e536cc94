//! The search for a learning rate.

use std::sync::atomic::Ordering;

use lanes::Isa;
use train::{LrRange, lr_find};

use crate::bench::{Bench, everything, spec};

const RANGE: LrRange = LrRange { start: 1e-5, end: 10.0 };

#[test]
fn a_sweep_finds_rates_at_which_the_network_learns() {
    let bench = Bench::new(400, spec(1));
    let found = lr_find(bench.job(2, Isa::detect()), &bench.initial(), RANGE, 100).unwrap();
    assert!(found.points.len() < 100, "it explodes before the end");
    assert!(found.points.windows(2).all(|pair| pair[0].learning_rate < pair[1].learning_rate));
    assert!((found.points[0].loss - 10f64.ln()).abs() < 0.05);
    let (steepest, minimum) = (found.steepest.unwrap(), found.minimum_tenth.unwrap());
    assert!((1e-4..0.1).contains(&steepest) && (1e-4..0.1).contains(&minimum), "{steepest} {minimum}");
}

#[test]
fn a_sweep_is_the_same_for_any_threads_and_can_be_stopped() {
    let bench = Bench::new(151, everything(1));
    let find = |threads| lr_find(bench.job(threads, Isa::detect()), &bench.initial(), RANGE, 30).unwrap();
    let one = find(1);
    assert_eq!(one, find(7));
    bench.stop.store(true, Ordering::Relaxed);
    assert!(find(2).points.is_empty());
}
