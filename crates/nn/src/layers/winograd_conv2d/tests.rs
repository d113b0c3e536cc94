use lanes::{Lane, Scalar};
use spec::{Conv2dSpec, Pair};

use super::{Axis, GRADIENT_TILES, Gradients, KnownValues, WeightGradients, WinogradConv2d};
use crate::gradient::Sum;
use crate::layers::conformance::{Subject, assert_close, check};
use crate::workspace::OpScratch;

impl Subject for WinogradConv2d {
    fn forward<V: Lane>(&self, x: &[V], params: &[V::Scalar]) -> Vec<V> {
        let (w, b) = params.split_at(self.n_weights());
        let mut y = vec![V::splat(V::Scalar::from_f64(f64::NAN)); self.out_channels * self.n_positions()];
        WinogradConv2d::forward(self, x, w, b, &mut y, &mut self.scratch());
        y
    }
    fn backward<V: Lane>(&self, x: &[V], params: &[V::Scalar], dy: &[V]) -> (Vec<V>, Vec<V::Scalar>) {
        let mut scratch = self.scratch();
        let mut dx = x.to_vec();
        let mut d_params = vec![V::Scalar::ONE; params.len()];
        let (dw, db) = d_params.split_at_mut(self.n_weights());
        let gradients =
            Gradients { dx: Some(&mut dx), weights: Some(WeightGradients { dw, db, sum: Sum::Set }) };
        WinogradConv2d::backward(self, (x, dy), &params[..self.n_weights()], gradients, &mut scratch);
        (dx, d_params)
    }
    fn plain(&self, x: &[f64], params: &[f64]) -> Vec<f64> {
        let Self { channels, out_channels, rows, columns } = *self;
        let mut y = vec![];
        for i in 0..out_channels * self.n_positions() {
            let (oc, p) = (i / self.n_positions(), i % self.n_positions());
            let mut sum = params.get(self.n_weights() + oc).copied().unwrap_or(0.0);
            for tap in 0..channels * self.n_taps() {
                let (c, k) = (tap / self.n_taps(), tap % self.n_taps());
                let r = (p / columns.out_len + k / columns.kernel).wrapping_sub(rows.padding);
                let q = (p % columns.out_len + k % columns.kernel).wrapping_sub(columns.padding);
                if r < rows.len && q < columns.len {
                    let weight = params[oc * channels * self.n_taps() + tap];
                    sum += weight * x[(c * rows.len + r) * columns.len + q];
                }
            }
            y.push(sum);
        }
        y
    }
}

impl WinogradConv2d {
    /// Full of what may never be read.
    fn scratch<V: Lane>(&self) -> OpScratch<V> {
        let nan = V::Scalar::from_f64(f64::NAN);
        OpScratch {
            scalars: vec![nan; self.n_scalars()],
            vectors: vec![V::splat(nan); self.n_vectors()],
            known_values: KnownValues::new(self.all_filters().into_iter()),
        }
    }
}

fn winograd(
    (channels, out_channels): (usize, usize),
    (height, width): (usize, usize),
    (kernel_h, kernel_w): (usize, usize),
    (padding_h, padding_w): (usize, usize),
) -> WinogradConv2d {
    let rows = Axis::new(kernel_h, height, padding_h).unwrap();
    let columns = Axis::new(kernel_w, width, padding_w).unwrap();
    WinogradConv2d { channels, out_channels, rows, columns }
}

fn check_one(conv: WinogradConv2d, n_biases: usize) {
    let n_x = conv.channels * conv.rows.len * conv.columns.len;
    check(&format!("{conv:?}"), &conv, n_x, conv.n_weights() + n_biases);
}

#[test]
fn filters_of_all_schemes() {
    for h in [1, 3, 5, 7] {
        for w in [1, 3, 5, 7] {
            check_one(winograd((2, 3), (8, 9), (h, w), (0, 0)), 3);
        }
    }
}

#[test]
fn maps_of_whole_and_broken_tiles() {
    for height in [3, 6, 7] {
        for width in 3..12 {
            check_one(winograd((1, 2), (height, width), (3, 3), (0, 0)), 0);
        }
    }
}

#[test]
fn borders() {
    for (kernel, padding) in [((3, 3), (1, 1)), ((3, 5), (2, 4)), ((7, 1), (3, 0)), ((5, 3), (0, 5))] {
        check_one(winograd((1, 2), (5, 4), kernel, padding), 2);
    }
    check_one(winograd((2, 1), (1, 1), (3, 7), (1, 3)), 0);
}

