//! Grammars: what they decode to, that encoding takes it back, and what is refused.

use search::{Frame, Grammar, GrammarError, Point, Space};
use spec::{GrammarSpec, LayerSpec, NetworkSpec, ParamValue, preset};

/// Two convolutions that shrink their maps, each with two decisions, and one decision above them.
pub(crate) const SHRINKING: &str = r#"
input = [1, 6, 5]
layers = [1, 2]
layer = [
    { name = "conv", layer = { conv2d = { out_channels = "$filters", kernel = ["$kernel", 2], stride = 2 } } },
    { name = "act", layer = "$act" },
]
head = [
    { name = "pool", layer = { max_pool2d = { kernel = ["$window", 1] } } },
    { layer = "flatten" },
    { name = "fc", layer = { linear = { out_features = "$classes" } } },
]
decision = [
    { name = "window", choices = [1, 2] },
    { name = "kernel", choices = [1, 2, 3, 5] },
    { name = "filters", choices = [2, 3] },
    { name = "act", choices = ["relu", { label = "leaky", value = { leaky_relu = { slope = 0.1 } } }] },
]
"#;

/// Layers that keep their maps but for the stride, with skips.
pub(crate) const SKIPPING: &str = r#"
layers = [2, 3]
skips = true
stem = [{ name = "pad", layer = { pad = { top = "$border" } } }]
layer = [
    { name = "conv", layer = { conv2d = { out_channels = 2, kernel = 3, stride = "$stride", padding = "same" } } },
    { name = "act", layer = "relu" },
]
head = [
    { name = "pool", layer = "global_avg_pool" },
    { name = "flatten", layer = "flatten" },
    { name = "fc", layer = { linear = { out_features = "$classes" } } },
]
decision = [{ name = "stride", choices = [1, 2] }, { name = "border", choices = [0, 1] }]
"#;

