//! Which epoch is the best, and when there is no better one to come. Both look at nothing but the validation part.

use spec::{EarlyStoppingSpec, EpochRecord};

/// Whether `epoch` is better than `other`: a higher validation accuracy, or the same and a lower loss.
fn is_better(epoch: &EpochRecord, other: &EpochRecord) -> bool {
    let [accuracy, best] = [epoch, other].map(|epoch| epoch.validation_accuracy.unwrap_or(f64::NAN));
    let [loss, lowest] = [epoch, other].map(|epoch| epoch.validation_loss.unwrap_or(f64::NAN));
    accuracy > best || (accuracy == best && loss < lowest)
}

/// The best epoch, counted from 1: by the validation part, the earliest of equals; without one the last.
pub(crate) fn best_epoch(epochs: &[EpochRecord]) -> Option<usize> {
    let last = epochs.last()?;
    if last.validation_accuracy.is_none() {
        return Some(last.epoch);
    }
    let better = |best, epoch| if is_better(epoch, best) { epoch } else { best };
    epochs.iter().reduce(better).map(|best| best.epoch)
}

/// Whether the validation accuracy has not risen for as long as the spec allows.
pub(crate) fn has_stalled(epochs: &[EpochRecord], spec: &EarlyStoppingSpec) -> bool {
    let mut highest = f64::NEG_INFINITY;
    let mut n_stalled = 0;
    for accuracy in epochs.iter().filter_map(|epoch| epoch.validation_accuracy) {
        // Without a difference at all, any rise counts.
        let risen = accuracy > highest + spec.min_delta;
        n_stalled = if risen { 0 } else { n_stalled + 1 };
        highest = if risen { accuracy } else { highest };
    }
    n_stalled >= spec.patience
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accuracy and loss of each epoch.
    type Validation<'a> = &'a [(f64, f64)];

    fn epochs(validation: Validation<'_>) -> Vec<EpochRecord> {
        let epoch = |(idx, &(accuracy, loss)): (usize, &(f64, f64))| EpochRecord {
            epoch: idx + 1,
            learning_rate: 0.1,
            loss: 0.0,
            train_accuracy: 0.0,
            validation_loss: Some(loss),
            validation_accuracy: Some(accuracy),
            // The other way around, so that a choice by test accuracy would show.
            test_accuracy: 1.0 - accuracy,
            train_s: 0.0,
            eval_s: 0.0,
            images_per_s: 0.0,
        };
        validation.iter().enumerate().map(epoch).collect()
    }

    #[test]
    fn the_best_epoch_has_the_highest_validation_accuracy_then_the_lowest_loss() {
        let cases: [(Validation<'_>, Option<usize>); 6] = [
            (&[], None),
            (&[(0.5, 1.0)], Some(1)),
            (&[(0.5, 1.0), (0.7, 1.0), (0.6, 0.1)], Some(2)),
            (&[(0.7, 1.0), (0.7, 0.5), (0.7, 0.5)], Some(2)),
            (&[(0.7, 0.1), (0.7, f64::NAN)], Some(1)),
            (&[(0.1, f64::NAN), (0.2, f64::NAN)], Some(2)),
        ];
        for (validation, best) in cases {
            assert_eq!(best_epoch(&epochs(validation)), best, "{validation:?}");
        }
    }

    #[test]
    fn without_a_validation_part_the_last_epoch_is_the_best() {
        let mut epochs = epochs(&[(0.9, 0.1), (0.5, 1.0)]);
        for epoch in &mut epochs {
            (epoch.validation_accuracy, epoch.validation_loss) = (None, None);
        }
        assert_eq!(best_epoch(&epochs), Some(2));
        assert!(!has_stalled(&epochs, &EarlyStoppingSpec { patience: 1, min_delta: 0.0 }));
    }

    #[test]
    fn a_run_stalls_after_its_patience() {
        let accuracies =
            |values: &[f64]| epochs(&values.iter().map(|&value| (value, 0.0)).collect::<Vec<_>>());
        let cases: [(&[f64], usize, f64, bool); 8] = [
            (&[], 1, 0.0, false),
            (&[0.5], 1, 0.0, false),
            (&[0.5, 0.5], 1, 0.0, true),
            (&[0.5, 0.4, 0.5], 2, 0.0, true),
            (&[0.5, 0.4, 0.51], 2, 0.0, false),
            (&[0.5, 0.505, 0.509], 2, 0.01, true),
            // Small rises add up against the same mark.
            (&[0.5, 0.505, 0.511], 2, 0.01, false),
            (&[0.0, 0.0], 1, 0.0, true),
        ];
        for (values, patience, min_delta, stalled) in cases {
            let spec = EarlyStoppingSpec { patience, min_delta };
            assert_eq!(has_stalled(&accuracies(values), &spec), stalled, "{values:?} {spec:?}");
        }
    }
}
