//! Every layer against PyTorch, at f64. `tests/pytorch/golden.py` has written the numbers.

use lanes::Isa;
use nn::Plan;
use serde::Deserialize;
use spec::{LossSpec, NetworkSpec};

use crate::engine::{Answer, Batch};
use crate::{all_layers, assert_same};

/// One network through PyTorch. The logits are those in use after training; all else is of a training step.
#[derive(Deserialize)]
struct Golden {
    name: String,
    network: String,
    loss: LossSpec,
    pictures: Vec<Vec<f64>>,
    labels: Vec<u8>,
    params: Vec<f64>,
    want: Want,
}

#[derive(Deserialize)]
struct Want {
    loss: f64,
    logits: Vec<Vec<f64>>,
    d_pictures: Vec<Vec<f64>>,
    d_params: Vec<f64>,
    running: Vec<f64>,
}

#[test]
fn every_layer_computes_what_pytorch_computes() {
    let golden: Vec<Golden> = serde_json::from_str(include_str!("../golden.json")).unwrap();
    let mut missing = all_layers();
    for Golden { name, network, loss, pictures, labels, params, want } in golden {
        let spec = NetworkSpec::from_toml(&network).unwrap();
        missing.retain(|layer| !spec.nodes.iter().any(|node| node.layer.kind() == layer));
        let plan = Plan::with_input_gradient(&spec).unwrap();
        let stream_ids = (0..labels.len() as u64).collect();
        let batch = Batch { plan, params, pictures, labels, loss, mixed: None, stream_ids };
        let got = batch.run::<f64>();
        let Want { loss, logits, d_pictures, d_params, running } = want;
        let want = Answer { loss, n_correct: got.n_correct, logits, d_pictures, d_params, running };
        assert_same(&name, &got, &want, 1e-12);
        assert_same(&name, &Isa::detect().run(&batch), &want, 2e-5);
    }
    assert!(missing.is_empty(), "{missing:?} are not in golden.json");
}
