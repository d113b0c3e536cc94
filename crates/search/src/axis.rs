//! A dimension as densities see it: a line of coordinates, or categories.

use spec::{Domain, FloatDomain, IntDomain, ParamValue, Scale};

use crate::draw;

/// Coordinates of one dimension. A category's is its position; a number's is the number, or its logarithm on a log scale.
pub(crate) enum Axis {
    Float(FloatDomain),
    Int(IntDomain),
    /// How many there are.
    Categories(usize),
}

/// A stretch of a line.
pub(crate) type Ends = (f64, f64);

impl Axis {
    pub(crate) fn new(domain: &Domain) -> Self {
        match domain {
            Domain::Float(float) => Self::Float(*float),
            Domain::Int(int) => Self::Int(*int),
            Domain::Categorical(all) => Self::Categories(all.len()),
        }
    }

    pub(crate) fn coordinate(&self, value: ParamValue) -> f64 {
        match value {
            ParamValue::Float(x) => self.scaled(x),
            ParamValue::Int(x) => self.scaled(x as f64),
            ParamValue::Category(idx) => idx as f64,
        }
    }

    /// The domain's value nearest to a coordinate.
    pub(crate) fn value(&self, coordinate: f64) -> ParamValue {
        match self {
            Self::Float(float) => ParamValue::Float(draw::nearest_float(float, self.unscaled(coordinate))),
            Self::Int(int) => ParamValue::Int(draw::nearest_int(int, self.unscaled(coordinate))),
            Self::Categories(_) => ParamValue::Category(coordinate as usize),
        }
    }

    /// The whole line: half a step beyond the outermost values of a number with steps.
    pub(crate) fn ends(&self) -> Ends {
        let half = self.step() / 2.0;
        match self {
            Self::Float(float) => (self.scaled(float.low - half), self.scaled(float.high + half)),
            Self::Int(int) => (self.scaled(int.low as f64 - half), self.scaled(int.high as f64 + half)),
            Self::Categories(n) => (0.0, *n as f64),
        }
    }

    /// The coordinates that become the same value as this one.
    pub(crate) fn cell(&self, coordinate: f64) -> Ends {
        let (x, half) = (self.unscaled(coordinate), self.step() / 2.0);
        (self.scaled(x - half), self.scaled(x + half))
    }

    /// Whether a value stands for the stretch of a line that is nearest to it.
    pub(crate) fn is_stepped(&self) -> bool {
        !matches!(self, Self::Categories(_)) && self.n_values().is_some()
    }

    /// How many values there are; `None`: no finite number.
    pub(crate) fn n_values(&self) -> Option<u64> {
        match self {
            Self::Float(float) => float.step.map(|_| draw::n_floats(float)),
            Self::Int(int) => Some(int.n_values()),
            Self::Categories(n) => Some(*n as u64),
        }
    }

    /// The distance of neighboring values, 0 where a number may be any; on a log scale that of the numbers, not of the
    /// coordinates.
    pub(crate) fn step(&self) -> f64 {
        match self {
            Self::Float(float) => float.step.unwrap_or(0.0),
            Self::Int(int) => int.step as f64,
            Self::Categories(_) => 1.0,
        }
    }

    /// Whether coordinates are logarithms.
    pub(crate) fn is_log(&self) -> bool {
        match self {
            Self::Float(float) => float.scale == Scale::Log,
            Self::Int(int) => int.scale == Scale::Log,
            Self::Categories(_) => false,
        }
    }

    fn scaled(&self, x: f64) -> f64 {
        if self.is_log() { libm::log(x) } else { x }
    }

    fn unscaled(&self, coordinate: f64) -> f64 {
        if self.is_log() { libm::exp(coordinate) } else { coordinate }
    }
}
