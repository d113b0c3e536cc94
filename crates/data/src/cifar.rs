//! The binary version of CIFAR-10.
//!
//! ```text
//! data_batch_1.bin … data_batch_5.bin, test_batch.bin
//!   records of 3073 bytes: the label, then 32 × 32 bytes of red, of green, of blue, row by row
//! batches.meta.txt
//!   the classes' names, one a line
//! ```
//! Source: Krizhevsky, <https://www.cs.toronto.edu/~kriz/cifar.html>.

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::folder::check_folder;
use crate::known::known_set;
use crate::partition::{Given, Partition, Parts};
use crate::{Dataset, Split};

const NAME: &str = "cifar-10";
const SHAPE: [usize; 3] = [3, 32, 32];
const IMAGE_LEN: usize = 3 * 32 * 32;
const RECORD_LEN: usize = 1 + IMAGE_LEN;

/// The folder in the authors' archive.
const SUBFOLDER: &str = "cifar-10-batches-bin";

/// More than any list of class names.
const MAX_META_LEN: u64 = 64 << 10;

/// The files of a folder, not yet read.
#[derive(Clone, Debug)]
pub(crate) struct CifarSet {
    pub(crate) classes: Vec<String>,
    /// What is missing.
    pub(crate) notes: Vec<String>,
    dir: PathBuf,
    train: Vec<PathBuf>,
    test: Option<PathBuf>,
}

impl CifarSet {
    /// The name on the command line.
    pub(crate) const NAME: &str = NAME;
    /// Channels, rows, columns.
    pub(crate) const SHAPE: [usize; 3] = SHAPE;

    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.train.iter().chain(&self.test).map(PathBuf::as_path)
    }

    /// The files in a folder or in the folder in it that the authors' archive unpacks to. `None`: there are none.
    pub(crate) fn detect(dir: &Path) -> Result<Option<Self>, DataError> {
        check_folder(dir)?;
        for dir in [dir.to_owned(), dir.join(SUBFOLDER)] {
            let batches = (1..=5).map(|n| dir.join(format!("data_batch_{n}.bin")));
            let train: Vec<_> = batches.filter(|file| file.is_file()).collect();
            let test = Some(dir.join("test_batch.bin")).filter(|file| file.is_file());
            if !train.is_empty() || test.is_some() {
                let classes = read_classes(&dir)?;
                let notes = missing(&dir).map(|file| format!("{} is missing", file.display())).collect();
                return Ok(Some(Self { classes, notes, dir, train, test }));
            }
        }
        Ok(None)
    }

    pub(crate) fn read(&self, partition: &Partition) -> Result<Parts, DataError> {
        if self.train.is_empty() {
            return Err(DataError::NoTrain { dir: self.dir.clone() });
        }
        let train = self.read_files(&self.train)?;
        let test = self.test.is_some().then(|| self.read_part(Split::Test)).transpose()?;
        Given { train, validation: None, test }.cut(partition)
    }

    /// Whether a part is there.
    pub(crate) fn has(&self, split: Split) -> bool {
        match split {
            Split::Train => !self.train.is_empty(),
            Split::Validation => false,
            Split::Test => self.test.is_some(),
        }
    }

    /// Reads one part, which must be there.
    pub(crate) fn read_part(&self, split: Split) -> Result<Dataset, DataError> {
        match (split, &self.test) {
            (Split::Test, Some(test)) => self.read_files(std::slice::from_ref(test)),
            _ => self.read_files(&self.train),
        }
    }

    fn read_files(&self, files: &[PathBuf]) -> Result<Dataset, DataError> {
        let counts = files.iter().map(|file| n_records(file)).collect::<Result<Vec<_>, _>>()?;
        let n: usize = counts.iter().sum();
        let (name, classes, sha256) = (NAME.to_owned(), self.classes.clone(), String::new());
        let (images, labels) = (Vec::with_capacity(n * IMAGE_LEN), Vec::with_capacity(n));
        let mut dataset = Dataset { name, shape: SHAPE, images, labels, classes, sha256 };
        for (file, n_records) in files.iter().zip(counts) {
            read_file(file, n_records, &mut dataset)?;
        }
        Ok(dataset.hashed())
    }
}

/// The files that the authors' set has and a folder lacks.
fn missing(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let train = (1..=5).map(|n| format!("data_batch_{n}.bin"));
    let files = train.chain(["test_batch.bin".to_owned()]).map(|name| dir.join(name));
    files.filter(|file| !file.is_file())
}

/// How many records a file has by its length.
fn n_records(file: &Path) -> Result<usize, DataError> {
    let len = fs::metadata(file).map_err(DataError::io("look at", file))?.len();
    let n_records = len / RECORD_LEN as u64;
    if len == 0 || !len.is_multiple_of(RECORD_LEN as u64) {
        return Err(DataError::NoWholeRecords { file: file.to_owned(), len, record_len: RECORD_LEN });
    }
    usize::try_from(n_records).map_err(|_| DataError::NoWholeRecords {
        file: file.to_owned(),
        len,
        record_len: RECORD_LEN,
    })
}

fn read_file(file: &Path, n_records: usize, dataset: &mut Dataset) -> Result<(), DataError> {
    let opened = fs::File::open(file).map_err(DataError::io("open", file))?;
    let mut reader = BufReader::with_capacity(1 << 18, opened);
    let mut record = [0; RECORD_LEN];
    let n_classes = dataset.classes.len();
    for idx in 0..n_records {
        reader.read_exact(&mut record).map_err(DataError::io("read", file))?;
        let value = record[0];
        if usize::from(value) >= n_classes {
            let (file, offset) = (file.to_owned(), (idx * RECORD_LEN) as u64);
            return Err(DataError::LabelOutOfRange { file, offset, idx, value, n_classes, first: 0 });
        }
        dataset.labels.push(value);
        dataset.images.extend_from_slice(&record[1..]);
    }
    Ok(())
}

/// The names in `batches.meta.txt`, else those that the authors tell.
fn read_classes(dir: &Path) -> Result<Vec<String>, DataError> {
    let file = dir.join("batches.meta.txt");
    if !file.is_file() {
        return Ok(known_set(NAME).map(|known| known.classes()).unwrap_or_default());
    }
    let mut text = String::new();
    let opened = fs::File::open(&file).map_err(DataError::io("open", &file))?;
    opened.take(MAX_META_LEN).read_to_string(&mut text).map_err(DataError::io("read", &file))?;
    let classes: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    match classes.len() {
        2..=256 => Ok(classes),
        n_classes => Err(DataError::ClassCount { dir: file, n_classes }),
    }
}

#[cfg(test)]
mod tests;
