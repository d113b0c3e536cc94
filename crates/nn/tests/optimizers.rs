//! Optimizers against PyTorch's, at f64.

use nn::{Optimizer, UpdateNumbers};
use spec::{AdamSpec, AdamwSpec, OptimizerSpec, RmspropSpec, SgdSpec};

/// The path of the first of two parameters under the gradient 2p − 1 + sin(step), and the optimizer at its end.
fn path(spec: OptimizerSpec, rate: impl Fn(usize) -> f64) -> ([f64; 10], Optimizer<f64>) {
    let mut params = [0.7, -0.3];
    let mut optimizer = Optimizer::new(&spec, 2);
    let path = std::array::from_fn(|step| {
        let grads = params.map(|p| gradient(p, step));
        let numbers = UpdateNumbers { step, learning_rate: rate(step) };
        optimizer.update::<f64>(&mut params, &grads, numbers);
        params[0]
    });
    (path, optimizer)
}

fn gradient(p: f64, step: usize) -> f64 {
    2.0 * p - 1.0 + (step as f64).sin()
}

const ADAM: AdamSpec =
    AdamSpec { learning_rate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weight_decay: 0.1 };
const ADAMW: AdamwSpec =
    AdamwSpec { learning_rate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weight_decay: 0.1 };
const SGD: SgdSpec = SgdSpec { learning_rate: 0.05, momentum: 0.0, nesterov: false, weight_decay: 0.2 };
const RMSPROP: RmspropSpec = RmspropSpec {
    learning_rate: 0.02,
    alpha: 0.9,
    epsilon: 1e-3,
    momentum: 0.0,
    centered: false,
    weight_decay: 0.1,
};

const ADAM_PATH: [f64; 10] = [
    0.6800424628450106,
    0.6611447859642092,
    0.6415780811111893,
    0.6235569232416639,
    0.6126479677826456,
    0.6086709143980951,
    0.6054268785850163,
    0.5974497602285616,
    0.5852451463325956,
    0.5721003162761169,
];
const ADAMW_PATH: [f64; 10] = [
    0.6786498753117207,
    0.6586194408582392,
    0.6378519185596139,
    0.6188486414926053,
    0.6078118588347081,
    0.6042262926396713,
    0.6015608936055912,
    0.5938853373837609,
    0.5816055335639447,
    0.568345028498231,
];
const SGD_PATH: [f64; 10] = [
    0.6729999999999999,
    0.6068964507596051,
    0.5446729698347644,
    0.527702942749947,
    0.5574957438128493,
    0.5941174257265928,
    0.5927352838066139,
    0.5446850726519469,
    0.4853018023290636,
    0.4613126798107788,
];
const SGD_MOMENTUM_PATH: [f64; 10] = [
    0.6729999999999999,
    0.5825964507596051,
    0.4416827755184091,
    0.30921936209131434,
    0.2438282849422809,
    0.25610141789765684,
    0.30294685649869924,
    0.328934267088841,
    0.316672254909027,
    0.3001965716451136,
];
const NESTEROV_PATH: [f64; 10] = [
    0.6486999999999999,
    0.5063119564432498,
    0.338047757113451,
    0.24359486360927085,
    0.26938929833235,
    0.36745951153311923,
    0.43898608600734906,
    0.4230029784031621,
    0.34924554510098477,
    0.3071186960649177,
];
const RMSPROP_PATH: [f64; 10] = [
    0.6371771347610851,
    0.5781652495663154,
    0.5349529324706535,
    0.5243803092288314,
    0.5496864441951653,
    0.5787510147485907,
    0.5811874039350583,
    0.5504459242104355,
    0.5152998069363328,
    0.49980170332835566,
];
const RMSPROP_MOMENTUM_PATH: [f64; 10] = [
    0.6371771347610851,
    0.546753816946858,
    0.4597374221897809,
    0.4117998263061572,
    0.42106522332038837,
    0.46079226285844355,
    0.49123447029487494,
    0.48350938361967377,
    0.4488360144567545,
    0.4202196591165801,
];
const CENTERED_PATH: [f64; 10] = [
    0.6338842975206611,
    0.568897571273051,
    0.5192661083563126,
    0.5102995278285476,
    0.5410695489185663,
    0.5731735382671642,
    0.5782852552510723,
    0.5486409553850664,
    0.5123998130606182,
    0.49716431474507916,
];
const CENTERED_MOMENTUM_PATH: [f64; 10] = [
    0.6338842975206611,
    0.5358397200333815,
    0.43890717038573307,
    0.3894790225552729,
    0.4026388483130267,
    0.44666853077891155,
    0.481682111471613,
    0.47852477270235305,
    0.44721378311732474,
    0.42146371528239235,
];

