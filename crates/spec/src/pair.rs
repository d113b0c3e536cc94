//! A value for rows and a value for columns.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A size, step or padding for rows and for columns. In a file it is `5` for both or `[5, 3]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// Along the rows (vertical).
    pub h: usize,
    /// Along the columns (horizontal).
    pub w: usize,
}

impl Pair {
    /// `h` for the rows, `w` for the columns.
    pub const fn new(h: usize, w: usize) -> Self {
        Self { h, w }
    }

    /// The same for both.
    pub const fn square(n: usize) -> Self {
        Self { h: n, w: n }
    }

    pub(crate) fn one() -> Self {
        Self::square(1)
    }

    pub(crate) fn zero() -> Self {
        Self::square(0)
    }

    pub(crate) fn is_one(&self) -> bool {
        *self == Self::one()
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::zero()
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.h, self.w)
    }
}

impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.h, self.w].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairVisitor)
    }
}

struct PairVisitor;

impl<'de> Visitor<'de> for PairVisitor {
    type Value = Pair;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or [rows, columns]")
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Pair, E> {
        usize::try_from(n).map(Pair::square).map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Pair, E> {
        usize::try_from(n).map(Pair::square).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(n), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pair, A::Error> {
        let h = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let w = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
        let mut len = 2;
        while seq.next_element::<de::IgnoredAny>()?.is_some() {
            len += 1;
        }
        if len > 2 {
            return Err(de::Error::invalid_length(len, &self));
        }
        Ok(Pair { h, w })
    }
}
