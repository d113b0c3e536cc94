//! Progress bars on standard error.

use data::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use train::Step;

const STEPS: &str = "{prefix} {bar:24} {pos}/{len} steps, {msg}, {eta} left";
const BYTES: &str = "{msg} {bar:30} {binary_bytes}/{binary_total_bytes}, {eta} left";
const PICTURES: &str = "{msg} {bar:30} {pos}/{len} pictures, {eta} left";
const BYTES_OF_UNKNOWN: &str = "{msg} {spinner} {binary_bytes}";

/// A bar on standard error, which draws nothing where that is no terminal.
fn bar(is_hidden: bool, len: Option<u64>) -> ProgressBar {
    let target = if is_hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    ProgressBar::with_draw_target(len, target)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant that parses")
}

/// The steps of an epoch; before the first step there is no bar.
pub(crate) struct StepBar {
    is_hidden: bool,
    batch_size: usize,
    bar: ProgressBar,
}

impl StepBar {
    pub(crate) fn new(is_hidden: bool, batch_size: usize) -> Self {
        Self { is_hidden, batch_size, bar: ProgressBar::hidden() }
    }

    pub(crate) fn show(&mut self, step: &Step) {
        if self.is_hidden {
            return;
        }
        let loss = format!("loss {:.4}", step.loss);
        if step.step == 1 {
            let bar = bar(false, Some(step.n_steps as u64)).with_style(style(STEPS));
            self.bar = bar.with_prefix(format!("epoch {}", step.epoch)).with_message(loss).with_position(1);
            return;
        }
        // The time is counted from the first step's end.
        let images_per_s = ((step.step - 1) * self.batch_size) as f64 / self.bar.elapsed().as_secs_f64();
        self.bar.set_message(format!("{loss}, {images_per_s:.0} images/s"));
        self.bar.set_position(step.step as u64);
    }

    /// Runs `print` while the bar is off the screen.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The files of a download, one after the other, or the pictures that are decoded. It is put on the screen by the first news, so that a data set
/// that is there already shows none.
pub(crate) struct DownloadBar {
    is_hidden: bool,
    bar: Option<(String, ProgressBar)>,
}

impl DownloadBar {
    pub(crate) fn new(is_hidden: bool) -> Self {
        Self { is_hidden, bar: None }
    }

    pub(crate) fn show(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Waiting { dir } => {
                let subject = format!("waiting for another process to fill {}", dir.display());
                self.of(&subject, BYTES_OF_UNKNOWN).tick();
            }
            Progress::Bytes { file, done, total: Some(total) } => {
                let bar = self.of(file, BYTES);
                bar.set_length(total);
                bar.set_position(done);
            }
            Progress::Bytes { file, done, total: None } => {
                self.of(file, BYTES_OF_UNKNOWN).set_position(done);
            }
            Progress::Pictures { done, total } => {
                let bar = self.of("decoding", PICTURES);
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            }
            Progress::Retry { file, reason } => {
                let text = format!("{file}: the connection broke and is tried again: {reason}");
                self.of(file, BYTES).suspend(|| crate::output::note(&text));
            }
        }
    }

    /// The bar for this subject.
    fn of(&mut self, subject: &str, template: &str) -> &ProgressBar {
        if self.bar.as_ref().is_some_and(|(current, _)| current != subject) {
            self.finish();
        }
        let (_, bar) = self.bar.get_or_insert_with(|| {
            let bar = bar(self.is_hidden, None);
            bar.set_style(style(template));
            bar.set_message(subject.to_owned());
            (subject.to_owned(), bar)
        });
        bar
    }

    fn finish(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for DownloadBar {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_templates_parse() {
        for template in [STEPS, BYTES, PICTURES, BYTES_OF_UNKNOWN] {
            style(template);
        }
    }
}
