//! The built program, on small data sets that are made here.

mod dashboard;
mod data;
mod finding;
mod models;
mod pictures;
mod refusals;
mod resuming;
mod same_bits;
mod search;
mod stopping;
mod study;
mod support;
mod terminal;
mod training;
