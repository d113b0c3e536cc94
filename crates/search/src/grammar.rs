//! A space of networks (Zoph & Le 2016): a stem, layers that all follow one template with decisions in it, and a head; with
//! skips each layer also decides which earlier ones it reads (section 3.3).
//!
//! [`Grammar::decode`] and [`Grammar::encode`] are inverse to each other, but for the names of nodes. What does not fit
//! together cannot be chosen: [`Grammar::rule`].

mod decode;
mod encode;
mod error;
mod rule;
mod shape;
mod template;

use std::sync::Arc;

use spec::{Assignment, Category, DecisionSpec, Domain, GrammarSpec, MAX_NODES, NetworkSpec, ParamValue};

use crate::{Condition, Dimension, Role};

pub use error::{GrammarError, OutsideError};
pub use rule::Rule;

use rule::Sizes;
use template::{Part, choices_fault};

/// Classes that `$classes` stands for as long as nobody says how many there are.
const SOME_CLASSES: usize = 10;

/// What a network stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Shape of one sample: channels, rows, columns.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
}

impl Default for Frame {
    /// Fashion-MNIST's.
    fn default() -> Self {
        Self { input: [1, 28, 28], classes: SOME_CLASSES }
    }
}

/// A space of networks.
#[derive(Clone, Debug)]
pub struct Grammar {
    input: Option<[usize; 3]>,
    classes: Option<usize>,
    depths: Vec<usize>,
    skips: bool,
    parts: Parts,
    decisions: Vec<DecisionSpec>,
    dimensions: Vec<Dimension>,
    /// What each dimension decides.
    places: Vec<Place>,
    rule: Option<Arc<Rule>>,
}

/// The nodes of all networks.
#[derive(Clone, Debug)]
struct Parts {
    stem: Part,
    layer: Part,
    head: Part,
}

/// What a dimension decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Depth,
    Skip { layer: usize, from: usize },
    Layer { layer: usize, decision: usize },
    Single { decision: usize },
}

/// What was decided, each decision as the position of a choice; 0 for decisions that stand elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choices {
    /// By layer and decision.
    layers: Vec<Vec<usize>>,
    /// By layer: the earlier layers that it reads, ascending.
    reads: Vec<Vec<usize>>,
    single: Vec<usize>,
}

impl Grammar {
    /// Checks all that the file says; the error names the decision or the node.
    pub fn new(spec: &GrammarSpec) -> Result<Self, GrammarError> {
        let GrammarSpec { input, classes, layers, skips, stem, layer, head, decisions } = spec;
        let depths = layers.0.clone();
        let is_ascending = depths.windows(2).all(|pair| pair[0] < pair[1]);
        if depths.first().is_none_or(|&first| first == 0) || !is_ascending {
            return Err(GrammarError::Depths { depths });
        }
        check_decisions(decisions)?;
        let n_classes = classes.unwrap_or(SOME_CLASSES);
        let read = |key, nodes| Part::read(key, nodes, decisions, n_classes);
        let parts =
            Parts { stem: read("stem", stem)?, layer: read("layer", layer)?, head: read("head", head)? };
        parts.check_size(&depths)?;
        let mut grammar = Self {
            input: *input,
            classes: *classes,
            depths,
            skips: *skips,
            parts,
            decisions: decisions.clone(),
            dimensions: Vec::new(),
            places: Vec::new(),
            rule: None,
        };
        grammar.lay_out()?;
        grammar.rule = Rule::new(&Sizes {
            parts: &grammar.parts,
            decisions,
            depths: &grammar.depths,
            places: &grammar.places,
            input: *input,
            skips: *skips,
        })?
        .map(Arc::new);
        grammar.check_names()?;
        Ok(grammar)
    }

    /// What is decided, in this order: `layers`, if there are several depths; for layer i = 0, 1, …, with skips, `i.from.j`
    /// for each earlier layer j, then `i.NAME` for each decision of layers; the others by their own names.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Which choices lead to networks that fit, for [`crate::Space::with_rule`]; `None`: all do.
    pub fn rule(&self) -> Option<Arc<Rule>> {
        self.rule.clone()
    }

    /// The frame of the networks for data of that frame: what the grammar itself says counts.
    pub fn frame(&self, data: Frame) -> Frame {
        Frame { input: self.input.unwrap_or(data.input), classes: self.classes.unwrap_or(data.classes) }
    }

