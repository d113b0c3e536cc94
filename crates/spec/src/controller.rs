//! Samplers that learn a policy by REINFORCE (Williams 1992): the recurrent controller of Zoph & Le 2016 and a plain table.

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::error::{check_above_zero, check_probability, check_value};

/// Numbers of [`crate::SamplerSpec::Controller`]. The defaults are the paper's (section 4.1), where it says them; everything
/// that it does not have is off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControllerSpec {
    /// Hidden units of each LSTM layer, from 1 to 1024.
    pub hidden: usize,
    /// LSTM layers, from 1 to 8.
    pub layers: usize,
    /// Weights begin uniform between minus and plus this.
    pub init: f64,
    /// Adam's, above 0.
    pub learning_rate: f64,
    /// What the policy is rewarded for.
    pub reward: RewardSpec,
    /// Children from one depth of the grammar's `layers` to the next; `None`: the controller decides how many layers there are.
    pub grow_every: Option<u64>,
    /// Weight of the policy's entropy in what is maximized.
    pub entropy_bonus: f64,
    /// What logits are divided by, above 0.
    pub temperature: f64,
    /// Logits are `c tanh(logit / temperature)` for this c (Bello et al. 2017); `None`: as they are.
    pub tanh: Option<f64>,
    /// Weight of the divergence of the skips' probabilities from `skip_rate` (Pham et al. 2018); 0: none.
    pub skip_penalty: f64,
    /// Share of skips that costs nothing, between 0 and 1.
    pub skip_rate: f64,
    /// PPO's clipped objective (Schulman et al. 2017) with ratios up to 1 ± this; `None`: REINFORCE itself.
    pub clip: Option<f64>,
    /// Updates from each step's children, at least 1; more than 1 only with `clip`.
    pub n_passes: u64,
    /// How many steps a step's children may be drawn before the update of the step before them, so that parallel trials need
    /// not wait for each other; 0 or 1.
    pub delay: u64,
}

/// Numbers of [`crate::SamplerSpec::SoftmaxTable`]: one distribution for each decision, whatever the others are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SoftmaxTableSpec {
    /// Adam's, above 0.
    pub learning_rate: f64,
    /// What the policy is rewarded for.
    pub reward: RewardSpec,
    /// Weight of the policy's entropy in what is maximized.
    pub entropy_bonus: f64,
    /// As [`ControllerSpec::delay`].
    pub delay: u64,
}

/// What a policy is rewarded for, and what its rewards are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RewardSpec {
    /// Children of one step, at least 1.
    pub children: u64,
    /// Share of the old value in the moving average of the rewards of earlier children, from 0 to below 1.
    pub baseline_decay: f64,
    /// The reward is the accuracy to this power, above 0.
    pub power: f64,
    /// The accuracy is the best of so many last epochs, at least 1.
    pub last_epochs: usize,
}

impl Default for ControllerSpec {
    fn default() -> Self {
        Self {
            hidden: 35,
            layers: 2,
            init: 0.08,
            learning_rate: 0.0006,
            reward: RewardSpec::default(),
            grow_every: None,
            entropy_bonus: 0.0,
            temperature: 1.0,
            tanh: None,
            skip_penalty: 0.0,
            skip_rate: 0.4,
            clip: None,
            n_passes: 1,
            delay: 0,
        }
    }
}

impl Default for SoftmaxTableSpec {
    fn default() -> Self {
        Self { learning_rate: 0.03, reward: RewardSpec::default(), entropy_bonus: 0.0, delay: 0 }
    }
}

impl Default for RewardSpec {
    /// The paper does not say the decay; ENAS (Pham et al. 2018) and its ports have 0.95 to 0.999.
    fn default() -> Self {
        Self { children: 8, baseline_decay: 0.95, power: 3.0, last_epochs: 5 }
    }
}

impl ControllerSpec {
    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        let key = |name: &str| format!("sampler.controller.{name}");
        check_value((1..=1024).contains(&self.hidden), &key("hidden"), self.hidden, "from 1 to 1024")?;
        check_value((1..=8).contains(&self.layers), &key("layers"), self.layers, "from 1 to 8")?;
        check_above_zero(&key("init"), self.init)?;
        check_above_zero(&key("learning_rate"), self.learning_rate)?;
        self.reward.validate("sampler.controller.reward")?;
        let grow = self.grow_every.unwrap_or(1);
        check_value(grow >= 1, &key("grow_every"), grow, "1 or more")?;
        check_weight(&key("entropy_bonus"), self.entropy_bonus)?;
        check_above_zero(&key("temperature"), self.temperature)?;
        self.tanh.map_or(Ok(()), |c| check_above_zero(&key("tanh"), c))?;
        check_weight(&key("skip_penalty"), self.skip_penalty)?;
        check_probability(&key("skip_rate"), self.skip_rate)?;
        let is_inside = self.skip_rate > 0.0 && self.skip_rate < 1.0;
        check_value(is_inside, &key("skip_rate"), self.skip_rate, "between 0 and 1")?;
        self.clip.map_or(Ok(()), |clip| check_above_zero(&key("clip"), clip))?;
        let allowed = if self.clip.is_some() { "1 or more" } else { "1, as there is no `clip`" };
        let is_allowed = self.n_passes == 1 || (self.n_passes > 1 && self.clip.is_some());
        check_value(is_allowed, &key("n_passes"), self.n_passes, allowed)?;
        check_value(self.delay <= 1, &key("delay"), self.delay, "0 or 1")
    }
}

impl SoftmaxTableSpec {
    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        let key = |name: &str| format!("sampler.softmax_table.{name}");
        check_above_zero(&key("learning_rate"), self.learning_rate)?;
        self.reward.validate("sampler.softmax_table.reward")?;
        check_weight(&key("entropy_bonus"), self.entropy_bonus)?;
        check_value(self.delay <= 1, &key("delay"), self.delay, "0 or 1")
    }
}

impl RewardSpec {
    fn validate(&self, table: &str) -> Result<(), SpecError> {
        let key = |name: &str| format!("{table}.{name}");
        check_value(self.children >= 1, &key("children"), self.children, "1 or more")?;
        let decay = self.baseline_decay;
        check_value((0.0..1.0).contains(&decay), &key("baseline_decay"), decay, "from 0 to below 1")?;
        check_above_zero(&key("power"), self.power)?;
        check_value(self.last_epochs >= 1, &key("last_epochs"), self.last_epochs, "1 or more")
    }
}

fn check_weight(key: &str, weight: f64) -> Result<(), SpecError> {
    check_value(weight.is_finite() && weight >= 0.0, key, weight, "0 or more")
}
