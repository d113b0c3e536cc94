//! Derivatives of anything that is computed number by number: each number remembers what it was made of.

/// A number on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Var(u32);

/// All numbers of a computation, in order. Each has up to three parents, with its derivative by each.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    values: Vec<f64>,
    parents: Vec<[Var; 3]>,
    slopes: Vec<[f64; 3]>,
}

impl Tape {
    /// A number that nothing was computed for: an input, a parameter, a constant.
    pub(crate) fn leaf(&mut self, value: f64) -> Var {
        self.push(value, [])
    }

    pub(crate) fn value(&self, x: Var) -> f64 {
        self.values[x.0 as usize]
    }

    pub(crate) fn add(&mut self, a: Var, b: Var) -> Var {
        self.push(self.value(a) + self.value(b), [(a, 1.0), (b, 1.0)])
    }

    pub(crate) fn sub(&mut self, a: Var, b: Var) -> Var {
        self.push(self.value(a) - self.value(b), [(a, 1.0), (b, -1.0)])
    }

    pub(crate) fn mul(&mut self, a: Var, b: Var) -> Var {
        let (x, y) = (self.value(a), self.value(b));
        self.push(x * y, [(a, y), (b, x)])
    }

    pub(crate) fn div(&mut self, a: Var, b: Var) -> Var {
        let (x, y) = (self.value(a), self.value(b));
        self.push(x / y, [(a, 1.0 / y), (b, -x / (y * y))])
    }

    /// a · b + c
    pub(crate) fn mul_add(&mut self, a: Var, b: Var, c: Var) -> Var {
        let (x, y) = (self.value(a), self.value(b));
        self.push(x * y + self.value(c), [(a, y), (b, x), (c, 1.0)])
    }

    /// A function of x with that value and derivative.
    pub(crate) fn function(&mut self, x: Var, value: f64, derivative: f64) -> Var {
        self.push(value, [(x, derivative)])
    }

    /// Factor · x
    pub(crate) fn scale(&mut self, x: Var, factor: f64) -> Var {
        self.function(x, factor * self.value(x), factor)
    }

    pub(crate) fn sum(&mut self, xs: impl IntoIterator<Item = Var>) -> Var {
        let zero = self.leaf(0.0);
        xs.into_iter().fold(zero, |sum, x| self.add(sum, x))
    }

    /// The derivatives of `of` by all numbers.
    pub(crate) fn gradient(&self, of: Var) -> Gradient {
        let mut by = vec![0.0; self.values.len()];
        by[of.0 as usize] = 1.0;
        for i in (0..=of.0 as usize).rev() {
            for (parent, slope) in self.parents[i].iter().zip(self.slopes[i]) {
                // Most parents of nothing are number 0, whose derivative by this way is 0.
                by[parent.0 as usize] += by[i] * slope;
            }
        }
        Gradient(by)
    }

    fn push<const N: usize>(&mut self, value: f64, from: [(Var, f64); N]) -> Var {
        let (mut parents, mut slopes) = ([Var(0); 3], [0.0; 3]);
        for (i, (parent, slope)) in from.into_iter().enumerate() {
            (parents[i], slopes[i]) = (parent, slope);
        }
        self.values.push(value);
        self.parents.push(parents);
        self.slopes.push(slopes);
        Var(self.values.len() as u32 - 1)
    }
}

/// See [`Tape::gradient`].
pub(crate) struct Gradient(Vec<f64>);

impl Gradient {
    pub(crate) fn by(&self, xs: &[Var]) -> Vec<f64> {
        xs.iter().map(|x| self.0[x.0 as usize]).collect()
    }
}
