//! A folder of pictures into memory: decoded once, on all cores, into a cache.

use std::path::Path;

use rayon::prelude::*;

use crate::download::Progress;
use crate::error::{DataError, with_causes};
use crate::fetch::lock;
use crate::partition::{Given, Partition, Parts, Rejected};
use crate::picture::{Picture, PictureFault, check_shape, fit};
use crate::picture_cache::{CacheFile, Outcome, Useless, Writer};
use crate::picture_folder::{Entry, PictureFolder};
use crate::{Dataset, Split};

/// Pictures that are decoded between two calls of the progress function, if that is enough for all threads; besides the
/// data set itself only these lie in memory.
const CHUNK: usize = 16;

/// Pictures of a class or a part without a readable one that are told of by name.
const N_SHOWN: usize = 5;

/// All pictures, and what became of each entry of the listing.
struct Decoded {
    /// Part by part, the pixels of the pictures that could be read.
    pixels: Vec<(Split, Vec<u8>)>,
    outcomes: Vec<Outcome>,
    notes: Vec<String>,
}

impl PictureFolder {
    /// Reads all pictures, fitted to `shape`: from the cache file in `cache`, or by decoding them into one.
    ///
    /// # Errors
    /// A shape of other than 1 or 3 channels, a class or a part without a readable picture, too few pictures to be cut in parts.
    /// Pictures that cannot be read, and a cache of no use, are no errors.
    pub(crate) fn read(
        &self,
        shape: [usize; 3],
        partition: &Partition,
        cache: Option<&Path>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Parts, DataError> {
        check_shape(shape)?;
        let image_len = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
        let total_len = image_len.and_then(|len| len.checked_mul(self.entries.len()));
        let (Some(image_len), Some(_)) = (image_len, total_len.filter(|&len| isize::try_from(len).is_ok()))
        else {
            return Err(DataError::TooLarge { n_images: self.entries.len(), shape });
        };
        let decoded = match cache {
            Some(dir) => self.by_cache(dir, shape, image_len, progress)?,
            None => self.decode(shape, image_len, None, progress)?,
        };
        self.parts(shape, decoded, partition)
    }

    fn by_cache(
        &self,
        dir: &Path,
        shape: [usize; 3],
        image_len: usize,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Decoded, DataError> {
        let cache = CacheFile::new(dir, self, shape);
        if let Ok(decoded) = self.cached(&cache, image_len) {
            return Ok(decoded);
        }
        let made = std::fs::create_dir_all(dir).map_err(DataError::io("create the folder", dir));
        let locked = match made.and_then(|()| lock(dir, progress)) {
            Ok(lock) => lock,
            Err(error) => {
                let mut decoded = self.decode(shape, image_len, None, progress)?;
                decoded.notes.push(format!("the pictures are not kept decoded: {}", with_causes(&error)));
                return Ok(decoded);
            }
        };
        // Another process may have made it meanwhile.
        let useless = match self.cached(&cache, image_len) {
            Ok(decoded) => return Ok(decoded),
            Err(useless) => useless,
        };
        let mut decoded = self.decode(shape, image_len, Some(&cache), progress)?;
        drop(locked);
        let path = cache.path.display();
        match useless {
            Useless::Absent => {}
            Useless::Stale => {
                decoded.notes.push(format!("the pictures' files have changed since {path} was made"))
            }
            Useless::Damaged => {
                decoded.notes.push(format!("{path} was damaged; the pictures are decoded anew"))
            }
        }
        Ok(decoded)
    }

    fn cached(&self, cache: &CacheFile, image_len: usize) -> Result<Decoded, Useless> {
        let (outcomes, mut reader) = cache.read(self.entries.len(), image_len)?;
        let mut pixels = vec![];
        for (split, entries) in self.by_split() {
            let outcomes = &outcomes[entries];
            let n_read = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Read(_))).count();
            pixels.push((split, reader.pixels(n_read * image_len)?));
        }
        reader.finish()?;
        Ok(Decoded { pixels, outcomes, notes: vec![] })
    }

