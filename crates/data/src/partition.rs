//! Which samples are learned from, which are chosen by, and which are measured on.

use std::path::PathBuf;

use spec::Seed;

use crate::error::DataError;
use crate::order::shuffle;
use crate::{Dataset, Split};

/// The share of the samples that become the test part, and the validation part unless another share is asked
/// for, of a data set that comes without parts.
pub const CUT_SHARE: f64 = 0.1;

/// How a data set is to be cut where it does not come in parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Partition {
    /// Share of the training samples that are set apart for validation, from 0 to below 1. 0: none is, and the validation
    /// part that the data set comes with is learned from too. `None`: the validation part that the data set comes with, or, where not even a test part is given, [`CUT_SHARE`].
    pub validation: Option<f64>,
    /// Share of the samples of each class that are left for training, above 0 and below 1, that is kept. `None`: all.
    pub subset: Option<f64>,
    /// What the cut is drawn from, by the stream `split`, and the subset, by the stream `subset`. It should not be that of a run: models are compared on
    /// the same test samples, and none of them may have been learned from.
    pub seed: Seed,
}

/// No validation part but a given one; the seed 1.
impl Default for Partition {
    fn default() -> Self {
        Self { validation: None, subset: None, seed: Seed(1) }
    }
}

impl Partition {
    pub(crate) fn check(&self) -> Result<(), DataError> {
        match self.validation {
            Some(share) if !(0.0..1.0).contains(&share) => return Err(DataError::Share { share }),
            _ => {}
        }
        match self.subset {
            Some(share) if !(share > 0.0 && share < 1.0) => Err(DataError::SubsetShare { share }),
            _ => Ok(()),
        }
    }
}

/// A data set in memory.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What is learned from.
    pub train: Dataset,
    /// What choices are made by.
    pub validation: Option<Dataset>,
    /// What is reported.
    pub test: Dataset,
    /// The pictures that could not be read, in the order of their paths.
    pub rejected: Vec<Rejected>,
    /// How many files were passed over because they are no pictures: `Thumbs.db`, `labels.txt`.
    pub n_skipped: usize,
    /// Width and height of the pictures of a folder before they were fitted.
    pub original_sizes: Vec<[u32; 2]>,
    /// What the user should know: a cache that was of no use.
    pub notes: Vec<String>,
}

/// A picture that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its path, from the data set's folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// The parts that a data set came with, before the missing ones are cut from the training part.
pub(crate) struct Given {
    pub(crate) train: Dataset,
    pub(crate) validation: Option<Dataset>,
    pub(crate) test: Option<Dataset>,
}

impl Given {
    /// Cuts what is missing. A data set without test part is cut in three; one with a test part loses training
    /// samples only if validation is asked for.
    pub(crate) fn cut(self, partition: &Partition) -> Result<Parts, DataError> {
        let Self { mut train, mut validation, mut test } = self;
        let is_all_for_training = partition.validation == Some(0.0);
        let test_share = test.is_none().then_some(CUT_SHARE);
        let unused = partition.validation.filter(|_| validation.is_some() && !is_all_for_training);
        let note = |share| {
            format!("the data set has a validation part of its own; the share of {share} is not used")
        };
        let notes = unused.map(note).into_iter().collect();
        let wanted = partition.validation.or(test_share);
        let wanted = wanted.filter(|_| validation.is_none() && !is_all_for_training);
        let shares = Shares { test: test_share, validation: wanted };
        if shares.test.is_some() || shares.validation.is_some() {
            let splits = assign(&train.labels, train.classes.len(), shares, partition.seed);
            let cut_off = |split| train.taken(&splits, split);
            test = test.or_else(|| Some(cut_off(Split::Test)));
            if shares.validation.is_some() {
                validation = Some(cut_off(Split::Validation));
            }
            train.retain(&splits, Split::Train);
        }
        // After the cut: the test part is the same for every run, and no sample of it is learned from.
        if is_all_for_training && let Some(more) = validation.take() {
            train.extend(more);
        }
        if let Some(share) = partition.subset {
            let splits = subset(&train.labels, train.classes.len(), share, partition.seed);
            train.retain(&splits, Split::Train);
        }
        let test = test.expect("cut where it was not given");
        let parts = [Some(&train), validation.as_ref(), Some(&test)];
        if parts.into_iter().flatten().any(Dataset::is_empty) {
            let n_samples = parts.into_iter().flatten().map(Dataset::len).sum();
            return Err(DataError::TooFew { name: train.name, n_samples });
        }
        let (rejected, original_sizes) = Default::default();
        Ok(Parts { train, validation, test, rejected, n_skipped: 0, original_sizes, notes })
    }
}

/// How much of each class to cut off.
#[derive(Clone, Copy)]
struct Shares {
    test: Option<f64>,
    validation: Option<f64>,
}

/// The part of each sample. Every class is shuffled by the stream `split`, one after the other, and gives its
/// first samples to the test part, the next ones to validation: the test part does not depend on the share of
/// validation. A class of two or more gives at least one sample to the test part, and every class keeps one.
fn assign(labels: &[u8], n_classes: usize, shares: Shares, seed: Seed) -> Vec<Split> {
    let mut random = seed.stream("split");
    let mut splits = vec![Split::Train; labels.len()];
    for members in &mut by_class(labels, n_classes) {
        shuffle(members, &mut random);
        let n_test = shares.test.map_or(0, |share| share_of(members.len(), share, members.len()));
        let n_left = members.len() - n_test;
        let n_validation = shares.validation.map_or(0, |share| share_of(members.len(), share, n_left));
        let (test, others) = members.split_at(n_test);
        test.iter().for_each(|&idx| splits[idx as usize] = Split::Test);
        others[..n_validation].iter().for_each(|&idx| splits[idx as usize] = Split::Validation);
    }
    splits
}

/// The samples that are learned from stay in [`Split::Train`], at least one of each class; the first of every class as the
/// stream `subset` shuffles it, so that a smaller share is a part of a larger one.
fn subset(labels: &[u8], n_classes: usize, share: f64, seed: Seed) -> Vec<Split> {
    let mut random = seed.stream("subset");
    let mut splits = vec![Split::Validation; labels.len()];
    for members in &mut by_class(labels, n_classes) {
        shuffle(members, &mut random);
        let n_kept = share_of(members.len(), share, members.len() + 1);
        members[..n_kept].iter().for_each(|&idx| splits[idx as usize] = Split::Train);
    }
    splits
}

/// The positions of each class's samples.
fn by_class(labels: &[u8], n_classes: usize) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); n_classes];
    for (idx, &label) in labels.iter().enumerate() {
        members[usize::from(label)].push(idx as u32);
    }
    members
}

/// `share` of `n`, rounded; at least one, but one of `n_left` is left over.
fn share_of(n: usize, share: f64, n_left: usize) -> usize {
    let asked = (n as f64 * share).round() as usize;
    asked.max(1).min(n_left.saturating_sub(1))
}

#[cfg(test)]
mod tests;
