//! Which choices leave a way to a network whose layers fit each other: maps become smaller from layer to layer where there is
//! no border, and a window must not be larger than its map.
//!
//! What the layers do to shapes is looked at once for every combination of the choices that matter. A choice is allowed if
//! some choices of what is still open lead to the end.

use std::collections::{BTreeMap, BTreeSet};

use spec::{DecisionSpec, ParamValue};

use super::shape::{Shape, asks_for_channels, through};
use super::template::{Part, TemplateNode};
use super::{GrammarError, Parts, Place};

/// Combinations of what matters at most, and of these with shapes.
const MAX_COMBINATIONS: usize = 1 << 16;
const MAX_STEPS: usize = 1 << 22;
/// Rows and columns that are tried where nobody says how large pictures are.
const UNKNOWN_SIZE: usize = 64;
/// Numbers of channels that stand for any.
const ANY_CHANNELS: [usize; 2] = [7, 11];

/// Which choices a grammar allows after which.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    places: Vec<Place>,
    depths: Vec<usize>,
    /// What matters of a layer's decisions.
    layer: Combinations,
    /// What matters of the decisions that are taken once.
    single: Combinations,
    /// By shape and combination of a layer: the shape behind it, if the layer fits.
    next: Vec<Vec<Option<u32>>>,
    /// For each combination of the decisions that are taken once.
    ends: Vec<Ends>,
}

/// What lies before and behind the layers.
#[derive(Debug, PartialEq, Eq)]
struct Ends {
    /// The first layer's input, if the stem fits.
    start: Option<u32>,
    /// By number of layers to come and shape: whether there is a way to the end.
    leads: Vec<Vec<bool>>,
}

/// Some decisions, and every combination of their choices.
#[derive(Debug, PartialEq, Eq)]
struct Combinations {
    decisions: Vec<usize>,
    all: Vec<Vec<usize>>,
}

impl Rule {
    /// The rule of a grammar; `None` where all choices lead to networks that fit.
    pub(super) fn new(grammar: &Sizes<'_>) -> Result<Option<Self>, GrammarError> {
        let Sizes { parts, decisions, input, .. } = grammar;
        let nodes = || parts.all().into_iter().flat_map(|part| &part.nodes);
        let asks = nodes().flat_map(|node| &node.variants).any(asks_for_channels);
        let layer = Combinations::of(&[&parts.layer], decisions, asks)?;
        let single = Combinations::of(&[&parts.stem, &parts.head], decisions, asks)?;
        let misfit = grammar.misfit(&layer, &single, asks);
        if misfit.is_some()
            && !asks
            && let Some(node) = grammar.never_fits(&layer, &single)
        {
            return Err(GrammarError::NeverFits { node });
        }
        match (misfit, *input) {
            (None, _) => Ok(None),
            (Some(Misfit { choices, node, size, is_in_stem }), input)
                if grammar.skips && !(is_in_stem && input.is_none()) =>
            {
                Err(GrammarError::SkipSizes { choices, node, size })
            }
            (Some(Misfit { choices, node, size, .. }), None) => {
                Err(GrammarError::InputNeeded { choices, node, size })
            }
            (Some(_), Some(input)) => Self::exact(grammar, layer, single, input, asks),
        }
    }

    fn exact(
        grammar: &Sizes<'_>,
        layer: Combinations,
        single: Combinations,
        input: [usize; 3],
        asks: bool,
    ) -> Result<Option<Self>, GrammarError> {
        let Sizes { parts, depths, places, .. } = grammar;
        let mut shapes = Shapes::default();
        let mut starts = Vec::new();
        for choices in &single.all {
            let stem = through(&parts.stem, &single.variants(&parts.stem, choices), Shape::Map(input), asks);
            starts.push(stem.ok().map(|shape| shapes.position(shape)));
        }
        let deepest = depths.last().copied().unwrap_or(1);
        let next = shapes.explore(&parts.layer, &layer, deepest, asks)?;
        let too_many = deepest.saturating_mul(shapes.all.len()).saturating_mul(starts.len()) > MAX_STEPS;
        if too_many {
            return Err(GrammarError::TooManySizes { max: MAX_STEPS });
        }
        let ends = starts.iter().zip(&single.all).map(|(&start, choices)| {
            let variants = single.variants(&parts.head, choices);
            let fits = |shape: &Shape| through(&parts.head, &variants, *shape, asks).is_ok();
            Ends { start, leads: leads(shapes.all.iter().map(fits).collect(), &next, deepest) }
        });
        let ends: Vec<Ends> = ends.collect();
        let rule = Self { places: places.to_vec(), depths: depths.to_vec(), layer, single, next, ends };
        if !rule.depths.iter().any(|&depth| rule.ends.iter().any(|ends| ends.lead(depth))) {
            let node = grammar.first_misfit(&rule.layer, &rule.single, input, asks);
            return Err(GrammarError::NothingFits { input, node });
        }
        Ok((!rule.allows_all()).then_some(rule))
    }

