//! One file over HTTP, through thick and thin.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use md5::{Digest, Md5};
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use crate::checksum::hex;
use crate::error::{DataError, with_causes};

/// More than any file of a data set here; a server that sends more is stopped before it fills the disk.
const MAX_LEN: u64 = 64 << 20;

/// Bytes between two calls of the progress function at most; the largest file, 26 MB, makes about 400.
const CHUNK: usize = 64 * 1024;

/// What a download, or the decoding of pictures, is doing. The function that is told may also end the process:
/// whatever was downloaded is gone on with next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Another process is writing into this folder; told again and again until it is done.
    Waiting {
        /// The folder.
        dir: &'a Path,
    },
    /// Bytes have come.
    Bytes {
        /// The file's name, packed.
        file: &'a str,
        /// How many bytes there are; may fall when a server makes us start over.
        done: u64,
        /// How many there will be, if the server said.
        total: Option<u64>,
    },
    /// Pictures have been decoded.
    Pictures {
        /// How many.
        done: usize,
        /// How many there are.
        total: usize,
    },
    /// The connection broke and is tried again after a pause.
    Retry {
        /// The file's name, packed.
        file: &'a str,
        /// Why.
        reason: &'a str,
    },
}

/// Patience.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    /// How long name look-up and connecting may take, each.
    pub(crate) connect: Duration,
    /// How long the server may be silent.
    pub(crate) idle: Duration,
    /// How often in a row an attempt may gain nothing.
    pub(crate) tries: u32,
    /// The first pause between two attempts; each further one is twice as long.
    pub(crate) pause: Duration,
}

/// Gives up after about 1.75 s without a network, 20 s behind a firewall that swallows everything.
impl Default for Transfer {
    fn default() -> Self {
        let (connect, idle) = (Duration::from_secs(5), Duration::from_secs(20));
        Self { connect, idle, tries: 4, pause: Duration::from_millis(250) }
    }
}

/// Downloads `url` to `target` by way of `target.part`, which is kept when the download breaks and gone on
/// with the next time. `target` appears, or is replaced, only after the MD5 is found right. The caller sees
/// to it that no other process does the same.
pub(crate) fn download(
    url: &str,
    target: &Path,
    md5: &str,
    transfer: &Transfer,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), DataError> {
    let mut part = Part::open(target)?;
    if part.md5() != md5
        && let Err(error) = receive(url, &mut part, transfer, progress)
    {
        if part.len == 0 || matches!(error, DataError::TooLong { .. }) {
            part.delete()?;
        }
        return Err(error);
    }
    let found = part.md5();
    if found != md5 {
        let len = part.len;
        part.delete()?;
        return Err(DataError::Checksum { url: url.to_owned(), len, found, expected: md5.to_owned() });
    }
    part.publish(target)
}

/// Attempts until the file is whole. Only attempts in a row that do not get further than any before are
/// counted, so a line that breaks often still gets there, and a server that ignores ranges cannot keep us
/// forever.
fn receive(
    url: &str,
    part: &mut Part,
    transfer: &Transfer,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), DataError> {
    let agent = agent(transfer);
    let (mut furthest, mut failures, mut pause) = (part.len, 0, transfer.pause);
    loop {
        let source = match attempt(&agent, url, part, progress) {
            Ok(()) => return Ok(()),
            Err(Failure::Fatal(error)) => return Err(error),
            Err(Failure::Passing(source)) => source,
        };
        if part.len > furthest {
            (furthest, failures, pause) = (part.len, 0, transfer.pause);
        }
        failures += 1;
        if failures >= transfer.tries {
            return Err(DataError::Transfer { url: url.to_owned(), tries: failures, done: part.len, source });
        }
        progress(Progress::Retry { file: &part.name, reason: &with_causes(&*source) });
        thread::sleep(pause);
        pause *= 2;
    }
}

/// No proxy: left alone, ureq would take one from the environment, which is the caller's to read.
fn agent(transfer: &Transfer) -> Agent {
    Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .timeout_resolve(Some(transfer.connect))
        .timeout_connect(Some(transfer.connect))
        .timeout_recv_response(Some(transfer.idle))
        .timeout_per_read(Some(transfer.idle))
        .timeout_per_write(Some(transfer.idle))
        .build()
        .new_agent()
}

