//! The layer case table, through every check that needs no other program.

mod cases;
mod engine;
mod reference;

use cases::{Case, cases, classifier, conv, pool};
use engine::{Answer, Batch};
use lanes::Isa;
use nn::Plan;
use spec::{LossSpec, NetworkSpec};

/// |a − b| ≤ tolerance · max(1, largest |b|), for all.
fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: lengths");
    let scale = want.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= tolerance * scale, "{what}[{i}]: {g} where {w} is right");
    }
}

fn assert_same(what: &str, got: &Answer, want: &Answer, tolerance: f64) {
    assert_close(&format!("{what}: loss"), &[got.loss], &[want.loss], tolerance);
    assert_eq!(got.n_correct, want.n_correct, "{what}: correct predictions");
    assert_close(&format!("{what}: logits"), &got.logits.concat(), &want.logits.concat(), tolerance);
    let (got_dx, want_dx) = (got.d_pictures.concat(), want.d_pictures.concat());
    assert_close(&format!("{what}: input gradient"), &got_dx, &want_dx, tolerance);
    assert_close(&format!("{what}: parameter gradient"), &got.d_params, &want.d_params, tolerance);
}

/// The batch through the plain reference.
fn reference_answer(spec: &NetworkSpec, batch: &Batch) -> Answer {
    let mut answer = Answer::default();
    answer.d_params = vec![0.0; batch.params.len()];
    for (picture, &label) in batch.pictures.iter().zip(&batch.labels) {
        let sample = reference::run(spec, &batch.params, picture, usize::from(label));
        let best =
            (1..sample.logits.len()).fold(0, |b, k| if sample.logits[k] > sample.logits[b] { k } else { b });
        answer.n_correct += usize::from(best == usize::from(label));
        answer.loss += sample.loss;
        answer.logits.push(sample.logits);
        answer.d_pictures.push(sample.d_input);
        answer.d_params.iter_mut().zip(&sample.d_params).for_each(|(sum, d)| *sum += d);
    }
    answer
}

fn every_case(check: impl Fn(&Case, &Batch)) {
    for (seed, case) in cases().iter().enumerate() {
        check(case, &Batch::random(&case.spec, 21, seed as u64));
    }
}

#[test]
fn one_lane_of_f64_equals_the_reference() {
    every_case(|case, batch| {
        assert_same(case.name, &batch.run::<f64>(), &reference_answer(&case.spec, batch), 1e-12);
    });
}

/// One network through PyTorch in f64, as `tests/pytorch/golden.py` writes it.
#[derive(serde::Deserialize)]
struct Golden {
    name: String,
    network: String,
    pictures: Vec<Vec<f64>>,
    labels: Vec<u8>,
    params: Vec<f64>,
    loss: f64,
    logits: Vec<Vec<f64>>,
    d_pictures: Vec<Vec<f64>>,
    d_params: Vec<f64>,
}

#[test]
fn every_layer_computes_what_pytorch_computes() {
    let golden: Vec<Golden> = serde_json::from_str(include_str!("golden.json")).unwrap();
    assert!(golden.len() >= 13);
    for Golden { name, network, pictures, labels, params, loss, logits, d_pictures, d_params } in golden {
        let plan = Plan::with_input_gradient(&NetworkSpec::from_toml(&network).unwrap()).unwrap();
        let batch = Batch { plan, params, pictures, labels, loss: LossSpec::default() };
        let n_correct = batch.run::<f64>().n_correct;
        let want = Answer { loss, n_correct, logits, d_pictures, d_params };
        assert_same(&name, &batch.run::<f64>(), &want, 1e-12);
        assert_same(&name, &Isa::detect().run(&batch), &want, 2e-5);
    }
}

#[test]
fn sixteen_lanes_of_f32_equal_the_reference() {
    every_case(|case, batch| {
        let want = reference_answer(&case.spec, batch);
        for isa in Isa::available() {
            assert_same(&format!("{} on {isa}", case.name), &isa.run(batch), &want, 2e-5);
        }
    });
}