#[test]
fn channels_beyond_a_register_tile_and_maps_beyond_a_block() {
    for (channels, out_channels) in [(7, 1), (1, 7), (13, 4), (4, 13)] {
        check_one(winograd((channels, out_channels), (6, 6), (3, 3), (0, 0)), out_channels);
    }
    let large = winograd((2, 2), (30, 10), (3, 3), (1, 1));
    assert!(large.blocks(GRADIENT_TILES).count() > 1);
    let x: Vec<f64> = (0..2 * 30 * 10).map(|i| (1.3 * i as f64).sin()).collect();
    let params: Vec<f64> = (0..large.n_weights()).map(|i| (0.7 * i as f64).cos()).collect();
    let y = Subject::forward::<f64>(&large, &x, &params);
    assert_close("large: y", &y, &large.plain(&x, &params), 1e-13);
    check_one(winograd((1, 1), (30, 10), (3, 3), (1, 1)), 1);
}

#[test]
fn gradients_of_lane_groups_add_up() {
    let conv = winograd((1, 1), (3, 3), (3, 3), (0, 0));
    let (mut dw, mut db) = ([10.0_f64; 9], [20.0]);
    let gradients =
        Gradients { dx: None, weights: Some(WeightGradients { dw: &mut dw, db: &mut db, sum: Sum::Add }) };
    conv.backward((&[3.0; 9], &[2.0]), &[], gradients, &mut conv.scratch());
    dw.iter().for_each(|dw| assert!((dw - 16.0).abs() < 1e-12, "{dw}"));
    assert_eq!(db, [22.0]);
}

#[test]
fn what_a_thread_knows_of_other_filters_is_not_used() {
    let [one, other] = [(3, 1), (1, 3)].map(|kernel| winograd((2, 2), (6, 6), kernel, (0, 0)));
    let x: Vec<f64> = (0..2 * 36).map(|i| (1.3 * i as f64).sin()).collect();
    let mut scratch = one.scratch();
    scratch.vectors.resize(one.n_vectors().max(other.n_vectors()), f64::NAN);
    scratch.known_values = KnownValues::new([one, other].iter().flat_map(WinogradConv2d::all_filters));
    for (conv, w) in [(one, 1.0), (other, 1.0), (other, 2.0), (one, 2.0)] {
        let params = vec![w; conv.n_weights()];
        let mut y = vec![0.0; 2 * conv.n_positions()];
        conv.forward(&x, &params, &[], &mut y, &mut scratch);
        assert_close("y", &y, &conv.plain(&x, &params), 1e-13);
        let mut dx = x.clone();
        let gradients = Gradients { dx: Some(&mut dx), weights: None };
        conv.backward((&x, &y), &params, gradients, &mut scratch);
        let of_both = Subject::backward::<f64>(&conv, &x, &params, &y);
        assert_eq!(dx, of_both.0);
    }
}

#[test]
fn what_is_not_asked_for_changes_nothing() {
    let conv = winograd((3, 2), (11, 9), (3, 5), (1, 2));
    let numbers = |n: usize, step: f64| -> Vec<f64> { (0..n).map(|i| (step * i as f64).sin()).collect() };
    let (x, w, dy) =
        (numbers(3 * 99, 1.3), numbers(conv.n_weights() + 2, 0.7), numbers(2 * conv.n_positions(), 0.9));
    let (_, both) = Subject::backward::<f64>(&conv, &x, &w, &dy);
    let mut alone = vec![0.0; w.len()];
    let (dw, db) = alone.split_at_mut(conv.n_weights());
    let gradients = Gradients { dx: None, weights: Some(WeightGradients { dw, db, sum: Sum::Set }) };
    conv.backward((&x, &dy), &[], gradients, &mut conv.scratch());
    assert_eq!(alone, both);
}

#[test]
fn only_where_it_is_faster() {
    let suits = |channels, out_channels, size, kernel| {
        let conv = Conv2dSpec::new(out_channels, Pair::square(kernel));
        WinogradConv2d::suited(&conv, [channels, size, size]).is_some()
    };
    assert!(suits(16, 16, 16, 3) && suits(6, 16, 12, 5) && suits(16, 16, 20, 7));
    assert!(!suits(1, 6, 28, 5) && !suits(32, 32, 14, 1) && !suits(16, 16, 3, 3) && !suits(16, 16, 14, 2));
    let strided = Conv2dSpec { stride: Pair::square(2), ..Conv2dSpec::new(16, Pair::square(3)) };
    let grouped = Conv2dSpec { groups: 2, ..Conv2dSpec::new(16, Pair::square(3)) };
    assert!([strided, grouped].iter().all(|conv| WinogradConv2d::suited(conv, [16, 16, 16]).is_none()));
}
