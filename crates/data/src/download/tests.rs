use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::testing::{Reply, Request, Server, hasty, honest, response};

/// 300 kB, so that a response comes in several chunks.
fn file() -> Vec<u8> {
    (0..300_000_u32).map(|byte| (byte.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn md5_of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// A folder, the file to come and the part to begin with.
struct Ground {
    dir: TempDir,
    events: Vec<String>,
}

impl Ground {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), events: vec![] }
    }

    fn with_part(bytes: &[u8]) -> Self {
        let ground = Self::new();
        fs::write(ground.part(), bytes).unwrap();
        ground
    }

    fn target(&self) -> PathBuf {
        self.dir.path().join("file.gz")
    }

    fn part(&self) -> PathBuf {
        self.dir.path().join("file.gz.part")
    }

    fn download(&mut self, server: &Server) -> Result<(), DataError> {
        let (url, target) = (format!("{}file.gz", server.url), self.target());
        download(&url, &target, &md5_of(&file()), &hasty(), &mut |event| {
            self.events.push(format!("{event:?}"))
        })
    }

    /// The file is there, whole, and the part is gone.
    fn assert_whole(&self) {
        assert_eq!(fs::read(self.target()).unwrap(), file());
        assert!(!self.part().exists());
    }
}

fn ranges(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().map(|request| request.range).collect()
}

