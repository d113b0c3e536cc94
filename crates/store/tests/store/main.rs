//! The store as its users see it.

mod access;
mod attributes;
mod damage;
mod fixture;
mod life;
mod round_trip;
mod sharing;
mod sync;
