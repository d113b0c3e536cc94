//! A network as a TOML file of its own, and its layout inside a run file.

use serde::Deserialize;

use crate::network::three_sizes;
use crate::toml_text::{self, TomlText};
use crate::{FORMAT_VERSION, NetworkSpec, NodeSpec, SpecError};

/// The file: a [`NetworkSpec`] and a version. The keys are spelled out because serde's `flatten` would lose
/// the positions that errors point at, and the refusal of unknown keys with them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    /// Looked at before; here only so that it is a known key.
    #[serde(rename = "version")]
    _version: Option<u32>,
    name: String,
    #[serde(deserialize_with = "three_sizes")]
    input: [usize; 3],
    classes: usize,
    #[serde(default, rename = "node")]
    nodes: Vec<NodeSpec>,
}

impl NetworkSpec {
    /// Reads and validates a network file: `version` (optional), `name`, `input`, `classes`, `[[node]]`. Errors
    /// of reading point at line and column; those of validation name node and key.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        let NetworkFile { _version, name, input, classes, nodes } = toml_text::read("network file", text)?;
        let network = Self { name, input, classes, nodes };
        network.validate()?;
        Ok(network)
    }

    /// Whether a text is more likely meant as a network file than as a run file: by its keys, or as it has none. One that is no
    /// TOML is, so that [`NetworkSpec::from_toml`] tells of that.
    pub fn is_meant(text: &str) -> bool {
        let Ok(table) = text.parse::<toml::Table>() else { return true };
        table.is_empty() || ["name", "input", "classes", "node"].iter().any(|&key| table.contains_key(key))
    }

    /// The network file that [`NetworkSpec::from_toml`] reads back to the same network. Fails for a network
    /// that [`NetworkSpec::validate`] refuses.
    pub fn to_toml(&self) -> Result<String, SpecError> {
        self.validate()?;
        let mut text = TomlText::new();
        text.key("version", &FORMAT_VERSION)?;
        self.write_keys(&mut text)?;
        self.write_nodes(&mut text, "[[node]]")?;
        Ok(text.finish())
    }

    /// The network as the table `[network]` of a run file.
    pub(crate) fn write_in_run(&self, text: &mut TomlText) -> Result<(), SpecError> {
        text.table("[network]");
        self.write_keys(text)?;
        self.write_nodes(text, "[[network.node]]")
    }

    fn write_keys(&self, text: &mut TomlText) -> Result<(), SpecError> {
        let Self { name, input, classes, nodes: _ } = self;
        text.key("name", name)?;
        text.key("input", input)?;
        text.key("classes", classes)
    }

    fn write_nodes(&self, text: &mut TomlText, header: &str) -> Result<(), SpecError> {
        for NodeSpec { name, inputs, layer } in &self.nodes {
            text.table(header);
            if let Some(name) = name {
                text.key("name", name)?;
            }
            if let Some(inputs) = inputs {
                text.key("inputs", inputs)?;
            }
            text.key("layer", layer)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;
    use crate::{PRESETS, Preset, preset};

    #[test]
    fn presets_read_back_from_their_files() {
        for Preset { name, .. } in PRESETS {
            let network = preset(name).unwrap();
            assert_eq!(NetworkSpec::from_toml(&network.to_toml().unwrap()).unwrap(), network);
        }
    }

    #[test]
    fn a_node_is_three_lines() {
        let text = preset("lenet").unwrap().to_toml().unwrap();
        let start = r#"version = 1
name = "lenet"
input = [1, 28, 28]
classes = 10

[[node]]
name = "conv.0"
layer = { conv2d = { out_channels = 6, kernel = [5, 5], stride = [1, 1], padding = [0, 0] } }

[[node]]
name = "conv.1"
layer = { leaky_relu = { slope = 0.1 } }
"#;
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("[[node]]\nname = \"flatten\"\nlayer = \"flatten\"\n"), "{text}");
    }

    #[test]
    fn short_forms_and_defaults_are_understood() {
        let text = r#"
            name = "short"
            input = [3, 8, 9]
            classes = 2
            node = [
                { layer = { conv2d = { out_channels = 4, kernel = 3 } } },
                { layer = "relu" },
                { name = "sum", inputs = ["0", "1"], layer = "add" },
                { layer = { max_pool2d = { kernel = [2, 3], stride = 1 } } },
            ]
        "#;
        let network = NetworkSpec::from_toml(text).unwrap();
        assert_eq!(network.node_names(), ["0", "1", "sum", "3"]);
        let written = network.to_toml().unwrap();
        assert!(written.contains("kernel = [3, 3], stride = [1, 1], padding = [0, 0]"), "{written}");
        assert!(
            written.contains("inputs = [\"0\", \"1\"]\nlayer = { add = { pad = false } }\n"),
            "{written}"
        );
        assert_eq!(NetworkSpec::from_toml(&written).unwrap(), network);
    }

    /// A network file with that text in place of the layer of its only node, which stands in line 5.
    fn with_layer(layer: &str) -> String {
        format!("name = \"n\"\ninput = [1, 4, 4]\nclasses = 2\n[[node]]\nlayer = {layer}\n")
    }

    #[test]
    fn errors_point_at_the_line_and_name_the_key() {
        let cases = [
            (
                with_layer("{ conv2d = { out_chanels = 6, kernel = 5 } }"),
                "line 5",
                "unknown field `out_chanels`",
            ),
            (with_layer("{ conv2d = { out_channels = 6 } }"), "line 5", "missing field `kernel`"),
            (with_layer("{ conv2d = { out_channels = 6, kernel = -5 } }"), "line 5", "kernel = -5"),
            (with_layer("{ conv2d = { out_channels = 6, kernel = [5] } }"), "line 5", "kernel = [5]"),
            (with_layer("{ linear = { out_features = \"ten\" } }"), "line 5", "out_features = \"ten\""),
            (with_layer("\"attention\""), "line 5", "unknown variant `attention`"),
            (with_layer("{ relu = {}, add = {} }"), "line 5", "`relu` is one too many: a node has one layer"),
            (with_layer("\"relu"), "line 5", "layer = \"relu"),
            (with_layer("\"relu\"\nslope = 1"), "line 6", "unknown field `slope`"),
            (with_layer("{}"), "line 5", "empty table, expected one layer"),
            (with_layer("5"), "line 5", "expected a layer's name or a table of one layer"),
            (with_layer("\"linear\""), "line 5", "write { linear = { out_features = … } }"),
            (with_layer("{ relu = { slope = 1 } }"), "line 5", "unknown field `slope`"),
            ("version = 1\nname = \"n\"\ninput = [1, 4]\n".into(), "line 3", "input = [1, 4]"),
            ("name = \"n\"\ninput = [1, 4, 4, 4]\n".into(), "line 2", "expected [channels, rows, columns]"),
            ("version = \"1\"\n".into(), "line 1", "version = \"1\""),
        ];
        for (text, line, expected) in cases {
            let message = chain(&NetworkSpec::from_toml(&text).unwrap_err());
            assert!(message.contains(line) && message.contains(expected), "{message}");
        }
        let message = NetworkSpec::from_toml("name = \"n\"\ninput = [1, 4, 4]\nclasses = 2\n").unwrap_err();
        assert!(matches!(message, SpecError::NoNodes));
    }

    #[test]
    fn another_version_comes_before_unknown_keys() {
        let newer = NetworkSpec::from_toml("version = 2\nnovelty = true\n").unwrap_err().to_string();
        assert!(newer.starts_with("the network file has format version 2, this program reads version 1"));
        assert!(newer.contains("newer danlu"), "{newer}");
        let unknown = NetworkSpec::from_toml("version = 0\n").unwrap_err().to_string();
        assert!(unknown.contains("unknown format version 0"), "{unknown}");
    }
}
