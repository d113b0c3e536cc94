//! What the training leaves for the screen.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use metrics::Confusion;
use spec::EpochRecord;
use train::Step;

/// What happened since the screen looked last.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The last step, and when it ended.
    pub(super) step: Option<(Step, Instant)>,
    /// The end of the last epoch's first step, from which its speed is counted.
    pub(super) began: Option<Instant>,
    /// Of the steps, each of one epoch.
    pub(super) losses: Vec<Losses>,
    pub(super) epochs: Vec<EpochRecord>,
    pub(super) confusion: Option<Confusion>,
    /// There will be no more.
    pub(super) is_over: bool,
}

/// Losses of steps that follow each other in an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Losses {
    pub(super) sum: f64,
    pub(super) n: usize,
    /// The last step.
    pub(super) last: Step,
}

/// News on their way from one thread to another.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<News>);

impl Shared {
    /// What is there, which is then gone.
    pub(super) fn take(&self) -> News {
        std::mem::take(&mut self.news())
    }

    pub(super) fn step(&self, step: &Step) {
        let now = Instant::now();
        let mut news = self.news();
        if step.step == 1 {
            news.began = Some(now);
        }
        news.step = Some((*step, now));
        match news.losses.last_mut().filter(|losses| losses.last.epoch == step.epoch) {
            Some(losses) => *losses = Losses { sum: losses.sum + step.loss, n: losses.n + 1, last: *step },
            None => news.losses.push(Losses { sum: step.loss, n: 1, last: *step }),
        }
    }

    pub(super) fn epoch(&self, record: &EpochRecord, confusion: Option<Confusion>) {
        let mut news = self.news();
        news.epochs.push(*record);
        news.confusion = confusion;
    }

    pub(super) fn is_over(&self) -> bool {
        self.news().is_over
    }

    pub(super) fn close(&self) {
        self.news().is_over = true;
    }

    /// Every change is whole at once, so that a panic elsewhere spoils nothing.
    fn news(&self) -> MutexGuard<'_, News> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
