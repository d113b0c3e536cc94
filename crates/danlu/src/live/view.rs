//! What the screen knows.

use std::time::{Duration, Instant};

use metrics::Confusion;
use spec::{EpochRecord, Testing};
use train::Step;

use super::news::{Losses, News};

/// Points of the loss that are kept; beyond, every second one goes.
const MAX_POINTS: usize = 2048;
/// The loss is averaged over about this share of an epoch.
const SMOOTHING: f64 = 0.05;

/// What does not change during a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    /// What is trained on what: `lenet on fashion-mnist`.
    pub(crate) title: String,
    /// How: `adam 0.001, batches of 256, seed 1`.
    pub(crate) recipe: String,
    pub(crate) classes: Vec<String>,
    /// How many are asked for.
    pub(crate) n_epochs: usize,
    pub(crate) batch_size: usize,
    /// When the test images are looked at.
    pub(crate) testing: Testing,
    /// Those of a run that goes on, and what its model says of the test images.
    pub(crate) earlier: Vec<EpochRecord>,
    pub(crate) confusion: Option<Confusion>,
}

/// A line of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Loss,
    Train,
    Validation,
    Test,
}

impl Line {
    pub(super) const ALL: [Self; 4] = [Self::Loss, Self::Train, Self::Validation, Self::Test];
}

/// What the user asked the run to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wish {
    #[default]
    GoOn,
    StopAfterEpoch,
    StopNow,
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct View {
    pub(super) about: About,
    /// All whole ones.
    pub(super) epochs: Vec<EpochRecord>,
    /// Epochs (1.5: in the middle of the second) and loss.
    pub(super) loss: Vec<(f64, f64)>,
    smoothed: Option<f64>,
    pub(super) step: Option<Step>,
    /// Of the running epoch.
    pub(super) images_per_s: Option<f64>,
    pub(super) confusion: Option<Confusion>,
    hidden: Vec<Line>,
    pub(super) shows_matrix: bool,
    pub(super) shows_help: bool,
    pub(super) wish: Wish,
    start: Instant,
    began: Option<Instant>,
    /// When the last epoch ended, with all that it wrote.
    ended: Option<Instant>,
}

impl View {
    pub(super) fn new(mut about: About) -> Self {
        let loss = about.earlier.iter().map(|epoch| (epoch.epoch as f64, epoch.loss)).collect();
        let mut view = Self {
            epochs: about.earlier.clone(),
            confusion: about.confusion.take(),
            about,
            loss,
            smoothed: None,
            step: None,
            images_per_s: None,
            hidden: Vec::new(),
            shows_matrix: true,
            shows_help: false,
            wish: Wish::default(),
            start: Instant::now(),
            began: None,
            ended: None,
        };
        view.thin();
        view
    }

    /// Takes in what happened.
    pub(super) fn hear(&mut self, news: News) {
        if !news.epochs.is_empty() {
            self.ended = Some(Instant::now());
        }
        self.epochs.extend(news.epochs);
        self.confusion = news.confusion.or(self.confusion.take());
        self.began = news.began.or(self.began);
        let Some((step, at)) = news.step else { return };
        self.images_per_s = self.began.and_then(|began| {
            let seconds = at.saturating_duration_since(began).as_secs_f64();
            (step.step > 1 && seconds > 0.0)
                .then(|| ((step.step - 1) * self.about.batch_size) as f64 / seconds)
        });
        news.losses.iter().for_each(|losses| self.add_loss(losses));
        self.step = Some(step);
    }

    fn add_loss(&mut self, Losses { sum, n, last }: &Losses) {
        let (mean, n) = (sum / *n as f64, *n as f64);
        let share = 1.0 - (-n / (SMOOTHING * last.n_steps as f64).max(1.0)).exp();
        let smoothed = self.smoothed.map_or(mean, |smoothed| smoothed + share * (mean - smoothed));
        self.smoothed = Some(smoothed);
        self.loss.push((position(last), smoothed));
        self.thin();
    }

    fn thin(&mut self) {
        while self.loss.len() > MAX_POINTS {
            let mut idx = 0;
            self.loss.retain(|_| {
                idx += 1;
                idx % 2 == 0
            });
        }
    }

    pub(super) fn toggle(&mut self, line: Line) {
        match self.hidden.iter().position(|&hidden| hidden == line) {
            Some(at) => drop(self.hidden.remove(at)),
            None => self.hidden.push(line),
        }
    }

    pub(super) fn is_hidden(&self, line: Line) -> bool {
        self.hidden.contains(&line)
    }

    /// Whether there is such a line at all.
    pub(super) fn has(&self, line: Line) -> bool {
        match line {
            Line::Validation => self.epochs.iter().any(|epoch| epoch.validation_accuracy.is_some()),
            Line::Test => {
                self.epochs.is_empty() || self.epochs.iter().any(|epoch| epoch.test_accuracy.is_finite())
            }
            Line::Loss | Line::Train => true,
        }
    }

    /// The points of a line: epochs and its values that are numbers.
    pub(super) fn points(&self, line: Line) -> Vec<(f64, f64)> {
        let of = |value: fn(&EpochRecord) -> f64| {
            self.epochs.iter().map(|epoch| (epoch.epoch as f64, value(epoch))).collect()
        };
        let mut points: Vec<(f64, f64)> = match line {
            Line::Loss => self.loss.clone(),
            Line::Train => of(|epoch| epoch.train_accuracy),
            Line::Validation => of(|epoch| epoch.validation_accuracy.unwrap_or(f64::NAN)),
            Line::Test => of(|epoch| epoch.test_accuracy),
        };
        points.retain(|(_, y)| y.is_finite());
        points
    }

