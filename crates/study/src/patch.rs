//! Putting a value under a dotted key of a run file.

use toml::{Table, Value};

/// Why a value cannot be put there.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PatchError {
    /// No dotted key: a quote that does not end, or nothing between two dots.
    #[error(
        "`{key}` is no key: write names with dots between them, and quotes around a name that has dots itself"
    )]
    Key {
        /// The key.
        key: String,
    },
    /// A list has no element of that name or position.
    #[error("`{key}`: there is no `{segment}` in the list, which has {known}")]
    Element {
        /// The key.
        key: String,
        /// The name or position.
        segment: String,
        /// The names that it has.
        known: String,
    },
    /// No element of a list has what the key names.
    #[error("`{key}`: no element of the list has `{segment}`")]
    NoElement {
        /// The key.
        key: String,
        /// What none has.
        segment: String,
    },
    /// The key leads into something that is no table.
    #[error("`{key}`: there is no table above `{segment}`")]
    NoTable {
        /// The key.
        key: String,
        /// The name below it.
        segment: String,
    },
}

/// Stands for every key of a table, or every element of a list that has what follows.
const ALL: &str = "*";

/// The names of a dotted key; one in double quotes may hold dots.
pub(crate) fn segments(key: &str) -> Result<Vec<String>, PatchError> {
    let fault = || PatchError::Key { key: key.into() };
    let (mut segments, mut rest) = (Vec::new(), key);
    loop {
        let (segment, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or_else(fault)?,
            None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
        };
        if segment.is_empty() {
            return Err(fault());
        }
        segments.push(segment.to_owned());
        match (after.is_empty(), after.strip_prefix('.')) {
            (true, _) => return Ok(segments),
            (false, Some(next)) => rest = next,
            (false, None) => return Err(fault()),
        }
    }
}

/// Puts `value` under `key`. Tables that are missing on the way are made; a bare name on the way, such as `"sgd"`, becomes
/// the table of that name, whose other numbers are defaults; elements of a list are called by their `name` or position.
pub(crate) fn set(run: &mut Table, key: &str, value: &Value) -> Result<(), PatchError> {
    let segments = segments(key)?;
    let walk = Walk { key, value };
    walk.table(run, &segments)
}

struct Walk<'a> {
    key: &'a str,
    value: &'a Value,
}

