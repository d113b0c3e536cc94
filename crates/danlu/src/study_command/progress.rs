//! One quiet line that tells how far a study is.

use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use study::{Counts, StudyView};

/// The line on standard error, of a study with a number of trials as a bar.
pub(crate) struct StudyLine {
    bar: ProgressBar,
    /// Work done before.
    worked_s: f64,
    n_before: usize,
}

impl StudyLine {
    pub(crate) fn new(is_hidden: bool, view: &StudyView) -> Self {
        let target = if is_hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let template = if view.spec().budget.trials.is_some() { "{bar:20} {msg}" } else { "{spinner} {msg}" };
        let style = ProgressStyle::with_template(template).expect("the template is a constant that parses");
        let bar = ProgressBar::with_draw_target(view.spec().budget.trials, target).with_style(style);
        Self { bar, worked_s: view.worked_s(), n_before: n_over(view.counts()) }
    }

    pub(crate) fn show(&mut self, view: &StudyView) {
        self.bar.set_position(n_over(view.counts()) as u64);
        self.bar.set_message(self.text(view));
    }

    /// How far the study is, in a line.
    pub(crate) fn text(&self, view: &StudyView) -> String {
        text(view, self.left(view))
    }

    /// By the pace since this program began, or by the clock where the study ends by it.
    fn left(&self, view: &StudyView) -> Option<Duration> {
        let (budget, worked_s) = (view.spec().budget, view.worked_s());
        let by_clock = budget.minutes.map(|minutes| 60.0 * minutes - worked_s);
        let n_over = n_over(view.counts());
        let n_since = n_over.saturating_sub(self.n_before);
        let by_pace = budget
            .trials
            .filter(|_| n_since > 0)
            .map(|trials| (trials as f64 - n_over as f64) * (worked_s - self.worked_s) / n_since as f64);
        let left = [by_clock, by_pace].into_iter().flatten().reduce(f64::min)?;
        Duration::try_from_secs_f64(left.max(0.0)).ok()
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Trials that came to an end.
pub(crate) fn n_over(counts: Counts) -> usize {
    counts.complete + counts.pruned + counts.failed
}

/// `12/100 trials, 3 pruned, 0 failed, best 0.9123 (trial 7), 4 minutes left`
fn text(view: &StudyView, left: Option<Duration>) -> String {
    let counts = view.counts();
    let of = view.spec().budget.trials.map_or_else(String::new, |trials| format!("/{trials}"));
    let best = match (view.objectives().len(), view.best().first()) {
        (_, None) => String::new(),
        (1, Some(best)) => {
            let value = best.state.complete_values().map_or(f64::NAN, |values| values[0]);
            format!(", best {value:.4} (trial {})", best.number)
        }
        (_, Some(_)) => format!(", {} on the front", view.best().len()),
    };
    let left = left.map_or_else(String::new, |left| format!(", {:#} left", HumanDuration(left)));
    let elsewhere = match view.elsewhere().next() {
        Some(trial) => format!(", another program has trial {}", trial.number),
        None => String::new(),
    };
    let Counts { pruned, failed, .. } = counts;
    format!("{}{of} trials, {pruned} pruned, {failed} failed{best}{left}{elsewhere}", n_over(counts))
}
