//! How the learning rate changes from step to step.
//!
//! The rate of a step is a function of its number alone, so a run that goes on has nothing to remember. Formulas and
//! their results are those of `torch.optim.lr_scheduler`, stepped once after every update.

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::{check_not_negative, check_value};
use crate::toml_text::TomlText;

/// A schedule with its numbers. In a file it is a table, such as `[schedule.cosine]`; a bare name,
/// `schedule = "cosine"`, means that one's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleSpec {
    /// The optimizer's learning rate throughout.
    Constant(ConstantSpec),
    /// Lowered by a factor every few epochs, PyTorch's `StepLR`.
    Step(StepSpec),
    /// Half a cosine down to a minimum (Loshchilov & Hutter 2016), PyTorch's `CosineAnnealingLR`.
    Cosine(CosineSpec),
    /// Half a cosine up to the optimizer's learning rate, half a cosine down to nearly nothing (Smith & Topin 2017),
    /// PyTorch's `OneCycleLR` without its cycle of momentum.
    OneCycle(OneCycleSpec),
}

/// Parameters of [`ScheduleSpec::Constant`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConstantSpec {
    /// Epochs, not necessarily whole, in which the rate rises linearly; default 0. Of W such steps, step t from 0 has
    /// the rate · (t + 1) / (W + 1), PyTorch's `LinearLR` before any other schedule.
    pub warm_up_epochs: f64,
}

/// Parameters of [`ScheduleSpec::Step`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepSpec {
    /// Epochs from one lowering to the next, counted from the end of the warm-up; default 10.
    pub every: usize,
    /// What the rate is multiplied with, above 0 and at most 1; default 0.1.
    pub factor: f64,
    /// As in [`ConstantSpec`]; default 0.
    pub warm_up_epochs: f64,
}

/// Parameters of [`ScheduleSpec::Cosine`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosineSpec {
    /// The rate that the step after the last would have; default 0.
    pub minimum: f64,
    /// As in [`ConstantSpec`]; default 0. The cosine spans what is left.
    pub warm_up_epochs: f64,
}

/// Parameters of [`ScheduleSpec::OneCycle`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneCycleSpec {
    /// Share of the steps in which the rate rises; default 0.3.
    pub warm_up_share: f64,
    /// The first rate is the optimizer's divided by this; default 25.
    pub start_factor: f64,
    /// The last rate is the first one divided by this; default 10000.
    pub end_factor: f64,
}

/// Which schedule, without its numbers: what `--schedule` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleKind {
    /// [`ScheduleSpec::Constant`].
    Constant,
    /// [`ScheduleSpec::Step`].
    Step,
    /// [`ScheduleSpec::Cosine`].
    Cosine,
    /// [`ScheduleSpec::OneCycle`].
    OneCycle,
}

impl Default for StepSpec {
    fn default() -> Self {
        Self { every: 10, factor: 0.1, warm_up_epochs: 0.0 }
    }
}

impl Default for OneCycleSpec {
    fn default() -> Self {
        Self { warm_up_share: 0.3, start_factor: 25.0, end_factor: 1e4 }
    }
}

impl Default for ScheduleSpec {
    /// Constant, without a warm-up.
    fn default() -> Self {
        ScheduleKind::Constant.into()
    }
}

impl From<ScheduleKind> for ScheduleSpec {
    /// The schedule of that kind with its defaults.
    fn from(kind: ScheduleKind) -> Self {
        match kind {
            ScheduleKind::Constant => Self::Constant(ConstantSpec::default()),
            ScheduleKind::Step => Self::Step(StepSpec::default()),
            ScheduleKind::Cosine => Self::Cosine(CosineSpec::default()),
            ScheduleKind::OneCycle => Self::OneCycle(OneCycleSpec::default()),
        }
    }
}

