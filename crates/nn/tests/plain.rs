//! The one-file program `examples/lenet_plain.rs` against the engine: the same losses, step by step.

#[path = "../examples/lenet_plain.rs"]
#[expect(dead_code, reason = "main and what only main calls")]
mod lenet_plain;

use lanes::Lane;
use nn::{
    BatchStatistics, Loss, Mode, Optimizer, Params, Pass, Plan, Scratch, ShardGradient, Targets,
    UpdateNumbers, Workspace,
};
use spec::{AdamSpec, LossSpec, OptimizerSpec, Seed};

/// Pictures in 0 to 1 and labels, by a linear congruential generator.
fn batch(n: usize) -> (Vec<f64>, Vec<usize>) {
    let mut state = 99u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    let pictures = (0..n * 784).map(|_| random()).collect();
    (pictures, (0..n).map(|_| (random() * 10.0) as usize).collect())
}

/// One step of the engine at f64 with one lane: mean loss before the update.
fn engine_step(
    plan: &Plan,
    params: &mut Params<f64>,
    (optimizer, step): (&mut Optimizer<f64>, usize),
    pictures: &[f64],
    labels: &[usize],
) -> f64 {
    let mut workspace = Workspace::<f64>::new(plan, Mode::Training);
    let mut scratch = Scratch::new(plan);
    let mut shard = ShardGradient::new(plan, labels.len());
    let mut grads = vec![0.0; params.0.len()];
    let weight = 1.0 / labels.len() as f64;
    let cross_entropy = Loss::new(&LossSpec::default(), 10);
    let statistics = BatchStatistics::new(plan);
    let pass = Pass { plan, params: &params.0, statistics: &statistics };
    let mut loss = 0.0;
    shard.reset(labels.len());
    for (idx, (picture, &label)) in pictures.chunks_exact(784).zip(labels).enumerate() {
        f64::as_scalars_mut(workspace.input_mut(plan)).copy_from_slice(picture);
        let label = [label as u8];
        let aim = (&cross_entropy, Targets::from(&label[..]), weight);
        loss += pass.run(aim, idx, (&mut workspace, &mut scratch), &mut shard).loss;
    }
    for chunk in plan.chunks() {
        chunk.gather(std::slice::from_ref(&shard), &mut grads[chunk.range()]);
    }
    let numbers = UpdateNumbers { step, learning_rate: 0.001 };
    optimizer.update::<f64>(&mut params.0, &grads, numbers);
    loss * weight
}

#[test]
fn the_plain_program_and_the_engine_learn_the_same() {
    let plan = Plan::compile(&spec::preset("lenet").unwrap()).unwrap();
    let mut params = Params::<f64>::init(&plan, Seed(3));
    let mut optimizer = Optimizer::new(&OptimizerSpec::Adam(AdamSpec::default()), params.0.len());
    let mut plain = lenet_plain::LeNet::from_parameters(params.0.clone());
    let mut adam = lenet_plain::Adam::new(0.001);
    let (pictures, labels) = batch(12);
    for step in 0..6 {
        let want = plain.step(&pictures, &labels, &mut adam);
        let got = engine_step(&plan, &mut params, (&mut optimizer, step), &pictures, &labels);
        assert!((got - want).abs() < 1e-10 * want, "step {step}: {got} and {want}");
    }
    // The loss has fallen, so the updates were compared and not only the first forward pass.
    let last = plain.step(&pictures, &labels, &mut adam);
    assert!(last < 2.25, "{last}");
}