    /// Whether nothing that can be chosen leads into a blind alley.
    fn allows_all(&self) -> bool {
        let deepest = self.depths.last().copied().unwrap_or(1);
        self.ends.iter().all(|ends| {
            let Some(start) = ends.start else { return false };
            let mut shapes = BTreeSet::from([start]);
            for depth in 1..=deepest {
                let after: Option<BTreeSet<u32>> =
                    shapes.iter().flat_map(|&shape| &self.next[shape as usize]).copied().collect();
                let Some(after) = after else { return false };
                shapes = after;
                let is_end = self.depths.contains(&depth);
                if is_end && !shapes.iter().all(|&shape| ends.leads[0][shape as usize]) {
                    return false;
                }
            }
            true
        })
    }

    /// Whether each choice of dimension `idx` leads to a network that fits after the values of `prefix`, which ends before
    /// it. `None`: all do.
    pub(crate) fn allowed(&self, idx: usize, prefix: &[Option<ParamValue>]) -> Option<Vec<bool>> {
        match *self.places.get(idx)? {
            Place::Depth => {
                let leads = |&depth: &usize| self.ends.iter().any(|ends| ends.lead(depth));
                Some(self.depths.iter().map(leads).collect())
            }
            Place::Skip { .. } => None,
            Place::Layer { layer, decision } => self.allowed_in_layer(layer, decision, prefix),
            Place::Single { decision } => self.allowed_once(decision, prefix),
        }
    }

    fn allowed_in_layer(
        &self,
        layer: usize,
        decision: usize,
        prefix: &[Option<ParamValue>],
    ) -> Option<Vec<bool>> {
        let at = self.layer.decisions.iter().position(|&one| one == decision)?;
        let mut allowed = vec![false; self.layer.n_choices(at)];
        let n_after = self.depth(prefix)?.checked_sub(layer + 1)?;
        let known = self.layer.known(|decision| self.choice(prefix, Place::Layer { layer, decision }));
        for ends in &self.ends {
            let Some(shape) = ends.start.and_then(|start| self.walk(start, layer, prefix)) else { continue };
            for (combination, next) in self.next[shape as usize].iter().enumerate() {
                let choices = &self.layer.all[combination];
                let leads = next.is_some_and(|next| ends.leads[n_after][next as usize]);
                if leads && agree(&known, choices) {
                    allowed[choices[at]] = true;
                }
            }
        }
        Some(allowed)
    }

    fn allowed_once(&self, decision: usize, prefix: &[Option<ParamValue>]) -> Option<Vec<bool>> {
        let at = self.single.decisions.iter().position(|&one| one == decision)?;
        let mut allowed = vec![false; self.single.n_choices(at)];
        let depth = self.depth(prefix)?;
        let known = self.single.known(|decision| self.choice(prefix, Place::Single { decision }));
        for (ends, choices) in self.ends.iter().zip(&self.single.all) {
            let last = ends.start.and_then(|start| self.walk(start, depth, prefix));
            if last.is_some_and(|last| ends.leads[0][last as usize]) && agree(&known, choices) {
                allowed[choices[at]] = true;
            }
        }
        Some(allowed)
    }

