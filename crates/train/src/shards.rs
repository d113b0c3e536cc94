//! How a batch is cut, which depends on its size alone.

use lanes::GROUP;

/// Shards of a batch at most, and so threads that can share its work. Every shard has sums of its own for the
/// convolutions' gradients (10 KiB for LeNet), to be written and added up.
const MAX_SHARDS: usize = 16;

/// Samples of one shard, for batches of `batch_size`: whole lane groups, evenly.
pub(crate) fn shard_len(batch_size: usize) -> usize {
    batch_size.div_ceil(GROUP).div_ceil(MAX_SHARDS).max(1) * GROUP
}

/// Shards of a batch of `batch_size`.
pub(crate) fn n_shards(batch_size: usize) -> usize {
    batch_size.div_ceil(shard_len(batch_size))
}

#[cfg(test)]
mod tests {
    use super::{GROUP, MAX_SHARDS, n_shards, shard_len};

    #[test]
    fn shards_are_whole_groups_and_few() {
        for batch_size in 1..2000 {
            assert_eq!(shard_len(batch_size) % GROUP, 0);
            assert!((1..=MAX_SHARDS).contains(&n_shards(batch_size)));
            assert!(shard_len(batch_size) * n_shards(batch_size) >= batch_size);
        }
        assert_eq!((shard_len(256), n_shards(256)), (16, 16));
        assert_eq!((shard_len(1000), n_shards(1000)), (64, 16));
    }
}
