//! Layers of several inputs.

use spec::PadSpec;

use super::{Builder, Built, MAX_ACTIVATION, NO_PARAMETERS, Node, Source};
use crate::graph::Layer;
use crate::{PlanError, Shape};

impl Builder {
    pub(super) fn add(&mut self, node: &Node<'_>, pad: bool, inputs: &[Source]) -> Built {
        let bare = inputs;
        let inputs = self.same_size(node, pad, bare)?;
        node.check_same(&inputs, bare, |shape| shape)?;
        let values = inputs.iter().map(|input| input.value).collect();
        let shape = inputs[0].shape;
        Ok((self.op(Layer::Add, values, shape.n_values(), NO_PARAMETERS), shape))
    }

    /// Two by two, from the first.
    pub(super) fn multiply(&mut self, node: &Node<'_>, pad: bool, inputs: &[Source]) -> Built {
        let bare = inputs;
        let inputs = self.same_size(node, pad, bare)?;
        // The input that the product so far has its shape from.
        let (mut product, mut from) = (inputs[0].clone(), 0);
        for (idx, other) in inputs.iter().enumerate().skip(1) {
            let is_larger = !is_scale(other.shape, product.shape);
            let (large, small) = if is_larger { (other, &product) } else { (&product, other) };
            let plane = match (large.shape, small.shape) {
                (large, small) if large == small => 1,
                (Shape::Map([_, h, w]), _) if is_scale(small.shape, large.shape) => h * w,
                _ => return Err(node.unequal(&bare[from], &bare[idx])),
            };
            let values = vec![large.value, self.apart(small, large)];
            let shape = large.shape;
            let value = self.op(Layer::Multiply { plane }, values, shape.n_values(), NO_PARAMETERS);
            product = Source { name: product.name, value, shape };
            from = if is_larger { idx } else { from };
        }
        Ok((product.value, product.shape))
    }

    pub(super) fn concat(&mut self, node: &Node<'_>, pad: bool, inputs: &[Source]) -> Built {
        let bare = inputs;
        let inputs = self.same_size(node, pad, bare)?;
        // One channel, or one number, stands for all.
        node.check_same(&inputs, bare, |shape| match shape {
            Shape::Map([_, h, w]) => Shape::Map([1, h, w]),
            Shape::Flat(_) => Shape::Flat(1),
        })?;
        let values: Vec<_> = inputs.iter().map(|input| input.value).collect();
        let n_first: usize = inputs.iter().map(|input| input.shape.dims()[0]).sum();
        let shape = match inputs[0].shape {
            Shape::Map([_, h, w]) => Shape::Map([n_first, h, w]),
            Shape::Flat(_) => Shape::Flat(n_first),
        };
        node.check_size("number of outputs", &shape.dims(), MAX_ACTIVATION)?;
        Ok((self.op(Layer::Concat, values, shape.n_values(), NO_PARAMETERS), shape))
    }

    /// The inputs; with `pad` those with fewer rows or columns get a border of zeros, as even as possible, the odd row
    /// or column at the end (Zoph & Le 2016, section 3.3).
    fn same_size(&mut self, node: &Node<'_>, pad: bool, inputs: &[Source]) -> Result<Vec<Source>, PlanError> {
        let mut inputs = inputs.to_vec();
        if !pad {
            return Ok(inputs);
        }
        let size = |input: &Source| match input.shape {
            Shape::Map([_, h, w]) => (h, w),
            Shape::Flat(_) => (0, 0),
        };
        let height = inputs.iter().map(|input| size(input).0).max().unwrap_or(0);
        let width = inputs.iter().map(|input| size(input).1).max().unwrap_or(0);
        for input in &mut inputs {
            let (h, w) = size(input);
            if matches!(input.shape, Shape::Map(_)) && (h, w) != (height, width) {
                let (top, left) = ((height - h) / 2, (width - w) / 2);
                let (bottom, right) = (height - h - top, width - w - left);
                let border = PadSpec { top, bottom, left, right, value: 0.0 };
                (input.value, input.shape) = self.pad(node, &border, input)?;
            }
        }
        Ok(inputs)
    }

    /// The value of `small`, or a copy of it where it is the same as that of `large`: an operation has two buffers to
    /// read from.
    fn apart(&mut self, small: &Source, large: &Source) -> usize {
        if small.value != large.value {
            return small.value;
        }
        let n = small.shape.n_values();
        self.op(Layer::Select { from: vec![0], plane: n }, vec![small.value], n, NO_PARAMETERS)
    }
}

/// Whether it has one number for each channel of a larger map.
fn is_scale(small: Shape, large: Shape) -> bool {
    match (small, large) {
        (Shape::Map([c, 1, 1]), Shape::Map([channels, _, _])) => c == channels && small != large,
        _ => false,
    }
}

impl Node<'_> {
    /// What `part` keeps of the shapes must be the same for all; told are those without the borders that they were given.
    fn check_same(
        &self,
        inputs: &[Source],
        bare: &[Source],
        part: fn(Shape) -> Shape,
    ) -> Result<(), PlanError> {
        let first = part(inputs[0].shape);
        match inputs.iter().position(|other| part(other.shape) != first) {
            Some(idx) => Err(self.unequal(&bare[0], &bare[idx])),
            None => Ok(()),
        }
    }

    fn unequal(&self, first: &Source, other: &Source) -> PlanError {
        PlanError::UnequalShapes {
            node: self.label.clone(),
            first: first.name.clone(),
            first_shape: first.shape,
            other: other.name.clone(),
            other_shape: other.shape,
        }
    }
}
