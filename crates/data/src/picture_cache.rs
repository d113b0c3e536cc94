//! Pictures that were decoded once.
//!
//! ```text
//! 16 bytes   `danlu pictures`, 0, the version
//! 32 bytes   SHA-256 of all that the contents follow from: the key
//! pixels     C·H·W bytes of each picture that could be read, in the order of the listing
//! outcomes   for each entry of the listing: 0, width, height (4 bytes each), or 1, length (2 bytes), reason (UTF-8)
//! 8 bytes    length of the pixels
//! 8 bytes    length of the outcomes
//! 32 bytes   SHA-256 of all before
//! ```
//! Numbers are little endian. Labels, names and classes are the listing's, which is in the key.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::picture_folder::PictureFolder;

const MAGIC: [u8; 16] = *b"danlu pictures\0\x02";
const START_LEN: u64 = 48;
const END_LEN: u64 = 48;
/// Longest reason that is kept, in bytes.
const MAX_REASON_LEN: usize = 1000;

/// What became of an entry of the listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its size before it was fitted, [width, height].
    Read([u32; 2]),
    /// Why not.
    Rejected(String),
}

/// Why a cache is of no use; it is made anew.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Useless {
    /// There is none.
    Absent,
    /// It was made of another listing or by another version.
    Stale,
    /// Its bytes are not what was written.
    Damaged,
}

/// Any failure to read is damage: the pictures are still there.
impl From<std::io::Error> for Useless {
    fn from(_: std::io::Error) -> Self {
        Self::Damaged
    }
}

/// The file of a folder's pictures at a shape, and what they follow from.
#[derive(Clone, Debug)]
pub(crate) struct CacheFile {
    pub(crate) path: PathBuf,
    key: [u8; 32],
}

impl CacheFile {
    /// The place in `dir` for the pictures of `folder`, fitted to `shape`. A folder has one file for each shape.
    pub(crate) fn new(dir: &Path, folder: &PictureFolder, shape: [usize; 3]) -> Self {
        let [channels, height, width] = shape;
        let root = Sha256::digest(folder.root.as_os_str().as_encoded_bytes());
        let root: String = crate::checksum::hex(&root[..8]);
        let path = dir.join(format!("{root}-{channels}x{height}x{width}.pictures"));
        Self { path, key: key(folder, shape) }
    }

    /// Reads the pixels of all pictures into the vectors that `place` makes for them and the outcomes. `n` is the
    /// number of the listing's entries. No more room is made than the file is long.
    pub(crate) fn read(&self, n: usize, image_len: usize) -> Result<(Vec<Outcome>, Reader), Useless> {
        let Ok(file) = File::open(&self.path) else { return Err(Useless::Absent) };
        let file_len = file.metadata()?.len();
        let mut file = BufReader::with_capacity(1 << 18, file);
        let mut start = [0; START_LEN as usize];
        file.read_exact(&mut start)?;
        if start[..16] != MAGIC || start[16..] != self.key {
            return Err(if start.starts_with(&MAGIC[..15]) { Useless::Stale } else { Useless::Damaged });
        }
        let end_start = file_len.checked_sub(END_LEN).ok_or(Useless::Damaged)?;
        let mut end = [0; END_LEN as usize];
        file.seek(SeekFrom::Start(end_start))?;
        file.read_exact(&mut end)?;
        let [pixels_len, outcomes_len] = [0, 8].map(|at| u64_at(&end, at));
        let expected = START_LEN.checked_add(pixels_len).and_then(|len| len.checked_add(outcomes_len));
        if expected != Some(end_start) {
            return Err(Useless::Damaged);
        }
        file.seek(SeekFrom::Start(START_LEN + pixels_len))?;
        let mut table = vec![0; usize::try_from(outcomes_len).map_err(|_| Useless::Damaged)?];
        file.read_exact(&mut table)?;
        let outcomes = parse(&table, n).ok_or(Useless::Damaged)?;
        let n_read = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Read(_))).count();
        if (n_read as u64).checked_mul(image_len as u64) != Some(pixels_len) {
            return Err(Useless::Damaged);
        }
        file.seek(SeekFrom::Start(START_LEN))?;
        let hasher = Sha256::new().chain_update(start);
        Ok((outcomes, Reader { file, hasher, table, end }))
    }

    /// Begins to write the file, beside its place. The folder's lock must be held.
    pub(crate) fn create(&self) -> std::io::Result<Writer> {
        let part = self.path.with_extension("part");
        let file = BufWriter::with_capacity(1 << 18, File::create(&part)?);
        let mut writer = Writer { file, hasher: Sha256::new(), part, path: self.path.clone(), pixels_len: 0 };
        writer.write(&MAGIC)?;
        writer.write(&self.key)?;
        Ok(writer)
    }
}

