//! What a network says of each sample of a data set.

/// The predictions for N samples, in the order of the data set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// `[N]`: the class of the largest logit, of equal ones the first.
    pub predicted: Vec<u8>,
    /// `[N]`: probability of that class by the softmax over the logits, 0 to 1.
    pub confidence: Vec<f32>,
    /// `[N]`: the sample's loss.
    pub loss: Vec<f32>,
}

impl Predictions {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.predicted.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.predicted.is_empty()
    }

    /// Indices of all samples by falling loss, of equal ones by index; a loss that is no number counts as the highest.
    pub fn hardest(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        let key = |idx: usize| if self.loss[idx].is_nan() { f32::INFINITY } else { self.loss[idx] };
        order.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardest_come_first() {
        let predictions = Predictions {
            predicted: vec![0, 1, 2, 1, 0],
            confidence: vec![0.9, 0.5, 0.6, 0.7, 0.4],
            loss: vec![0.1, 2.0, f32::NAN, 2.0, 3.0],
        };
        assert_eq!(predictions.hardest(), [2, 4, 1, 3, 0]);
    }
}
