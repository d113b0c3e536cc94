//! The plainest policy: each dimension has logits of its own, whatever the others are. What a recurrence is
//! worth is seen beside it.

use spec::{Seed, SoftmaxTableSpec};

use crate::reinforce::{Decisions, Learner, Learning, Limits, Objective, Policy, Walk};

/// The sampler that learns by a table.
pub(crate) fn sampler(spec: SoftmaxTableSpec) -> Learner {
    let learning = Learning {
        learning_rate: spec.learning_rate,
        reward: spec.reward,
        limits: Limits { temperature: 1.0, tanh: None },
        objective: Objective { entropy_bonus: spec.entropy_bonus, skip_penalty: 0.0, skip_rate: 0.5 },
        clip: None,
        n_passes: 1,
        delay: spec.delay,
        grow_every: None,
    };
    let build = |decisions: &Decisions| Box::new(SoftmaxTable::new(decisions)) as Box<dyn Policy>;
    Learner::new(format!("{spec:?}"), learning, build)
}

/// A softmax for each dimension. The parameters are the logits, one dimension after the other.
pub(crate) struct SoftmaxTable {
    /// Where the logits of each dimension begin, and at last where they end.
    starts: Vec<usize>,
    /// The dimensions that the last walk decided.
    decided: Vec<usize>,
}

impl SoftmaxTable {
    pub(crate) fn new(decisions: &Decisions) -> Self {
        let mut starts = vec![0];
        for dim in 0..decisions.len() {
            starts.push(starts[dim] + decisions.n_categories(dim));
        }
        Self { starts, decided: Vec::new() }
    }
}

impl Policy for SoftmaxTable {
    /// All categories are equally probable.
    fn init(&self, _seed: Seed) -> Vec<f64> {
        vec![0.0; self.starts[self.starts.len() - 1]]
    }

    fn walk(&mut self, params: &[f64], walk: &mut Walk<'_>) {
        self.decided.clear();
        for dim in 0..self.starts.len() - 1 {
            if walk.decides() {
                walk.take(&params[self.starts[dim]..self.starts[dim + 1]]);
                self.decided.push(dim);
            }
        }
    }

    fn backward(&mut self, _params: &[f64], dlogits: &[f64], gradient: &mut [f64]) {
        let mut rest = dlogits;
        for &dim in &self.decided {
            let of_dim = &mut gradient[self.starts[dim]..self.starts[dim + 1]];
            let (now, later) = rest.split_at(of_dim.len());
            of_dim.iter_mut().zip(now).for_each(|(g, d)| *g += d);
            rest = later;
        }
    }
}
