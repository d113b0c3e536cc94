//! `docs/reference.toml` stays true: it is the default run, and it shows every key that can be written.

use std::collections::BTreeSet;

use spec::{
    AugmentSpec, AverageSpec, CrossEntropySpec, EarlyStoppingSpec, ErasingSpec, InitSpec, LayerSpec,
    LossSpec, MapSpec, MixupSpec, NetworkSource, NodeSpec, OptimizerKind, OptimizerSpec, Pair, PoolSpec,
    RunFile, ScheduleKind, ScheduleSpec, TrainSpec,
};

const REFERENCE: &str = include_str!("../../../docs/reference.toml");

fn no_file(path: &str) -> Result<spec::NetworkSpec, String> {
    Err(format!("no file {path}"))
}

/// The file with its alternatives in place of what they are alternatives to: `#key` becomes `key`, the preset goes,
/// and of each choice only the one at `idx` stays, or the last.
fn alternatives(idx: usize) -> String {
    let without_preset = REFERENCE.replace("\nnetwork = \"lenet\"\n", "\n");
    assert_ne!(without_preset, REFERENCE);
    let is_alternative = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && line.len() > 1;
    let uncomment = |line| Some(line).filter(is_alternative).map_or(line, |line| &line[1..]);
    let text = without_preset.lines().map(uncomment).collect::<Vec<_>>().join("\n");
    ["[loss.", "[optimizer.", "[schedule."].iter().fold(text, |text, table| choose(&text, table, idx))
}

/// Only one of the paragraphs that have a table of that kind.
fn choose(text: &str, table: &str, idx: usize) -> String {
    let is_choice = |paragraph: &str| paragraph.lines().any(|line| line.starts_with(table));
    let n_choices = text.split("\n\n").filter(|paragraph| is_choice(paragraph)).count();
    let mut choices = 0..n_choices;
    let mut stays =
        |paragraph: &&str| !is_choice(paragraph) || choices.next() == Some(idx.min(n_choices - 1));
    text.split("\n\n").filter(|paragraph| stays(paragraph)).collect::<Vec<_>>().join("\n\n")
}

/// All choices of every kind, some of them twice.
const N_CHOICES: usize = 4;

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
    let kinds = [OptimizerKind::Adam, OptimizerKind::Adamw, OptimizerKind::Sgd, OptimizerKind::Rmsprop];
    let schedules =
        [ScheduleKind::Constant, ScheduleKind::Step, ScheduleKind::Cosine, ScheduleKind::OneCycle];
    for idx in 0..N_CHOICES {
        let file = RunFile::from_toml(&alternatives(idx)).unwrap();
        assert!(file.threads.is_some() && file.out.is_some());
        let spec = file.resolve(no_file).unwrap();
        assert_eq!(spec.optimizer, OptimizerSpec::from(kinds[idx]));
        assert_eq!(spec.schedule, ScheduleSpec::from(schedules[idx]));
        assert_eq!(spec.augment.erasing, Some(ErasingSpec::default()));
        assert_eq!(spec.augment.mixup, Some(MixupSpec::default()));
        assert_eq!(spec.loss == LossSpec::Map(MapSpec::default()), idx > 0);
        assert!(spec.init.is_some_and(|init| init.sha256.is_some()));
    }
    let spec = RunFile::from_toml(&alternatives(0)).unwrap().resolve(no_file).unwrap();
    let layers: BTreeSet<_> = spec.network.nodes.iter().map(|node| node.layer.kind()).collect();
    assert_eq!(layers.len(), 27, "a layer is not shown: {layers:?}");
}

/// Specs with all that is optional or an alternative.
fn written() -> Vec<String> {
    let class_weights = vec![1.0; 10];
    let mut full = TrainSpec {
        init: Some(InitSpec { file: "w".into(), sha256: Some("0".repeat(64)) }),
        validation: Some(0.1),
        subset: Some(0.25),
        clip_gradient: Some(1.0),
        augment: AugmentSpec {
            erasing: Some(ErasingSpec::default()),
            mixup: Some(MixupSpec::default()),
            ..AugmentSpec::default()
        },
        loss: LossSpec::CrossEntropy(CrossEntropySpec { label_smoothing: 0.1, class_weights }),
        optimizer: OptimizerKind::Sgd.into(),
        schedule: ScheduleKind::OneCycle.into(),
        average: Some(AverageSpec { decay: 0.9 }),
        early_stopping: Some(EarlyStoppingSpec { patience: 1, min_delta: 0.0 }),
        ..TrainSpec::default()
    };
    let stride = Some(Pair::square(2));
    full.network.nodes.push(NodeSpec {
        name: None,
        inputs: Some(vec!["fc.4".into()]),
        layer: LayerSpec::MaxPool2d(PoolSpec { stride, ..PoolSpec::new(Pair::square(2)) }),
    });
    let other = |optimizer: OptimizerKind, schedule: ScheduleKind| TrainSpec {
        loss: LossSpec::Map(MapSpec::default()),
        optimizer: optimizer.into(),
        schedule: schedule.into(),
        ..TrainSpec::default()
    };
    let others = [
        TrainSpec::default(),
        other(OptimizerKind::Adamw, ScheduleKind::Step),
        other(OptimizerKind::Rmsprop, ScheduleKind::Cosine),
    ];
    others.iter().chain([&full]).map(|spec| spec.to_toml().unwrap()).collect()
}

#[test]
fn every_written_key_stands_in_the_reference() {
    let shown: BTreeSet<_> = (0..N_CHOICES).flat_map(|idx| key_paths(&alternatives(idx))).collect();
    for text in written() {
        let missing: Vec<_> = key_paths(&text).difference(&shown).cloned().collect();
        assert!(missing.is_empty(), "not in docs/reference.toml: {missing:?}");
    }
}

#[test]
fn every_key_of_a_run_file_stands_in_the_reference() {
    let file = RunFile::from_toml(&alternatives(0)).unwrap();
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
        validation,
        subset,
        normalization,
        clip_gradient,
        augment,
        loss,
        optimizer,
        schedule,
        average,
        early_stopping,
        test,
        optimizer_kind: _,
        learning_rate: _,
        schedule_kind: _,
        warm_up_epochs: _,
        label_smoothing: _,
        patience: _,
        augment_flags: _,
    } = file;
    assert!(matches!(network, Some(NetworkSource::Inline(_))));
    assert!(version.is_some() && data.is_some() && epochs.is_some() && batch_size.is_some());
    assert!(shuffle.is_some() && seed.is_some() && threads.is_some() && out.is_some());
    assert!(init.is_some() && json.is_some() && quiet.is_some() && optimizer.is_some());
    assert!(validation.is_some() && subset.is_some() && normalization.is_some() && clip_gradient.is_some());
    assert!(augment.is_some() && loss.is_some() && schedule.is_some());
    assert!(average.is_some() && early_stopping.is_some() && test.is_some());
}