impl ScheduleSpec {
    /// Which one it is.
    pub fn kind(&self) -> ScheduleKind {
        match self {
            Self::Constant(_) => ScheduleKind::Constant,
            Self::Step(_) => ScheduleKind::Step,
            Self::Cosine(_) => ScheduleKind::Cosine,
            Self::OneCycle(_) => ScheduleKind::OneCycle,
        }
    }

    /// The learning rate of step `step`, counted from 0 over the whole run of `epochs` epochs, where `base` is the
    /// optimizer's.
    ///
    /// The cosine and the power are the `libm` crate's, so that the bits are the same on every platform.
    pub fn rate(&self, base: f64, step: usize, n_steps_per_epoch: usize, epochs: usize) -> f64 {
        let n_steps = n_steps_per_epoch.saturating_mul(epochs);
        let n_warm_up = self.n_warm_up(n_steps_per_epoch);
        if step < n_warm_up {
            return base * ((step + 1) as f64 / (n_warm_up as f64 + 1.0));
        }
        let (step, n_steps) = (step - n_warm_up, n_steps.saturating_sub(n_warm_up));
        match self {
            Self::Constant(_) => base,
            Self::Step(StepSpec { every, factor, .. }) => {
                let n_lowered = step / every.saturating_mul(n_steps_per_epoch).max(1);
                base * libm::pow(*factor, n_lowered as f64)
            }
            Self::Cosine(cosine) => anneal(base, cosine.minimum, step as f64 / n_steps.max(1) as f64),
            Self::OneCycle(cycle) => cycle.rate(base, step, n_steps),
        }
    }

    /// Steps of the warm-up before the schedule itself.
    fn n_warm_up(&self, n_steps_per_epoch: usize) -> usize {
        let epochs = match self {
            Self::Constant(constant) => constant.warm_up_epochs,
            Self::Step(step) => step.warm_up_epochs,
            Self::Cosine(cosine) => cosine.warm_up_epochs,
            Self::OneCycle(_) => 0.0,
        };
        (epochs * n_steps_per_epoch as f64).round() as usize
    }

    /// Puts another warm-up; not checked before [`ScheduleSpec::validate`]. One-cycle has a rise of its own: an error.
    pub fn set_warm_up_epochs(&mut self, warm_up_epochs: f64) -> Result<(), SpecError> {
        match self {
            Self::Constant(constant) => constant.warm_up_epochs = warm_up_epochs,
            Self::Step(step) => step.warm_up_epochs = warm_up_epochs,
            Self::Cosine(cosine) => cosine.warm_up_epochs = warm_up_epochs,
            Self::OneCycle(_) => {
                let allowed = "absent with one_cycle, which begins with `warm_up_share` of all steps";
                return check_value(false, "warm_up_epochs", format_args!("{warm_up_epochs:?}"), allowed);
            }
        }
        Ok(())
    }

    /// Checks every number for a run of `epochs` epochs at the optimizer's `learning_rate`; the error names the key
    /// (`schedule.step.factor`), the value and what is allowed.
    pub fn validate(&self, learning_rate: f64, epochs: usize) -> Result<(), SpecError> {
        match self {
            Self::Constant(constant) => {
                check_warm_up("schedule.constant.warm_up_epochs", constant.warm_up_epochs, epochs)
            }
            Self::Step(step) => {
                check_value(step.every > 0, "schedule.step.every", step.every, "1 or more")?;
                check_factor("schedule.step.factor", step.factor)?;
                check_warm_up("schedule.step.warm_up_epochs", step.warm_up_epochs, epochs)
            }
            Self::Cosine(cosine) => {
                let key = "schedule.cosine.minimum";
                check_not_negative(key, cosine.minimum)?;
                let allowed = format!("at most the learning rate, {learning_rate:?}");
                let ok = cosine.minimum <= learning_rate;
                check_value(ok, key, format_args!("{:?}", cosine.minimum), &allowed)?;
                check_warm_up("schedule.cosine.warm_up_epochs", cosine.warm_up_epochs, epochs)
            }
            Self::OneCycle(cycle) => cycle.validate(),
        }
    }

