//! What can be wrong with data, said so that it can be put right.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use crate::fashion_mnist::{FILES, NAME, PACKAGE, TITLE};
use crate::known::KnownSet;
use crate::partition::Rejected;
use crate::picture::PictureFault;
use crate::{Place, Split};

/// Why a data set could not be found, fetched or read.
///
/// Offsets count bytes in the unpacked contents, except those of the `Gzip…` variants, which count bytes of
/// the packed file.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message right above a variant says what its fields are")]
pub enum DataError {
    /// The file system refused: permissions, a full disk, a broken one.
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },

    /// The bytes of a file are not what the IDX format asks for.
    #[error("{}: byte {offset}: {fault}", file.display())]
    Format { file: PathBuf, offset: u64, fault: Fault },

    /// The gzip stream ends before its end mark.
    #[error("{}: byte {offset}: the gzip stream is cut off", file.display())]
    GzipTruncated { file: PathBuf, offset: u64, source: io::Error },

    /// The gzip stream cannot be unpacked, or its own checksum does not fit.
    #[error("{}: byte {offset}: the gzip stream is corrupt", file.display())]
    GzipCorrupt { file: PathBuf, offset: u64, source: io::Error },

    /// Something follows the gzip stream.
    #[error("{}: byte {offset}: the gzip stream has ended but the file goes on", file.display())]
    GzipTrailing { file: PathBuf, offset: u64 },

    /// Images and labels do not belong together.
    #[error("{} holds {n_images} images but {} holds {n_labels} labels", images.display(), labels.display())]
    CountsDiffer { images: PathBuf, n_images: usize, labels: PathBuf, n_labels: usize },

    /// A label names no class.
    #[error("{}: byte {offset}: label {idx} is {value}, but there are {n_classes} classes ({first} to {})",
        file.display(), usize::from(*first) + n_classes - 1)]
    LabelOutOfRange { file: PathBuf, offset: u64, idx: usize, value: u8, n_classes: usize, first: u8 },

    /// Test images that a network for the train images cannot take.
    #[error("{} holds images of {} × {} but {} of {} × {} (rows × columns)",
        test.display(), test_shape[1], test_shape[2], train.display(), train_shape[1], train_shape[2])]
    ShapesDiffer { test: PathBuf, test_shape: [usize; 3], train: PathBuf, train_shape: [usize; 3] },

    /// A set in the place of another one whose files have the same names: MNIST in Fashion-MNIST's.
    #[error("{} holds the labels of {found}: the files in {} are {found}'s, which have the same names as {asked}'s; \
        put {asked}'s there or name another folder", file.display(), dir.display())]
    OtherSet { file: PathBuf, dir: PathBuf, found: &'static str, asked: &'static str },

    /// A folder without the files of the set that is looked for there.
    #[error("{} has no {title}: that is {files}", dir.display())]
    LacksSet { dir: PathBuf, title: &'static str, files: &'static str },

    /// A folder or file in which no data set is recognized.
    #[error("{} holds no data set: neither IDX files, nor CIFAR-10's batches, nor pictures in a folder for each class",
        path.display())]
    NoSet { path: PathBuf },

    /// The user must say which.
    #[error("{} holds several data sets ({}); name a file of the one that is meant", dir.display(), names.join(", "))]
    SeveralSets { dir: PathBuf, names: Vec<String> },

    /// Images without labels, or labels without images.
    #[error("{}: {} has no labels or images file beside it", dir.display(), file_name(file))]
    NoPartner { dir: PathBuf, file: PathBuf },

    /// Several pairs of files, and the name of one tells no part.
    #[error("{}: the name of {} does not tell whether it is for training or for testing", dir.display(),
        file_name(file))]
    NoPart { dir: PathBuf, file: PathBuf },

    /// Two files or folders that claim one place.
    #[error("{} and {} are both there; only one can be meant", one.display(), other.display())]
    TwoFiles { one: PathBuf, other: PathBuf },

    /// Nothing to learn from.
    #[error("{} has a test part but no training part", dir.display())]
    NoTrain { dir: PathBuf },

    /// Folders called as parts are, none of them for training.
    #[error("{} has a folder {folder} of a part, but no folder train with a folder for each class in it", dir.display())]
    NoTrainFolder { dir: PathBuf, folder: String },

    /// All labels are the same.
    #[error("{} has one class ({class}) only; there must be two or more", dir.display())]
    OneClass { dir: PathBuf, class: String },

    /// Classes that labels cannot count.
    #[error("{} has {n_classes} class{}; there must be from 2 to 256", dir.display(),
        if *n_classes == 1 { "" } else { "es" })]
    ClassCount { dir: PathBuf, n_classes: usize },

    /// A line of a list of classes.
    #[error("{}: line {line} is `{text}`, expected a label, one more than that of the line before, and the code of \
        its character", file.display())]
    Mapping { file: PathBuf, line: usize, text: String },

    /// A file changed while it was read.
    #[error("{} was changed while it was read", path.display())]
    Changed { path: PathBuf },

    /// A file of records that are all of one length.
    #[error("{} has {len} bytes, which is no whole number of records of {record_len}", file.display())]
    NoWholeRecords { file: PathBuf, len: u64, record_len: usize },

    /// Pictures of a size that a network does not take.
    #[error("the pictures of {name} are {found:?}, not {asked:?} (channels, rows, columns)")]
    ShapeMisfit { name: String, found: [usize; 3], asked: [usize; 3] },

    /// A picture that cannot be read.
    #[error("the picture {} {}", path.display(), with_causes(source))]
    Picture { path: PathBuf, source: Box<PictureFault> },

    /// A picture that was not read from a file.
    #[error("the picture {}", with_causes(source))]
    PictureBytes { source: Box<PictureFault> },

    /// Pictures are gray or in color.
    #[error("pictures are read as 1 channel (gray) or 3 (red, green, blue), not as {channels}")]
    Channels { channels: usize },

    /// More than can be addressed.
    #[error(
        "{n_images} pictures of {shape:?} (channels, rows, columns) are more than this machine can address"
    )]
    TooLarge { n_images: usize, shape: [usize; 3] },

    /// A class's name becomes part of a model.
    #[error("the name of the folder {} is not valid UTF-8", path.display())]
    NameNotText { path: PathBuf },

    /// A folder beside the parts.
    #[error("{} lies beside the folder for training but is called neither train, val nor test", dir.display())]
    StrayFolder { dir: PathBuf },

    /// A class to be measured that is not learned.
    #[error("{} is a class of the {split} part that the training part does not have", dir.display())]
    UnknownClass { dir: PathBuf, split: Split },

    /// A class that nothing can be learned of.
    #[error("{}: the class {class} has no picture to learn from ({n_rejected} cannot be read){}", dir.display(),
        lines_of(shown))]
    EmptyClass { dir: PathBuf, class: String, n_rejected: usize, shown: Vec<Rejected> },

    /// A part that was given and holds nothing.
    #[error("{}: the {split} part has no picture in a folder of a class ({n_rejected} cannot be read); put some there or \
        move the folder away{}", dir.display(), lines_of(shown))]
    EmptyPart { dir: PathBuf, split: Split, n_rejected: usize, shown: Vec<Rejected> },

    /// A part without samples.
    #[error("{name} has {n_samples} samples, too few to be cut in parts")]
    TooFew { name: String, n_samples: usize },

    /// A share that leaves nothing, or is none.
    #[error("the share of validation is {share}, but must be from 0 to below 1")]
    Share { share: f64 },

    /// A share to learn from that is nothing, everything, or none.
    #[error("the share of the subset is {share}, but must be above 0 and below 1")]
    SubsetShare { share: f64 },

    /// The system has no thread left.
    #[error("cannot start a thread")]
    Thread { source: io::Error },

    /// A place that should hold the very data set holds something else.
    #[error("{} is not {TITLE}'s file: SHA-256 of its contents is {found}, expected {expected}; {}",
        file.display(), fetch_again())]
    NotExact { file: PathBuf, found: String, expected: String },

    /// A place that should hold the very data set holds a damaged file, which the cause names.
    #[error("{} should hold {TITLE} but a file in it is damaged; {}", dir.display(), fetch_again())]
    Damaged { dir: PathBuf, source: Box<DataError> },

    /// There is no such folder.
    #[error("{} does not exist", dir.display())]
    NoFolder { dir: PathBuf },

    /// There is something, but no folder.
    #[error("{} is not a folder", dir.display())]
    NotAFolder { dir: PathBuf },

    /// A folder without some of the files.
    #[error("{} has {}", dir.display(), neither_nor(names))]
    MissingFiles { dir: PathBuf, names: Vec<String> },

    /// A place that the user named, and that is therefore not passed over.
    #[error("{}", nothing_in(*place, dir))]
    Named { place: Place, dir: PathBuf, source: Box<DataError> },

    /// The data set is nowhere.
    #[error("{}", not_found(known, tried, *has_namesake))]
    NotFound { known: &'static KnownSet, tried: Vec<Tried>, has_namesake: bool },

    /// Numbers that cannot turn bytes into what a network reads.
    #[error("the normalization has {reason}")]
    Normalization { reason: String },

    /// A download was asked for where it cannot be.
    #[error("cannot download {TITLE}: {reason}")]
    CannotFetch { reason: &'static str },

    /// The server answered, but not with the file.
    #[error("{url}: the server answered with status {status}")]
    Status { url: String, status: u16 },

    /// The connection failed, and kept failing.
    #[error("{url}: the download failed {tries} times in a row, {done} bytes are kept for the next try")]
    Transfer { url: String, tries: u32, done: u64, source: Box<dyn Error + Send + Sync> },

    /// The server sends more than any file of a data set holds.
    #[error("{url}: longer than {limit} bytes, so it is not the file that was asked for")]
    TooLong { url: String, limit: u64 },

    /// What was downloaded is not the file.
    #[error(
        "{url}: MD5 of the {len} bytes downloaded is {found}, expected {expected}; they are deleted, try again"
    )]
    Checksum { url: String, len: u64, found: String, expected: String },
}