    /// The shape behind the first `n` layers.
    fn walk(&self, start: u32, n: usize, prefix: &[Option<ParamValue>]) -> Option<u32> {
        (0..n).try_fold(start, |shape, layer| {
            let known = self.layer.known(|decision| self.choice(prefix, Place::Layer { layer, decision }));
            let combination = self.layer.all.iter().position(|choices| agree(&known, choices))?;
            self.next[shape as usize][combination]
        })
    }

    fn depth(&self, prefix: &[Option<ParamValue>]) -> Option<usize> {
        match self.places.first() {
            Some(Place::Depth) => self.depths.get(self.choice(prefix, Place::Depth)?).copied(),
            _ => self.depths.first().copied(),
        }
    }

    /// What was chosen there, if it was.
    fn choice(&self, prefix: &[Option<ParamValue>], place: Place) -> Option<usize> {
        let idx = self.places.iter().position(|one| *one == place)?;
        match prefix.get(idx) {
            Some(&Some(ParamValue::Category(choice))) => Some(choice),
            _ => None,
        }
    }
}

impl Ends {
    fn lead(&self, depth: usize) -> bool {
        self.start.is_some_and(|start| self.leads[depth][start as usize])
    }
}

/// By number of layers to come and shape, whether some choices lead to the end, from what the head takes.
fn leads(fits_head: Vec<bool>, next: &[Vec<Option<u32>>], deepest: usize) -> Vec<Vec<bool>> {
    let mut leads = vec![fits_head];
    for n in 0..deepest {
        let behind = &leads[n];
        let leads_on = |next: &Option<u32>| next.is_some_and(|next| behind[next as usize]);
        leads.push(next.iter().map(|next| next.iter().any(leads_on)).collect());
    }
    leads
}

fn agree(known: &[Option<usize>], choices: &[usize]) -> bool {
    known.iter().zip(choices).all(|(known, choice)| known.is_none_or(|known| known == *choice))
}

/// All shapes that there are between layers.
#[derive(Default)]
struct Shapes {
    all: Vec<Shape>,
    positions: BTreeMap<Shape, u32>,
}

impl Shapes {
    fn position(&mut self, shape: Shape) -> u32 {
        *self.positions.entry(shape).or_insert_with(|| {
            self.all.push(shape);
            self.all.len() as u32 - 1
        })
    }

    /// What every combination makes of every shape that up to `deepest` layers lead to.
    fn explore(
        &mut self,
        part: &Part,
        layer: &Combinations,
        deepest: usize,
        asks: bool,
    ) -> Result<Vec<Vec<Option<u32>>>, GrammarError> {
        let variants: Vec<Vec<usize>> =
            layer.all.iter().map(|choices| layer.variants(part, choices)).collect();
        let mut next = Vec::new();
        for _ in 0..deepest {
            for idx in next.len()..self.all.len() {
                if next.len().saturating_mul(variants.len()) > MAX_STEPS {
                    return Err(GrammarError::TooManySizes { max: MAX_STEPS });
                }
                let shape = self.all[idx];
                let after = |variants: &Vec<usize>| through(part, variants, shape, asks).ok();
                let found: Vec<Option<Shape>> = variants.iter().map(after).collect();
                next.push(found.into_iter().map(|shape| Some(self.position(shape?))).collect());
            }
        }
        // Behind the last layer of the deepest network comes none.
        next.resize_with(self.all.len(), || vec![None; variants.len()]);
        Ok(next)
    }
}

impl Combinations {
    /// Of the decisions in `parts` whose choices make a difference to shapes.
    fn of(parts: &[&Part], decisions: &[DecisionSpec], asks: bool) -> Result<Self, GrammarError> {
        let nodes = || parts.iter().flat_map(|part| &part.nodes);
        let matters = |idx: &usize| nodes().any(|node| matters(node, *idx, asks));
        let decisions_idx: Vec<usize> = (0..decisions.len()).filter(matters).collect();
        let n_choices: Vec<usize> = decisions_idx.iter().map(|&idx| decisions[idx].choices.len()).collect();
        let n = n_choices.iter().fold(1usize, |n, &one| n.saturating_mul(one));
        if n > MAX_COMBINATIONS {
            return Err(GrammarError::TooManySizes { max: MAX_COMBINATIONS });
        }
        let digits = |mut rest: usize| {
            let mut digits = vec![0; n_choices.len()];
            for (digit, &n) in digits.iter_mut().zip(&n_choices).rev() {
                (*digit, rest) = (rest % n, rest / n);
            }
            digits
        };
        Ok(Self { decisions: decisions_idx, all: (0..n).map(digits).collect() })
    }

