//! What learns.

use spec::Seed;

use super::Walk;

/// A distribution over the points of a space that depends on parameters. It keeps what the last walk left, no
/// parameters.
pub(crate) trait Policy: Send {
    /// The parameters before the first step.
    fn init(&self, seed: Seed) -> Vec<f64>;

    /// Walks through the dimensions in their order: for each that [`Walk::decides`], [`Walk::take`] gets its
    /// logits and says what is taken.
    fn walk(&mut self, params: &[f64], walk: &mut Walk<'_>);

    /// Adds, to the gradient of something by the parameters, what the logits of the last walk give to it:
    /// `dlogits` are the derivatives by these, in the order in which they were given to [`Walk::take`].
    fn backward(&mut self, params: &[f64], dlogits: &[f64], gradient: &mut [f64]);
}
