//! The confusion matrix.

use std::cmp::Reverse;

/// How often each class was taken for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    n_classes: usize,
    counts: Vec<usize>,
}

/// How well one class is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassFigures {
    /// Which class.
    pub class: usize,
    /// Samples that are of it.
    pub n: usize,
    /// Share of these that are predicted as it; NaN where there are none.
    pub recall: f64,
    /// Share of the samples predicted as it that are of it; NaN where there are none.
    pub precision: f64,
}

/// One kind of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confused {
    /// The class that the samples are of.
    pub label: usize,
    /// The class that they are taken for.
    pub predicted: usize,
    /// Number of samples.
    pub n: usize,
}

impl Confusion {
    /// Counts the pairs of a label and a prediction. Panics where the lengths differ or a class is not below `n_classes`.
    pub fn new(n_classes: usize, labels: &[u8], predicted: &[u8]) -> Self {
        assert_eq!(labels.len(), predicted.len(), "a prediction for each label");
        let mut counts = vec![0; n_classes * n_classes];
        for (&label, &class) in labels.iter().zip(predicted) {
            let [label, class] = [label, class].map(usize::from);
            assert!(label < n_classes && class < n_classes, "{label} and {class} are of {n_classes} classes");
            counts[label * n_classes + class] += 1;
        }
        Self { n_classes, counts }
    }

    /// Number of classes K.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// How many samples of class `label` are taken for each class: `[K]`.
    pub fn row(&self, label: usize) -> &[usize] {
        &self.counts[label * self.n_classes..(label + 1) * self.n_classes]
    }

    /// How many samples of class `label` are taken for class `predicted`.
    pub fn count(&self, label: usize, predicted: usize) -> usize {
        self.row(label)[predicted]
    }

    /// Recall and precision of every class.
    pub fn per_class(&self) -> Vec<ClassFigures> {
        let figures = |class: usize| {
            let n: usize = self.row(class).iter().sum();
            let n_predicted: usize = (0..self.n_classes).map(|label| self.count(label, class)).sum();
            let hits = self.count(class, class) as f64;
            ClassFigures { class, n, recall: hits / n as f64, precision: hits / n_predicted as f64 }
        };
        (0..self.n_classes).map(figures).collect()
    }

    /// The mistakes that were made, the most frequent first, of equal ones in the order of the classes; at most `n`.
    pub fn most_confused(&self, n: usize) -> Vec<Confused> {
        let pairs =
            (0..self.n_classes).flat_map(|label| (0..self.n_classes).map(move |class| (label, class)));
        let mut mistakes: Vec<Confused> = pairs
            .filter(|(label, predicted)| label != predicted)
            .map(|(label, predicted)| Confused { label, predicted, n: self.count(label, predicted) })
            .filter(|confused| confused.n > 0)
            .collect();
        mistakes.sort_by_key(|confused| Reverse(confused.n));
        mistakes.truncate(n);
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_hand() {
        let confusion = Confusion::new(3, &[0, 0, 0, 1, 1, 0], &[0, 1, 1, 1, 0, 0]);
        assert_eq!(confusion.row(0), [2, 2, 0]);
        assert_eq!(confusion.row(1), [1, 1, 0]);
        assert_eq!(confusion.row(2), [0, 0, 0]);
        let [zero, one, two] = confusion.per_class().try_into().unwrap();
        assert_eq!(zero, ClassFigures { class: 0, n: 4, recall: 0.5, precision: 2.0 / 3.0 });
        assert_eq!(one, ClassFigures { class: 1, n: 2, recall: 0.5, precision: 1.0 / 3.0 });
        assert!(two.n == 0 && two.recall.is_nan() && two.precision.is_nan());
        let pairs = [Confused { label: 0, predicted: 1, n: 2 }, Confused { label: 1, predicted: 0, n: 1 }];
        assert_eq!(confusion.most_confused(9), pairs);
        assert_eq!(confusion.most_confused(1), pairs[..1]);
    }

    #[test]
    #[should_panic(expected = "of 2 classes")]
    fn a_class_too_many() {
        Confusion::new(2, &[0], &[2]);
    }
}
