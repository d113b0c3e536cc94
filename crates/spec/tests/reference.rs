//! `docs/reference.toml` stays true: it is the default run, and it shows every key that can be written.

use std::collections::BTreeSet;

use spec::{
    InitSpec, LayerSpec, NetworkSource, NodeSpec, OptimizerSpec, Pair, PoolSpec, RunFile, SgdSpec, TrainSpec,
};

const REFERENCE: &str = include_str!("../../../docs/reference.toml");

fn no_file(path: &str) -> Result<spec::NetworkSpec, String> {
    Err(format!("no file {path}"))
}

/// The file with its alternatives in place of what they are alternatives to: `#key` becomes `key`, and the
/// preset and the first optimizer go.
fn alternatives() -> String {
    let adam_from = REFERENCE.find("[optimizer.adam]\n").expect("[optimizer.adam]");
    let adam_len = REFERENCE[adam_from..].find("\n\n").expect("an empty line after [optimizer.adam]");
    let rest = [&REFERENCE[..adam_from], &REFERENCE[adam_from + adam_len..]].concat();
    let without_preset = rest.replace("\nnetwork = \"lenet\"\n", "\n");
    assert_ne!(without_preset, rest);
    let is_alternative = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && line.len() > 1;
    let uncomment = |line| Some(line).filter(is_alternative).map_or(line, |line| &line[1..]);
    without_preset.lines().map(uncomment).collect::<Vec<_>>().join("\n")
}

/// `optimizer.adam.beta1`, `network.node.layer.conv2d.kernel`, …: all paths of keys, through arrays too.
fn key_paths(text: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    collect(&toml::from_str::<toml::Value>(text).unwrap(), "", &mut paths);
    paths
}

fn collect(value: &toml::Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                paths.insert(path.clone());
                collect(value, &path, paths);
            }
        }
        toml::Value::Array(items) => items.iter().for_each(|item| collect(item, path, paths)),
        _ => {}
    }
}

#[test]
fn the_reference_as_it_stands_is_the_default_run() {
    let file = RunFile::from_toml(REFERENCE).unwrap();
    assert_eq!((file.json, file.quiet), (Some(false), Some(false)));
    assert_eq!(file.resolve(no_file).unwrap(), TrainSpec::default());
}

#[test]
fn the_alternatives_are_valid_and_have_the_defaults() {
    let file = RunFile::from_toml(&alternatives()).unwrap();
    assert!(file.threads.is_some() && file.out.is_some());
    let spec = file.resolve(no_file).unwrap();
    assert_eq!(spec.optimizer, OptimizerSpec::Sgd(SgdSpec::default()));
    assert!(spec.init.is_some_and(|init| init.sha256.is_some()));
    let layers: BTreeSet<_> = spec.network.nodes.iter().map(|node| node.layer.kind()).collect();
    assert_eq!(layers.len(), 27, "a layer is not shown: {layers:?}");
}

/// The default spec, and the default with all that is optional or an alternative.
fn written() -> [String; 2] {
    let mut full = TrainSpec {
        init: Some(InitSpec { file: "w".into(), sha256: Some("0".repeat(64)) }),
        optimizer: OptimizerSpec::Sgd(SgdSpec::default()),
        ..TrainSpec::default()
    };
    let stride = Some(Pair::square(2));
    full.network.nodes.push(NodeSpec {
        name: None,
        inputs: Some(vec!["fc.4".into()]),
        layer: LayerSpec::MaxPool2d(PoolSpec { stride, ..PoolSpec::new(Pair::square(2)) }),
    });
    [TrainSpec::default(), full].map(|spec| spec.to_toml().unwrap())
}

#[test]
fn every_written_key_stands_in_the_reference() {
    let shown: BTreeSet<_> = key_paths(REFERENCE).union(&key_paths(&alternatives())).cloned().collect();
    for text in written() {
        let missing: Vec<_> = key_paths(&text).difference(&shown).cloned().collect();
        assert!(missing.is_empty(), "not in docs/reference.toml: {missing:?}");
    }
}

#[test]
fn every_key_of_a_run_file_stands_in_the_reference() {
    let file = RunFile::from_toml(&alternatives()).unwrap();
    // No `..`: a key that is added to the run file fails to compile here until the reference shows it.
    let RunFile {
        version,
        network,
        data,
        epochs,
        batch_size,
        shuffle,
        seed,
        threads,
        out,
        init,
        json,
        quiet,
        optimizer,
        optimizer_kind: _,
        learning_rate: _,
    } = file;
    assert!(matches!(network, Some(NetworkSource::Inline(_))));
    assert!(version.is_some() && data.is_some() && epochs.is_some() && batch_size.is_some());
    assert!(shuffle.is_some() && seed.is_some() && threads.is_some() && out.is_some());
    assert!(init.is_some() && json.is_some() && quiet.is_some() && optimizer.is_some());
}
