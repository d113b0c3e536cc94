//! From logits to probabilities.

/// `exp(z) / Σ exp(z)`, from which the largest is taken first so that nothing overflows.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exps: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - largest).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.iter().map(|exp| exp / sum).collect()
}

/// The classes with their probabilities by [`softmax`], the most probable first, of equal ones the first class; at most
/// `n`.
pub fn top(logits: &[f32], n: usize) -> Vec<(usize, f64)> {
    let mut classes: Vec<(usize, f64)> = softmax(logits).into_iter().enumerate().collect();
    classes.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    classes.truncate(n);
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_and_the_best_is_first() {
        let all = top(&[1.0, 200.0, 199.0], 3);
        assert_eq!(all.iter().map(|(class, _)| *class).collect::<Vec<_>>(), [1, 2, 0]);
        assert!((all.iter().map(|(_, p)| p).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((all[0].1 / all[1].1 - std::f64::consts::E).abs() < 1e-9);
        assert_eq!(top(&[1.0, 1.0, 1.0], 1), [(0, 1.0 / 3.0)]);
    }
}