    /// The entries of each part, which lie one after the other.
    fn by_split(&self) -> Vec<(Split, std::ops::Range<usize>)> {
        let mut start = 0;
        let ranges = self.entries.chunk_by(|a, b| a.split == b.split).map(|chunk| {
            let range = start..start + chunk.len();
            start = range.end;
            (chunk[0].split, range)
        });
        ranges.collect()
    }

    /// Decodes all pictures straight into the data set's memory and, where there is one, into the cache. What the file system
    /// refuses today it may give tomorrow: then nothing is kept.
    fn decode(
        &self,
        shape: [usize; 3],
        image_len: usize,
        cache: Option<&CacheFile>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Decoded, DataError> {
        let (mut notes, mut n_refused) = (vec![], 0);
        let mut sink = Sink { writer: None, error: None };
        if let Some(cache) = cache {
            sink.keep(cache.create());
        }
        let (mut pixels, mut outcomes) = (vec![], Vec::with_capacity(self.entries.len()));
        let total = self.entries.len();
        let chunk_len = CHUNK.max(4 * rayon::current_num_threads());
        progress(Progress::Pictures { done: 0, total });
        for (split, entries) in self.by_split() {
            let mut part = vec![];
            let too_large = |_| DataError::TooLarge { n_images: total, shape };
            part.try_reserve_exact(entries.len() * image_len).map_err(too_large)?;
            for chunk in self.entries[entries].chunks(chunk_len) {
                for picture in self.decode_chunk(chunk, shape) {
                    n_refused += usize::from(matches!(picture, Err(PictureFault::Io(_))));
                    outcomes.push(match picture {
                        Ok(Picture { pixels, original_size }) => {
                            part.extend_from_slice(&pixels);
                            sink.write(&pixels);
                            Outcome::Read(original_size)
                        }
                        Err(fault) => Outcome::Rejected(with_causes(&fault)),
                    });
                }
                progress(Progress::Pictures { done: outcomes.len(), total });
            }
            pixels.push((split, part));
        }
        if n_refused == 0 {
            sink.finish(&outcomes);
        } else if cache.is_some() {
            notes.push(format!(
                "the pictures are not kept decoded, since the file system refuses {n_refused} of them"
            ));
        }
        if let (Some(error), Some(cache)) = (sink.error, cache) {
            notes.push(format!(
                "cannot write {}: {error}; the pictures are not kept decoded",
                cache.path.display()
            ));
        }
        Ok(Decoded { pixels, outcomes, notes })
    }

    /// In the order of the entries, whichever thread decodes them.
    fn decode_chunk(&self, chunk: &[Entry], shape: [usize; 3]) -> Vec<Result<Picture, PictureFault>> {
        chunk.par_iter().map(|entry| fit(&self.root.join(&entry.path), shape)).collect()
    }

    fn parts(&self, shape: [usize; 3], decoded: Decoded, partition: &Partition) -> Result<Parts, DataError> {
        let Decoded { pixels, outcomes, notes } = decoded;
        let (mut rejected, mut original_sizes) = (self.rejected.clone(), vec![]);
        let mut given = [Split::Train, Split::Validation, Split::Test].map(|_| None);
        for ((split, images), (_, entries)) in pixels.into_iter().zip(self.by_split()) {
            let mut labels = vec![];
            for (entry, outcome) in self.entries[entries.clone()].iter().zip(&outcomes[entries]) {
                match outcome {
                    Outcome::Read(size) => {
                        labels.push(entry.label);
                        original_sizes.push(*size);
                    }
                    Outcome::Rejected(reason) => {
                        rejected.push(Rejected { path: entry.path.clone(), reason: reason.clone() });
                    }
                }
            }
            let (name, classes) = (self.name.clone(), self.classes.clone());
            let part = Dataset { name, shape, images, labels, classes, sha256: String::new() };
            given[split as usize] = (!part.is_empty()).then_some(part);
        }
        rejected.sort_by(|a, b| a.path.cmp(&b.path));
        let [train, validation, test] = given;
        let train = self.check_classes(train, &rejected)?.hashed();
        self.check_part(Split::Validation, &validation, &rejected)?;
        self.check_part(Split::Test, &test, &rejected)?;
        let lacking = [(Split::Validation, &validation), (Split::Test, &test)];
        let lacking: Vec<String> =
            lacking.into_iter().filter_map(|(split, part)| lacking_classes(split, part.as_ref()?)).collect();
        let [validation, test] = [validation, test].map(|part| part.map(Dataset::hashed));
        let parts = Given { train, validation, test }.cut(partition)?;
        let notes = [notes, lacking, parts.notes].concat();
        Ok(Parts { rejected, n_skipped: self.n_skipped, original_sizes, notes, ..parts })
    }

    /// A part that was given and holds nothing is not replaced by another in silence.
    fn check_part(
        &self,
        split: Split,
        part: &Option<Dataset>,
        rejected: &[Rejected],
    ) -> Result<(), DataError> {
        let given = self.parts.iter().find(|(given, _)| *given == split && part.is_none());
        given.map_or(Ok(()), |(split, dir)| {
            let (n_rejected, shown) = counted(rejected, |rejected| rejected.path.starts_with(dir));
            Err(DataError::EmptyPart { dir: self.root.join(dir), split: *split, n_rejected, shown })
        })
    }

    /// Nothing is learned of a class without pictures.
    fn check_classes(&self, train: Option<Dataset>, rejected: &[Rejected]) -> Result<Dataset, DataError> {
        let counts = train.as_ref().map_or(vec![0; self.classes.len()], Dataset::class_counts);
        let empty = counts.iter().position(|&n| n == 0);
        match (train, empty) {
            (Some(train), None) => Ok(train),
            (_, class) => {
                let class = &self.classes[class.unwrap_or(0)];
                let is_of = |rejected: &Rejected| {
                    let folder = rejected.path.parent().and_then(Path::file_name);
                    folder.is_some_and(|name| name == class.as_str())
                };
                let (n_rejected, shown) = counted(rejected, is_of);
                Err(DataError::EmptyClass { dir: self.root.clone(), class: class.clone(), n_rejected, shown })
            }
        }
    }
}

/// That a part that was given says nothing of some classes.
fn lacking_classes(split: Split, part: &Dataset) -> Option<String> {
    let counts = part.class_counts().into_iter().zip(&part.classes);
    let lacking: Vec<&str> = counts.filter(|(n, _)| *n == 0).map(|(_, class)| class.as_str()).collect();
    (!lacking.is_empty()).then(|| format!("the {split} part has no picture of class {}", lacking.join(", ")))
}

/// The number of the rejected pictures of a class or a part, and the first of them.
fn counted(rejected: &[Rejected], is_of: impl Fn(&Rejected) -> bool) -> (usize, Vec<Rejected>) {
    let own = || rejected.iter().filter(|rejected| is_of(rejected));
    (own().count(), own().take(N_SHOWN).cloned().collect())
}

/// A cache being written, until that fails: the data set can do without.
struct Sink {
    writer: Option<Writer>,
    error: Option<std::io::Error>,
}

impl Sink {
    fn keep(&mut self, created: std::io::Result<Writer>) {
        match created {
            Ok(writer) => self.writer = Some(writer),
            Err(error) => self.error = Some(error),
        }
    }

    fn write(&mut self, pixels: &[u8]) {
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.pixels(pixels)
        {
            (self.writer, self.error) = (None, Some(error));
        }
    }

    fn finish(&mut self, outcomes: &[Outcome]) {
        if let Some(writer) = self.writer.take()
            && let Err(error) = writer.finish(outcomes)
        {
            self.error = Some(error);
        }
    }
}

#[cfg(test)]
mod tests;