#[test]
fn a_file_is_downloaded() {
    let server = Server::start(|_, request| honest(&file(), request));
    let mut ground = Ground::new();
    ground.download(&server).unwrap();
    ground.assert_whole();
    assert_eq!(*server.requests(), [Request { path: "/file.gz".into(), range: None }]);
    assert_eq!(ground.events.first().unwrap(), r#"Bytes { file: "file.gz", done: 0, total: Some(300000) }"#);
    assert_eq!(
        ground.events.last().unwrap(),
        r#"Bytes { file: "file.gz", done: 300000, total: Some(300000) }"#
    );
}

#[test]
fn a_break_in_the_middle_is_resumed() {
    let server = Server::start(|n, request| match n {
        0 => Reply::Send(response("200 OK", "", 300_000, &file()[..100_000])),
        _ => honest(&file(), request),
    });
    let mut ground = Ground::new();
    ground.download(&server).unwrap();
    ground.assert_whole();
    assert_eq!(ranges(&server), [None, Some(100_000)]);
    assert_eq!(ground.events.iter().filter(|event| event.starts_with("Retry")).count(), 1);
}

/// Each attempt gains something, so that there may be more of them than `tries`.
#[test]
fn a_line_that_breaks_often_gets_there() {
    let server = Server::start(|_, request| {
        let first = request.range.unwrap_or(0);
        let header = format!("content-range: bytes {first}-299999/300000\r\n");
        let status = if first == 0 { "200 OK" } else { "206 Partial Content" };
        Reply::Send(response(status, &header, 300_000 - first, &file()[first..(first + 30_000).min(300_000)]))
    });
    let mut ground = Ground::new();
    ground.download(&server).unwrap();
    ground.assert_whole();
    assert_eq!(server.requests().len(), 10);
}

#[test]
fn what_an_earlier_process_left_is_resumed() {
    let server = Server::start(|_, request| honest(&file(), request));
    let mut ground = Ground::with_part(&file()[..123_456]);
    ground.download(&server).unwrap();
    ground.assert_whole();
    assert_eq!(ranges(&server), [Some(123_456)]);
}

#[test]
fn a_whole_part_needs_no_server() {
    let server = Server::start(|_, _| panic!("nobody should ask"));
    let mut ground = Ground::with_part(&file());
    ground.download(&server).unwrap();
    ground.assert_whole();
}

#[test]
fn a_server_that_ignores_ranges_starts_over() {
    let server = Server::start(|_, _| Reply::Send(response("200 OK", "", 300_000, &file())));
    let mut ground = Ground::with_part(b"rubbish");
    ground.download(&server).unwrap();
    ground.assert_whole();
    assert_eq!(ranges(&server), [Some(7)]);
}

#[test]
fn a_server_that_ignores_ranges_and_breaks_is_given_up() {
    let server = Server::start(|_, _| Reply::Send(response("200 OK", "", 300_000, &file()[..1000])));
    let mut ground = Ground::new();
    let error = ground.download(&server).unwrap_err();
    assert!(matches!(error, DataError::Transfer { tries: 3, done: 1000, .. }), "{error:?}");
    assert_eq!(fs::read(ground.part()).unwrap(), file()[..1000]);
}

#[test]
fn a_part_longer_than_the_file_starts_over() {
    let server = Server::start(|_, request| honest(&file(), request));
    let mut ground = Ground::with_part(&[file(), vec![0]].concat());
    ground.download(&server).unwrap();
    ground.assert_whole();
    assert_eq!(ranges(&server), [Some(300_001), None]);
}

#[test]
fn another_range_than_asked_for_starts_over() {
    let server = Server::start(|n, request| match n {
        0 => Reply::Send(response(
            "206 Partial Content",
            "content-range: bytes 5-9/300000\r\n",
            5,
            &file()[5..10],
        )),
        _ => honest(&file(), request),
    });
    let mut ground = Ground::with_part(&file()[..1000]);
    ground.download(&server).unwrap();
    ground.assert_whole();
    assert_eq!(ranges(&server), [Some(1000), None]);
}

#[test]
fn a_wrong_checksum_deletes_the_part_and_leaves_the_target() {
    let server = Server::start(|_, request| honest(b"something else", request));
    let mut ground = Ground::new();
    fs::write(ground.target(), "as it was").unwrap();
    let error = ground.download(&server).unwrap_err();
    assert!(
        matches!(&error, DataError::Checksum { len: 14, found, .. } if *found == md5_of(b"something else"))
    );
    assert!(error.to_string().contains(&server.url), "{error}");
    assert!(!ground.part().exists());
    assert_eq!(fs::read(ground.target()).unwrap(), b"as it was");
}

#[test]
fn a_missing_file_is_not_tried_again() {
    let server = Server::start(|_, _| Reply::Send(response("404 Not Found", "", 0, b"")));
    let mut ground = Ground::new();
    let message = ground.download(&server).unwrap_err().to_string();
    assert_eq!(message, format!("{}file.gz: the server answered with status 404", server.url));
    assert_eq!(server.requests().len(), 1);
    assert!(!ground.part().exists());
}

#[test]
fn a_busy_server_is_tried_again() {
    let server = Server::start(|n, request| match n {
        0 => Reply::Send(response("503 Service Unavailable", "", 0, b"")),
        _ => honest(&file(), request),
    });
    let mut ground = Ground::new();
    ground.download(&server).unwrap();
    ground.assert_whole();
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let server = Server::start(|_, _| Reply::Stall(vec![]));
    let (start, mut ground) = (Instant::now(), Ground::new());
    let error = ground.download(&server).unwrap_err();
    assert!(with_causes(&error).contains("timeout"), "{}", with_causes(&error));
    assert!(matches!(error, DataError::Transfer { tries: 3, done: 0, .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(!ground.part().exists());
}

#[test]
fn a_server_that_falls_silent_in_the_middle_is_resumed() {
    let server = Server::start(|n, request| match n {
        0 => Reply::Stall(response("200 OK", "", 300_000, &file()[..200_000])),
        _ => honest(&file(), request),
    });
    let mut ground = Ground::new();
    ground.download(&server).unwrap();
    ground.assert_whole();
    assert_eq!(ranges(&server), [None, Some(200_000)]);
}

#[test]
fn a_file_too_long_to_be_true_is_refused() {
    let server = Server::start(|_, _| Reply::Send(response("200 OK", "", 1 << 40, b"x")));
    let mut ground = Ground::new();
    let error = ground.download(&server).unwrap_err();
    assert!(matches!(error, DataError::TooLong { limit: MAX_LEN, .. }), "{error:?}");
    assert!(!ground.part().exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let server = Server::start(|_, _| panic!("nobody should ask"));
    let mut ground = Ground::new();
    fs::create_dir(ground.part()).unwrap();
    let message = ground.download(&server).unwrap_err().to_string();
    assert_eq!(message, format!("cannot write {}", ground.part().display()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let path = PathBuf::from("/dev/full");
    let file = File::options().write(true).open(&path).unwrap();
    let mut part = Part { path, name: "full".into(), file, len: 0, digest: Md5::new() };
    let error = part.append(b"x").unwrap_err();
    assert_eq!(error.to_string(), "cannot write /dev/full");
    assert!(with_causes(&error).contains("No space left"), "{}", with_causes(&error));
}