/// Why an attempt failed: for good, or so that another may succeed.
enum Failure {
    Fatal(DataError),
    Passing(Box<dyn Error + Send + Sync>),
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Fatal(error)
    }
}

/// One request for what is still missing.
fn attempt(
    agent: &Agent,
    url: &str,
    part: &mut Part,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Failure> {
    let mut request = agent.get(url);
    if part.len > 0 {
        request = request.header(header::RANGE, format!("bytes={}-", part.len));
    }
    let response = request.call().map_err(|error| Failure::Passing(error.into()))?;
    match response.status() {
        StatusCode::OK => part.restart()?,
        StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(part.len) => {}
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if part.len > 0 => {
            part.restart()?;
            return Err(Failure::Passing("the server has no such range of the file; starting over".into()));
        }
        status if is_passing(status) => return Err(Failure::Passing(format!("status {status}").into())),
        status => return Err(DataError::Status { url: url.to_owned(), status: status.as_u16() }.into()),
    }
    take_body(url, response.into_body(), part, progress)
}

fn take_body(
    url: &str,
    body: Body,
    part: &mut Part,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Failure> {
    let total = body.content_length().map(|rest| part.len.saturating_add(rest));
    let too_long = || Failure::Fatal(DataError::TooLong { url: url.to_owned(), limit: MAX_LEN });
    if total.is_some_and(|total| total > MAX_LEN) {
        return Err(too_long());
    }
    let (mut reader, mut chunk) = (body.into_reader(), vec![0; CHUNK]);
    loop {
        progress(Progress::Bytes { file: &part.name, done: part.len, total });
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => part.append(&chunk[..n])?,
            Err(error) => return Err(Failure::Passing(error.into())),
        }
        if part.len > MAX_LEN {
            return Err(too_long());
        }
    }
    if total.is_some_and(|total| part.len < total) {
        return Err(Failure::Passing("the server closed the connection in the middle".into()));
    }
    Ok(())
}

/// Server errors, "too many requests" and "request timeout" go away by waiting; others do not.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// The first byte's place, of `content-range: bytes 100-199/200`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

/// The file under way, with the MD5 of what it holds.
struct Part {
    path: PathBuf,
    name: String,
    file: File,
    len: u64,
    digest: Md5,
}

impl Part {
    /// Opens what an earlier try may have left.
    fn open(target: &Path) -> Result<Self, DataError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = target.with_file_name(format!("{name}.part"));
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(DataError::io("write", &path))?;
        let (mut digest, mut len, mut chunk) = (Md5::new(), 0_u64, vec![0; CHUNK]);
        loop {
            let n = file.read(&mut chunk).map_err(DataError::io("read", &path))?;
            if n == 0 {
                return Ok(Self { path, name, file, len, digest });
            }
            digest.update(&chunk[..n]);
            len += n as u64;
        }
    }

    fn md5(&self) -> String {
        hex(&self.digest.clone().finalize())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.file.write_all(bytes).map_err(DataError::io("write", &self.path))?;
        self.digest.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), DataError> {
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(DataError::io("write", &self.path))?;
        (self.len, self.digest) = (0, Md5::new());
        Ok(())
    }

    fn delete(self) -> Result<(), DataError> {
        fs::remove_file(&self.path).map_err(DataError::io("delete", &self.path))
    }

    /// Gives the file its name after its bytes are on the disk, so that a power cut cannot leave a name
    /// without them.
    fn publish(self, target: &Path) -> Result<(), DataError> {
        self.file.sync_all().map_err(DataError::io("write", &self.path))?;
        fs::rename(&self.path, target).map_err(DataError::io("rename to", target))?;
        sync_folder(target).map_err(DataError::io("write", target))
    }
}

/// The new name itself is on the disk only after its folder is. Elsewhere than on Unix a folder cannot be
/// opened.
fn sync_folder(target: &Path) -> io::Result<()> {
    match target.parent() {
        Some(dir) if cfg!(unix) => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
