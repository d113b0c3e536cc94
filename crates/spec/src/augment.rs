//! How training pictures are changed before a network sees them.

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::{check_above_zero, check_probability, check_value};
use crate::toml_text::TomlText;

/// Changes of the training pictures, drawn anew for every sample and epoch, in this order. Default: none.
///
/// What comes from outside of a picture is 0, the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentSpec {
    /// Moves by up to as many pixels, whole ones, up or down and left or right, each as likely: torchvision's
    /// `RandomCrop(size, padding=shift)`.
    pub shift: usize,
    /// Probability of left and right being swapped, torchvision's `RandomHorizontalFlip`.
    pub horizontal_flip: f64,
    /// Turns by up to as many degrees either way, each angle as likely, at most 180: torchvision's
    /// `RandomRotation(rotation, InterpolationMode.BILINEAR)`.
    pub rotation: f64,
    /// Noise in a rectangle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasing: Option<ErasingSpec>,
    /// Mixes pairs of samples, labels too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup: Option<MixupSpec>,
}

/// Parameters of [`AugmentSpec::erasing`], random erasing (Zhong et al. 2017); defaults of torchvision's `RandomErasing`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErasingSpec {
    /// Probability that a picture has such a rectangle; default 0.5.
    pub probability: f64,
    /// Smallest share of the picture's area; default 0.02.
    pub min_area: f64,
    /// Largest share of the picture's area; default 0.33.
    pub max_area: f64,
    /// Smallest height divided by width; default 0.3.
    pub min_aspect: f64,
    /// Largest height divided by width; default 3.3.
    pub max_aspect: f64,
}

/// Parameters of [`AugmentSpec::mixup`] (Zhang et al. 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixupSpec {
    /// Both parameters of the Beta distribution of a sample's own share, from 0.01 to 100; default 0.2, the paper's for
    /// ImageNet.
    pub alpha: f64,
}

impl Default for ErasingSpec {
    fn default() -> Self {
        Self { probability: 0.5, min_area: 0.02, max_area: 0.33, min_aspect: 0.3, max_aspect: 3.3 }
    }
}

impl Default for MixupSpec {
    fn default() -> Self {
        Self { alpha: 0.2 }
    }
}

impl AugmentSpec {
    /// Whether it changes nothing.
    pub fn is_identity(&self) -> bool {
        let erases = self.erasing.is_some_and(|erasing| erasing.probability > 0.0);
        self.shift == 0
            && self.horizontal_flip == 0.0
            && self.rotation == 0.0
            && !erases
            && self.mixup.is_none()
    }

    /// Checks every number for pictures of `input` (channels, rows, columns); the error names the key
    /// (`augment.erasing.min_area`), the value and what is allowed.
    pub fn validate(&self, input: [usize; 3]) -> Result<(), SpecError> {
        let [_, h, w] = input;
        let allowed = format!("below the shorter side of the pictures, {h} × {w}");
        check_value(self.shift == 0 || self.shift < h.min(w), "augment.shift", self.shift, &allowed)?;
        check_probability("augment.horizontal_flip", self.horizontal_flip)?;
        let ok = (0.0..=180.0).contains(&self.rotation);
        check_value(ok, "augment.rotation", format_args!("{:?}", self.rotation), "from 0 to 180 degrees")?;
        self.erasing.map_or(Ok(()), |erasing| erasing.validate())?;
        self.mixup.map_or(Ok(()), |mixup| mixup.validate())
    }

    pub(crate) fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        let Self { shift, horizontal_flip, rotation, erasing, mixup } = *self;
        text.table("[augment]");
        text.key("shift", &shift)?;
        text.float("horizontal_flip", horizontal_flip);
        text.float("rotation", rotation);
        if let Some(ErasingSpec { probability, min_area, max_area, min_aspect, max_aspect }) = erasing {
            text.table("[augment.erasing]");
            text.float("probability", probability);
            text.float("min_area", min_area);
            text.float("max_area", max_area);
            text.float("min_aspect", min_aspect);
            text.float("max_aspect", max_aspect);
        }
        if let Some(MixupSpec { alpha }) = mixup {
            text.table("[augment.mixup]");
            text.float("alpha", alpha);
        }
        Ok(())
    }
}