    /// The network that values stand for; others than the grammar's are ignored.
    pub fn decode(&self, values: &Assignment, data: Frame) -> Result<NetworkSpec, GrammarError> {
        let choices = self.choices(|idx, name| {
            let n = self.n_choices(idx);
            match values.get(name) {
                Some(&ParamValue::Category(choice)) if choice < n => Ok(choice),
                _ => Err(GrammarError::NoValue { name: name.into() }),
            }
        })?;
        Ok(self.assemble(&choices, self.frame(data)))
    }

    /// The values that stand for a network for data of that frame, whatever it and its nodes are called. The error says which
    /// node lies outside of the space, and why. Its nodes must come in the order of the grammar.
    pub fn encode(&self, network: &NetworkSpec, data: Frame) -> Result<Assignment, OutsideError> {
        let choices = self.read(network, self.frame(data))?;
        let depth = choices.layers.len();
        let value = |(place, dimension): (&Place, &Dimension)| {
            let choice = match *place {
                Place::Depth => self.depths.iter().position(|&one| one == depth)?,
                Place::Skip { layer, from } => usize::from(choices.reads.get(layer)?.contains(&from)),
                Place::Layer { layer, decision } => choices.layers.get(layer)?[decision],
                Place::Single { decision } => choices.single[decision],
            };
            Some((dimension.name.clone(), ParamValue::Category(choice)))
        };
        Ok(self.places.iter().zip(&self.dimensions).filter_map(value).collect())
    }

    /// All that is decided; `choice` is asked, in order, for each dimension that exists.
    fn choices<E>(&self, mut choice: impl FnMut(usize, &str) -> Result<usize, E>) -> Result<Choices, E> {
        let n_decisions = self.decisions.len();
        let mut depth = self.depths[0];
        let mut choices = Choices { layers: Vec::new(), reads: Vec::new(), single: vec![0; n_decisions] };
        let set_depth = |choices: &mut Choices, n: usize| {
            choices.layers = vec![vec![0; n_decisions]; n];
            choices.reads = vec![Vec::new(); n];
        };
        set_depth(&mut choices, depth);
        for (idx, (place, dimension)) in self.places.iter().zip(&self.dimensions).enumerate() {
            match *place {
                Place::Depth => {
                    depth = self.depths[choice(idx, &dimension.name)?];
                    set_depth(&mut choices, depth);
                }
                Place::Skip { layer, .. } | Place::Layer { layer, .. } if layer >= depth => {}
                Place::Skip { layer, from } => {
                    if choice(idx, &dimension.name)? == 1 {
                        choices.reads[layer].push(from);
                    }
                }
                Place::Layer { layer, decision } => {
                    choices.layers[layer][decision] = choice(idx, &dimension.name)?;
                }
                Place::Single { decision } => choices.single[decision] = choice(idx, &dimension.name)?,
            }
        }
        Ok(choices)
    }

    fn n_choices(&self, idx: usize) -> usize {
        match &self.dimensions[idx].domain {
            Domain::Categorical(all) => all.len(),
            _ => 0,
        }
    }
}

impl Grammar {
    /// The dimensions and what each decides.
    fn lay_out(&mut self) -> Result<(), GrammarError> {
        let (of_layers, of_once) = self.parts.uses(&self.decisions)?;
        if self.depths.len() > 1 {
            let depths = self.depths.iter().map(|&depth| Category::Int(depth as i64)).collect();
            let dimension = Dimension::new("layers", Domain::Categorical(depths));
            self.push(Place::Depth, Dimension { role: Role::Depth, ..dimension });
        }
        for layer in 0..self.depths.last().copied().unwrap_or(0) {
            let conditions = self.exists(layer);
            for from in 0..if self.skips { layer } else { 0 } {
                let domain = Domain::Categorical(vec![Category::Bool(false), Category::Bool(true)]);
                let dimension = Dimension::new(&format!("{layer}.from.{from}"), domain);
                let (conditions, role) = (conditions.clone(), Role::Skip { layer, from });
                self.push(Place::Skip { layer, from }, Dimension { conditions, role, ..dimension });
            }
            for &decision in &of_layers {
                let kind = self.decisions[decision].name.clone();
                let dimension = Dimension::new(&format!("{layer}.{kind}"), self.domain(decision));
                let (conditions, role) = (conditions.clone(), Role::Layer { kind, layer });
                self.push(Place::Layer { layer, decision }, Dimension { conditions, role, ..dimension });
            }
        }
        for &decision in &of_once {
            let dimension = Dimension::new(&self.decisions[decision].name, self.domain(decision));
            self.push(Place::Single { decision }, dimension);
        }
        crate::Space::new(self.dimensions.clone())?;
        Ok(())
    }

