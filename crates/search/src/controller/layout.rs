//! Where a controller's parameters lie in one vector, and the order of its steps.

use crate::reinforce::Decisions;

/// The shape of a controller. Letters: H hidden units, which are also the numbers of an input.
pub(super) struct Layout {
    pub(super) n_hidden: usize,
    pub(super) n_params: usize,
    /// The first input, H.
    pub(super) start: usize,
    pub(super) cells: Vec<Cell>,
    /// By kind of decision; skips have none of use.
    pub(super) heads: Vec<Head>,
    pub(super) links: LinkWeights,
    pub(super) steps: Vec<Step>,
    /// One more than the highest layer of an anchor point.
    pub(super) n_anchors: usize,
}

/// Where an LSTM layer's parameters begin.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    /// `[2 H][4 H]`: by input, then by unit the input, forget, cell and output gates. The first H inputs are
    /// the layer's, the others its own previous outputs.
    pub(super) weights: usize,
    /// `[4 H]`.
    pub(super) bias: usize,
}

/// Where the parameters of a kind of decision begin.
#[derive(Clone, Copy)]
pub(super) struct Head {
    /// How many categories there are.
    pub(super) n: usize,
    /// Its position among the heads.
    pub(super) head: usize,
    /// `[n][H]`.
    pub(super) weights: usize,
    /// `[n]`.
    pub(super) bias: usize,
    /// `[n][H]`: what is fed back.
    pub(super) embeddings: usize,
}

/// Where the parameters of the anchor points begin.
#[derive(Clone, Copy)]
pub(super) struct LinkWeights {
    /// `[H][H]`, by input, then by output.
    pub(super) previous: usize,
    /// `[H][H]`, by input, then by output.
    pub(super) current: usize,
    /// `[H]`.
    pub(super) v: usize,
}

/// What may be done next.
pub(super) enum Step {
    /// One dimension, from a softmax.
    Decision { head: usize },
    /// An anchor point: one dimension for each of these earlier layers, whose outputs are read or not.
    Anchor { layer: usize, links: Vec<usize> },
}

impl Layout {
    pub(super) fn new(decisions: &Decisions, n_hidden: usize, n_cells: usize) -> Self {
        let mut n_params = 0;
        let mut place = |n: usize| {
            n_params += n;
            n_params - n
        };
        let h = n_hidden;
        let start = place(h);
        let cells = (0..n_cells).map(|_| Cell { weights: place(8 * h * h), bias: place(4 * h) }).collect();
        let first_of = |kind| (0..decisions.len()).find(|&dim| decisions.kind(dim) == kind);
        let heads = (0..decisions.names().len()).map(|kind| {
            let dim = first_of(kind).expect("a kind is some dimension's");
            let n = if decisions.skip(dim).is_some() { 0 } else { decisions.n_categories(dim) };
            Head { n, head: kind, weights: place(n * h), bias: place(n), embeddings: place(n * h) }
        });
        let heads = heads.collect();
        let (steps, n_anchors) = (steps(decisions), n_anchors(decisions));
        let linked = if n_anchors > 0 { h } else { 0 };
        let links = LinkWeights { previous: place(linked * h), current: place(linked * h), v: place(linked) };
        Self { n_hidden, n_params, start, cells, heads, links, steps, n_anchors }
    }
}

/// One more than the highest layer that reads others; 0 where there are no skips.
fn n_anchors(decisions: &Decisions) -> usize {
    let layers = (0..decisions.len()).filter_map(|dim| decisions.skip(dim)).map(|(layer, _)| layer + 1);
    layers.max().unwrap_or(0)
}

/// The dimensions in their order, the skips of a layer as its anchor point. A layer that only others read has
/// an anchor point without skips: the first one before its first decision, others before whoever may read
/// them.
fn steps(decisions: &Decisions) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut has_anchor = vec![false; n_anchors(decisions)];
    for dim in 0..decisions.len() {
        let Some((layer, from)) = decisions.skip(dim) else {
            if decisions.layer(dim) == Some(0) && has_anchor.first() == Some(&false) {
                steps.push(Step::Anchor { layer: 0, links: Vec::new() });
                has_anchor[0] = true;
            }
            steps.push(Step::Decision { head: decisions.kind(dim) });
            continue;
        };
        if !has_anchor[from] {
            steps.push(Step::Anchor { layer: from, links: Vec::new() });
            has_anchor[from] = true;
        }
        match steps.last_mut() {
            Some(Step::Anchor { layer: last, links }) if *last == layer => links.push(from),
            _ => steps.push(Step::Anchor { layer, links: vec![from] }),
        }
        has_anchor[layer] = true;
    }
    steps
}
