//! From bytes to numbers.

use spec::NormalizationSpec;

use crate::Dataset;
use crate::error::DataError;

/// What becomes of a pixel before a network sees it: `y = scale · x + shift`, `x` in 0 to 255. Both lists have
/// one entry for each channel, or a single one for all channels.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalization {
    /// Factors, per step of the byte.
    pub scale: Vec<f32>,
    /// What is added after scaling.
    pub shift: Vec<f32>,
}

impl Normalization {
    /// That of torchvision's `ToTensor`: 0 to 255 becomes 0 to 1. `ToTensor` divides by 255 where this multiplies
    /// by the rounded 1/255, so that results may differ in the last bit (relative 1.2e-7).
    pub fn unit() -> Self {
        Self { scale: vec![1.0 / 255.0], shift: vec![0.0] }
    }

    /// What `spec` asks for; `train` is what is learned from.
    pub fn of(spec: NormalizationSpec, train: &Dataset) -> Self {
        match spec {
            NormalizationSpec::Unit => Self::unit(),
            NormalizationSpec::Standard => Self::measured(train),
            NormalizationSpec::Range([low, high]) => Self::range(low, high),
        }
    }

    /// 0 to 255 becomes `low` to `high`.
    pub fn range(low: f64, high: f64) -> Self {
        Self { scale: vec![((high - low) / 255.0) as f32], shift: vec![low as f32] }
    }

    /// `y = (x/255 − mean) / std`, with mean and standard deviation over all samples and pixels of each channel
    /// of `part`, which should be the training part. A channel whose pixels are all the same has a deviation
    /// of one step of the byte, so that its `y` is 0. Sums are of integers: the same bits everywhere.
    ///
    /// # Panics
    /// If `part` has no pixels.
    pub fn measured(part: &Dataset) -> Self {
        let [n_channels, height, width] = part.shape;
        let n = (part.len() * height * width) as u128;
        assert!(n > 0, "{} has no pixels to measure", part.name);
        let mut sums = vec![Sums::default(); n_channels];
        for image in part.images.chunks_exact(n_channels * height * width) {
            for (sums, plane) in sums.iter_mut().zip(image.chunks_exact(height * width)) {
                sums.add(plane);
            }
        }
        let (scale, shift) = sums.into_iter().map(|sums| sums.scale_and_shift(n)).unzip();
        Self { scale, shift }
    }

    /// Scale and shift of a channel, counted from 0.
    ///
    /// # Panics
    /// If there are several entries but none for that channel; see [`validate`](Self::validate).
    pub fn channel(&self, idx: usize) -> (f32, f32) {
        let idx = if self.is_uniform() { 0 } else { idx };
        (self.scale[idx], self.shift[idx])
    }

    /// Whether one entry stands for all channels.
    pub fn is_uniform(&self) -> bool {
        self.scale.len() == 1
    }

    /// The number that stands for the byte `x` in a channel.
    pub fn apply(&self, channel: usize, x: u8) -> f32 {
        let (scale, shift) = self.channel(channel);
        scale * f32::from(x) + shift
    }

    /// Checks what comes from a file: finite numbers, one for each of `n_channels` or one for all of them.
    ///
    /// # Errors
    /// [`DataError::Normalization`] with what is wrong.
    pub fn validate(&self, n_channels: usize) -> Result<(), DataError> {
        let (n_scale, n_shift) = (self.scale.len(), self.shift.len());
        let wrong = |reason| Err(DataError::Normalization { reason });
        if n_scale != n_shift {
            return wrong(format!("{n_scale} scales but {n_shift} shifts"));
        }
        if n_scale != 1 && n_scale != n_channels {
            return wrong(format!("{n_scale} entries for {n_channels} channels"));
        }
        match self.scale.iter().chain(&self.shift).all(|number| number.is_finite()) {
            true => Ok(()),
            false => wrong("a number is not finite".into()),
        }
    }
}

/// [`Normalization::unit`].
impl Default for Normalization {
    fn default() -> Self {
        Self::unit()
    }
}