/// A cache whose outcomes are known and whose pixels come next.
pub(crate) struct Reader {
    file: BufReader<File>,
    hasher: Sha256,
    table: Vec<u8>,
    end: [u8; END_LEN as usize],
}

impl Reader {
    /// The next `len` bytes of pixels.
    pub(crate) fn pixels(&mut self, len: usize) -> Result<Vec<u8>, Useless> {
        let mut pixels = vec![0; len];
        // Hashed while it is in the second-level cache.
        for chunk in pixels.chunks_mut(1 << 18) {
            self.file.read_exact(chunk)?;
            self.hasher.update(&*chunk);
        }
        Ok(pixels)
    }

    /// Whether everything was as it was written; after the last pixels.
    pub(crate) fn finish(self) -> Result<(), Useless> {
        let (lengths, expected) = self.end.split_at(16);
        let found = self.hasher.chain_update(&self.table).chain_update(lengths).finalize();
        if found[..] == *expected { Ok(()) } else { Err(Useless::Damaged) }
    }
}

/// A cache being written. What is not finished is deleted.
pub(crate) struct Writer {
    file: BufWriter<File>,
    hasher: Sha256,
    part: PathBuf,
    path: PathBuf,
    pixels_len: u64,
}

impl Writer {
    /// Adds the pixels of one or more pictures.
    pub(crate) fn pixels(&mut self, pixels: &[u8]) -> std::io::Result<()> {
        self.pixels_len += pixels.len() as u64;
        self.write(pixels)
    }

    /// Puts the file into its place.
    pub(crate) fn finish(mut self, outcomes: &[Outcome]) -> std::io::Result<()> {
        let table = table(outcomes);
        self.write(&table)?;
        let lengths = [self.pixels_len.to_le_bytes(), (table.len() as u64).to_le_bytes()];
        self.write(&lengths.concat())?;
        let sum = std::mem::take(&mut self.hasher).finalize();
        self.file.write_all(&sum)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.part, &self.path)
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Gone after a good end.
        let _absent = fs::remove_file(&self.part);
    }
}

/// Length before text, so that no two listings have the same bytes.
fn key(folder: &PictureFolder, shape: [usize; 3]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut text = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    text(folder.root.as_os_str().as_encoded_bytes());
    shape.iter().for_each(|&size| text(&(size as u64).to_le_bytes()));
    for entry in &folder.entries {
        text(entry.path.as_os_str().as_encoded_bytes());
        text(&entry.len.to_le_bytes());
        text(&entry.modified_ns.to_le_bytes());
        entry.state.iter().for_each(|&part| text(&part.to_le_bytes()));
    }
    hasher.finalize().into()
}

fn table(outcomes: &[Outcome]) -> Vec<u8> {
    let mut bytes = vec![];
    for outcome in outcomes {
        match outcome {
            Outcome::Read([width, height]) => {
                bytes.push(0);
                bytes.extend(width.to_le_bytes());
                bytes.extend(height.to_le_bytes());
            }
            Outcome::Rejected(reason) => {
                let reason = &reason[..reason.floor_char_boundary(MAX_REASON_LEN)];
                bytes.push(1);
                bytes.extend((reason.len() as u16).to_le_bytes());
                bytes.extend(reason.as_bytes());
            }
        }
    }
    bytes
}

/// The outcomes of `n` entries; `None`: these bytes hold something else.
fn parse(mut bytes: &[u8], n: usize) -> Option<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(n.min(bytes.len()));
    for _ in 0..n {
        let (&tag, rest) = bytes.split_first()?;
        let outcome = match tag {
            0 => {
                let (sizes, rest) = rest.split_first_chunk::<8>()?;
                bytes = rest;
                let size = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| sizes[at + byte]));
                Outcome::Read([size(0), size(4)])
            }
            1 => {
                let (&len, rest) = rest.split_first_chunk::<2>()?;
                let (reason, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(len)))?;
                bytes = rest;
                Outcome::Rejected(String::from_utf8(reason.to_vec()).ok()?)
            }
            _ => return None,
        };
        outcomes.push(outcome);
    }
    bytes.is_empty().then_some(outcomes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| bytes[at + byte]))
}

#[cfg(test)]
mod tests;
