//! The memory in which a pass has its values.

use std::array;
use std::ops::Range;

/// One place for all values of a pass: what a lane group keeps from stage to stage, and behind it what passes within one
/// stage, which all lane groups that a thread works at have in the same memory, so that it stays in the cache.
#[derive(Debug)]
pub(crate) struct Arena<'a, V> {
    pub(crate) kept: &'a mut [V],
    pub(crate) passing: &'a mut [V],
}

impl<V: Copy> Arena<'_, V> {
    /// The ranges, which the plan has made disjoint; none lies across the border. Panics if they overlap.
    pub(crate) fn disjoint<const N: usize>(&mut self, ranges: [&Range<usize>; N]) -> [&mut [V]; N] {
        let n_kept = self.kept.len();
        let kept = ranges.map(|range| if range.start < n_kept { range.clone() } else { 0..0 });
        let passing = ranges
            .map(|range| if range.start < n_kept { 0..0 } else { range.start - n_kept..range.end - n_kept });
        let mut kept = parts(self.kept, kept).into_iter();
        let mut passing = parts(self.passing, passing).into_iter();
        array::from_fn(|_| {
            let (kept, passing) = (kept.next().unwrap_or_default(), passing.next().unwrap_or_default());
            if kept.is_empty() { passing } else { kept }
        })
    }

    /// One range.
    pub(crate) fn get(&mut self, range: &Range<usize>) -> &mut [V] {
        let [one] = self.disjoint([range]);
        one
    }

    /// What is in one range becomes what is in another as well.
    pub(crate) fn copy(&mut self, from: &Range<usize>, to: &Range<usize>) {
        let [from, to] = self.disjoint([from, to]);
        to.copy_from_slice(from);
    }
}

fn parts<V, const N: usize>(of: &mut [V], ranges: [Range<usize>; N]) -> [&mut [V]; N] {
    of.get_disjoint_mut(ranges).expect("the plan's buffers do not overlap")
}

#[cfg(test)]
mod tests {
    use super::Arena;

    #[test]
    fn ranges_lie_on_either_side() {
        let (mut kept, mut passing) = ([0, 1, 2, 3], [4, 5, 6]);
        let mut arena = Arena { kept: &mut kept, passing: &mut passing };
        assert_eq!(arena.disjoint([&(5..7), &(1..3), &(0..0), &(4..5)]), [&[5, 6][..], &[1, 2], &[], &[4]]);
        arena.copy(&(0..2), &(4..6));
        arena.copy(&(6..7), &(3..4));
        arena.get(&(6..7))[0] = 9;
        assert_eq!((kept, passing), ([0, 1, 2, 6], [0, 1, 9]));
    }
}
