//! From a data set's name to its images in memory.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use data::{Dataset, Partition, Parts, Place, Places, Rejected, Source, Split};
use nn::Plan;
use spec::{DataRecord, NetworkSpec};

use crate::error::CliError;
use crate::progress::DownloadBar;
use crate::{environment, output};

/// How many pictures that cannot be read are told of by name.
pub(crate) const N_REJECTED_SHOWN: usize = 20;

/// A data set that was asked for.
pub(crate) enum Wanted {
    /// It is there.
    Found(Box<Source>),
    /// One that is known and may have to be downloaded, which is done when it is needed.
    Known(Places),
}

/// A data set in memory.
pub(crate) struct Loaded {
    pub(crate) dir: PathBuf,
    pub(crate) place: Place,
    pub(crate) train: Dataset,
    /// Nothing but the data set's own, or a share that was asked for.
    pub(crate) validation: Option<Dataset>,
    pub(crate) test: Dataset,
    pub(crate) rejected: Vec<Rejected>,
    pub(crate) n_skipped: usize,
    /// Width and height of each picture of a folder before it was fitted.
    pub(crate) original_sizes: Vec<[u32; 2]>,
}

/// What a model is tested on.
pub(crate) struct TestPart {
    pub(crate) dataset: Dataset,
    /// The data set has no test part: a share of it, drawn by chance, is tested.
    pub(crate) is_cut: bool,
    /// Pictures of the data set that could not be read.
    pub(crate) n_rejected: usize,
}

impl Loaded {
    pub(crate) fn record(&self) -> DataRecord {
        DataRecord {
            name: self.train.name.clone(),
            dir: std::path::absolute(&self.dir).unwrap_or_else(|_| self.dir.clone()).display().to_string(),
            classes: self.train.classes.clone(),
            train_sha256: self.train.sha256.clone(),
            test_sha256: self.test.sha256.clone(),
            n_train: self.train.len(),
            n_test: self.test.len(),
            validation_sha256: self.validation.as_ref().map(|part| part.sha256.clone()),
            n_validation: self.validation.as_ref().map_or(0, Dataset::len),
        }
    }
}

impl Wanted {
    /// The data set `data`, a known name or a folder. Nothing is downloaded.
    pub(crate) fn new(data: &Path) -> Result<Self, CliError> {
        let places = environment::places(data)?;
        let may_be_fetched = places.dir.is_none() && places.env.is_none() && places.known.is_fetched();
        if may_be_fetched {
            return Ok(Self::Known(places));
        }
        let is_word = data.components().count() == 1 && !data.exists();
        let opened = Source::open(&places, &mut |_| {});
        match opened {
            // A name that is neither is more likely misspelled than a folder lost.
            Err(source) if is_word && places.dir.is_some() => {
                Err(CliError::NeitherNameNorFolder { name: data.display().to_string(), source })
            }
            opened => Ok(Self::Found(Box::new(opened?))),
        }
    }

    /// The data of a run: a folder where the record says that it was, for from here its name may lead to another one; else, and where
    /// that folder is gone, as the run's spec names it.
    pub(crate) fn of_run(name: &str, record: Option<&DataRecord>) -> Result<Self, CliError> {
        let recorded = record.map(|record| Path::new(&record.dir));
        match recorded.filter(|dir| data::known_set(name).is_none() && dir.exists()) {
            Some(dir) => Self::new(dir).or_else(|_| Self::new(Path::new(name))),
            None => Self::new(Path::new(name)),
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Found(source) => source.name(),
            Self::Known(places) => places.known.name,
        }
    }

    /// Channels, rows and columns of its pictures. `None`: they are fitted to any, of 1 or 3 channels.
    pub(crate) fn shape(&self) -> Option<[usize; 3]> {
        match self {
            Self::Found(source) => source.shape(),
            Self::Known(places) => Some(places.known.shape),
        }
    }

    pub(crate) fn n_classes(&self) -> usize {
        match self {
            Self::Found(source) => source.classes().len(),
            Self::Known(places) => places.known.classes().len(),
        }
    }

    /// A network that was asked for by name, made to fit the data.
    pub(crate) fn adapt(&self, network: NetworkSpec) -> NetworkSpec {
        let input = self.shape().unwrap_or(network.input);
        network.adapted(input, self.n_classes())
    }

