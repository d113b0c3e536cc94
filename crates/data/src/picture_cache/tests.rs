use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::testing::write_pictures;

const IMAGE_LEN: usize = 6;

/// A cache of four pictures, the third of which could not be read.
fn cache() -> (TempDir, CacheFile, Vec<Outcome>) {
    let dir = tempfile::tempdir().unwrap();
    write_pictures(dir.path(), "set", &["a", "b"], 2);
    let folder = PictureFolder::detect(&dir.path().join("set")).unwrap().unwrap();
    let cache = CacheFile::new(dir.path(), &folder, [1, 2, 3]);
    let read = Outcome::Read([6, 5]);
    let outcomes = vec![read.clone(), read.clone(), Outcome::Rejected("is damaged".into()), read];
    let mut writer = cache.create().unwrap();
    (0..3).for_each(|picture| writer.pixels(&[picture; IMAGE_LEN]).unwrap());
    writer.finish(&outcomes).unwrap();
    (dir, cache, outcomes)
}

fn read(cache: &CacheFile, n: usize) -> Result<(Vec<Outcome>, Vec<u8>), Useless> {
    let (outcomes, mut reader) = cache.read(n, IMAGE_LEN)?;
    let n_read = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Read(_))).count();
    let pixels = reader.pixels(n_read * IMAGE_LEN)?;
    reader.finish().map(|()| (outcomes, pixels))
}

#[test]
fn what_is_written_is_read() {
    let (dir, cache, outcomes) = cache();
    let (found, pixels) = read(&cache, 4).unwrap();
    assert_eq!(found, outcomes);
    assert_eq!(pixels, [[0; 6], [1; 6], [2; 6]].concat());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "the folder and the cache, no leftover");
}

#[test]
fn a_writer_that_does_not_finish_leaves_nothing() {
    let (dir, cache, _) = cache();
    let before = fs::read(&cache.path).unwrap();
    cache.create().unwrap().pixels(&[1, 2, 3]).unwrap();
    assert_eq!(fs::read(&cache.path).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn another_listing_or_shape_has_another_key() {
    let (dir, cache, _) = cache();
    let set = dir.path().join("set");
    let folder = PictureFolder::detect(&set).unwrap().unwrap();
    let other_shape = CacheFile::new(dir.path(), &folder, [3, 2, 3]);
    assert_ne!(other_shape.path, cache.path);
    assert_eq!(read(&other_shape, 4), Err(Useless::Absent));
    write_pictures(&set, "", &["a", "b"], 3);
    let folder = PictureFolder::detect(&set).unwrap().unwrap();
    let stale = CacheFile::new(dir.path(), &folder, [1, 2, 3]);
    assert_eq!(stale.path, cache.path);
    assert_eq!(read(&stale, 6), Err(Useless::Stale));
}

#[test]
fn a_cache_cut_anywhere_is_of_no_use() {
    let (_dir, cache, _) = cache();
    let whole = fs::read(&cache.path).unwrap();
    for len in 0..whole.len() {
        fs::write(&cache.path, &whole[..len]).unwrap();
        assert_eq!(read(&cache, 4), Err(Useless::Damaged), "{len}");
    }
    fs::write(&cache.path, [&whole[..], b"x"].concat()).unwrap();
    assert_eq!(read(&cache, 4), Err(Useless::Damaged));
}

#[test]
fn a_flipped_bit_anywhere_makes_it_useless() {
    let (_dir, cache, _) = cache();
    let whole = fs::read(&cache.path).unwrap();
    for at in 0..whole.len() {
        for bit in [1, 128] {
            let mut bytes = whole.clone();
            bytes[at] ^= bit;
            fs::write(&cache.path, bytes).unwrap();
            assert!(read(&cache, 4).is_err(), "byte {at}");
        }
    }
}

proptest! {
    /// Lengths that lie make no room for more than the file has, and never a panic.
    #[test]
    fn lengths_that_lie_are_damage(pixels_len: u64, outcomes_len: u64, n in 0_usize..10) {
        let (_dir, cache, _) = cache();
        let mut bytes = fs::read(&cache.path).unwrap();
        let end = bytes.len() - END_LEN as usize;
        bytes[end..end + 8].copy_from_slice(&pixels_len.to_le_bytes());
        bytes[end + 8..end + 16].copy_from_slice(&outcomes_len.to_le_bytes());
        fs::write(&cache.path, bytes).unwrap();
        prop_assert_eq!(read(&cache, n), Err(Useless::Damaged));
    }

    #[test]
    fn any_table_is_outcomes_or_nothing(bytes: Vec<u8>, n in 0_usize..50) {
        if let Some(outcomes) = parse(&bytes, n) {
            prop_assert_eq!(outcomes.len(), n);
            prop_assert_eq!(table(&outcomes), bytes);
        }
    }
}
