//! Nodes with decisions in them: what every combination of choices makes of each.

use serde::Deserialize;
use spec::{ChoiceSpec, DecisionSpec, LayerSpec, MergeSpec, NetworkSpec, NodeSpec};
use toml::{Table, Value};

use super::GrammarError;

/// Combinations of choices of one node at most.
const MAX_VARIANTS: usize = 1 << 14;
/// Begins the name of a decision in a node.
const MARK: char = '$';
/// Stands for the number of classes.
pub(super) const CLASSES: &str = "classes";

/// The nodes of a stem, of one layer or of a head.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its key in the file.
    pub(super) key: &'static str,
    pub(super) nodes: Vec<TemplateNode>,
}

/// A node with all that its decisions can make of it.
#[derive(Clone, Debug)]
pub(super) struct TemplateNode {
    /// Its name in the part, where it has none its position.
    pub(super) name: String,
    /// The nodes of the part that it reads, by position; `None` is the part's input.
    pub(super) inputs: Vec<Option<usize>>,
    /// Positions of its decisions, ascending, and how many choices each has.
    pub(super) decisions: Vec<(usize, usize)>,
    /// The layer for each combination of choices; the last decision varies fastest.
    pub(super) variants: Vec<LayerSpec>,
    /// As in the file, where the number of classes stands in it.
    of_classes: Option<(Value, Vec<DecisionSpec>)>,
}

/// As in a network file, but the layer may hold decisions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    name: Option<String>,
    inputs: Option<Vec<String>>,
    layer: Value,
}

impl Part {
    /// Reads the nodes. `n_classes` stands for `$classes` as long as nobody says otherwise.
    pub(super) fn read(
        key: &'static str,
        tables: &[Table],
        decisions: &[DecisionSpec],
        n_classes: usize,
    ) -> Result<Self, GrammarError> {
        let mut part = Self { key, nodes: Vec::new() };
        for table in tables {
            let node = part.node(table, decisions, n_classes)?;
            part.nodes.push(node);
        }
        Ok(part)
    }

    fn node(
        &self,
        table: &Table,
        decisions: &[DecisionSpec],
        n_classes: usize,
    ) -> Result<TemplateNode, GrammarError> {
        let position = self.nodes.len().to_string();
        let called = table.get("name").and_then(Value::as_str).unwrap_or(&position).to_owned();
        let fault = |reason: String| self.fault(&called, reason);
        let raw: RawNode =
            table.clone().try_into().map_err(|error: toml::de::Error| fault(one_line(&error)))?;
        let name = raw.name.unwrap_or(position);
        if name == "input" || self.nodes.iter().any(|node| node.name == name) {
            return Err(fault("its name is taken".into()));
        }
        let inputs = match &raw.inputs {
            None => vec![self.nodes.len().checked_sub(1)],
            Some(names) => names.iter().map(|input| self.input(&called, input)).collect::<Result<_, _>>()?,
        };
        let mut node = TemplateNode { name, inputs, decisions: vec![], variants: vec![], of_classes: None };
        let marks = self.marks(&node.name, &raw.layer, decisions)?;
        node.decisions = marks.iter().map(|&idx| (idx, decisions[idx].choices.len())).collect();
        node.variants = self.variants(&node, &raw.layer, decisions, n_classes)?;
        if has_mark(&raw.layer, CLASSES) {
            node.of_classes = Some((raw.layer, decisions.to_vec()));
        }
        self.check_distinct(&node, decisions)?;
        Ok(node)
    }

    fn input(&self, node: &str, input: &str) -> Result<Option<usize>, GrammarError> {
        if input == "input" {
            return Ok(None);
        }
        let found = self.nodes.iter().position(|earlier| earlier.name == input);
        let reason =
            || format!("`inputs` names `{input}`, but no earlier node of `{}` is called so", self.key);
        found.map(Some).ok_or_else(|| self.fault(node, reason()))
    }

