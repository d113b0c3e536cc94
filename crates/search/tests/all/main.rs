//! Every sampler and pruner over one table of spaces and histories.

mod cases;
mod grammar;
mod importance;
mod local_search;
mod planted;
mod policies;
mod pruners;
mod samplers;
