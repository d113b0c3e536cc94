//! One file for each layer: formula, shapes, source, forward, backward, multiply-adds.
//!
//! Letters: C/OC channels in and out, H/W rows and columns, OH/OW of the output, KH/KW kernel, SH/SW stride,
//! PH/PW padding, I/O features in and out; `x w b y`, gradients `dx dw db dy`. A layer's numbers are a lane
//! vector for each activation and a scalar for each weight. Gradients of activations are overwritten. Those of a
//! convolution's parameters are set or added to ([`crate::gradient::Sum`]), so that the lane groups of a shard sum up;
//! those of a linear layer come from the tapes of a whole batch.

pub(crate) mod activation;
pub(crate) mod add;
pub(crate) mod avg_pool2d;
pub(crate) mod batch_norm2d;
pub(crate) mod channel_affine;
pub(crate) mod channels;
#[cfg(test)]
pub(crate) mod conformance;
pub(crate) mod conv2d;
pub(crate) mod dropout;
pub(crate) mod gated_max_pool2d;
pub(crate) mod global_avg_pool;
pub(crate) mod group_norm;
pub(crate) mod leaky_relu;
pub(crate) mod linear;
pub(crate) mod max_pool2d;
pub(crate) mod multiply;
pub(crate) mod pad;
pub(crate) mod rbf;
pub(crate) mod row_conv2d;
pub(crate) mod winograd_conv2d;