/// From PyTorch 2.15 in float64, with `p` of `[0.7, -0.3]`, `p.grad = 2*p - 1 + math.sin(t)` and `p[0]` after each step
/// `t` from 0:
///
/// ```python
/// Adam([p], lr=.02, betas=(.8, .95), eps=1e-3, weight_decay=.1)
/// AdamW([p], lr=.02, betas=(.8, .95), eps=1e-3, weight_decay=.1)
/// SGD([p], lr=.05, weight_decay=.2)
/// SGD([p], lr=.05, momentum=.9, weight_decay=.2)
/// SGD([p], lr=.05, momentum=.9, nesterov=True, weight_decay=.2)
/// RMSprop([p], lr=.02, alpha=.9, eps=1e-3, weight_decay=.1)
/// RMSprop([p], lr=.02, alpha=.9, eps=1e-3, weight_decay=.1, momentum=.5)
/// RMSprop([p], lr=.02, alpha=.9, eps=1e-3, centered=True)
/// RMSprop([p], lr=.02, alpha=.9, eps=1e-3, centered=True, momentum=.5)
/// ```
fn pytorch() -> [(OptimizerSpec, [f64; 10]); 9] {
    [
        (OptimizerSpec::Adam(ADAM), ADAM_PATH),
        (OptimizerSpec::Adamw(ADAMW), ADAMW_PATH),
        (OptimizerSpec::Sgd(SGD), SGD_PATH),
        (OptimizerSpec::Sgd(SgdSpec { momentum: 0.9, ..SGD }), SGD_MOMENTUM_PATH),
        (OptimizerSpec::Sgd(SgdSpec { momentum: 0.9, nesterov: true, ..SGD }), NESTEROV_PATH),
        (OptimizerSpec::Rmsprop(RMSPROP), RMSPROP_PATH),
        (OptimizerSpec::Rmsprop(RmspropSpec { momentum: 0.5, ..RMSPROP }), RMSPROP_MOMENTUM_PATH),
        (OptimizerSpec::Rmsprop(RmspropSpec { centered: true, weight_decay: 0.0, ..RMSPROP }), CENTERED_PATH),
        (
            OptimizerSpec::Rmsprop(RmspropSpec {
                centered: true,
                weight_decay: 0.0,
                momentum: 0.5,
                ..RMSPROP
            }),
            CENTERED_MOMENTUM_PATH,
        ),
    ]
}

#[test]
fn paths_are_pytorchs() {
    for (spec, want) in pytorch() {
        let (got, _) = path(spec, |_| spec.learning_rate());
        for (step, (got, want)) in got.into_iter().zip(want).enumerate() {
            assert!((got - want).abs() < 1e-14, "{spec:?}, step {step}: {got:?} and {want:?}");
        }
    }
}

#[test]
fn the_rate_is_the_steps_own() {
    for (spec, _) in pytorch() {
        let (half, _) = path(spec, |_| spec.learning_rate() / 2.0);
        let mut other = spec;
        other.set_learning_rate(spec.learning_rate() / 2.0);
        assert_eq!(half, path(other, |_| other.learning_rate()).0);
        let (never, _) = path(spec, |_| 0.0);
        assert_eq!(never, [0.7; 10]);
    }
}

#[test]
fn a_state_that_is_put_back_goes_on_as_it_would() {
    for (spec, _) in pytorch() {
        let (_, mut whole) = path(spec, |_| 0.01);
        let mut restored = Optimizer::<f64>::new(&spec, 2);
        assert_eq!(whole.state().count(), Optimizer::<f64>::state_names(&spec).len());
        for (to, from) in restored.state_mut().zip(whole.state()) {
            to.copy_from_slice(from);
        }
        let numbers = UpdateNumbers { step: 10, learning_rate: 0.01 };
        let [mut a, mut b] = [[0.1, 0.2]; 2];
        whole.update::<f64>(&mut a, &[0.3, -0.4], numbers);
        restored.update::<f64>(&mut b, &[0.3, -0.4], numbers);
        assert_eq!(a, b, "{spec:?}");
        assert_eq!(whole, restored);
    }
}