    fn n_choices(&self, at: usize) -> usize {
        self.all.last().map_or(0, |choices| choices[at] + 1)
    }

    /// The variant of each node of a part; what makes no difference is its first choice.
    fn variants(&self, part: &Part, choices: &[usize]) -> Vec<usize> {
        let variant = |node: &TemplateNode| {
            let choice =
                |idx: usize| self.decisions.iter().position(|&one| one == idx).map_or(0, |at| choices[at]);
            node.decisions.iter().fold(0, |variant, &(idx, n)| variant * n + choice(idx))
        };
        part.nodes.iter().map(variant).collect()
    }

    fn known(&self, choice: impl Fn(usize) -> Option<usize>) -> Vec<Option<usize>> {
        self.decisions.iter().map(|&decision| choice(decision)).collect()
    }

    fn show(&self, choices: &[usize], decisions: &[DecisionSpec]) -> String {
        let shown = self.decisions.iter().zip(choices).map(|(&idx, &choice)| {
            let DecisionSpec { name, choices } = &decisions[idx];
            format!("{name} = {}", choices[choice].category)
        });
        let shown: Vec<String> = shown.collect();
        if shown.is_empty() { "any choices".into() } else { shown.join(", ") }
    }
}

/// Whether some choices of a decision differ in what a node does to shapes.
fn matters(node: &TemplateNode, decision: usize, asks: bool) -> bool {
    let Some(at) = node.decisions.iter().position(|&(idx, _)| idx == decision) else { return false };
    let behind: usize = node.decisions[at + 1..].iter().map(|&(_, n)| n).product();
    let keys: Vec<String> = node.variants.iter().map(|layer| shape_key(layer, asks)).collect();
    let differs = |variant: usize| {
        let digit = variant / behind % node.decisions[at].1;
        keys[variant] != keys[variant - digit * behind]
    };
    (0..keys.len()).any(differs)
}

/// The same for layers that do the same to shapes.
fn shape_key(layer: &spec::LayerSpec, asks: bool) -> String {
    use spec::LayerSpec as L;
    match layer {
        L::Conv2d(conv) if !asks => {
            let spec::Conv2dSpec { kernel, stride, padding, dilation, .. } = conv;
            format!("conv2d {kernel} {stride} {padding} {dilation}")
        }
        L::Conv2d(conv) => format!("{:?}", spec::Conv2dSpec { bias: true, ..conv.clone() }),
        L::Linear(_) if !asks => "linear".into(),
        L::MaxPool2d(pool) | L::AvgPool2d(pool) => format!("{pool:?}"),
        L::BatchNorm2d(_) | L::SpatialDropout(_) | L::SqueezeExcite(_) => "map".into(),
        L::LayerNorm(_) | L::Dropout(_) | L::Relu | L::LeakyRelu(_) | L::Sigmoid | L::Tanh => "any".into(),
        L::ScaledTanh(_) | L::Gelu | L::Silu | L::HardSwish => "any".into(),
        other => format!("{other:?}"),
    }
}

/// What a rule is made from.
pub(super) struct Sizes<'a> {
    pub(super) parts: &'a Parts,
    pub(super) decisions: &'a [DecisionSpec],
    pub(super) depths: &'a [usize],
    pub(super) places: &'a [Place],
    pub(super) input: Option<[usize; 3]>,
    pub(super) skips: bool,
}

/// A node that does not take maps of all sizes.
struct Misfit {
    choices: String,
    node: String,
    size: usize,
    /// Which takes pictures of one size alone.
    is_in_stem: bool,
}