#[test]
fn central_differences_agree_to_1e_7() {
    every_case(|case, batch| {
        let mut batch = batch.clone();
        batch.pictures.truncate(5);
        batch.labels.truncate(5);
        let answer = batch.run::<f64>();
        check_differences(case, &batch, &answer.d_params, |batch, i| &mut batch.params[i]);
        check_differences(case, &batch, &answer.d_pictures[0], |batch, i| &mut batch.pictures[0][i]);
    });
}

/// Holds `gradient` against differences of the loss when number `i`, which `of` finds in a batch, is moved. Of long
/// gradients some hundred numbers are tried.
fn check_differences(case: &Case, batch: &Batch, gradient: &[f64], of: fn(&mut Batch, usize) -> &mut f64) {
    let scale = gradient.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
    let (mut n_tried, mut n_smooth) = (0, 0);
    for i in (0..gradient.len()).step_by(gradient.len().div_ceil(200)) {
        let (numeric, smooth) = central_difference(batch, |batch| of(batch, i));
        let error = (numeric - gradient[i]).abs() / scale;
        assert!(!smooth || error < 1e-7, "{}: number {i}: {} and {numeric}", case.name, gradient[i]);
        n_tried += 1;
        n_smooth += usize::from(smooth);
    }
    assert!(n_smooth * 10 > n_tried * 9, "{}: {n_smooth} of {n_tried}", case.name);
}

/// (L(p + h) − L(p − h)) / 2h by Richardson's extrapolation, which leaves an error of order h⁴; and whether the
/// loss is smooth there: at the corner of a rectifier or pooling the differences of two step sizes disagree.
fn central_difference(batch: &Batch, of: impl Fn(&mut Batch) -> &mut f64) -> (f64, bool) {
    let mut moved = batch.clone();
    let start = *of(&mut moved);
    let mut loss_at = |x: f64| {
        *of(&mut moved) = x;
        moved.sum_of_losses()
    };
    let mut difference = |h: f64| (loss_at(start + h) - loss_at(start - h)) / (2.0 * h);
    let (wide, narrow) = (difference(2e-4), difference(1e-4));
    ((4.0 * narrow - wide) / 3.0, (wide - narrow).abs() < 1e-5)
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    every_case(|case, batch| {
        let want = Isa::named("plain").unwrap().run(batch);
        for isa in Isa::available() {
            assert_same(&format!("{} on {isa}", case.name), &isa.run(batch), &want, 0.0);
        }
    });
}

#[test]
fn a_lane_computes_what_one_lane_computes() {
    every_case(|case, batch| {
        let (got, want) = (Isa::detect().run(batch), batch.run::<f32>());
        assert_close(case.name, &got.logits.concat(), &want.logits.concat(), 0.0);
        assert_close(case.name, &got.d_pictures.concat(), &want.d_pictures.concat(), 0.0);
        // Sums over samples have another order.
        assert_close(case.name, &got.d_params, &want.d_params, 1e-5);
    });
}

#[test]
fn a_sample_does_not_see_its_neighbors() {
    every_case(|case, batch| {
        let order: Vec<usize> = (0..21).map(|i| (i * 8 + 3) % 21).collect();
        let mut permuted = batch.clone();
        permuted.pictures = order.iter().map(|&i| batch.pictures[i].clone()).collect();
        permuted.labels = order.iter().map(|&i| batch.labels[i]).collect();
        let (got, want) = (Isa::detect().run(&permuted), Isa::detect().run(batch));
        for (at, &i) in order.iter().enumerate() {
            assert_close(case.name, &got.logits[at], &want.logits[i], 0.0);
            assert_close(case.name, &got.d_pictures[at], &want.d_pictures[i], 0.0);
        }
        assert_close(case.name, &got.d_params, &want.d_params, 1e-5);
    });
}

#[test]
fn dead_lanes_add_nothing() {
    every_case(|case, batch| {
        let mut alone = batch.clone();
        alone.pictures.truncate(1);
        alone.labels.truncate(1);
        // The other fifteen lanes hold large numbers.
        assert_same(case.name, &Isa::detect().run(&alone), &alone.run::<f32>(), 1e-6);
    });
}

