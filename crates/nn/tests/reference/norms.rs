//! Normalizations and dropout.

use rand_core::Rng;
use spec::BatchNorm2dSpec;

use super::tape::Var;
use super::{Context, Map, Update};

impl Context {
    /// (x − μ) / σ of all x, which μ and σ are taken over; and the mean and the squared deviations' sum.
    fn normalized(&mut self, xs: &[Var], epsilon: f64) -> (Vec<Var>, [f64; 2]) {
        let share = 1.0 / xs.len() as f64;
        let sum = self.tape.sum(xs.iter().copied());
        let mean = self.tape.scale(sum, share);
        let centered: Vec<_> = xs.iter().map(|&x| self.tape.sub(x, mean)).collect();
        let squares: Vec<_> = centered.iter().map(|&x| self.tape.mul(x, x)).collect();
        let squares = self.tape.sum(squares);
        let variance = self.tape.scale(squares, share);
        let sigma = self.root(variance, epsilon);
        let values = centered.iter().map(|&x| self.tape.div(x, sigma)).collect();
        (values, [self.tape.value(mean), self.tape.value(squares)])
    }

    pub(super) fn batch_norm2d(&mut self, norm: &BatchNorm2dSpec, xs: &[Map]) -> Vec<Map> {
        let [channels, height, width] = xs[0].shape;
        let plane = height * width;
        let (w, b) = (self.take(channels), self.take(channels));
        let mut ys = xs.to_vec();
        let mut updates = vec![];
        for c in 0..channels {
            let all: Vec<Var> =
                xs.iter().flat_map(|x| x.values[c * plane..(c + 1) * plane].iter().copied()).collect();
            let normalized = match self.next_running {
                None => {
                    let (values, [mean, squares]) = self.normalized(&all, norm.epsilon);
                    let variance = squares / (all.len() as f64 - 1.0).max(1.0);
                    updates.push(Update { batch: [mean, variance], momentum: norm.momentum });
                    values
                }
                Some(running) => {
                    let (mean, variance) = (self.params[running + c], self.params[running + channels + c]);
                    let sigma = self.root(variance, norm.epsilon);
                    let mut by_running = |x: Var| {
                        let centered = self.tape.sub(x, mean);
                        self.tape.div(centered, sigma)
                    };
                    all.iter().map(|&x| by_running(x)).collect()
                }
            };
            for (i, x) in normalized.into_iter().enumerate() {
                ys[i / plane].values[c * plane + i % plane] = self.tape.mul_add(w[c], x, b[c]);
            }
        }
        self.running.push(updates);
        self.next_running = self.next_running.map(|running| running + 2 * channels);
        ys
    }

    /// Each of `groups` runs of channels by itself, then a weight and a bias for every `run` values.
    pub(super) fn group_norm(&mut self, groups: usize, epsilon: f64, run: usize, xs: &[Map]) -> Vec<Map> {
        let n = xs[0].values.len();
        let (w, b) = (self.take(n / run), self.take(n / run));
        let mut ys = vec![];
        for x in xs {
            let mut values = vec![];
            for group in x.values.chunks(n / groups) {
                values.extend(self.normalized(group, epsilon).0);
            }
            for (i, y) in values.iter_mut().enumerate() {
                *y = self.tape.mul_add(w[i / run], *y, b[i / run]);
            }
            ys.push(Map { shape: x.shape, values });
        }
        ys
    }

    /// In training, `run` values at a time: 0 where the sample's next word is below p · 2³², else divided by 1 − p.
    pub(super) fn dropout(&mut self, p: f64, run: usize, xs: &[Map]) -> Vec<Map> {
        if self.next_running.is_some() {
            return xs.to_vec();
        }
        let mut ys = xs.to_vec();
        for (sample, y) in ys.iter_mut().enumerate() {
            for values in y.values.chunks_mut(run) {
                let word = f64::from(self.streams[sample].next_u32());
                let factor = if word < (p * 2f64.powi(32)).round() { 0.0 } else { 1.0 / (1.0 - p) };
                for value in values {
                    *value = self.tape.scale(*value, factor);
                }
            }
        }
        ys
    }
}