pub(crate) fn spec(text: &str) -> GrammarSpec {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn space_of(grammar: &Grammar) -> Space {
    Space::new(grammar.dimensions().to_vec()).unwrap().with_rule(grammar.rule())
}

/// Every point of a space of categories.
pub(crate) fn all_points(space: &Space) -> Vec<Point> {
    let mut points = vec![Point::new()];
    for (idx, dimension) in space.dimensions().iter().enumerate() {
        let spec::Domain::Categorical(all) = &dimension.domain else { panic!("not of categories") };
        let after = |point: Point| -> Vec<Point> {
            let with = |value| point.iter().copied().chain([value]).collect();
            let allowed = space.allowed(idx, &point).unwrap_or_else(|| vec![true; all.len()]);
            match space.is_active(idx, &point) {
                true => (0..all.len())
                    .filter(|&category| allowed[category])
                    .map(|category| with(Some(ParamValue::Category(category))))
                    .collect(),
                false => vec![with(None)],
            }
        };
        points = points.into_iter().flat_map(after).collect();
    }
    points
}

#[test]
fn decoding_and_encoding_are_inverse_on_every_point() {
    // A layer may begin with the same kind of node as joins skips.
    let twice = r#"{ name = "twice", inputs = ["input", "input"], layer = { concat = { pad = true } } },"#;
    let doubling = SKIPPING.replacen("layer = [", &format!("layer = [{twice}"), 1);
    let n_skipping = 2 * (4 * 2 + 8 * 8);
    for (text, n_points) in [(SHRINKING, 28 + 11 * 16), (SKIPPING, n_skipping), (&doubling, n_skipping)] {
        let grammar = Grammar::new(&spec(text)).unwrap();
        let space = space_of(&grammar);
        let points = all_points(&space);
        let (mut seen, frame) = (std::collections::BTreeSet::new(), Frame { classes: 7, ..Frame::default() });
        for point in &points {
            let values = space.assignment(point);
            let mut network = grammar.decode(&values, frame).unwrap();
            network.validate().unwrap();
            assert!(seen.insert(network.to_toml().unwrap()), "two points give {network:?}");
            assert_eq!(grammar.encode(&network, frame).unwrap(), values);
            assert!(space.contains(point));
            rename(&mut network);
            assert_eq!(grammar.encode(&network, frame).unwrap(), values, "names do not matter");
        }
        assert_eq!(points.len(), n_points);
    }
}

/// Other names for the network and its nodes.
fn rename(network: &mut NetworkSpec) {
    let names = network.node_names();
    let other = |name: &String| match names.iter().position(|one| one == name) {
        Some(idx) => format!("n{idx}"),
        None => name.clone(),
    };
    network.name = "other".into();
    for (idx, node) in network.nodes.iter_mut().enumerate() {
        node.name = Some(format!("n{idx}"));
        node.inputs.iter_mut().flatten().for_each(|input| *input = other(input));
        node.inputs
            .get_or_insert_with(|| vec![if idx == 0 { "input".into() } else { format!("n{}", idx - 1) }]);
    }
}

/// `conv < pad` for each node that does not read the one before it.
fn wiring(network: &NetworkSpec) -> Vec<String> {
    let of = |node: &spec::NodeSpec| {
        let name = node.name.clone().unwrap_or_default();
        node.inputs.as_ref().map_or_else(|| name.clone(), |inputs| format!("{name} < {}", inputs.join(" ")))
    };
    network.nodes.iter().map(of).collect()
}

#[test]
fn skips_are_wired_as_in_the_paper() {
    let grammar = Grammar::new(&spec(SKIPPING)).unwrap();
    let space = space_of(&grammar);
    // Of three layers the second reads nothing, so the picture; the third reads what is given here.
    let network = |reads: [bool; 3]| {
        let point = space.fill(|_, dimension| {
            ParamValue::Category(match dimension.name.as_str() {
                "layers" => 1,
                "1.from.0" => usize::from(reads[0]),
                "2.from.0" => usize::from(reads[1]),
                "2.from.1" => usize::from(reads[2]),
                _ => 0,
            })
        });
        grammar.decode(&space.assignment(&point), Frame::default()).unwrap()
    };
    let both = network([false, true, true]);
    let expected = [
        "pad",
        "0.conv",
        "0.act",
        "1.conv < pad",
        "1.act",
        "2.join < 0.act 1.act",
        "2.conv",
        "2.act",
        "pool",
        "flatten",
        "fc",
    ];
    assert_eq!(wiring(&both), expected);
    assert_eq!(both.nodes[5].layer, LayerSpec::Concat(spec::MergeSpec { pad: true }));
    // Whose output nobody reads is brought together before the head.
    let expected = [
        "pad",
        "0.conv",
        "0.act",
        "1.conv < pad",
        "1.act",
        "2.conv < pad",
        "2.act",
        "head.join < 0.act 1.act 2.act",
        "pool",
        "flatten",
        "fc",
    ];
    assert_eq!(wiring(&network([false, false, false])), expected);
    let expected = [
        "pad",
        "0.conv",
        "0.act",
        "1.conv",
        "1.act",
        "2.conv < 0.act",
        "2.act",
        "head.join < 1.act 2.act",
        "pool",
        "flatten",
        "fc",
    ];
    assert_eq!(wiring(&network([true, true, false])), expected);
}

#[test]
fn dimensions_stand_in_the_order_of_decisions() {
    let names = |text| {
        let grammar = Grammar::new(&spec(text)).unwrap();
        let names = grammar.dimensions().iter().map(|one| one.name.clone()).collect::<Vec<_>>().join(" ");
        (names, grammar.dimensions().iter().map(|one| one.conditions.len()).collect::<Vec<_>>())
    };
    let (skipping, conditions) = names(SKIPPING);
    assert_eq!(skipping, "layers 0.stride 1.from.0 1.stride 2.from.0 2.from.1 2.stride border");
    assert_eq!(conditions, [0, 0, 0, 0, 1, 1, 1, 0]);
    let (shrinking, conditions) = names(SHRINKING);
    assert_eq!(shrinking, "layers 0.kernel 0.filters 0.act 1.kernel 1.filters 1.act window");
    assert_eq!(conditions, [0, 0, 0, 0, 1, 1, 1, 0]);
}

#[test]
fn a_network_outside_of_the_space_is_told_why() {
    type Change = fn(&mut NetworkSpec);
    let grammar = Grammar::new(&spec(SHRINKING)).unwrap();
    let space = space_of(&grammar);
    let point = space.fill(|_, _| ParamValue::Category(0));
    let inside = grammar.decode(&space.assignment(&point), Frame::default()).unwrap();
    let changed = |change: Change| {
        let mut network = inside.clone();
        change(&mut network);
        grammar.encode(&network, Frame::default()).unwrap_err().to_string()
    };
    let cases: [(Change, &str); 6] = [
        (|network| network.input = [1, 28, 28], "its input is [1, 28, 28], but the grammar's is [1, 6, 5]"),
        (
            |network| {
                network.nodes[0].layer = LayerSpec::Conv2d(spec::Conv2dSpec::new(2, spec::Pair::square(4)))
            },
            "node `0.conv` (conv2d) stands where the grammar has node `0.conv`, which is conv2d in 8 ways",
        ),
        (
            |network| network.nodes[1].layer = LayerSpec::Tanh,
            "node `0.act` (tanh) stands where the grammar has node `0.act`, which is relu in 2 ways",
        ),
        (|network| network.nodes.truncate(3), "it ends where the grammar has node `head.1`"),
        (
            |network| network.nodes.push(spec::NodeSpec { name: None, inputs: None, layer: LayerSpec::Relu }),
            "stands behind the end of the grammar's networks",
        ),
        (|network| network.nodes[3].inputs = Some(vec!["0.act".into()]), "which reads pool"),
    ];
    let messages = cases.map(|(change, expected)| (changed(change), expected));
    let wrong: Vec<_> = messages.iter().filter(|(message, expected)| !message.contains(expected)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let lenet = grammar.encode(&preset("lenet").unwrap(), Frame::default()).unwrap_err().to_string();
    assert!(lenet.contains("its input is [1, 28, 28]"), "{lenet}");
    // Where the grammar itself does not say, the data do.
    let other = Frame { classes: 7, ..Frame::default() };
    let of_data =
        Grammar::new(&spec(SKIPPING)).unwrap().encode(&preset("lenet").unwrap(), other).unwrap_err();
    assert_eq!(of_data.to_string(), "it has 10 classes, but the grammar has 7");
}

/// Which number of filters stands first says nothing of the pictures that a grammar is for.
#[test]
fn many_filters_ask_for_no_input_in_whatever_order_they_stand() {
    for filters in ["[2, 512]", "[512, 2]"] {
        let text = SKIPPING.replace("out_channels = 2", "out_channels = \"$filters\"");
        let text = text
            .replace("decision = [", &format!("decision = [{{ name = \"filters\", choices = {filters} }}, "));
        Grammar::new(&spec(&text)).unwrap_or_else(|error| panic!("{filters}: {error}"));
    }
}

#[test]
fn a_stem_that_shrinks_pictures_asks_for_their_size() {
    let stem = SKIPPING.replace("{ pad = { top = \"$border\" } }", "{ avg_pool2d = { kernel = 2 } }");
    let stem = stem.replace(", { name = \"border\", choices = [0, 1] }", "");
    let error = Grammar::new(&spec(&stem)).unwrap_err().to_string();
    assert!(error.contains("`grammar.input` must be given") && error.contains("node `pad`"), "{error}");
    Grammar::new(&spec(&format!("input = [1, 28, 28]\n{stem}"))).unwrap();
}

/// The grammar with a text in place of another.
fn fault(from: &str, to: &str) -> GrammarError {
    assert!(SHRINKING.contains(from), "{from}");
    Grammar::new(&spec(&SHRINKING.replacen(from, to, 1))).expect_err(to)
}

#[test]
fn mistakes_of_a_grammar_are_told_with_decision_and_node() {
    let cases = [
        ("layers = [1, 2]", "layers = [2, 1]", "`grammar.layers` is [2, 1], but must be"),
        ("layers = [1, 2]", "layers = 0", "`grammar.layers` is [0]"),
        ("layers = [1, 2]", "layers = 600", "a network of 600 layers has up to 1804 nodes, but at most 1024"),
        (
            "\"$kernel\"",
            "\"$kernal\"",
            "`grammar.layer`, node conv: `$kernal` is neither a decision nor `$classes`",
        ),
        ("kernel = [\"$kernel\", 2]", "kernel = 2", "decision `kernel`: `\"$kernel\"` stands in no node"),
        (
            "[\"$window\", 1]",
            "[\"$window\", \"$kernel\"]",
            "decision `kernel` stands in `grammar.layer` and in `grammar.head`",
        ),
        ("choices = [2, 3]", "choices = [2, 2]", "decision `filters`: the choice 2 is there twice"),
        ("choices = [2, 3]", "choices = []", "decision `filters`: it has no choices"),
        (
            "choices = [2, 3]",
            "choices = [{ label = \"few\" }]",
            "decision `filters`: choice few has no `value`",
        ),
        ("choices = [2, 3]", "choices = [2, -3]", "node conv: with kernel = 1, filters = -3 it is no layer"),
        ("name = \"window\"", "name = \"kernel\"", "decision `kernel`: there are two of that name"),
        (
            "{ layer = \"flatten\" }",
            "{ layer = \"flaten\" }",
            "`grammar.head`, node 1: unknown variant `flaten`",
        ),
        (
            "{ layer = \"flatten\" }",
            "{ layers = \"flatten\" }",
            "`grammar.head`, node 1: unknown field `layers`",
        ),
        (
            "stride = 2",
            "stride = 2, padding = \"same\"",
            "node conv: `padding = \"same\"` needs an odd kernel",
        ),
        ("choices = [1, 2]", "choices = [1, [1, 1]]", "node pool"),
        (
            "name = \"act\", layer = \"$act\"",
            "name = \"conv\", layer = \"$act\"",
            "node conv: its name is taken",
        ),
        ("input = [1, 6, 5]", "", "`grammar.input` must be given"),
        (
            "input = [1, 6, 5]",
            "input = [1, 1, 1]",
            "no decisions give a network that fits pictures of 1×1×1: node `conv`",
        ),
        (
            "layers = [1, 2]",
            "layers = [1, 2]\nskips = true",
            "`grammar.skips`: every layer must take any map",
        ),
    ];
    let messages = cases.map(|(from, to, expected)| (fault(from, to).to_string(), to, expected));
    let wrong: Vec<_> =
        messages.iter().filter(|(message, _, expected)| !message.contains(expected)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let same = SKIPPING.replacen("[1, 2]", "[1, [1, 1]]", 1);
    let message = Grammar::new(&spec(&same)).unwrap_err().to_string();
    assert!(message.contains("stride = 1 and stride = [1, 1] are the same layer"), "{message}");
}