impl DataError {
    /// Whether it is the bytes of the files that are wrong, not their absence or the disk.
    pub(crate) fn is_damage(&self) -> bool {
        let is_malformed = matches!(self, Self::Format { .. } | Self::LabelOutOfRange { .. });
        let is_mispacked =
            matches!(self, Self::GzipTruncated { .. } | Self::GzipCorrupt { .. } | Self::GzipTrailing { .. });
        let is_mismatched = matches!(self, Self::CountsDiffer { .. } | Self::ShapesDiffer { .. });
        is_malformed || is_mispacked || is_mismatched
    }

    /// For `map_err`: what was being done to which path when the file system refused.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// What is wrong with the bytes of an IDX file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message right above a variant says what its fields are")]
pub enum Fault {
    /// No byte at all.
    #[error("the file is empty")]
    Empty,
    /// Not an IDX file.
    #[error("no IDX file: it starts with {found:#010x}, expected {expected:#010x}")]
    Magic { found: u32, expected: u32 },
    /// An IDX file of other numbers than bytes.
    #[error("element type {found:#04x}, expected {expected:#04x} (unsigned bytes)")]
    ElementType { found: u8, expected: u8 },
    /// Images where labels should be, or the other way round.
    #[error("{found} dimensions, expected {expected}")]
    Dimensions { found: u8, expected: usize },
    /// The first dimension is zero.
    #[error("zero samples")]
    NoSamples,
    /// Another dimension is zero.
    #[error("dimension {dimension} (counted from 0) is zero")]
    ZeroDimension { dimension: usize },
    /// More than can be addressed.
    #[error("dimensions {dims:?} multiply to more bytes than this machine can address")]
    Overflow { dims: Vec<u32> },
    /// The end comes too early.
    #[error("truncated: the header asks for {expected} bytes in all, found {found}")]
    Truncated { expected: u64, found: u64 },
    /// The end comes too late.
    #[error("too long: the header asks for {expected} bytes in all, and more follow")]
    TooLong { expected: u64 },
}

/// A place where the data set was looked for in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Which one.
    pub place: Place,
    /// Why it is not there.
    pub why: String,
}

