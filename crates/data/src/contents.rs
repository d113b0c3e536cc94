//! The contents of a file, whether it is packed or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::error::{DataError, Fault};

/// What is read, unpacked and hashed at a time: small enough to be hashed while it is in the second-level
/// cache.
const CHUNK: usize = 256 * 1024;

/// The first two bytes of every gzip file (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Deflate packs 258 bytes into two bits at best, so nothing unpacks to more than 1032 times its size.
const DEFLATE_MAX_RATIO: u64 = 1032;

/// A file being read: unpacked when it is gzip (told by content, not by name; one gzip member), hashed on the
/// way.
pub(crate) struct Contents<R> {
    file: PathBuf,
    source: Source<R>,
    ceiling: u64,
    offset: u64,
    hasher: Sha256,
}

enum Source<R> {
    Plain(Counted<R>),
    Gzip(Box<GzDecoder<Counted<R>>>),
}

impl Contents<BufReader<File>> {
    /// Opens a file. It is streamed, so that a packed one never lies in memory beside its contents.
    pub(crate) fn open(file: &Path) -> Result<Self, DataError> {
        let handle = File::open(file).map_err(DataError::io("open", file))?;
        let len = handle.metadata().map_err(DataError::io("open", file))?.len();
        Self::new(file, len, BufReader::with_capacity(CHUNK, handle))
    }
}

impl<R: BufRead> Contents<R> {
    /// Reads `bytes`, `len` of them; `file` is for messages.
    pub(crate) fn new(file: &Path, len: u64, mut bytes: R) -> Result<Self, DataError> {
        let start = bytes.fill_buf().map_err(DataError::io("read", file))?;
        if start.is_empty() {
            return Err(DataError::Format { file: file.to_owned(), offset: 0, fault: Fault::Empty });
        }
        let is_gzip = start.starts_with(&GZIP_MAGIC);
        let counted = Counted { inner: bytes, consumed: 0 };
        let (source, ceiling) = if is_gzip {
            (Source::Gzip(Box::new(GzDecoder::new(counted))), len.saturating_mul(DEFLATE_MAX_RATIO))
        } else {
            (Source::Plain(counted), len)
        };
        Ok(Self { file: file.to_owned(), source, ceiling, offset: 0, hasher: Sha256::new() })
    }

    /// The file's name, for messages.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// How many bytes of the contents have been read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads until `buffer` is full or the contents end; returns how many bytes it got.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DataError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let read = match &mut self.source {
                Source::Plain(bytes) => bytes.read(&mut buffer[filled..]),
                Source::Gzip(decoder) => decoder.read(&mut buffer[filled..]),
            };
            match read {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error)),
            }
        }
        self.hasher.update(&buffer[..filled]);
        self.offset += filled as u64;
        Ok(filled)
    }

    /// Reads up to `len` bytes into one allocation, which is bounded by what the file can hold at most: `len`
    /// comes from a header that may lie.
    pub(crate) fn read_vec(&mut self, len: usize) -> Result<Vec<u8>, DataError> {
        let ceiling = usize::try_from(self.ceiling).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        let too_large = |_| DataError::io("read", &self.file)(io::ErrorKind::OutOfMemory.into());
        bytes.try_reserve_exact(len.min(ceiling)).map_err(too_large)?;
        while bytes.len() < len {
            let start = bytes.len();
            bytes.resize(start + CHUNK.min(len - start), 0);
            let read = self.read(&mut bytes[start..])?;
            bytes.truncate(start + read);
            if read == 0 {
                break;
            }
        }
        Ok(bytes)
    }

    /// Whether the contents have ended. For gzip, a `true` also means that its checksum is right and nothing
    /// follows it.
    pub(crate) fn has_ended(&mut self) -> Result<bool, DataError> {
        if self.read(&mut [0])? > 0 {
            return Ok(false);
        }
        if let Source::Gzip(decoder) = &mut self.source {
            let counted = decoder.get_mut();
            let offset = counted.consumed;
            if !counted.fill_buf().map_err(DataError::io("read", &self.file))?.is_empty() {
                return Err(DataError::GzipTrailing { file: self.file.clone(), offset });
            }
        }
        Ok(true)
    }

    /// The SHA-256 of all that was read, ready to take more.
    pub(crate) fn into_hasher(self) -> Sha256 {
        self.hasher
    }

    /// Tells damaged gzip from a failing disk: only the latter has an operating system's error code.
    fn explain(&self, source: io::Error) -> DataError {
        let file = self.file.clone();
        match &self.source {
            Source::Gzip(decoder) if source.raw_os_error().is_none() => {
                let offset = decoder.get_ref().consumed;
                match source.kind() {
                    io::ErrorKind::UnexpectedEof => DataError::GzipTruncated { file, offset, source },
                    _ => DataError::GzipCorrupt { file, offset, source },
                }
            }
            _ => DataError::Io { action: "read", path: file, source },
        }
    }
}

/// The SHA-256, hexadecimal, of a file's contents.
pub(crate) fn sha256(file: &Path) -> Result<String, DataError> {
    let mut contents = Contents::open(file)?;
    let mut chunk = vec![0; CHUNK];
    while contents.read(&mut chunk)? > 0 {}
    contents.has_ended()?;
    Ok(hex(&contents.into_hasher().finalize()))
}

/// A reader that knows how far it is.
struct Counted<R> {
    inner: R,
    consumed: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.consumed += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.inner.consume(n);
        self.consumed += n as u64;
    }
}