    pub(crate) fn write(&self, text: &mut TomlText) -> Result<(), SpecError> {
        text.table(&format!("[schedule.{}]", self.kind()));
        match *self {
            Self::Constant(ConstantSpec { warm_up_epochs }) => text.float("warm_up_epochs", warm_up_epochs),
            Self::Step(StepSpec { every, factor, warm_up_epochs }) => {
                text.key("every", &every)?;
                text.float("factor", factor);
                text.float("warm_up_epochs", warm_up_epochs);
            }
            Self::Cosine(CosineSpec { minimum, warm_up_epochs }) => {
                text.float("minimum", minimum);
                text.float("warm_up_epochs", warm_up_epochs);
            }
            Self::OneCycle(OneCycleSpec { warm_up_share, start_factor, end_factor }) => {
                text.float("warm_up_share", warm_up_share);
                text.float("start_factor", start_factor);
                text.float("end_factor", end_factor);
            }
        }
        Ok(())
    }
}

impl OneCycleSpec {
    /// The two halves meet one step early, as PyTorch counts.
    fn rate(&self, max: f64, step: usize, n_steps: usize) -> f64 {
        let first = max / self.start_factor;
        let (step, last) = (step as f64, n_steps as f64 - 1.0);
        let top = self.warm_up_share * n_steps as f64 - 1.0;
        if step <= top {
            anneal(first, max, share(step, top))
        } else {
            anneal(max, first / self.end_factor, share(step - top, last - top))
        }
    }

    fn validate(&self) -> Result<(), SpecError> {
        let ok = 0.0 < self.warm_up_share && self.warm_up_share < 1.0;
        let (key, value) = ("schedule.one_cycle.warm_up_share", self.warm_up_share);
        check_value(ok, key, format_args!("{value:?}"), "a number above 0 and below 1")?;
        check_divisor("schedule.one_cycle.start_factor", self.start_factor)?;
        check_divisor("schedule.one_cycle.end_factor", self.end_factor)
    }
}

/// `step` of `n`; the end where there is no way between.
fn share(step: f64, n: f64) -> f64 {
    if n > 0.0 { step / n } else { 1.0 }
}

/// Half a cosine from `start` to `end`; `share` of it is gone.
fn anneal(start: f64, end: f64, share: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + libm::cos(PI * share))
}

fn check_warm_up(key: &str, warm_up_epochs: f64, epochs: usize) -> Result<(), SpecError> {
    let ok = (0.0..=epochs as f64).contains(&warm_up_epochs);
    let allowed = format!("from 0 to {epochs}, the number of epochs");
    check_value(ok, key, format_args!("{warm_up_epochs:?}"), &allowed)
}

fn check_factor(key: &str, factor: f64) -> Result<(), SpecError> {
    let ok = factor > 0.0 && factor <= 1.0;
    check_value(ok, key, format_args!("{factor:?}"), "a number above 0, at most 1")
}

fn check_divisor(key: &str, divisor: f64) -> Result<(), SpecError> {
    let ok = divisor >= 1.0 && (divisor as f32).is_finite();
    check_value(ok, key, format_args!("{divisor:?}"), "a finite number, 1 or above")
}

impl fmt::Display for ScheduleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "constant",
            Self::Step => "step",
            Self::Cosine => "cosine",
            Self::OneCycle => "one_cycle",
        })
    }
}

impl FromStr for ScheduleKind {
    type Err = SpecError;

    /// `constant`, `step`, `cosine` or `one_cycle`, else [`SpecError::Value`].
    fn from_str(name: &str) -> Result<Self, SpecError> {
        match name {
            "constant" => Ok(Self::Constant),
            "step" => Ok(Self::Step),
            "cosine" => Ok(Self::Cosine),
            "one_cycle" | "one-cycle" => Ok(Self::OneCycle),
            _ => Err(SpecError::Value {
                key: "schedule".into(),
                value: format!("{name:?}"),
                allowed: "constant, step, cosine or one_cycle".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
