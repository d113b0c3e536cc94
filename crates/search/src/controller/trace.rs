//! What the LSTM did in one walk, token by token, and the way back through time.

use std::ops::Range;

use super::anchor::Link;
use super::layout::{Head, Layout};
use super::linear::{axpy, dot};
use super::lstm::{STATE, output};
use crate::reinforce::Walk;

/// What a token reads.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// Parameters from there on: the start or an embedding.
    Params(usize),
    /// The mean of the outputs of these tokens, a range of [`Trace::read`], with a zero among them.
    Anchors { read: Range<usize> },
}

/// What comes of a token's output.
#[derive(Clone, Debug)]
pub(super) enum Output {
    /// A decision, whose logits begin there.
    Head { head: usize, logit: usize },
    /// An anchor point with these of [`Trace::links`].
    Anchor { links: Range<usize> },
    /// Nothing yet.
    None,
}

/// A walk's states, and scratch for the way back. Its vectors grow to the longest walk and stay.
pub(super) struct Trace {
    /// H, and how many LSTM layers there are.
    pub(super) n_hidden: usize,
    n_cells: usize,
    tokens: Vec<(Input, Output)>,
    next: Input,
    /// `[tokens][H]`.
    inputs: Vec<f64>,
    /// `[1 + tokens][cells][7 H]`: the first is all 0.
    states: Vec<f64>,
    pub(super) n_logits: usize,
    logits: Vec<f64>,
    /// The token of each layer's anchor point.
    pub(super) anchors: Vec<Option<usize>>,
    pub(super) links: Vec<Link>,
    /// `[links][H]`: tanh(W_prev h_j + W_curr h_i).
    pub(super) tanhs: Vec<f64>,
    /// Tokens that are read.
    pub(super) read: Vec<usize>,
    /// `[tokens][H]`: derivatives by the outputs of the last layer.
    pub(super) doutputs: Vec<f64>,
    /// `[cells][H]`.
    dh: Vec<f64>,
    dc: Vec<f64>,
    pub(super) dx: Vec<f64>,
    dgates: Vec<f64>,
}

impl Trace {
    pub(super) fn new(layout: &Layout) -> Self {
        let (n_hidden, n_cells) = (layout.n_hidden, layout.cells.len());
        Self {
            n_hidden,
            n_cells,
            tokens: Vec::new(),
            next: Input::Params(layout.start),
            inputs: Vec::new(),
            states: vec![0.0; n_cells * STATE * n_hidden],
            n_logits: 0,
            logits: Vec::new(),
            anchors: vec![None; layout.n_anchors],
            links: Vec::new(),
            tanhs: Vec::new(),
            read: Vec::new(),
            doutputs: Vec::new(),
            dh: vec![0.0; n_cells * n_hidden],
            dc: vec![0.0; n_cells * n_hidden],
            dx: vec![0.0; n_hidden],
            dgates: vec![0.0; 4 * n_hidden],
        }
    }

    /// Begins a walk.
    pub(super) fn clear(&mut self, layout: &Layout) {
        self.tokens.clear();
        self.next = Input::Params(layout.start);
        self.inputs.clear();
        self.states.truncate(self.n_cells * STATE * self.n_hidden);
        self.n_logits = 0;
        self.anchors.fill(None);
        self.links.clear();
        self.tanhs.clear();
        self.read.clear();
    }