    /// Whether pictures and classes are what a network takes.
    pub(crate) fn check_fit(&self, plan: &Plan) -> Result<(), CliError> {
        let (input, data, classes) = (plan.input(), || self.name().to_owned(), self.n_classes());
        if let Some(pictures) = self.shape().filter(|&pictures| pictures != input) {
            return Err(CliError::PicturesMisfit { input, data: data(), pictures });
        }
        match plan.summary().last() {
            Some(last) if plan.classes() != classes => {
                let (node, output) = (format!("`{}` ({})", last.name, last.layer), last.output.to_string());
                Err(CliError::ClassesMisfit { node, output, data: data(), classes })
            }
            _ => Ok(()),
        }
    }

    /// Refuses a file to be written that the data set is read from.
    pub(crate) fn check_no_input(&self, path: &Path) -> Result<(), CliError> {
        match self {
            Self::Found(source) if source.reads(path) => Err(CliError::OntoData { path: path.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Reads all parts, pictures fitted to `shape`.
    pub(crate) fn load(
        self,
        shape: [usize; 3],
        partition: &Partition,
        quiet: bool,
    ) -> Result<Loaded, CliError> {
        let source = self.open(quiet)?;
        let cache = environment::picture_cache();
        let mut bar = DownloadBar::new(quiet || !io::stderr().is_terminal());
        let parts = source.read(shape, partition, cache.as_deref(), &mut |news| bar.show(news))?;
        drop(bar);
        let Parts { train, validation, test, rejected, n_skipped, original_sizes, notes } = parts;
        source.notes().iter().chain(&notes).for_each(|note| output::note(&format!("note: {note}")));
        let Source { dir, place, .. } = source;
        Ok(Loaded { dir, place, train, validation, test, rejected, n_skipped, original_sizes })
    }

    /// Reads the test part alone, which is that of every run; tells of pictures that cannot be read.
    pub(crate) fn load_test(self, shape: [usize; 3]) -> Result<TestPart, CliError> {
        let source = self.open(false)?;
        let is_cut = !source.has(Split::Test);
        if source.shape().is_some() {
            source.notes().iter().for_each(|note| output::note(&format!("note: {note}")));
            let dataset = source.read_test(shape, &Partition::default(), None, &mut |_| {})?;
            return Ok(TestPart { dataset, is_cut, n_rejected: 0 });
        }
        let loaded = Self::Found(Box::new(source)).load(shape, &Partition::default(), false)?;
        if let Some(rejected) = rejected_text(&loaded) {
            output::note(&rejected);
        }
        Ok(TestPart { dataset: loaded.test, is_cut, n_rejected: loaded.rejected.len() })
    }

    /// Finds it, if need be by a download.
    pub(crate) fn open(self, quiet: bool) -> Result<Source, CliError> {
        let places = match self {
            Self::Found(source) => return Ok(*source),
            Self::Known(places) => places,
        };
        let mut bar = DownloadBar::new(quiet || !io::stderr().is_terminal());
        let source = Source::open(&places, &mut |news| bar.show(news))?;
        if source.place == Place::Download && !quiet {
            output::note(&format!("downloaded to {}", source.dir.display()));
        }
        Ok(source)
    }
}

/// The pictures that could not be read, for people; nothing if there are none.
pub(crate) fn rejected_text(loaded: &Loaded) -> Option<String> {
    let Loaded { dir, rejected, .. } = loaded;
    if rejected.is_empty() {
        return None;
    }
    let shown = rejected.iter().take(N_REJECTED_SHOWN);
    let lines: String = shown.map(|one| format!("\n  {}: {}", one.path.display(), one.reason)).collect();
    let more = match rejected.len().saturating_sub(N_REJECTED_SHOWN) {
        0 => String::new(),
        n => format!("\n  and {n} more; `danlu data info {} --json` lists all", output::typed(dir)),
    };
    let dir = dir.display();
    Some(match rejected.len() {
        1 => format!("1 picture in {dir} cannot be read and is left out:{lines}"),
        n => format!("{n} pictures in {dir} cannot be read and are left out:{lines}{more}"),
    })
}
