//! Cutting a dimension into register tiles.

use lanes::Lane;

/// The largest number of rows that the kernels hold in registers at once.
pub(crate) const TILE: usize = 6;

/// As [`TILE`], of kernels with one accumulator a row: twelve of one AVX-512 register hide the multiply-add's latency.
pub(crate) fn max_rows<V: Lane>() -> usize {
    if V::REGISTERS == 1 { 2 * TILE } else { TILE }
}

/// Runs a kernel with the number of its rows as a constant.
macro_rules! enter_tile {
    ($n:expr, $kernel:ident $fields:tt) => {
        enter_tile!(@ $n, $kernel $fields, 1 2 3 4 5 6 7 8 9 10 11 12)
    };
    (@ $n:expr, $kernel:ident $fields:tt, $($len:literal)+) => {
        match $n {
            $($len => V::enter($kernel::<V, $len> $fields),)+
            n => unreachable!("a tile of {n} rows"),
        }
    };
}

/// Runs a kernel with the outputs and the positions of its register tile as constants, given up to [`TILE`] outputs: 6 × 1 of two
/// AVX2 registers each are 12 accumulators for 8 loads, 6 × 2 of one AVX-512 register too; below 8 accumulators the latency of the
/// multiply-add (4 cycles, 2 a cycle) shows.
macro_rules! enter_product {
    ($n:expr, $kernel:ident $fields:tt) => {
        match ($n, V::REGISTERS) {
            (1, 1) => V::enter($kernel::<V, 1, 8> $fields),
            (2, 1) => V::enter($kernel::<V, 2, 6> $fields),
            (3, 1) => V::enter($kernel::<V, 3, 4> $fields),
            (4, 1) => V::enter($kernel::<V, 4, 3> $fields),
            (5, 1) => V::enter($kernel::<V, 5, 2> $fields),
            (_, 1) => V::enter($kernel::<V, 6, 2> $fields),
            (1, _) => V::enter($kernel::<V, 1, 4> $fields),
            (2, _) => V::enter($kernel::<V, 2, 3> $fields),
            (3, _) => V::enter($kernel::<V, 3, 2> $fields),
            (4, _) => V::enter($kernel::<V, 4, 1> $fields),
            (5, _) => V::enter($kernel::<V, 5, 1> $fields),
            _ => V::enter($kernel::<V, 6, 1> $fields),
        }
    };
}

pub(crate) use {enter_product, enter_tile};

/// Cuts `0..n` into the fewest pieces of at most `max`, as even as possible: (start, length) of each.
///
/// 16 by 6 is 6, 5, 5 rather than 6, 6, 4: fewer than four rows of sixteen lanes leave AVX2's multiply-adds waiting.
pub(crate) fn tiles(n: usize, max: usize) -> impl Iterator<Item = (usize, usize)> {
    let n_tiles = n.div_ceil(max);
    let mut start = 0;
    (0..n_tiles).map(move |idx| {
        let len = (n - start).div_ceil(n_tiles - idx);
        start += len;
        (start - len, len)
    })
}

/// Cuts `0..n` into blocks of about `len`, (start, length) of each: as even as possible, as some work is done once a block.
pub(crate) fn blocks(n: usize, len: usize) -> impl Iterator<Item = (usize, usize)> {
    let n_blocks = ((n + len / 2) / len).max(1);
    tiles(n, n.div_ceil(n_blocks))
}

#[cfg(test)]
mod tests {
    use super::tiles;

    #[test]
    fn tiles_cover_everything_once_and_evenly() {
        for n in 0..200 {
            for max in 1..9 {
                let all: Vec<_> = tiles(n, max).collect();
                let mut next = 0;
                for &(start, len) in &all {
                    assert_eq!(start, next);
                    assert!((1..=max).contains(&len) && len >= n / all.len());
                    next += len;
                }
                assert_eq!((next, all.len()), (n, n.div_ceil(max)));
            }
        }
    }
}
