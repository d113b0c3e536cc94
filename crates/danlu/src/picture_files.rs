//! The PNG files of a run: curves, confusion matrix, hardest test images.

use std::time::{Duration, Instant};

use charts::confusion::{self, Matrix};
use charts::curves;
use charts::hardest::{self, HardImage, Hardest, N_IMAGES};
use data::Dataset;
use metrics::{Confusion, Predictions};
use runs::{CONFUSION, CURVES_PNG, HARDEST, RunFolder};
use spec::RunRecord;

use crate::error::CliError;
use crate::table::thousands;

/// At least so long from one drawing to the next,
const PAUSE: Duration = Duration::from_secs(5);
/// and so many times what it took, so that a run is not slowed down.
const PAUSES: u32 = 100;

/// Draws them now and then while the run goes on, and at its end.
pub(crate) struct PictureFiles<'a> {
    folder: &'a RunFolder,
    test: &'a Dataset,
    due: Instant,
    /// What was not drawn yet.
    pending: Option<Pending>,
}

/// An epoch that was not drawn yet.
struct Pending {
    /// What was said of the test samples, where they were looked at.
    test: Option<Predictions>,
}

impl<'a> PictureFiles<'a> {
    pub(crate) fn new(folder: &'a RunFolder, test: &'a Dataset) -> Self {
        Self { folder, test, due: Instant::now() + PAUSE, pending: None }
    }

    /// After each epoch.
    pub(crate) fn follow(&mut self, record: &RunRecord, test: Option<&Predictions>) -> Result<(), CliError> {
        let start = Instant::now();
        if start < self.due {
            self.pending = Some(Pending { test: test.cloned() });
            return Ok(());
        }
        self.draw(record, test)?;
        self.pending = None;
        let now = Instant::now();
        self.due = now + PAUSE.max((now - start) * PAUSES);
        Ok(())
    }

    /// After the last epoch.
    pub(crate) fn end(&mut self, record: &RunRecord) -> Result<(), CliError> {
        self.pending.take().map_or(Ok(()), |pending| self.draw(record, pending.test.as_ref()))
    }

    /// Labels and predictions of the test samples.
    pub(crate) fn confusion(&self, test: &Predictions) -> Confusion {
        Confusion::new(self.test.classes.len(), &self.test.labels, &test.predicted)
    }

    fn draw(&self, record: &RunRecord, test: Option<&Predictions>) -> Result<(), CliError> {
        self.folder.write(CURVES_PNG, &curves::png(record)?)?;
        let Some(test) = test else { return Ok(()) };
        self.folder.write(CONFUSION, &self.draw_confusion(record, test)?)?;
        Ok(self.folder.write(HARDEST, &self.draw_hardest(record, test)?)?)
    }

    fn draw_confusion(&self, record: &RunRecord, test: &Predictions) -> Result<Vec<u8>, CliError> {
        let counts = self.confusion(test);
        let n_right: usize = (0..counts.n_classes()).map(|class| counts.count(class, class)).sum();
        let share = 100.0 * n_right as f64 / test.len() as f64;
        let n = thousands(test.len() as u64);
        let title = format!("{}: {share:.1} % of {n} test images are right", charts::subject(record));
        let classes = &self.test.classes;
        Ok(confusion::png(&Matrix { title: &title, counts: &counts, classes })?)
    }

    fn draw_hardest(&self, record: &RunRecord, test: &Predictions) -> Result<Vec<u8>, CliError> {
        let classes = &self.test.classes;
        let names: Vec<String> = (0..classes.len()).map(|class| charts::class_name(classes, class)).collect();
        let name = |class: u8| names[usize::from(class)].as_str();
        let image = |idx: usize| HardImage {
            pixels: self.test.image(idx),
            label: name(self.test.labels[idx]),
            predicted: name(test.predicted[idx]),
            is_right: self.test.labels[idx] == test.predicted[idx],
            confidence: test.confidence[idx],
        };
        let images: Vec<HardImage<'_>> = test.hardest().into_iter().take(N_IMAGES).map(image).collect();
        let (n, all) = (images.len(), thousands(test.len() as u64));
        let title = format!(
            "{}: the {n} hardest of {all} test images, with label and what they are taken for",
            charts::subject(record)
        );
        Ok(hardest::png(&Hardest { title: &title, shape: self.test.shape, images: &images })?)
    }
}
