//! Which instruction set: found at run time, or asked for by name.

use std::fmt;

use thiserror::Error;

use crate::Lane;
#[cfg(target_arch = "aarch64")]
use crate::register::neon::Neon;
use crate::register::plain::Plain;
#[cfg(target_arch = "x86_64")]
use crate::register::{avx2::Avx2, avx512::Avx512};
use crate::wide::Wide;

/// An instruction set that this processor has. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Plain,
}

/// Code that is generic over the lane type, for [`Isa::run`].
pub trait WithLane {
    /// What the code returns.
    type Output;
    /// The code, for the lane type `V` of sixteen lanes.
    fn run<V: Lane<Scalar = f32>>(self) -> Self::Output;
}

/// There is no instruction set of that name, or this processor does not have it.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("instruction set `{name}` is not to be had here; this processor has {available}")]
pub struct UnknownIsa {
    name: String,
    available: String,
}

impl Isa {
    /// All that this processor has, the fastest first.
    pub fn available() -> Vec<Isa> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            if is_x86_feature_detected!("avx512f") {
                all.push(Isa(Kind::Avx512));
            }
            all.push(Isa(Kind::Avx2));
        }
        #[cfg(target_arch = "aarch64")]
        all.push(Isa(Kind::Neon));
        all.push(Isa(Kind::Plain));
        all
    }

    /// The fastest that this processor has.
    pub fn detect() -> Isa {
        Self::available()[0]
    }

    /// The one of that name: `avx512`, `avx2`, `neon` or `plain`.
    pub fn named(name: &str) -> Result<Isa, UnknownIsa> {
        let all = Self::available();
        let names: Vec<_> = all.iter().map(Isa::name).collect();
        all.iter()
            .find(|isa| isa.name() == name)
            .copied()
            .ok_or_else(|| UnknownIsa { name: name.into(), available: names.join(", ") })
    }

    /// Its name, as [`Isa::named`] takes it.
    pub fn name(&self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            Kind::Plain => "plain",
        }
    }

    /// Runs the code with this instruction set's lane type.
    pub fn run<W: WithLane>(self, code: W) -> W::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => code.run::<Wide<Avx512, 1>>(),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => code.run::<Wide<Avx2, 2>>(),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => code.run::<Wide<Neon, 4>>(),
            Kind::Plain => code.run::<Wide<Plain, 16>>(),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
