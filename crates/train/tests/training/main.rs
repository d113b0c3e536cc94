//! The loop as a whole: what it learns, that it repeats itself to the bit, goes on where it was, and how it ends.

mod bench;
mod finding;
mod learning;
mod repeating;
mod resuming;
