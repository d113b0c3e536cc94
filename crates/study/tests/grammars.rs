//! Grammars against the engine: whatever can be chosen compiles, and nothing that compiles is withheld.

use nn::Plan;
use search::{Frame, Grammar, GrammarError, Point, Space};
use spec::{GrammarSpec, ParamValue, Seed, StudySpec, preset};
use study::{PRESETS, space};

fn grammar_of(name: &str) -> (StudySpec, Grammar) {
    let preset = PRESETS.iter().find(|preset| preset.name == name).unwrap();
    let study = StudySpec::from_toml(preset.text).unwrap();
    let grammar = Grammar::new(study.grammar.as_ref().unwrap()).unwrap();
    (study, grammar)
}

/// Points by the random sampler.
fn points(space: &Space, n: u64) -> Vec<Point> {
    let history = search::History::new(space.clone(), vec![spec::Direction::Minimize]);
    let random = search::sampler(&spec::SamplerSpec::Random);
    let ask = |number| search::Ask { history: &history, seed: Seed(3), number, attempt: 0 };
    (0..n).map(|number| random.ask(&ask(number)).point().unwrap()).collect()
}

#[test]
fn what_presets_give_compiles_and_is_encoded_again() {
    for (name, n) in [("zoph", 3000), ("lenet-space", 3000)] {
        let (study, grammar) = grammar_of(name);
        let space = space(&study).unwrap();
        for point in points(&space, n) {
            let values = space.assignment(&point);
            let network = grammar.decode(&values, Frame::default()).unwrap();
            Plan::compile(&network).unwrap_or_else(|error| panic!("{name}, {values:?}: {error}"));
            assert_eq!(grammar.encode(&network, Frame::default()).unwrap(), values, "{name}");
            assert!(space.contains(&point));
        }
    }
}

#[test]
fn lenet_is_one_of_its_space() {
    let (_, grammar) = grammar_of("lenet-space");
    let lenet = preset("lenet").unwrap();
    let values = grammar.encode(&lenet, Frame::default()).unwrap();
    assert_eq!(values.len(), 10);
    let mut decoded = grammar.decode(&values, Frame::default()).unwrap();
    assert_eq!((decoded.input, decoded.classes), (lenet.input, lenet.classes));
    decoded.nodes.iter_mut().zip(&lenet.nodes).for_each(|(one, node)| one.name.clone_from(&node.name));
    assert_eq!(decoded.nodes, lenet.nodes);
    let (_, zoph) = grammar_of("zoph");
    let error = zoph.encode(&lenet, Frame::default()).unwrap_err().to_string();
    assert!(error.contains("`conv.0` (conv2d) stands where the grammar has node `stem.conv.0`"), "{error}");
}

