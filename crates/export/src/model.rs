//! What is exported.

use nn::{Params, Plan};
use spec::NetworkSpec;

use crate::ExportError;

/// A trained network with all that is needed to use it.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    /// What was built.
    pub network: &'a NetworkSpec,
    /// The plan of `network`.
    pub plan: &'a Plan,
    /// The learned numbers in the plan's layout.
    pub params: &'a Params<f32>,
    /// What becomes of a pixel before the network sees it.
    pub normalization: Normalization<'a>,
    /// A name for each class, in the order of the logits.
    pub classes: &'a [String],
}

/// `y = scale[c] · x + shift[c]` for a pixel `x` from 0 to 255 of channel `c`; both of length C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization<'a> {
    /// Factor of each channel.
    pub scale: &'a [f32],
    /// What is added to each channel after scaling.
    pub shift: &'a [f32],
}

impl Model<'_> {
    /// Whether its parts fit each other.
    pub(crate) fn check(&self) -> Result<(), ExportError> {
        let Normalization { scale, shift } = self.normalization;
        let (scales, shifts, channels) = (scale.len(), shift.len(), self.network.input[0]);
        if [scales, shifts] != [channels; 2] {
            return Err(ExportError::NormalizationMisfit { scales, shifts, channels });
        }
        let (names, classes) = (self.classes.len(), self.network.classes);
        if names != classes {
            return Err(ExportError::ClassesMisfit { names, classes });
        }
        Ok(())
    }
}