impl Walk<'_> {
    fn table(&self, table: &mut Table, segments: &[String]) -> Result<(), PatchError> {
        let (first, rest) = segments.split_first().expect("a key has a segment");
        if first == ALL {
            return table.iter_mut().try_for_each(|(_, child)| self.child(child, rest));
        }
        self.child(table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new())), rest)
    }

    fn child(&self, child: &mut Value, rest: &[String]) -> Result<(), PatchError> {
        let Some(next) = rest.first() else {
            *child = self.value.clone();
            return Ok(());
        };
        if let Value::String(name) = child {
            *child = Value::Table(Table::from_iter([(name.clone(), Value::Table(Table::new()))]));
        }
        match child {
            Value::Table(table) => self.table(table, rest),
            Value::Array(list) if next == ALL => self.all(list, &rest[1..]),
            Value::Array(list) => self.element(list, next, &rest[1..]),
            _ => Err(PatchError::NoTable { key: self.key.into(), segment: next.clone() }),
        }
    }

    /// Every element that has what the key names above its last segment, of which there must be one at least.
    fn all(&self, list: &mut [Value], rest: &[String]) -> Result<(), PatchError> {
        let above = rest.split_last().map_or(rest, |(_, above)| above);
        let mut meant: Vec<&mut Value> = list.iter_mut().filter(|one| leads_on(one, above)).collect();
        if meant.is_empty() {
            let segment = above.join(".");
            return Err(PatchError::NoElement { key: self.key.into(), segment });
        }
        meant.iter_mut().try_for_each(|one| self.child(one, rest))
    }

    fn element(&self, list: &mut [Value], segment: &str, rest: &[String]) -> Result<(), PatchError> {
        let names: Vec<Option<String>> = list.iter().map(name_of).collect();
        let named = names.iter().position(|name| name.as_deref() == Some(segment));
        let idx = named.or_else(|| segment.parse().ok().filter(|&idx: &usize| idx < list.len()));
        match idx {
            Some(idx) => self.child(&mut list[idx], rest),
            None => Err(PatchError::Element {
                key: self.key.into(),
                segment: segment.into(),
                known: names.into_iter().flatten().collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

/// Whether the names lead through tables that are there; a bare name is the table of that name.
fn leads_on(value: &Value, names: &[String]) -> bool {
    let Some((first, rest)) = names.split_first() else { return true };
    match value {
        Value::Table(table) if first == ALL => table.values().any(|child| leads_on(child, rest)),
        Value::Table(table) => table.get(first).is_some_and(|child| leads_on(child, rest)),
        Value::String(name) => rest.is_empty() && (name == first || first == ALL),
        _ => false,
    }
}

fn name_of(element: &Value) -> Option<String> {
    Some(element.get("name")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = r#"
        epochs = 10
        optimizer = "sgd"
        [schedule.constant]
        warm_up_epochs = 0.0
        [[network.node]]
        name = "conv.0"
        layer = { conv2d = { out_channels = 6, kernel = 5 } }
        [[network.node]]
        layer = "relu"
    "#;

    #[test]
    fn a_value_lands_where_its_key_says() {
        let cases = [
            ("epochs", "3", "epochs = 3"),
            ("augment.shift", "2", "augment = { shift = 2 }"),
            ("optimizer.*.learning_rate", "0.1", "optimizer = { sgd = { learning_rate = 0.1 } }"),
            ("optimizer", "\"adam\"", "optimizer = \"adam\""),
            ("schedule.*.warm_up_epochs", "1.5", "schedule = { constant = { warm_up_epochs = 1.5 } }"),
        ];
        for (key, value, expected) in cases {
            let mut run: Table = RUN.parse().unwrap();
            set(&mut run, key, &format!("v = {value}").parse::<Table>().unwrap()["v"]).unwrap();
            let (name, expected) = expected.parse::<Table>().unwrap().into_iter().next().unwrap();
            assert_eq!(run[&name], expected, "{key}");
        }
    }

    #[test]
    fn nodes_are_called_by_name_or_position() {
        let mut run: Table = RUN.parse().unwrap();
        set(&mut run, r#"network.node."conv.0".layer.conv2d.kernel"#, &Value::Integer(3)).unwrap();
        set(&mut run, "network.node.1.layer", &Value::String("tanh".into())).unwrap();
        let nodes = run["network"]["node"].as_array().unwrap();
        assert_eq!(nodes[0]["layer"]["conv2d"]["kernel"].as_integer(), Some(3));
        assert_eq!(nodes[0]["layer"]["conv2d"]["out_channels"].as_integer(), Some(6));
        assert_eq!(nodes[1]["layer"].as_str(), Some("tanh"));
        set(&mut run, "network.node.*.layer", &Value::String("gelu".into())).unwrap();
        let nodes = run["network"]["node"].as_array().unwrap();
        assert!(nodes.iter().all(|node| node["layer"].as_str() == Some("gelu")));
        set(&mut run, "network.node.0.layer", &Value::String("batch_norm2d".into())).unwrap();
        set(&mut run, "network.node.*.layer.batch_norm2d.epsilon", &Value::Float(1e-3)).unwrap();
        let nodes = run["network"]["node"].as_array().unwrap();
        assert_eq!(nodes[0]["layer"]["batch_norm2d"]["epsilon"].as_float(), Some(1e-3));
        assert_eq!(nodes[1]["layer"].as_str(), Some("gelu"));
    }

    #[test]
    fn what_leads_nowhere_is_told() {
        let cases = [
            ("network.node.fc.layer", "there is no `fc` in the list, which has conv.0"),
            ("network.node.2.layer", "there is no `2` in the list"),
            ("epochs.x", "there is no table above `x`"),
            ("network.node.*.layer.batch_norm2d.epsilon", "no element of the list has `layer.batch_norm2d`"),
            ("a..b", "is no key"),
            ("a.\"b", "is no key"),
            ("a.\"b\"c", "is no key"),
            ("", "is no key"),
        ];
        for (key, expected) in cases {
            let mut run: Table = RUN.parse().unwrap();
            let error = set(&mut run, key, &Value::Boolean(true)).unwrap_err().to_string();
            assert!(error.contains(expected), "{key}: {error}");
        }
    }
}
