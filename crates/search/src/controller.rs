//! The recurrent controller of Zoph & Le 2016 (arXiv 1611.01578, sections 3.1 to 3.3): an LSTM decides one
//! dimension after the other, and each decision is its next input.
//!
//! ```text
//! x_0 = start                        h_t = LSTM(x_t)
//! P(a_t = i) = softmax(W_k h_t + b_k)_i                          a decision of kind k
//! x_t+1 = E_k[a_t]
//! P(layer i reads j) = sigmoid(v · tanh(W_prev h_j + W_curr h_i))      h_i, h_j: at the anchors of layers i and j
//! x_t+1 = Σ_j h_j / (1 + n)                                      over the n layers that are read
//! ```
//!
//! What the paper leaves open, and what is done here: the embeddings E have as many numbers as the LSTM has
//! units; decisions of one kind share W, b and E over the layers; the start is learned; after an anchor point
//! the mean of what is read is fed back, with a zero among them, as ENAS's code does (Pham et al. 2018). An
//! anchor point stands before its layer's decisions, the first layer's too. A depth that is fixed by a
//! schedule is no step of the LSTM.

mod anchor;
mod layout;
mod linear;
mod lstm;
mod trace;

use spec::{ControllerSpec, Seed};

use crate::draw;
use crate::reinforce::{Decisions, Learner, Learning, Limits, Objective, Policy, Walk};
use layout::{Layout, Step};
use trace::{Output, Trace};

/// The sampler that learns by a controller.
pub(crate) fn sampler(spec: ControllerSpec) -> Learner {
    let learning = Learning {
        learning_rate: spec.learning_rate,
        reward: spec.reward,
        limits: Limits { temperature: spec.temperature, tanh: spec.tanh },
        objective: Objective {
            entropy_bonus: spec.entropy_bonus,
            skip_penalty: spec.skip_penalty,
            skip_rate: spec.skip_rate,
        },
        clip: spec.clip,
        n_passes: spec.n_passes,
        delay: spec.delay,
        grow_every: spec.grow_every,
    };
    let build = move |decisions: &Decisions| Box::new(Controller::new(decisions, &spec)) as Box<dyn Policy>;
    Learner::new(format!("{spec:?}"), learning, build)
}

/// An LSTM over the decisions of a space.
pub(crate) struct Controller {
    layout: Layout,
    init: f64,
    trace: Trace,
}

impl Controller {
    pub(crate) fn new(decisions: &Decisions, spec: &ControllerSpec) -> Self {
        let layout = Layout::new(decisions, spec.hidden.max(1), spec.layers.max(1));
        Self { trace: Trace::new(&layout), layout, init: spec.init }
    }
}

impl Policy for Controller {
    /// All uniform between minus and plus `init`.
    fn init(&self, seed: Seed) -> Vec<f64> {
        let mut rng = seed.stream("init/controller");
        (0..self.layout.n_params).map(|_| self.init * (2.0 * draw::uniform(&mut rng) - 1.0)).collect()
    }

    fn walk(&mut self, params: &[f64], walk: &mut Walk<'_>) {
        let Self { layout, trace, .. } = self;
        trace.clear(layout);
        for step in &layout.steps {
            match step {
                Step::Decision { head } => {
                    if walk.decides() {
                        trace.forward(layout, params);
                        trace.decide(&layout.heads[*head], params, walk);
                    }
                }
                Step::Anchor { layer, links } => {
                    let first = walk.point().len();
                    let is_there = (first..first + links.len()).any(|dim| walk.exists(dim));
                    if is_there || links.is_empty() {
                        trace.forward(layout, params);
                        trace.anchor(layout, params, *layer, links, walk);
                    } else {
                        links.iter().for_each(|_| assert!(!walk.decides(), "no link exists"));
                    }
                }
            }
        }
    }

    fn backward(&mut self, params: &[f64], dlogits: &[f64], gradient: &mut [f64]) {
        let Self { layout, trace, .. } = self;
        trace.begin_backward();
        for token in (0..trace.n_tokens()).rev() {
            match trace.output_of(token) {
                Output::Head { head, logit } => {
                    let head = &layout.heads[head];
                    trace.backward_head(head, params, token, &dlogits[logit..logit + head.n], gradient);
                }
                Output::Anchor { links } => {
                    trace.backward_anchor(layout, params, (token, links), dlogits, gradient);
                }
                Output::None => {}
            }
            trace.backward_token(layout, params, token, gradient);
        }
    }
}
