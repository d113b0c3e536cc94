//! Which of many things a chart shows.

/// At most `max` of the positions `0..n`, in their order: all of `first` as far as a quarter of `max` goes (in the order
/// of importance), of the others as many as there is room for, evenly.
pub(crate) fn thinned(n: usize, max: usize, first: impl IntoIterator<Item = usize>) -> Vec<usize> {
    if n <= max {
        return (0..n).collect();
    }
    let mut is_kept = vec![false; n];
    let mut n_kept = 0;
    for idx in first.into_iter().take(max / 4) {
        n_kept += usize::from(!std::mem::replace(&mut is_kept[idx], true));
    }
    let others: Vec<usize> = (0..n).filter(|&idx| !is_kept[idx]).collect();
    for idx in evenly(others.len(), max - n_kept) {
        is_kept[others[idx]] = true;
    }
    (0..n).filter(|&idx| is_kept[idx]).collect()
}

/// At most `max` of the positions `0..n`, the first and the last among them where `max` is 2 or more.
pub(crate) fn evenly(n: usize, max: usize) -> impl Iterator<Item = usize> {
    let n_kept = n.min(max);
    (0..n_kept).map(move |idx| if n_kept == n || n_kept == 1 { idx } else { idx * (n - 1) / (n_kept - 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_important_stays_and_the_rest_is_thinned_evenly() {
        assert_eq!(thinned(3, 5, [2]), [0, 1, 2]);
        assert_eq!(thinned(0, 5, []), [0_usize; 0]);
        assert_eq!(thinned(9, 4, [4, 3]), [0, 3, 4, 8]);
        let many = thinned(10_000, 1000, (0..10_000).rev());
        assert_eq!(many.len(), 1000);
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
        assert!((9750..10_000).all(|idx| many.contains(&idx)) && many[0] == 0);
        assert_eq!(evenly(10, 1).collect::<Vec<_>>(), [0]);
        assert_eq!(evenly(5, 0).count(), 0);
    }
}