impl Sizes<'_> {
    /// Something that does not take maps of all sizes; with skips, also what makes one larger.
    fn misfit(&self, layer: &Combinations, single: &Combinations, asks: bool) -> Option<Misfit> {
        let Parts { stem, layer: template, head } = self.parts;
        let largest = self.input.map_or(UNKNOWN_SIZE, |[_, h, w]| h.max(w));
        if asks && !self.skips {
            // Numbers of channels are looked at one by one.
            let (choices, node) = ("any choices".into(), self.asking());
            return Some(Misfit { choices, node, size: largest, is_in_stem: false });
        }
        for (size, c) in (1..=largest).flat_map(|size| ANY_CHANNELS.map(|c| (size, c))) {
            let map = Shape::Map([c, size, size]);
            let picture = self.input.map_or(map, Shape::Map);
            let most = if self.skips { size } else { usize::MAX };
            let in_stem = self.part_misfit(stem, single, (picture, asks), usize::MAX);
            let is_in_stem = in_stem.is_some();
            let misfit = in_stem
                .or_else(|| self.part_misfit(template, layer, (map, asks), most))
                .or_else(|| self.part_misfit(head, single, (map, asks), usize::MAX));
            if let Some((choices, node)) = misfit {
                return Some(Misfit { choices, node, size, is_in_stem });
            }
        }
        None
    }

    /// A node to blame for a part that fits maps of no size, whatever is chosen; nobody asks for channels.
    fn never_fits(&self, layer: &Combinations, single: &Combinations) -> Option<String> {
        let Parts { stem, layer: template, head } = self.parts;
        [(stem, single), (template, layer), (head, single)].into_iter().find_map(|(part, combinations)| {
            let mut nodes = combinations.all.iter().flat_map(|choices| {
                let variants = combinations.variants(part, choices);
                (1..=UNKNOWN_SIZE).rev().map(move |size| {
                    self.node_misfit(part, &variants, (Shape::Map([1, size, size]), false), usize::MAX)
                })
            });
            let first = nodes.next()??;
            nodes.all(|node| node.is_some()).then(|| part.nodes[first].label(part))
        })
    }

    /// The choices with which a part does not make a map of at most so many rows and columns of another, and the node.
    fn part_misfit(
        &self,
        part: &Part,
        combinations: &Combinations,
        (input, asks): (Shape, bool),
        most: usize,
    ) -> Option<(String, String)> {
        combinations.all.iter().find_map(|choices| {
            let variants = combinations.variants(part, choices);
            let node = self.node_misfit(part, &variants, (input, asks), most)?;
            Some((combinations.show(choices, self.decisions), part.nodes[node].label(part)))
        })
    }

    /// The node of a part that is to blame where it does not make such a map, or in the head numbers in a row.
    fn node_misfit(
        &self,
        part: &Part,
        variants: &[usize],
        (input, asks): (Shape, bool),
        most: usize,
    ) -> Option<usize> {
        let last = part.nodes.len().checked_sub(1)?;
        let is_head = part.key == self.parts.head.key;
        match through(part, variants, input, asks) {
            Ok(Shape::Map([_, h, w])) if h <= most && w <= most => None,
            Ok(Shape::Flat(_)) if is_head => None,
            Ok(_) => Some(last),
            Err(node) => Some(node),
        }
    }

    /// A node that asks for a number of channels.
    fn asking(&self) -> String {
        let asks = |node: &&TemplateNode| node.variants.iter().any(asks_for_channels);
        let found = |part: &Part| Some(part.nodes.iter().find(asks)?.label(part));
        self.parts.all().into_iter().find_map(found).unwrap_or_default()
    }

    /// The node that does not fit in the shallowest network of first choices.
    fn first_misfit(
        &self,
        layer: &Combinations,
        single: &Combinations,
        input: [usize; 3],
        asks: bool,
    ) -> String {
        let Parts { stem, layer: template, head } = self.parts;
        let depth = self.depths.first().copied().unwrap_or(1);
        let parts =
            [(stem, single)].into_iter().chain(vec![(template, layer); depth]).chain([(head, single)]);
        let mut shape = Shape::Map(input);
        for (part, combinations) in parts {
            match through(part, &combinations.variants(part, &combinations.all[0]), shape, asks) {
                Ok(next) => shape = next,
                Err(node) => return part.nodes[node].label(part),
            }
        }
        String::new()
    }
}
