//! The layer case table, through every check that needs no other program.

mod cases;
mod engine;
mod geometries;
mod golden;
mod probe;
mod reference;

use std::collections::BTreeSet;

use cases::{Case, cases, classifier, pool};
use engine::{Answer, Batch};
use lanes::Isa;
use nn::Plan;
use spec::LayerSpec;

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
    assert_close(&format!("{what}: running statistics"), &got.running, &want.running, tolerance);
}

fn every_case(check: impl Fn(&Case, &Batch)) {
    for (seed, case) in cases().iter().enumerate() {
        check(case, &Batch { loss: case.loss.clone(), ..Batch::random(&case.spec, 21, seed as u64) });
    }
}

/// The names of all layers, from the message that refuses another one.
fn all_layers() -> BTreeSet<String> {
    let message = serde_json::from_str::<LayerSpec>("\"?\"").unwrap_err().to_string();
    let names = message.split('`').skip(3).step_by(2).map(String::from).collect::<BTreeSet<_>>();
    assert!(names.contains("conv2d") && names.contains("squeeze_excite"), "{message}");
    names
}

#[test]
fn every_layer_has_a_case() {
    let cases = cases();
    let missing: Vec<_> =
        all_layers().into_iter().filter(|layer| !cases.iter().any(|case| case.has(layer))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn one_lane_of_f64_equals_the_reference() {
    every_case(|case, batch| {
        assert_same(case.name, &batch.run::<f64>(), &reference::answer(&case.spec, batch), 1e-12);
    });
}

#[test]
fn sixteen_lanes_of_f32_equal_the_reference() {
    every_case(|case, batch| {
        let want = reference::answer(&case.spec, batch);
        for isa in Isa::available() {
            assert_same(&format!("{} on {isa}", case.name), &isa.run(batch), &want, 2e-5);
        }
    });
}

#[test]
fn central_differences_agree_to_1e_7() {
    every_case(|case, batch| {
        let mut batch = batch.select(&[0, 1, 2, 3, 4]);
        let answer = batch.run::<f64>();
        check_differences(case, &mut batch, &answer.d_params, |batch, i| &mut batch.params[i]);
        check_differences(case, &mut batch, &answer.d_pictures[0], |batch, i| &mut batch.pictures[0][i]);
    });
}

/// Holds `gradient` against differences of the loss when number `i`, which `of` finds in a batch, is moved. Of long
/// gradients some hundred numbers are tried.
fn check_differences(
    case: &Case,
    batch: &mut Batch,
    gradient: &[f64],
    of: fn(&mut Batch, usize) -> &mut f64,
) {
    let scale = gradient.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
    let (mut n_tried, mut n_smooth) = (0, 0);
    for i in (0..gradient.len()).step_by(gradient.len().div_ceil(200)) {
        let (numeric, smooth) = central_difference(batch, |batch| of(batch, i));
        let error = (numeric - gradient[i]).abs() / scale;
        assert!(!smooth || error < 1e-7, "{}: number {i}: {} and {numeric}", case.name, gradient[i]);
        n_tried += 1;
        n_smooth += usize::from(smooth);
    }
    assert!(n_smooth * 5 > n_tried * 4, "{}: {n_smooth} of {n_tried}", case.name);
}

/// (L(p + h) − L(p − h)) / 2h by Richardson's extrapolation, which leaves an error of order h⁴; and whether the
/// loss is smooth there: at the corner of a rectifier or pooling the differences of two step sizes disagree.
fn central_difference(batch: &mut Batch, of: impl Fn(&mut Batch) -> &mut f64) -> (f64, bool) {
    let start = *of(batch);
    let mut loss_at = |x: f64| {
        *of(batch) = x;
        batch.sum_of_losses()
    };
    let mut difference = |h: f64| (loss_at(start + h) - loss_at(start - h)) / (2.0 * h);
    let (wide, narrow) = (difference(1e-4), difference(5e-5));
    *of(batch) = start;
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

/// How far a sample's gradient may depend on where the others are: not at all, but for the rounding of statistics over
/// the whole batch.
fn between_samples(case: &Case) -> f64 {
    if case.has("batch_norm2d") { 1e-5 } else { 0.0 }
}

#[test]
fn a_lane_computes_what_one_lane_computes() {
    every_case(|case, batch| {
        let (got, want) = (Isa::detect().run(batch), batch.run::<f32>());
        assert_close(case.name, &got.logits.concat(), &want.logits.concat(), 0.0);
        let (got_dx, want_dx) = (got.d_pictures.concat(), want.d_pictures.concat());
        assert_close(case.name, &got_dx, &want_dx, between_samples(case));
        // Sums over samples have another order.
        assert_close(case.name, &got.d_params, &want.d_params, 1e-5);
    });
}

#[test]
fn a_sample_does_not_see_its_neighbors() {
    every_case(|case, batch| {
        let order: Vec<usize> = (0..21).map(|i| (i * 8 + 3) % 21).collect();
        let permuted = batch.select(&order);
        let (got, want) = (Isa::detect().run(&permuted), Isa::detect().run(batch));
        for (at, &i) in order.iter().enumerate() {
            assert_close(case.name, &got.logits[at], &want.logits[i], 0.0);
            assert_close(case.name, &got.d_pictures[at], &want.d_pictures[i], between_samples(case));
        }
        assert_close(case.name, &got.d_params, &want.d_params, 1e-5);
    });
}

#[test]
fn dead_lanes_add_nothing() {
    every_case(|case, batch| {
        let alone = batch.select(&[0]);
        // The other fifteen lanes hold large numbers.
        assert_same(case.name, &Isa::detect().run(&alone), &alone.run::<f32>(), 1e-6);
    });
}

/// Of one sample and one position each normalization gives β, whatever the others' lanes grow to.
#[test]
fn dead_lanes_do_not_grow_from_normalization_to_normalization() {
    let layers = [cases::conv(8, (1, 1), (1, 1), (0, 0)), spec::LayerSpec::BatchNorm2d(Default::default())];
    let spec = classifier([1, 1, 1], layers.into_iter().cycle().take(40).collect());
    let batch = Batch::random(&spec, 1, 3);
    let (got, want) = (Isa::detect().run(&batch), batch.run::<f64>());
    assert_close("logits", &got.logits.concat(), &want.logits.concat(), 1e-5);
    assert!(got.d_params.iter().all(|d| d.is_finite()), "{:?}", got.d_params);
}

/// Mixup: two classes to a sample, each with its share, under every loss.
#[test]
fn mixed_targets_equal_the_reference() {
    for (seed, case) in cases().iter().enumerate().filter(|(_, case)| !case.has("dropout")) {
        let mut batch = Batch { loss: case.loss.clone(), ..Batch::random(&case.spec, 18, seed as u64) };
        let others = batch.labels.iter().map(|label| (label + 1) % case.spec.classes as u8).collect();
        batch.mixed = Some((others, (0..18).map(|i| f64::from(i) / 16.0).map(|x| x.min(1.0)).collect()));
        let want = reference::answer(&case.spec, &batch);
        assert_same(case.name, &batch.run::<f64>(), &want, 1e-12);
        assert_same(case.name, &Isa::detect().run(&batch), &want, 2e-5);
    }
}

#[test]
fn the_presets_equal_the_reference() {
    for preset in spec::PRESETS {
        let spec = spec::preset(preset.name).unwrap();
        let mut batch = Batch::random(&spec, 2, 3);
        batch.pictures.iter_mut().flatten().for_each(|x| *x *= 0.5);
        assert_same(preset.name, &batch.run::<f64>(), &reference::answer(&spec, &batch), 1e-11);
    }
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
