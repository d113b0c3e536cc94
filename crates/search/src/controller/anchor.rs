//! Anchor points: which earlier layers a layer reads (Zoph & Le 2016, section 3.3).

use std::ops::Range;

use super::layout::Layout;
use super::linear::{add_product, add_product_backward, axpy, dot};
use super::trace::{Input, Output, Trace};
use crate::reinforce::Walk;

/// One question whether an earlier layer is read.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The token of its anchor point; `None`: it has none, and counts as zeros.
    from: Option<usize>,
    /// The place of the logit among all that were given.
    logit: usize,
}

impl Trace {
    /// The last token becomes the anchor point of a layer: each of the layers `links` is read with a
    /// probability of its own. No has the logit 0, so that a softmax of the two is the sigmoid.
    pub(super) fn anchor(
        &mut self,
        layout: &Layout,
        params: &[f64],
        layer: usize,
        links: &[usize],
        walk: &mut Walk<'_>,
    ) {
        let token = self.n_tokens() - 1;
        self.anchors[layer] = Some(token);
        let (first_link, first_read) = (self.links.len(), self.read.len());
        for &from in links {
            if !walk.decides() {
                continue;
            }
            let from = self.anchors[from];
            let logit = self.link(layout, params, from, token);
            self.links.push(Link { from, logit: self.n_logits + 1 });
            self.n_logits += 2;
            let is_read = walk.take(&[0.0, logit]) == 1;
            self.read.extend(from.filter(|_| is_read));
        }
        let (links, read) = (first_link..self.links.len(), first_read..self.read.len());
        self.end_token(Output::Anchor { links }, Input::Anchors { read });
    }

    /// v · tanh(W_prev h_j + W_curr h_i).
    fn link(&mut self, layout: &Layout, params: &[f64], from: Option<usize>, token: usize) -> f64 {
        let (n, begin, at) = (self.n_hidden, self.tanhs.len(), layout.links);
        let mut tanhs = std::mem::take(&mut self.tanhs);
        tanhs.resize(begin + n, 0.0);
        let sums = &mut tanhs[begin..];
        add_product(self.h(token), &params[at.current..at.current + n * n], sums);
        if let Some(from) = from {
            add_product(self.h(from), &params[at.previous..at.previous + n * n], sums);
        }
        sums.iter_mut().for_each(|x| *x = libm::tanh(*x));
        let logit = dot(sums, &params[at.v..at.v + n]);
        self.tanhs = tanhs;
        logit
    }

    pub(super) fn backward_anchor(
        &mut self,
        layout: &Layout,
        params: &[f64],
        (token, links): (usize, Range<usize>),
        dlogits: &[f64],
        gradient: &mut [f64],
    ) {
        let (n, at) = (self.n_hidden, layout.links);
        let mut doutputs = std::mem::take(&mut self.doutputs);
        let mut dsums = vec![0.0; n];
        for link in links {
            let tanhs = &self.tanhs[link * n..(link + 1) * n];
            let Link { from, logit } = self.links[link];
            let d = dlogits[logit];
            axpy(d, tanhs, &mut gradient[at.v..at.v + n]);
            for (unit, &tanh) in tanhs.iter().enumerate() {
                dsums[unit] = d * params[at.v + unit] * (1.0 - tanh * tanh);
            }
            for (weights, of) in [(at.current, Some(token)), (at.previous, from)] {
                let Some(of) = of else { continue };
                let (w, dw) = (&params[weights..weights + n * n], &mut gradient[weights..weights + n * n]);
                add_product_backward(self.h(of), w, &dsums, &mut doutputs[of * n..(of + 1) * n], dw);
            }
        }
        self.doutputs = doutputs;
    }
}