    pub(super) fn n_tokens(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn output_of(&self, token: usize) -> Output {
        self.tokens[token].1.clone()
    }

    /// What the last LSTM layer said at a token.
    pub(super) fn h(&self, token: usize) -> &[f64] {
        let end = self.state_at(token + 1, self.n_cells);
        output(&self.states[end - STATE * self.n_hidden..end], self.n_hidden)
    }

    /// Where the state of a layer begins; token 0 is the state before the first one.
    fn state_at(&self, token: usize, cell: usize) -> usize {
        (token * self.n_cells + cell) * STATE * self.n_hidden
    }

    /// One more token, which reads what comes next.
    pub(super) fn forward(&mut self, layout: &Layout, params: &[f64]) {
        let (n, token) = (self.n_hidden, self.tokens.len());
        self.push_input(params);
        self.tokens.push((self.next.clone(), Output::None));
        self.states.resize(self.state_at(token + 2, 0), 0.0);
        for (idx, cell) in layout.cells.iter().enumerate() {
            let (before, at) = (self.state_at(token, idx), self.state_at(token + 1, idx));
            let (earlier, state) = self.states.split_at_mut(at);
            let x = match idx {
                0 => &self.inputs[token * n..],
                _ => output(&earlier[at - STATE * n..], n),
            };
            cell.forward(params, x, &earlier[before..before + STATE * n], &mut state[..STATE * n]);
        }
    }

    fn push_input(&mut self, params: &[f64]) {
        let (n, begin) = (self.n_hidden, self.inputs.len());
        match self.next.clone() {
            Input::Params(at) => self.inputs.extend(&params[at..at + n]),
            Input::Anchors { read } => {
                self.inputs.resize(begin + n, 0.0);
                let share = 1.0 / (1.0 + read.len() as f64);
                for idx in read {
                    let mut input = std::mem::take(&mut self.inputs);
                    axpy(share, self.h(self.read[idx]), &mut input[begin..]);
                    self.inputs = input;
                }
            }
        }
    }

    /// Makes of the last token what comes of it, and says what the next one reads.
    pub(super) fn end_token(&mut self, output: Output, next: Input) {
        let last = self.tokens.last_mut().expect("a token was begun");
        last.1 = output;
        self.next = next;
    }

    /// A decision by a softmax.
    pub(super) fn decide(&mut self, head: &Head, params: &[f64], walk: &mut Walk<'_>) {
        let (n, token) = (self.n_hidden, self.tokens.len() - 1);
        let mut logits = std::mem::take(&mut self.logits);
        let weights = params[head.weights..].chunks_exact(n);
        let rows = weights.zip(&params[head.bias..head.bias + head.n]);
        logits.clear();
        logits.extend(rows.map(|(weights, bias)| bias + dot(weights, self.h(token))));
        let taken = walk.take(&logits);
        self.logits = logits;
        let output = Output::Head { head: head.head, logit: self.n_logits };
        self.end_token(output, Input::Params(head.embeddings + taken * n));
        self.n_logits += head.n;
    }

    /// Begins the way back.
    pub(super) fn begin_backward(&mut self) {
        self.doutputs.clear();
        self.doutputs.resize(self.tokens.len() * self.n_hidden, 0.0);
        self.dh.fill(0.0);
        self.dc.fill(0.0);
    }

    pub(super) fn backward_head(
        &mut self,
        head: &Head,
        params: &[f64],
        token: usize,
        dlogits: &[f64],
        gradient: &mut [f64],
    ) {
        let n = self.n_hidden;
        let mut doutputs = std::mem::take(&mut self.doutputs);
        for (category, &d) in dlogits.iter().enumerate() {
            let at = head.weights + category * n;
            axpy(d, &params[at..at + n], &mut doutputs[token * n..(token + 1) * n]);
            axpy(d, self.h(token), &mut gradient[at..at + n]);
            gradient[head.bias + category] += d;
        }
        self.doutputs = doutputs;
    }

    /// From the derivatives by a token's output to those by the tokens before and by its input.
    pub(super) fn backward_token(
        &mut self,
        layout: &Layout,
        params: &[f64],
        token: usize,
        gradient: &mut [f64],
    ) {
        let n = self.n_hidden;
        self.dx.copy_from_slice(&self.doutputs[token * n..(token + 1) * n]);
        for (idx, &cell) in layout.cells.iter().enumerate().rev() {
            let (before, at) = (self.state_at(token, idx), self.state_at(token + 1, idx));
            let x = match idx {
                0 => &self.inputs[token * n..(token + 1) * n],
                _ => output(&self.states[at - STATE * n..at], n),
            };
            let states = (x, &self.states[before..before + STATE * n], &self.states[at..at + STATE * n]);
            let (dh, dc) = (&mut self.dh[idx * n..(idx + 1) * n], &mut self.dc[idx * n..(idx + 1) * n]);
            axpy(1.0, &self.dx, dh);
            self.dx.fill(0.0);
            cell.backward(params, states, (&mut self.dx, dh, dc), &mut self.dgates, gradient);
        }
        self.backward_input(token, gradient);
    }

    fn backward_input(&mut self, token: usize, gradient: &mut [f64]) {
        let n = self.n_hidden;
        match self.tokens[token].0.clone() {
            Input::Params(at) => axpy(1.0, &self.dx, &mut gradient[at..at + n]),
            Input::Anchors { read } => {
                let share = 1.0 / (1.0 + read.len() as f64);
                for &from in &self.read[read] {
                    axpy(share, &self.dx, &mut self.doutputs[from * n..(from + 1) * n]);
                }
            }
        }
    }
}
