use md5::Md5;
use sha2::{Digest, Sha256};

use super::*;
use crate::checksum::hex;
use crate::fashion_mnist::SYSTEM_DIR;
use crate::idx_set::{IdxSet, Strictness};
use crate::known::KNOWN_SETS;
use crate::partition::{Partition, Parts};
use crate::testing::{Reply, Server, gzip, hasty, honest, response, small_set, write_set};

/// The four files packed, their checksums, and a server for them.
struct Source {
    sums: Vec<(&'static str, String, String)>,
    server: Server,
}

impl Source {
    fn new() -> Self {
        let packed: Vec<_> =
            FILES.iter().zip(small_set()).map(|(file, bytes)| (file.name, gzip(&bytes))).collect();
        let sum = |(file, bytes): (&FileSpec<'static>, Vec<u8>)| {
            (file.name, hex(&Md5::digest(gzip(&bytes))), hex(&Sha256::digest(bytes)))
        };
        let sums = FILES.iter().zip(small_set()).map(sum).collect();
        let server = Server::start(move |_, request| {
            match packed.iter().find(|(name, _)| request.path == format!("/{name}.gz")) {
                Some((_, bytes)) => honest(bytes, request),
                None => Reply::Send(response("404 Not Found", "", 0, b"")),
            }
        });
        Self { sums, server }
    }

    fn fetch(&self, dir: &Path) -> Result<(), DataError> {
        let files: Vec<_> =
            self.sums.iter().map(|(name, md5, sha256)| FileSpec { name, md5, sha256 }).collect();
        fetch_files(dir, &self.server.url, &files, &hasty(), &mut |_| {})
    }
}

fn read(dir: &Path, strictness: Strictness) -> Parts {
    IdxSet::named(dir, &KNOWN_SETS[0], strictness).unwrap().read(&Partition::default()).unwrap()
}

#[test]
fn a_folder_is_made_and_filled_once() {
    let (source, dir) = (Source::new(), tempfile::tempdir().unwrap());
    let cache = dir.path().join("deep/down");
    source.fetch(&cache).unwrap();
    assert_eq!(read(&cache, Strictness::WellFormed).test.len(), 10);
    source.fetch(&cache).unwrap();
    assert_eq!(source.server.requests().len(), 4);
}

#[test]
fn two_at_a_time_do_not_disturb_each_other() {
    let (source, dir) = (Source::new(), tempfile::tempdir().unwrap());
    thread::scope(|scope| {
        let both = [scope.spawn(|| source.fetch(dir.path())), scope.spawn(|| source.fetch(dir.path()))];
        for fetched in both {
            fetched.join().unwrap().unwrap();
        }
    });
    assert_eq!(source.server.requests().len(), 4);
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn who_waits_is_told() {
    let (source, dir) = (Source::new(), tempfile::tempdir().unwrap());
    let mut held = Some(lock(dir.path(), &mut |_| panic!("nobody else is there")).unwrap());
    let mut n_waits = 0;
    fetch_files(dir.path(), &source.server.url, &[], &hasty(), &mut |event| {
        assert_eq!(event, Progress::Waiting { dir: dir.path() });
        n_waits += 1;
        drop(held.take());
    })
    .unwrap();
    assert_eq!(n_waits, 1);
}

#[test]
fn a_wrong_packed_file_is_replaced_and_a_wrong_plain_one_refused() {
    let (source, dir) = (Source::new(), tempfile::tempdir().unwrap());
    source.fetch(dir.path()).unwrap();
    let packed = dir.path().join(format!("{}.gz", FILES[0].name));
    for wrong in [gzip(b"other contents"), b"\x1f\x8b but no gzip".to_vec(), vec![]] {
        fs::write(&packed, wrong).unwrap();
        source.fetch(dir.path()).unwrap();
        assert_eq!(sha256(&packed).unwrap(), source.sums[0].2);
    }
    let plain = dir.path().join(FILES[0].name);
    fs::write(&plain, "other contents").unwrap();
    let error = source.fetch(dir.path()).unwrap_err();
    assert!(matches!(&error, DataError::NotExact { file, .. } if *file == plain), "{error:?}");
}

#[test]
fn right_plain_files_need_no_download() {
    let (source, dir) = (Source::new(), tempfile::tempdir().unwrap());
    write_set(dir.path());
    source.fetch(dir.path()).unwrap();
    assert_eq!(source.server.requests().len(), 0);
}

#[test]
fn a_cache_that_cannot_be_made_is_named() {
    let (source, dir) = (Source::new(), tempfile::tempdir().unwrap());
    fs::write(dir.path().join("file"), "").unwrap();
    let cache = dir.path().join("file/cache");
    let message = source.fetch(&cache).unwrap_err().to_string();
    assert_eq!(message, format!("cannot create the folder {}", cache.display()));
}

/// The official files are Debian's with two things more in the gzip header: the file's name and its time,
/// which was found by search. So the real checksums can be put to the test wherever the package is installed.
#[test]
fn the_real_files_are_fetched_and_loaded() {
    let system = Path::new(SYSTEM_DIR);
    if !system.exists() {
        return;
    }
    let server = Server::start(|n, request| {
        let name = request.path.trim_matches('/').strip_suffix(".gz").unwrap();
        let packed = official(&fs::read(system.join(format!("{name}.gz"))).unwrap(), name);
        match n {
            0 => Reply::Send(response("200 OK", "", packed.len(), &packed[..9_000_000])),
            _ => honest(&packed, request),
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let (cache, url) = (Some(dir.path().to_owned()), Some(server.url.clone()));
    let found = fetch(&Places { cache, url, ..Places::default() }, &mut |_| {}).unwrap();
    assert_eq!(server.requests()[1].range, Some(9_000_000));
    let train = read(&found.dir, found.place.strictness()).train;
    assert_eq!(train, read(system, Strictness::Exact).train);
}

/// Packed on 31 August 2017 about 10:50 UTC.
fn official(debian: &[u8], name: &str) -> Vec<u8> {
    let time = if name.starts_with("train") { 1_504_176_606_u32 } else { 1_504_176_627 };
    let has_name = 8;
    let start = [&[0x1f, 0x8b, 8, has_name], &time.to_le_bytes()[..], &debian[8..10], name.as_bytes(), b"\0"];
    [&start.concat(), &debian[10..]].concat()
}