    /// The last value of a line: of the loss the running one.
    pub(super) fn last(&self, line: Line) -> Option<f64> {
        let last = self.epochs.last();
        match line {
            Line::Loss => self.smoothed.or(last.map(|epoch| epoch.loss)),
            Line::Train => last.map(|epoch| epoch.train_accuracy),
            Line::Validation => last.and_then(|epoch| epoch.validation_accuracy),
            Line::Test => last.map(|epoch| epoch.test_accuracy),
        }
    }

    /// Epochs that are done, with the share of the running one.
    pub(super) fn position(&self) -> f64 {
        self.step.as_ref().map_or(0.0, position).max(self.epochs.len() as f64)
    }

    /// Since the screen was put on.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// What the rest of the run takes by the clock, evaluation and files included, once there is something to reckon from.
    pub(super) fn left(&self) -> Option<Duration> {
        let per_epoch = match self.ended {
            None => {
                let (step, speed) = (self.step.as_ref()?, self.images_per_s?);
                (step.n_steps * self.about.batch_size) as f64 / speed
            }
            Some(ended) => {
                let n_timed = self.epochs.len() - self.about.earlier.len();
                ended.duration_since(self.start).as_secs_f64() / n_timed as f64
            }
        };
        let n_left = (self.about.n_epochs as f64 - self.position()).max(0.0);
        Duration::try_from_secs_f64(per_epoch * n_left).ok()
    }
}

fn position(step: &Step) -> f64 {
    (step.epoch - 1) as f64 + step.step as f64 / step.n_steps as f64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn epoch(epoch: usize, loss: f64, train_accuracy: f64, test_accuracy: f64) -> EpochRecord {
        EpochRecord {
            epoch,
            learning_rate: 0.001,
            loss,
            train_accuracy,
            validation_loss: None,
            validation_accuracy: None,
            test_accuracy,
            train_s: 1.5,
            eval_s: 0.5,
            images_per_s: 4e4,
        }
    }

    /// So long after the screen was put on.
    pub(crate) fn last_epoch_ended(view: &mut View, after: Duration) {
        view.ended = Some(view.start + after);
    }

    fn step(epoch: usize, step: usize, loss: f64) -> Step {
        Step { epoch, step, n_steps: 100, loss, learning_rate: 0.001 }
    }

    fn news(steps: &[Step]) -> News {
        let shared = super::super::news::Shared::default();
        steps.iter().for_each(|step| shared.step(step));
        shared.take()
    }

    #[test]
    fn the_time_left_is_that_of_the_epochs_before_by_the_clock() {
        let mut view = View::new(About { n_epochs: 10, batch_size: 10, ..About::default() });
        assert_eq!(view.left(), None);
        view.hear(News { epochs: vec![epoch(1, 1.0, 0.5, 0.5), epoch(2, 1.0, 0.5, 0.5)], ..News::default() });
        last_epoch_ended(&mut view, Duration::from_secs(6));
        assert_eq!(view.left(), Some(Duration::from_secs(24)));
        view.hear(news(&[step(3, 50, 1.0)]));
        assert_eq!(view.left(), Some(Duration::from_millis(22_500)));
    }

    #[test]
    fn a_run_that_goes_on_shows_its_earlier_epochs_and_times_only_its_own() {
        let earlier = vec![epoch(1, 0.9, 0.6, 0.7), epoch(2, 0.8, 0.7, 0.75)];
        let view = View::new(About { n_epochs: 4, earlier, ..About::default() });
        assert_eq!(view.points(Line::Loss), [(1.0, 0.9), (2.0, 0.8)]);
        assert_eq!(view.points(Line::Test), [(1.0, 0.7), (2.0, 0.75)]);
        assert_eq!((view.position(), view.left()), (2.0, None));
    }

    #[test]
    fn speed_is_counted_from_the_first_steps_end() {
        let mut view = View::new(About { n_epochs: 1, batch_size: 32, ..About::default() });
        let mut heard = news(&[step(1, 1, 2.0), step(1, 11, 1.0)]);
        let began = heard.began.unwrap();
        heard.step = heard.step.map(|(step, _)| (step, began + Duration::from_secs(2)));
        view.hear(heard);
        assert_eq!(view.images_per_s, Some(160.0));
        // 100 steps of 32 images, of which 11 are done.
        let left = view.left().unwrap().as_secs_f64();
        assert!((left - 0.89 * 20.0).abs() < 1e-6, "{left}");
    }

    #[test]
    fn the_loss_is_thinned_and_smoothed() {
        let mut view = View::new(About { n_epochs: 100_000, batch_size: 1, ..About::default() });
        for epoch in 1..=5000 {
            view.hear(news(&[step(epoch, 100, f64::from(epoch as u32 % 2))]));
        }
        assert!((MAX_POINTS / 2..=MAX_POINTS).contains(&view.loss.len()), "{}", view.loss.len());
        assert_eq!(view.loss.last().unwrap().0, 5000.0);
        assert!(view.loss.iter().all(|(_, loss)| (0.0..=1.0).contains(loss)));
        assert!(view.loss.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn lines_are_hidden_and_shown_again() {
        let mut view = View::new(About::default());
        view.toggle(Line::Test);
        assert!(view.is_hidden(Line::Test) && !view.is_hidden(Line::Loss));
        view.toggle(Line::Test);
        assert!(!view.is_hidden(Line::Test));
    }
}