/// A number below `n` of a small generator.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A grammar whose layers fit only now and then: windows without borders, groups, sums of unequal maps, ends that decide too.
fn random_grammar(random: &mut Draws) -> String {
    let layers = random.one(&["1", "2", "[1, 2]"]);
    let mut decisions = vec![("kernel", random.one(&["1, 2, 4", "3, 5", "[2, 3], 4", "1, 7"]))];
    let mut nodes = vec![random.one(&[
        r#"{ name = "conv", layer = { conv2d = { out_channels = "$filters", kernel = "$kernel", groups = "$groups" } } }"#,
        r#"{ name = "conv", layer = { conv2d = { out_channels = 4, kernel = ["$kernel", 1], stride = "$stride" } } }"#,
        r#"{ name = "conv", layer = { conv2d = { out_channels = "$filters", kernel = 3, dilation = "$kernel" } } }"#,
        r#"{ name = "conv", layer = { conv2d = { out_channels = "$filters", kernel = "$kernel", padding = 1 } } }"#,
    ])];
    nodes.push(random.one(&[
        r#"{ name = "act", layer = "$act" }"#,
        r#"{ name = "pool", layer = { max_pool2d = { kernel = 2, stride = "$stride" } } }"#,
        r#"{ name = "sum", inputs = ["input", "conv"], layer = "add" }"#,
        r#"{ name = "norm", layer = { group_norm = { groups = "$groups" } } }"#,
        r#"{ name = "both", inputs = ["conv", "input"], layer = { concat = { pad = true } } }"#,
    ]));
    // A kernel of two numbers goes only where a list does not hold it.
    if nodes[0].contains("[\"$kernel\"") || nodes[0].contains("dilation") {
        decisions[0].1 = "1, 2, 3";
    }
    let stem = random.one(&[
        "",
        r#"{ layer = { avg_pool2d = { kernel = "$first" } } }"#,
        r#"{ layer = { pad = { top = 1 } } }"#,
    ]);
    let last = random.one(&[
        "",
        r#"{ layer = { max_pool2d = { kernel = ["$last", 1] } } },"#,
        r#"{ layer = { subsample = { kernel = 2 } } },"#,
    ]);
    let text = format!("{nodes:?}{stem}{last}");
    let others = [
        ("filters", "6, 12"),
        ("groups", "1, 2, 3"),
        ("stride", "1, 2"),
        ("first", "1, 3"),
        ("last", "1, 2, 4"),
    ];
    decisions.extend(others.into_iter().filter(|(name, _)| text.contains(&format!("${name}"))));
    if text.contains("$act") {
        decisions.push(("act", r#""relu", "tanh""#));
    }
    let decisions: Vec<String> = decisions
        .iter()
        .map(|(name, choices)| format!("{{ name = \"{name}\", choices = [{choices}] }}"))
        .collect();
    let input = [random.one(&[1, 2, 6]), 3 + random.below(8), 3 + random.below(8)];
    format!(
        "input = {input:?}\nlayers = {layers}\nstem = [{stem}]\nlayer = [{}]\nhead = [{last} {{ layer = \"flatten\" }}, \
         {{ layer = {{ linear = {{ out_features = \"$classes\" }} }} }}]\ndecision = [{}]",
        nodes.join(", "),
        decisions.join(", ")
    )
}

/// Every sequence of choices, with whether each of them was allowed after those before it.
fn sequences(space: &Space) -> Vec<(Point, bool)> {
    let mut sequences = vec![(Point::new(), true)];
    for (idx, dimension) in space.dimensions().iter().enumerate() {
        let spec::Domain::Categorical(all) = &dimension.domain else { panic!("not of categories") };
        let after = |(point, was_allowed): (Point, bool)| -> Vec<(Point, bool)> {
            let with = |value| point.iter().copied().chain([value]).collect::<Point>();
            if !space.is_active(idx, &point) {
                return vec![(with(None), was_allowed)];
            }
            let allowed = space.allowed(idx, &point).unwrap_or_else(|| vec![true; all.len()]);
            assert!(!was_allowed || allowed.contains(&true), "a blind alley behind {point:?}");
            let choice = |category| Some(ParamValue::Category(category));
            (0..all.len())
                .map(|category| (with(choice(category)), was_allowed && allowed[category]))
                .collect()
        };
        sequences = sequences.into_iter().flat_map(after).collect();
    }
    sequences
}

#[test]
fn what_is_allowed_is_what_the_engine_accepts() {
    let (mut random, mut n_masked, mut n_free, mut n_impossible) = (Draws(1), 0, 0, 0);
    for _ in 0..250 {
        let text = random_grammar(&mut random);
        let spec: GrammarSpec = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let grammar = match Grammar::new(&spec) {
            Ok(grammar) => grammar,
            Err(GrammarError::NothingFits { .. }) => {
                n_impossible += 1;
                continue;
            }
            Err(error) => panic!("{error}\n{text}"),
        };
        let space = Space::new(grammar.dimensions().to_vec()).unwrap().with_rule(grammar.rule());
        *if grammar.rule().is_some() { &mut n_masked } else { &mut n_free } += 1;
        for (point, is_allowed) in sequences(&space) {
            let network = grammar.decode(&space.assignment(&point), Frame::default()).unwrap();
            let compiled = Plan::compile(&network);
            let why = compiled.as_ref().err().map(ToString::to_string);
            assert_eq!(is_allowed, compiled.is_ok(), "{why:?}\n{text}\n{}", network.to_toml().unwrap());
            assert_eq!(space.contains(&point), is_allowed);
        }
    }
    assert!(n_masked > 80 && n_free > 10 && n_impossible > 5, "{n_masked} {n_free} {n_impossible}");
}
