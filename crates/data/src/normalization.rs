//! From bytes to numbers.

/// What becomes of a pixel before a network sees it: `y = scale · x + shift`, `x` in 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// Factor, per step of the byte.
    pub scale: f32,
    /// What is added after scaling.
    pub shift: f32,
}

impl Normalization {
    /// The number that stands for the byte `x`.
    pub fn apply(self, x: u8) -> f32 {
        self.scale * f32::from(x) + self.shift
    }
}

/// That of torchvision's `ToTensor`: 0 to 255 becomes 0 to 1. `ToTensor` divides by 255 where this multiplies
/// by the rounded 1/255, so that results may differ in the last bit (relative 1.2e-7).
impl Default for Normalization {
    fn default() -> Self {
        Self { scale: 1.0 / 255.0, shift: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::Normalization;

    #[test]
    fn the_default_is_to_tensor_up_to_the_last_bit() {
        for x in 0..=u8::MAX {
            let (got, want) = (Normalization::default().apply(x), f32::from(x) / 255.0);
            assert!(got.to_bits().abs_diff(want.to_bits()) <= 1, "{x}: {got} for {want}");
        }
    }

    #[test]
    fn scale_comes_before_shift() {
        assert_eq!(Normalization { scale: 0.5, shift: -1.0 }.apply(10), 4.0);
    }
}