    /// The decisions that stand in a layer, ascending.
    fn marks(
        &self,
        node: &str,
        layer: &Value,
        decisions: &[DecisionSpec],
    ) -> Result<Vec<usize>, GrammarError> {
        let mut names = Vec::new();
        collect_marks(layer, &mut names);
        names.retain(|name| *name != CLASSES);
        let position = |name: &&str| decisions.iter().position(|decision| decision.name == **name);
        if let Some(unknown) = names.iter().find(|name| position(name).is_none()) {
            let known: Vec<String> =
                decisions.iter().map(|decision| format!("`${}`", decision.name)).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            let (part, node, name) = (self.key, node.into(), (*unknown).into());
            return Err(GrammarError::Unknown { part, node, name, known });
        }
        let mut found: Vec<usize> = names.iter().filter_map(position).collect();
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn variants(
        &self,
        node: &TemplateNode,
        layer: &Value,
        decisions: &[DecisionSpec],
        n_classes: usize,
    ) -> Result<Vec<LayerSpec>, GrammarError> {
        let n = node.decisions.iter().fold(1usize, |n, &(_, n_choices)| n.saturating_mul(n_choices));
        if n > MAX_VARIANTS {
            let (part, node) = (self.key, node.name.clone());
            return Err(GrammarError::TooManyVariants { part, node, n, max: MAX_VARIANTS });
        }
        (0..n).map(|variant| self.variant(node, layer, decisions, variant, n_classes)).collect()
    }

    fn variant(
        &self,
        node: &TemplateNode,
        layer: &Value,
        decisions: &[DecisionSpec],
        variant: usize,
        n_classes: usize,
    ) -> Result<LayerSpec, GrammarError> {
        let digits = node.digits(variant);
        let value_of = |name: &str| -> Option<Value> {
            if name == CLASSES {
                return Some(Value::Integer(n_classes as i64));
            }
            let at = node.decisions.iter().position(|&(idx, _)| decisions[idx].name == name)?;
            decisions[node.decisions[at].0].choices[digits[at]].value.clone()
        };
        let mut filled = filled(layer, &value_of);
        set_same_padding(&mut filled).map_err(|extent| GrammarError::EvenKernel {
            part: self.key,
            node: node.name.clone(),
            extent,
        })?;
        let n_inputs = node.inputs.len();
        read_layer(filled, n_inputs).map_err(|reason| match node.decisions.is_empty() {
            true => self.fault(&node.name, reason),
            false => {
                let choices = node.show(variant, decisions);
                GrammarError::Unusable { part: self.key, node: node.name.clone(), choices, reason }
            }
        })
    }

    /// Two combinations must not give the same layer: nobody could tell which was decided.
    fn check_distinct(&self, node: &TemplateNode, decisions: &[DecisionSpec]) -> Result<(), GrammarError> {
        let keys: Vec<String> = node.variants.iter().map(|layer| format!("{layer:?}")).collect();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|&a, &b| keys[a].cmp(&keys[b]).then(a.cmp(&b)));
        let same = order.windows(2).find(|pair| keys[pair[0]] == keys[pair[1]]);
        same.map_or(Ok(()), |pair| {
            let [one, other] = [pair[0], pair[1]].map(|variant| node.show(variant, decisions));
            Err(GrammarError::SameLayer { part: self.key, node: node.name.clone(), one, other })
        })
    }

    fn fault(&self, node: &str, reason: String) -> GrammarError {
        GrammarError::Node { part: self.key, node: node.into(), reason }
    }
}

impl Part {
    /// What a node is called in a network; `prefix` is that of a layer, empty in the stem and the head.
    pub(super) fn node_name(&self, prefix: &str, idx: usize) -> String {
        let name = &self.nodes[idx].name;
        match name.parse::<usize>() {
            // A bare position would be taken for one in the network.
            Ok(_) if prefix.is_empty() => format!("{}.{name}", self.key),
            _ => format!("{prefix}{name}"),
        }
    }
}

impl TemplateNode {
    /// The choice of each of its decisions.
    pub(super) fn digits(&self, mut variant: usize) -> Vec<usize> {
        let mut digits = vec![0; self.decisions.len()];
        for (digit, &(_, n)) in digits.iter_mut().zip(&self.decisions).rev() {
            (*digit, variant) = (variant % n, variant / n);
        }
        digits
    }

    /// The variant of these choices, one for each decision of the grammar.
    pub(super) fn variant(&self, choices: &[usize]) -> usize {
        self.decisions.iter().fold(0, |variant, &(idx, n)| variant * n + choices[idx])
    }

    /// The layer of a variant in networks of so many classes.
    pub(super) fn layer(&self, variant: usize, n_classes: usize) -> LayerSpec {
        let Some((layer, decisions)) = &self.of_classes else { return self.variants[variant].clone() };
        let part = Part { key: "", nodes: Vec::new() };
        let layer = part.variant(self, layer, decisions, variant, n_classes);
        layer.unwrap_or_else(|_| self.variants[variant].clone())
    }

    /// For messages: `conv` of `layer`.
    pub(super) fn label(&self, part: &Part) -> String {
        format!("`{}` of `grammar.{}`", self.name, part.key)
    }

    /// `filter_height = 3, filters = 8`
    pub(super) fn show(&self, variant: usize, decisions: &[DecisionSpec]) -> String {
        let of = |(&(idx, _), &digit): (&(usize, usize), &usize)| {
            let DecisionSpec { name, choices } = &decisions[idx];
            format!("{name} = {}", choices[digit].category)
        };
        self.decisions.iter().zip(&self.digits(variant)).map(of).collect::<Vec<_>>().join(", ")
    }
}