/// A message with those of all its causes, on one line. Some libraries' messages have their causes' in them already.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let (mut text, mut cause) = (one_line(&error.to_string()), error.source());
    while let Some(error) = cause {
        let told = one_line(&error.to_string());
        if !text.ends_with(&told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A folder may be named by a flag, an argument or a key of a file: that is not known here.
fn nothing_in(place: Place, dir: &Path) -> String {
    match place {
        Place::Dir => format!("no data set is found in {}", dir.display()),
        _ => format!("{place} names {}, where no data set is found", dir.display()),
    }
}

fn fetch_again() -> String {
    format!(
        "delete it and fetch it again (`danlu data fetch {NAME}`, or for the package's folder \
         `apt-get install --reinstall {PACKAGE}`)"
    )
}

fn neither_nor(names: &[String]) -> String {
    let each: Vec<_> = names.iter().map(|name| format!("neither {name} nor {name}.gz")).collect();
    each.join(", ")
}

fn lines_of(rejected: &[Rejected]) -> String {
    rejected.iter().map(|one| format!("\n  {}: {}", one.path.display(), one.reason)).collect()
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn not_found(known: &KnownSet, tried: &[Tried], has_namesake: bool) -> String {
    let mut places: String =
        tried.iter().map(|tried| format!("  {}: {}\n", tried.place, tried.why)).collect();
    if has_namesake {
        let name = known.name;
        places.push_str(&format!("the folder {name} here is not looked into; it is named as `./{name}`\n"));
    }
    if !known.is_fetched() {
        let KnownSet { name, title, files, home, .. } = known;
        return format!(
            "{title} is not to be found; tried\n{places}it is not downloaded; get it from {home}\n  \
             put {files} into the cache's folder above, or into any folder and give --data DIR or set DANLU_DATA=DIR, \
             where DIR or DIR/{name} has the files"
        );
    }
    let names = FILES.map(|file| format!("{}.gz", file.name)).join(", ");
    format!(
        "{TITLE} is not to be found; tried\n{places}three ways to get it:\n  \
         apt-get install {PACKAGE}\n  \
         put {names} (packed or not) in a folder and give --data DIR or set DANLU_DATA=DIR\n  \
         let it download with a network: danlu data fetch {NAME}"
    )
}