impl ErasingSpec {
    fn validate(self) -> Result<(), SpecError> {
        let Self { probability, min_area, max_area, min_aspect, max_aspect } = self;
        check_probability("augment.erasing.probability", probability)?;
        let (key, ok) = ("augment.erasing.max_area", max_area > 0.0 && max_area <= 1.0);
        check_value(ok, key, format_args!("{max_area:?}"), "a number above 0, at most 1")?;
        let (key, ok) = ("augment.erasing.min_area", min_area > 0.0 && min_area <= max_area);
        check_value(
            ok,
            key,
            format_args!("{min_area:?}"),
            &format!("above 0, at most `max_area`, {max_area:?}"),
        )?;
        check_above_zero("augment.erasing.max_aspect", max_aspect)?;
        let (key, ok) = ("augment.erasing.min_aspect", min_aspect as f32 > 0.0 && min_aspect <= max_aspect);
        let allowed = format!("above 0, at most `max_aspect`, {max_aspect:?}");
        check_value(ok, key, format_args!("{min_aspect:?}"), &allowed)
    }
}

impl MixupSpec {
    fn validate(self) -> Result<(), SpecError> {
        let ok = (0.01..=100.0).contains(&self.alpha);
        check_value(ok, "augment.mixup.alpha", format_args!("{:?}", self.alpha), "from 0.01 to 100")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_changes_nothing() {
        let none = AugmentSpec::default();
        assert!(none.is_identity());
        let never = ErasingSpec { probability: 0.0, ..ErasingSpec::default() };
        assert!(AugmentSpec { erasing: Some(never), ..none }.is_identity());
        for some in [
            AugmentSpec { shift: 1, ..none },
            AugmentSpec { horizontal_flip: 0.1, ..none },
            AugmentSpec { rotation: 0.1, ..none },
            AugmentSpec { erasing: Some(ErasingSpec::default()), ..none },
            AugmentSpec { mixup: Some(MixupSpec::default()), ..none },
        ] {
            assert!(!some.is_identity(), "{some:?}");
            some.validate([1, 28, 28]).unwrap();
        }
    }

    #[test]
    fn impossible_numbers_are_refused_by_key() {
        let none = AugmentSpec::default();
        let erasing = |erasing| AugmentSpec { erasing: Some(erasing), ..none };
        let default = ErasingSpec::default();
        let cases = [
            (AugmentSpec { shift: 28, ..none }, "shift` is 28, but must be below the shorter side of the"),
            (AugmentSpec { horizontal_flip: 1.5, ..none }, "horizontal_flip` is 1.5, but must be"),
            (AugmentSpec { rotation: -1.0, ..none }, "rotation` is -1.0, but must be from 0 to 180"),
            (erasing(ErasingSpec { probability: f64::NAN, ..default }), "erasing.probability` is NaN"),
            (erasing(ErasingSpec { max_area: 1.5, ..default }), "erasing.max_area` is 1.5, but must be"),
            (
                erasing(ErasingSpec { min_area: 0.5, ..default }),
                "erasing.min_area` is 0.5, but must be above 0, at",
            ),
            (erasing(ErasingSpec { max_aspect: 0.0, ..default }), "erasing.max_aspect` is 0.0, but must be"),
            (erasing(ErasingSpec { min_aspect: 4.0, ..default }), "erasing.min_aspect` is 4.0, but must be"),
            (
                AugmentSpec { mixup: Some(MixupSpec { alpha: 0.0 }), ..none },
                "mixup.alpha` is 0.0, but must be",
            ),
        ];
        for (augment, expected) in cases {
            let message = augment.validate([3, 28, 30]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("`augment.{expected}")), "{message}");
        }
    }
}