/// Of the bytes of a channel. 2^48 pixels fit.
#[derive(Clone, Copy, Default)]
struct Sums {
    x: u64,
    x_squared: u64,
}

impl Sums {
    fn add(&mut self, plane: &[u8]) {
        // 2^16 squares of bytes fit 32 bits, in which the compiler makes better loops.
        for run in plane.chunks(1 << 16) {
            let x: u32 = run.iter().map(|&x| u32::from(x)).sum();
            let x_squared: u32 = run.iter().map(|&x| u32::from(x) * u32::from(x)).sum();
            self.x += u64::from(x);
            self.x_squared += u64::from(x_squared);
        }
    }

    /// `1/std` and `−mean/std` in steps of the byte, where `std² = (n Σx² − (Σx)²) / n²` without rounding.
    fn scale_and_shift(self, n: u128) -> (f32, f32) {
        let [x, x_squared] = [self.x, self.x_squared].map(u128::from);
        let n_std = ((n * x_squared - x * x) as f64).sqrt();
        let n_std = if n_std == 0.0 { n as f64 } else { n_std };
        ((n as f64 / n_std) as f32, (-(x as f64) / n_std) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(shape: [usize; 3], images: Vec<u8>) -> Dataset {
        let n = images.len() / shape.iter().product::<usize>();
        let (labels, classes) = (vec![0; n], vec!["a".into()]);
        Dataset { name: "some".into(), shape, images, labels, classes, sha256: String::new() }
    }

    #[test]
    fn the_default_is_to_tensor_up_to_the_last_bit() {
        for x in 0..=u8::MAX {
            let (got, want) = (Normalization::default().apply(2, x), f32::from(x) / 255.0);
            assert!(got.to_bits().abs_diff(want.to_bits()) <= 1, "{x}: {got} for {want}");
        }
    }

    #[test]
    fn scale_comes_before_shift_in_each_channel() {
        let normalization = Normalization { scale: vec![0.5, 2.0], shift: vec![-1.0, 1.0] };
        assert_eq!([0, 1].map(|channel| normalization.apply(channel, 10)), [4.0, 21.0]);
    }

    #[test]
    fn measured_channels_have_mean_zero_and_deviation_one() {
        let images: Vec<u8> = (0..2 * 3 * 4 * 5).map(|idx| (idx * idx % 251) as u8).collect();
        let part = dataset([3, 4, 5], images);
        let normalization = Normalization::measured(&part);
        for channel in 0..3 {
            let planes = [0, 1].map(|idx| &part.image(idx)[20 * channel..20 * (channel + 1)]).concat();
            let y: Vec<_> = planes.iter().map(|&x| f64::from(normalization.apply(channel, x))).collect();
            let mean = y.iter().sum::<f64>() / 40.0;
            let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 40.0;
            assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "{mean} {variance}");
        }
    }

    #[test]
    fn a_constant_channel_becomes_zero() {
        let normalization = Normalization::measured(&dataset([1, 1, 2], vec![7; 4]));
        assert_eq!((normalization.apply(0, 7), normalization.apply(0, 8)), (0.0, 1.0));
    }

    #[test]
    fn what_comes_from_a_file_is_checked() {
        let cases = [
            (vec![1.0], vec![], "1 scales but 0 shifts"),
            (vec![], vec![], "0 entries for 3 channels"),
            (vec![1.0; 2], vec![0.0; 2], "2 entries for 3 channels"),
            (vec![f32::NAN], vec![0.0], "a number is not finite"),
            (vec![1.0; 3], vec![0.0, f32::INFINITY, 0.0], "a number is not finite"),
        ];
        for (scale, shift, expected) in cases {
            let message = Normalization { scale, shift }.validate(3).unwrap_err().to_string();
            assert!(message.ends_with(expected), "{message}");
        }
        Normalization::unit().validate(3).unwrap();
        Normalization { scale: vec![1.0; 3], shift: vec![0.0; 3] }.validate(3).unwrap();
    }
}