    fn push(&mut self, place: Place, dimension: Dimension) {
        self.places.push(place);
        self.dimensions.push(dimension);
    }

    /// Under what a layer exists.
    fn exists(&self, layer: usize) -> Vec<Condition> {
        let deep = |(_, depth): &(usize, &usize)| **depth > layer;
        let categories: Vec<usize> =
            self.depths.iter().enumerate().filter(deep).map(|(category, _)| category).collect();
        match categories.len() < self.depths.len() {
            true => vec![Condition { dimension: 0, categories }],
            false => Vec::new(),
        }
    }

    fn domain(&self, decision: usize) -> Domain {
        Domain::Categorical(self.decisions[decision].choices.iter().map(|one| one.category.clone()).collect())
    }

    /// Names of nodes must not meet; they hang on nothing but depth and skips.
    fn check_names(&self) -> Result<(), GrammarError> {
        for skips in [0, 1] {
            let deepest = self.depths.len() - 1;
            let chosen = self.choices(|idx, _| {
                Ok::<_, GrammarError>(match self.places[idx] {
                    Place::Depth => deepest,
                    Place::Skip { .. } => skips,
                    _ => 0,
                })
            })?;
            self.assemble(&chosen, self.frame(Frame::default())).validate()?;
        }
        Ok(())
    }
}

impl Choices {
    /// The layers whose output nobody reads.
    fn unread(&self, skips: bool) -> Vec<usize> {
        let n = self.layers.len();
        match skips {
            true => (0..n).filter(|layer| !self.reads.iter().flatten().any(|read| read == layer)).collect(),
            false => (0..n).rev().take(1).collect(),
        }
    }
}

impl Parts {
    fn all(&self) -> [&Part; 3] {
        [&self.stem, &self.layer, &self.head]
    }

    fn check_size(&self, depths: &[usize]) -> Result<(), GrammarError> {
        if self.layer.nodes.is_empty() {
            return Err(GrammarError::NoLayer);
        }
        let layers = depths.last().copied().unwrap_or(1);
        let ends = self.stem.nodes.len() + self.head.nodes.len() + 1;
        let n = layers.saturating_mul(self.layer.nodes.len() + 1).saturating_add(ends);
        match n <= MAX_NODES {
            true => Ok(()),
            false => Err(GrammarError::TooManyNodes { layers, n, max: MAX_NODES }),
        }
    }

    /// The decisions that are taken for each layer, and those that are taken once.
    fn uses(&self, decisions: &[DecisionSpec]) -> Result<(Vec<usize>, Vec<usize>), GrammarError> {
        let stands_in = |part: &Part, idx: usize| {
            part.nodes.iter().any(|node| node.decisions.iter().any(|&(decision, _)| decision == idx))
        };
        let (mut of_layers, mut of_once) = (Vec::new(), Vec::new());
        for (idx, DecisionSpec { name, .. }) in decisions.iter().enumerate() {
            let once = [&self.stem, &self.head].into_iter().find(|part| stands_in(part, idx));
            match (stands_in(&self.layer, idx), once) {
                (true, None) => of_layers.push(idx),
                (false, Some(_)) => of_once.push(idx),
                (true, Some(part)) => {
                    return Err(GrammarError::TwoPlaces { name: name.clone(), part: part.key });
                }
                (false, None) => {
                    let reason = format!("`\"${name}\"` stands in no node");
                    return Err(GrammarError::Decision { name: name.clone(), reason });
                }
            }
        }
        Ok((of_layers, of_once))
    }
}

fn check_decisions(decisions: &[DecisionSpec]) -> Result<(), GrammarError> {
    for (idx, decision) in decisions.iter().enumerate() {
        let twice = decisions[..idx].iter().any(|earlier| earlier.name == decision.name);
        let fault = if twice { Some("there are two of that name".into()) } else { choices_fault(decision) };
        if let Some(reason) = fault {
            return Err(GrammarError::Decision { name: decision.name.clone(), reason });
        }
    }
    Ok(())
}