/// The same layer always in the same words: a pooling's step is not written where it is the window.
pub(super) fn canonical(mut layer: LayerSpec) -> LayerSpec {
    if let LayerSpec::MaxPool2d(pool) | LayerSpec::AvgPool2d(pool) = &mut layer {
        pool.stride = pool.stride.filter(|stride| *stride != pool.kernel);
    }
    layer
}

/// What is wrong with the choices of a decision, if anything.
pub(super) fn choices_fault(decision: &DecisionSpec) -> Option<String> {
    let DecisionSpec { name, choices } = decision;
    let label = |choice: &ChoiceSpec| choice.category.clone();
    if name.is_empty() || name == CLASSES || name == "layers" {
        return Some("it cannot be called so".into());
    }
    if choices.is_empty() {
        return Some("it has no choices".into());
    }
    if let Some(choice) = choices.iter().find(|choice| choice.value.is_none()) {
        return Some(format!("choice {} has no `value`", label(choice)));
    }
    if let Some(choice) = choices.iter().find(|choice| !choice.set.is_empty()) {
        return Some(format!(
            "choice {} has `set`, which only a parameter's choices may have",
            label(choice)
        ));
    }
    let twice = choices.iter().enumerate().find(|(idx, choice)| {
        choices[..*idx]
            .iter()
            .any(|earlier| earlier.category == choice.category || earlier.value == choice.value)
    });
    twice.map(|(_, choice)| format!("the choice {} is there twice", label(choice)))
}

fn mark(text: &str) -> Option<&str> {
    text.strip_prefix(MARK)
}

fn collect_marks<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.extend(mark(text)),
        Value::Array(all) => all.iter().for_each(|one| collect_marks(one, found)),
        Value::Table(table) => table.values().for_each(|one| collect_marks(one, found)),
        _ => {}
    }
}

fn has_mark(value: &Value, name: &str) -> bool {
    let mut found = Vec::new();
    collect_marks(value, &mut found);
    found.contains(&name)
}

/// The value with what stands for its marks.
fn filled(value: &Value, value_of: &dyn Fn(&str) -> Option<Value>) -> Value {
    match value {
        Value::String(text) => mark(text).and_then(value_of).unwrap_or_else(|| value.clone()),
        Value::Array(all) => Value::Array(all.iter().map(|one| filled(one, value_of)).collect()),
        Value::Table(table) => {
            Value::Table(table.iter().map(|(key, one)| (key.clone(), filled(one, value_of))).collect())
        }
        value => value.clone(),
    }
}

/// Puts numbers in the place of `padding = "same"`: half of d(k − 1), which must be even. The error is the kernel's extent.
fn set_same_padding(layer: &mut Value) -> Result<(), i64> {
    let Value::Table(kinds) = layer else { return Ok(()) };
    for (_, parameters) in kinds.iter_mut() {
        let Value::Table(parameters) = parameters else { continue };
        if parameters.get("padding").and_then(Value::as_str) != Some("same") {
            continue;
        }
        let (kernel, dilation) = (pair(parameters.get("kernel")), pair(parameters.get("dilation")));
        // A kernel that is none is told of when the layer is read.
        let (kernel, dilation) = (kernel.unwrap_or([1; 2]), dilation.unwrap_or([1; 2]));
        let mut padding = Vec::new();
        for (k, d) in kernel.into_iter().zip(dilation) {
            let span = d.saturating_mul(k - 1);
            if span % 2 != 0 {
                return Err(span.saturating_add(1));
            }
            padding.push(Value::Integer(span / 2));
        }
        parameters.insert("padding".into(), Value::Array(padding));
    }
    Ok(())
}

fn pair(value: Option<&Value>) -> Option<[i64; 2]> {
    let positive = |value: &Value| value.as_integer().filter(|&n| n > 0);
    match value? {
        Value::Array(both) if both.len() == 2 => Some([positive(&both[0])?, positive(&both[1])?]),
        one => positive(one).map(|n| [n; 2]),
    }
}

/// A layer, valid as far as that can be said without shapes.
fn read_layer(value: Value, n_inputs: usize) -> Result<LayerSpec, String> {
    let layer = LayerSpec::deserialize(value).map_err(|error| one_line(&error))?;
    let node =
        |name: &str, inputs: Option<Vec<String>>, layer| NodeSpec { name: Some(name.into()), inputs, layer };
    let inputs = vec!["input".to_owned(); n_inputs];
    let checked = node("it", Some(inputs), layer.clone());
    let network = NetworkSpec { name: "it".into(), input: [1, 1, 1], classes: 1, nodes: vec![checked] };
    network.validate().map_err(|error| error.to_string())?;
    Ok(canonical(layer))
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().to_owned()
}

/// The node that brings several outputs together (Zoph & Le 2016, section 3.3).
pub(super) fn join() -> LayerSpec {
    LayerSpec::Concat(MergeSpec { pad: true })
}
