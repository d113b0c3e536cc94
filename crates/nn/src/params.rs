//! Parameters: one flat array in the plan's layout.

use lanes::Scalar;
use rand_core::Rng;
use sha2::{Digest, Sha256};
use spec::Seed;

use crate::Plan;

/// The initial values of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform in ±1/√fan_in, PyTorch's for weights and biases; `fan_in` counts the inputs of one output.
    Uniform {
        /// Inputs of one output, a mean where outputs differ in it.
        fan_in: f64,
    },
    /// The same everywhere.
    Constant(f64),
}

/// The learned numbers of a network and, behind them, its running statistics: tensor after tensor as in
/// [`Plan::tensors`].
#[derive(Clone, Debug, PartialEq)]
pub struct Params<S>(pub Vec<S>);

impl<S: Scalar> Params<S> {
    /// Initial values, PyTorch's: see [`Init`].
    ///
    /// Every random tensor draws from its own stream (`init/conv.0.weight`), in order.
    pub fn init(plan: &Plan, seed: Seed) -> Self {
        let mut values = Vec::with_capacity(plan.n_values());
        for tensor in plan.tensors() {
            let bound = match tensor.init {
                Init::Uniform { fan_in } => 1.0 / fan_in.sqrt(),
                Init::Constant(value) => {
                    values.extend(tensor.range.clone().map(|_| S::from_f64(value)));
                    continue;
                }
            };
            let mut random = seed.stream(&format!("init/{}", tensor.name));
            values.extend(tensor.range.clone().map(|_| {
                let unit = (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                S::from_f64((2.0 * unit - 1.0) * bound)
            }));
        }
        Self(values)
    }

    /// The first value that is not finite: its tensor's name, its index in it, and itself.
    pub fn first_not_finite<'a>(&self, plan: &'a Plan) -> Option<(&'a str, usize, S)> {
        plan.tensors().iter().find_map(|tensor| {
            let values = &self.0[tensor.range.clone()];
            let idx = values.iter().position(|v| !v.to_f64().is_finite())?;
            Some((tensor.name.as_str(), idx, values[idx]))
        })
    }
}

impl Params<f32> {
    /// SHA-256 of all values as little-endian bytes, in hexadecimal: equal exactly if every bit is.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for value in &self.0 {
            hash.update(value.to_le_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
