//! Weights as safetensors: there and back, and what is refused.

use std::collections::BTreeMap;

use nn::{Params, Plan, StateDictError, from_safetensors, metadata, to_safetensors};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use spec::Seed;

fn lenet() -> (Plan, Params<f32>, Vec<u8>) {
    let plan = Plan::compile(&spec::preset("lenet").unwrap()).unwrap();
    let params = Params::init(&plan, Seed(4));
    let bytes = to_safetensors(&plan, &params, &notes()).unwrap();
    (plan, params, bytes)
}

fn notes() -> BTreeMap<String, String> {
    (0..9).map(|i| (format!("note {i}"), format!("\"quoted\" {i}, 丹炉"))).collect()
}

#[test]
fn a_file_gives_back_every_bit_and_its_metadata() {
    let (plan, params, bytes) = lenet();
    assert_eq!(from_safetensors(&plan, &bytes).unwrap().hash(), params.hash());
    assert_eq!(metadata(&bytes).unwrap(), notes());
    let names: Vec<_> = plan.tensors().iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names[..4], ["conv.0.weight", "conv.0.bias", "conv.3.weight", "conv.3.bias"]);
}

#[test]
fn equal_models_are_equal_files() {
    let first = lenet().2;
    for _ in 0..20 {
        assert!(lenet().2 == first);
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let (plan, _, bytes) = lenet();
    for len in (0..2000).chain((2000..bytes.len()).step_by(997)) {
        assert!(matches!(from_safetensors(&plan, &bytes[..len]), Err(StateDictError::Format(_))), "{len}");
    }
}

#[test]
fn other_networks_and_bad_values_are_refused_by_name() {
    let (plan, mut params, bytes) = lenet();
    let other = Plan::compile(&spec::preset("lenet-3x3").unwrap()).unwrap();
    let message = |result: Result<Params<f32>, StateDictError>| result.unwrap_err().to_string();
    let error = message(from_safetensors(&other, &bytes));
    assert!(error.contains("`conv.0.weight` is [6, 1, 5, 5], the network needs [2, 1, 3, 3]"), "{error}");
    params.0[plan.tensors()[2].range.start + 7] = f32::NAN;
    let bytes = to_safetensors(&plan, &params, &notes()).unwrap();
    let error = message(from_safetensors(&plan, &bytes));
    assert!(error.contains("`conv.3.weight` holds NaN at index 7"), "{error}");
}

#[test]
fn a_normalization_may_have_a_counter_and_has_no_negative_variance() {
    let plan = Plan::compile(&spec::preset("brick-100k").unwrap()).unwrap();
    let mut params = Params::init(&plan, Seed(4));
    let variance = plan.tensors().iter().find(|tensor| tensor.name.ends_with(".running_var")).unwrap();
    let norm = variance.name.strip_suffix(".running_var").unwrap();
    let bytes = to_safetensors(&plan, &params, &notes()).unwrap();
    let with = |name: &str| {
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let counter = TensorView::new(Dtype::I64, vec![], &[0; 8]).unwrap();
        let tensors = file.tensors().into_iter().chain([(name.to_owned(), counter)]);
        from_safetensors(&plan, &safetensors::serialize(tensors, None).unwrap())
    };
    assert_eq!(with(&format!("{norm}.num_batches_tracked")).unwrap().hash(), params.hash());
    let error = with("nobody.num_batches_tracked").unwrap_err().to_string();
    assert!(error.contains("no tensor `nobody.num_batches_tracked`"), "{error}");

    params.0[variance.range.start + 3] = -1.0;
    let bytes = to_safetensors(&plan, &params, &notes()).unwrap();
    let error = from_safetensors(&plan, &bytes).unwrap_err().to_string();
    assert!(
        error.contains(&format!("`{norm}.running_var` holds -1 at index 3, but is a variance")),
        "{error}"
    );
}
