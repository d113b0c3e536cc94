//! The store as its users see it.

mod fixture;
mod life;
mod round_trip;
