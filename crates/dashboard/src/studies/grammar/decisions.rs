//! What the grammar's decisions were in each trial.

use std::collections::BTreeMap;

use serde::Serialize;
use spec::{Category, Domain, GrammarSpec, ParamValue, TrialRecord, TrialState};

/// The dimension that says how many layers there are.
pub(crate) const DEPTH: &str = "layers";
/// Stands between the layer and the earlier layer that it reads, in the name of a skip: `2.from.0`.
const FROM: &str = "from.";
/// What skips are called together.
const SKIPS: &str = "skips";

/// All that was decided in a search.
pub(crate) struct Decisions<'a> {
    /// Only those that some trial took.
    pub(crate) kinds: Vec<Kind>,
    /// The trials that were begun, in the order of their numbers.
    pub(crate) children: Vec<Child<'a>>,
}

/// Decisions that are taken alike, for several layers or once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) role: KindRole,
    pub(crate) choices: Vec<Category>,
    /// Layers for which it was taken; 0 where it is taken once.
    pub(crate) n_layers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindRole {
    Depth,
    Skip,
    Layer,
    Single,
}

/// A trial with its network's decisions.
pub(crate) struct Child<'a> {
    pub(crate) trial: &'a TrialRecord,
    /// In the order of the parameters' names, so that equal networks have equal lists.
    pub(crate) taken: Vec<Taken>,
}

/// One decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Taken {
    /// Position in [`Decisions::kinds`].
    pub(crate) kind: usize,
    /// From 0; `None` for what is decided once.
    pub(crate) layer: Option<usize>,
    /// The earlier layer of a skip.
    pub(crate) from: Option<usize>,
    /// Position in [`Kind::choices`].
    pub(crate) choice: usize,
}

/// What a parameter decides: kind, layer, earlier layer.
type Place = (usize, Option<usize>, Option<usize>);

impl<'a> Decisions<'a> {
    /// Of a grammar whose trials these are; parameters that are not its own are left out.
    pub(crate) fn new(grammar: &GrammarSpec, trials: &'a [TrialRecord]) -> Self {
        let mut kinds = kinds(grammar);
        let mut places: BTreeMap<&str, Option<Place>> = BTreeMap::new();
        let mut children = Vec::new();
        for trial in trials.iter().filter(|trial| trial.state != TrialState::Waiting) {
            let mut taken = Vec::with_capacity(trial.params.len());
            for (name, param) in &trial.params {
                let place = places.entry(name).or_insert_with(|| place(name, grammar, &kinds));
                let (Some((kind, layer, from)), Domain::Categorical(all), ParamValue::Category(idx)) =
                    (*place, &param.domain, param.value)
                else {
                    continue;
                };
                kinds[kind].n_layers = kinds[kind].n_layers.max(layer.map_or(0, |layer| layer + 1));
                taken.extend(kinds[kind].position(all, idx).map(|choice| Taken {
                    kind,
                    layer,
                    from,
                    choice,
                }));
            }
            children.push(Child { trial, taken });
        }
        Self { kinds, children }
    }

    /// Layers of the deepest network.
    pub(crate) fn n_layers(&self) -> usize {
        self.kinds.iter().map(|kind| kind.n_layers).max().unwrap_or(0)
    }
}

impl Kind {
    fn new(name: &str, role: KindRole) -> Self {
        Self { name: name.into(), role, choices: Vec::new(), n_layers: 0 }
    }

    /// Where a choice stands among all; trials of other programs may have them in another order.
    fn position(&mut self, all: &[Category], idx: usize) -> Option<usize> {
        let chosen = all.get(idx)?;
        if self.choices.get(idx) == Some(chosen) {
            return Some(idx);
        }
        for one in all {
            if !self.choices.contains(one) {
                self.choices.push(one.clone());
            }
        }
        self.choices.iter().position(|one| one == chosen)
    }
}

fn kinds(grammar: &GrammarSpec) -> Vec<Kind> {
    let depth = [Kind::new(DEPTH, KindRole::Depth)];
    let skips = [Kind::new(SKIPS, KindRole::Skip)];
    let own = grammar.decisions.iter().map(|decision| Kind::new(&decision.name, KindRole::Layer));
    depth.into_iter().chain(skips).chain(own).collect()
}

/// From the parameter's name: `layers`, `2.from.0`, `2.filter_height`, or the bare name of what is decided once.
fn place(name: &str, grammar: &GrammarSpec, kinds: &[Kind]) -> Option<Place> {
    let own = |name: &str| kinds.iter().skip(2).position(|kind| kind.name == name).map(|at| at + 2);
    if name == DEPTH && grammar.layers.0.len() > 1 {
        return Some((0, None, None));
    }
    if let Some(kind) = own(name) {
        return Some((kind, None, None));
    }
    let (layer, rest) = name.split_once('.')?;
    let layer = layer.parse().ok()?;
    match rest.strip_prefix(FROM) {
        Some(from) => Some((1, Some(layer), Some(from.parse().ok()?))),
        None => Some((own(rest)?, Some(layer), None)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::studies::made_up::{category, complete, float};
    use spec::StudySpec;

    /// Two decisions for each of up to three layers with skips, and one that is taken once.
    pub(crate) fn grammar() -> GrammarSpec {
        let text = r#"
            version = 1
            name = "s"
            objectives = ["validation_accuracy"]
            sampler = "random"
            budget = { trials = 10 }
            run = { epochs = 1 }
            [grammar]
            layers = [2, 3]
            skips = true
            layer = [{ name = "conv", layer = { conv2d = { out_channels = "$filters", kernel = "$size" } } }]
            head = [{ name = "fc", layer = { linear = { out_features = "$classes" } } }]
            decision = [
                { name = "size", choices = [1, 3] },
                { name = "filters", choices = [8, 16] },
                { name = "act", choices = ["relu", "tanh"] },
            ]
        "#;
        StudySpec::from_toml(text).unwrap().grammar.unwrap()
    }

    #[test]
    fn decisions_are_told_by_the_names_of_parameters() {
        let mut trials = [complete(0, &[0.5]), complete(1, &[0.6]), complete(2, &[0.7])];
        trials[0].params = [
            category("layers", 1, &["2", "3"]),
            category("0.size", 0, &["1", "3"]),
            category("2.size", 1, &["1", "3"]),
            category("2.from.1", 1, &["no", "yes"]),
            category("act", 1, &["relu", "tanh"]),
            category("7.other", 0, &["a"]),
            float("rate", 0.1, (0.0, 1.0, false)),
        ]
        .into();
        // The same choices in another order.
        trials[1].params = [category("0.size", 0, &["3", "1"])].into();
        trials[2].state = TrialState::Waiting;
        let found = Decisions::new(&grammar(), &trials);
        let names: Vec<_> = found.kinds.iter().map(|kind| (&kind.name[..], kind.n_layers)).collect();
        assert_eq!(names, [("layers", 0), ("skips", 3), ("size", 3), ("filters", 0), ("act", 0)]);
        let taken = |kind, layer, from, choice| Taken { kind, layer, from, choice };
        assert_eq!(found.children.len(), 2);
        assert_eq!(
            found.children[0].taken,
            [
                taken(2, Some(0), None, 0),
                taken(1, Some(2), Some(1), 1),
                taken(2, Some(2), None, 1),
                taken(4, None, None, 1),
                taken(0, None, None, 1)
            ]
        );
        assert_eq!(found.children[1].taken, [taken(2, Some(0), None, 1)]);
        assert_eq!(found.n_layers(), 3);
    }
}
