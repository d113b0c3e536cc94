//! What every layer's tests hold it to: its formula written down plainly, differences, and lanes against one lane.

use lanes::{GROUP, Isa, Lane, Scalar, WithLane};

/// A layer under test. `params` are its weights and what else all samples share, one after the other.
pub(crate) trait Subject {
    /// y of one lane group.
    fn forward<V: Lane>(&self, x: &[V], params: &[V::Scalar]) -> Vec<V>;
    /// dx and the gradient of the parameters of one lane group.
    fn backward<V: Lane>(&self, x: &[V], params: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>);
    /// y of one sample by another way.
    fn plain(&self, x: &[f64], params: &[f64]) -> Vec<f64>;
}

/// Checks a layer of `n_x` inputs and `n_params` parameters.
pub(crate) fn check(name: &str, subject: &impl Subject, n_x: usize, n_params: usize) {
    let mut random = Random(n_x as u64 + 1000 * n_params as u64);
    let params = random.numbers(n_params);
    let samples: Vec<_> = (0..13).map(|_| random.numbers(n_x)).collect();
    let n_y = subject.plain(&samples[0], &params).len();
    let gradients: Vec<_> = (0..13).map(|_| random.numbers(n_y)).collect();
    let task = Task { subject, samples: &samples, gradients: &gradients, params: &params };
    let exact: Vec<_> = (0..13).map(|i| task.alone(i).run::<f64>()).collect();
    for (sample, got) in samples.iter().zip(&exact) {
        assert_close(&format!("{name}: y"), &got.y[0], &subject.plain(sample, &params), 1e-13);
    }
    check_differences(name, subject, &samples[0], &params, &gradients[0], &exact[0]);
    check_lanes(name, &task, &exact);
}

/// dx and dw at `f64` against central differences of the plain formula.
fn check_differences(
    name: &str,
    subject: &impl Subject,
    x: &[f64],
    params: &[f64],
    dy: &[f64],
    got: &Answer,
) {
    let loss = |x: &[f64], params: &[f64]| -> f64 {
        subject.plain(x, params).iter().zip(dy).map(|(y, dy)| y * dy).sum()
    };
    let difference = |at: &[f64], i: usize, of: &dyn Fn(&[f64]) -> f64| {
        let mut moved = at.to_vec();
        let mut slope = |h: f64| {
            moved[i] = at[i] + h;
            let above = of(&moved);
            moved[i] = at[i] - h;
            (above - of(&moved)) / (2.0 * h)
        };
        (4.0 * slope(1e-4) - slope(2e-4)) / 3.0
    };
    let dx: Vec<_> = (0..x.len()).map(|i| difference(x, i, &|x| loss(x, params))).collect();
    assert_close(&format!("{name}: dx"), &got.dx[0], &dx, 1e-9);
    let dw: Vec<_> = (0..params.len()).map(|i| difference(params, i, &|w| loss(x, w))).collect();
    assert_close(&format!("{name}: gradient of the parameters"), &got.d_params, &dw, 1e-9);
}

/// Thirteen samples and three dead lanes of `f32` against `f64`, the same bits on all instruction sets.
fn check_lanes(name: &str, task: &Task<'_, impl Subject>, exact: &[Answer]) {
    let all: Vec<_> = Isa::available().into_iter().map(|isa| (isa, isa.run(task))).collect();
    let mut d_params = vec![0.0; task.params.len()];
    for (sample, want) in exact.iter().enumerate() {
        for (isa, got) in &all {
            assert_close(&format!("{name}: y on {isa}"), &got.y[sample], &want.y[0], 1e-5);
            assert_close(&format!("{name}: dx on {isa}"), &got.dx[sample], &want.dx[0], 1e-5);
        }
        d_params.iter_mut().zip(&want.d_params).for_each(|(sum, d)| *sum += d);
    }
    for (isa, got) in &all {
        assert_close(&format!("{name}: gradient of the parameters on {isa}"), &got.d_params, &d_params, 2e-5);
        assert!(got == &all[0].1, "{name}: {isa} has other bits than {}", all[0].0);
    }
}

/// |a − b| ≤ tolerance · max(1, largest |b|), for all.
pub(crate) fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: lengths");
    let scale = want.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= tolerance * scale, "{what}[{i}]: {g} where {w} is right");
    }
}

/// One lane group to go through a layer.
struct Task<'a, S> {
    subject: &'a S,
    samples: &'a [Vec<f64>],
    gradients: &'a [Vec<f64>],
    params: &'a [f64],
}

/// y and dx by sample; the parameters' gradient, summed over them.
#[derive(Debug, PartialEq)]
struct Answer {
    y: Vec<Vec<f64>>,
    dx: Vec<Vec<f64>>,
    d_params: Vec<f64>,
}

impl<S: Subject> Task<'_, S> {
    fn alone(&self, sample: usize) -> Self {
        let one = sample..sample + 1;
        Self { samples: &self.samples[one.clone()], gradients: &self.gradients[one], ..*self }
    }

    fn run<V: Lane>(&self) -> Answer {
        let params: Vec<_> = self.params.iter().map(|&w| V::Scalar::from_f64(w)).collect();
        // Dead lanes hold something, but their gradient is 0.
        let (x, dy) = (pack::<V>(self.samples, 7.0), pack::<V>(self.gradients, 0.0));
        let y = self.subject.forward(&x, &params);
        let (dx, d_params) = self.subject.backward(&x, &params, &dy);
        let n = self.samples.len();
        let d_params = d_params.iter().map(|d| d.to_f64()).collect();
        Answer { y: unpack(&y, n), dx: unpack(&dx, n), d_params }
    }
}

impl<S: Subject> WithLane for &Task<'_, S> {
    type Output = Answer;
    fn run<V: Lane<Scalar = f32>>(self) -> Answer {
        Task::run::<V>(self)
    }
}

/// Samples into lanes.
fn pack<V: Lane>(samples: &[Vec<f64>], dead: f64) -> Vec<V> {
    let value = |i: usize| {
        let mut lanes = [V::Scalar::from_f64(dead); GROUP];
        for (lane, sample) in lanes.iter_mut().zip(samples) {
            *lane = V::Scalar::from_f64(sample[i]);
        }
        V::load(&lanes)
    };
    (0..samples[0].len()).map(value).collect()
}

fn unpack<V: Lane>(vectors: &[V], n_samples: usize) -> Vec<Vec<f64>> {
    let lanes = V::as_scalars(vectors);
    let sample = |l: usize| lanes.iter().skip(l).step_by(V::LANES).map(|x| x.to_f64()).collect();
    (0..n_samples).map(sample).collect()
}

/// Numbers from −2 to 2 that single precision holds, by a linear congruential generator.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn numbers(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.number()).collect()
    }

    fn number(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 41) as f64 / (1u64 << 21) as f64 - 2.0
    }
}
