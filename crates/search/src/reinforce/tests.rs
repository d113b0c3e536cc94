//! Policies and their gradients against plain sums over all points of small spaces, and against differences.

mod cases;
mod expectation;
mod gradients;
mod memories;
mod rewards;