/// Every (height, width, kernel height, kernel width) up to `max` and 3.
fn small_geometries(max: usize) -> impl Iterator<Item = [usize; 4]> {
    let pairs = |n: usize| (1..=n).flat_map(move |a| (1..=n).map(move |b| (a, b)));
    pairs(max).flat_map(move |(h, w)| pairs(3).map(move |(kh, kw)| [h, w, kh, kw]))
}

#[test]
fn all_small_convolutions_equal_the_reference() {
    let mut n = 0;
    for (seed, [h, w, kh, kw]) in small_geometries(6).enumerate() {
        for [sh, sw, ph, pw] in (0..16).map(|i| [1 + i % 2, 1 + i / 2 % 2, i / 4 % 2, i / 8]) {
            if kh > h + 2 * ph || kw > w + 2 * pw {
                continue;
            }
            let spec = classifier([2, h, w], vec![conv(3, (kh, kw), (sh, sw), (ph, pw))]);
            let batch = Batch::random(&spec, 2, seed as u64);
            let name = format!("{h}x{w}, kernel {kh}x{kw}, stride {sh}x{sw}, padding {ph}x{pw}");
            let want = reference_answer(&spec, &batch);
            assert_same(&name, &batch.run::<f64>(), &want, 1e-12);
            assert_same(&name, &Isa::detect().run(&batch), &want, 2e-5);
            n += 1;
        }
    }
    // On each axis: 15 pairs of length and kernel fit without padding, 18 with it, and there are two strides.
    assert_eq!(n, (2 * (15 + 18)) * (2 * (15 + 18)));
}

#[test]
fn all_small_poolings_equal_the_reference() {
    let mut n = 0;
    for (seed, [h, w, kh, kw]) in small_geometries(6).enumerate() {
        for (sh, sw) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            if kh > h || kw > w {
                continue;
            }
            let spec = classifier([2, h, w], vec![pool((kh, kw), Some((sh, sw)))]);
            let batch = Batch::random(&spec, 2, seed as u64);
            let want = reference_answer(&spec, &batch);
            assert_same(&format!("{h}x{w}, window {kh}x{kw}"), &batch.run::<f64>(), &want, 1e-12);
            n += 1;
        }
    }
    assert_eq!(n, (2 * 15) * (2 * 15));
}

/// At ties and zeros: PyTorch gives the gradient of a pooling to the first maximum in row order, that of the
/// leaky rectifier at 0 is its slope, that of the plain one 0.
#[test]
fn ties_and_zeros_follow_pytorch() {
    let leaky = spec::LayerSpec::LeakyRelu(spec::LeakyReluSpec { slope: 0.25 });
    for (layer, want) in [
        (pool((2, 2), None), [1.0, 0.0, 0.0, 0.0]),
        (leaky, [0.25, 0.25, 0.25, 0.25]),
        (spec::LayerSpec::Relu, [0.0, 0.0, 0.0, 0.0]),
    ] {
        let spec = classifier([1, 2, 2], vec![layer]);
        let mut batch = Batch::random(&spec, 1, 5);
        batch.pictures[0] = vec![0.0; 4];
        let n_features = batch.plan.tensors()[0].dims[1];
        // A weight of 1 for the label and 0 elsewhere: the gradient of each feature is softmax − 1 = −0.8.
        batch.params.fill(0.0);
        let first = usize::from(batch.labels[0]) * n_features;
        batch.params[first..first + n_features].fill(1.0);
        let got: Vec<f64> = batch.run::<f64>().d_pictures[0].iter().map(|g| -g / 0.8).collect();
        assert_close("gradient at ties", &got, &want, 1e-12);
    }
}

#[test]
fn multiply_adds_are_counted() {
    let plan = Plan::compile(&spec::preset("lenet").unwrap()).unwrap();
    assert_eq!((plan.n_parameters(), plan.multiply_adds()), (44_426, 281_640));
    // Forward and both gradients, without the first layer's input gradient.
    assert_eq!(plan.training_multiply_adds(), 3 * 281_640 - 86_400);
    let plan = Plan::compile(&spec::preset("lenet-3x3").unwrap()).unwrap();
    assert_eq!((plan.n_parameters(), plan.multiply_adds()), (43_414, 197_808));
}
