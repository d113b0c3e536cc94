//! Every sampler and pruner over one table of spaces and histories.

mod cases;
mod grammar;
mod importance;
mod planted;
mod policies;
mod pruners;
mod samplers;
