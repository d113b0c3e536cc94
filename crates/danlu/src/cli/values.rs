//! Values with bounds.

use std::str::FromStr;

pub(super) fn threads(text: &str) -> Result<usize, String> {
    let max = spec::MAX_THREADS;
    match text.parse() {
        Ok(threads) if (1..=max).contains(&threads) => Ok(threads),
        _ => Err(format!("must be from 1 to {max}")),
    }
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&n| n > 0).ok_or_else(|| "must be 1 or more".into())
}

pub(super) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", u64::MAX))
}

pub(super) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "must be a number such as 0.5 or 1e-3".into())
}

pub(super) fn factor(text: &str) -> Result<f64, String> {
    let allowed = |factor: &f64| (0.01..=100.0).contains(factor);
    text.parse().ok().filter(allowed).ok_or_else(|| "must be a number from 0.01 to 100".into())
}

pub(super) fn shape(text: &str) -> Result<[usize; 3], String> {
    let sizes: Result<Vec<usize>, _> = text.split(',').map(|size| size.trim().parse()).collect();
    match sizes.as_deref() {
        Ok(&[channels @ (1 | 3), height @ 1..=4096, width @ 1..=4096]) => Ok([channels, height, width]),
        _ => Err("must be 1 or 3 channels, and rows and columns from 1 to 4096, such as 1,28,28".into()),
    }
}
