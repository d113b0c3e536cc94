//! Run files: precedence, defaults, refusals, and that what is written reads back to the same bits.

use std::error::Error;

use spec::{
    AdamSpec, AugmentFlags, AugmentSpec, AverageSpec, CosineSpec, CrossEntropySpec, EarlyStoppingSpec,
    ErasingSpec, InitSpec, LossSpec, MixupSpec, NetworkSource, NetworkSpec, NormalizationSpec, OptimizerKind,
    OptimizerSpec, RunFile, ScheduleKind, ScheduleSpec, SgdSpec, SpecError, Testing, TrainSpec, preset,
};

/// The error and its causes in one line, as the command line prints them.
fn chain(error: &dyn Error) -> String {
    let below = error.source().map(|cause| format!(": {}", chain(cause))).unwrap_or_default();
    format!("{error}{below}")
}

fn no_file(path: &str) -> Result<NetworkSpec, String> {
    Err(format!("no file {path}"))
}

fn resolve(text: &str) -> Result<TrainSpec, SpecError> {
    RunFile::from_toml(text)?.resolve(no_file)
}

fn optimizer(file: &str, flags: RunFile) -> OptimizerSpec {
    flags.over(RunFile::from_toml(file).unwrap()).resolve(no_file).unwrap().optimizer
}

#[test]
fn an_empty_file_is_the_tutorial() {
    let spec = resolve("").unwrap();
    assert_eq!(spec, TrainSpec::default());
    assert_eq!((spec.epochs, spec.batch_size, spec.shuffle, spec.seed), (10, 256, true, 1));
    assert_eq!(spec.data, "fashion-mnist");
    assert_eq!(spec.network, preset("lenet").unwrap());
    assert_eq!(spec.optimizer, OptimizerSpec::Adam(AdamSpec::default()));
}

#[test]
fn every_key_of_the_file_is_read() {
    let file = RunFile::from_toml(
        r#"
        version = 1
        network = "lenet-3x3"
        data = "/data"
        epochs = 3
        batch_size = 64
        shuffle = false
        seed = 9223372036854775807
        threads = 7
        out = "runs/a"
        init = "w.safetensors"
        json = true
        quiet = false
        validation = 0.2
        subset = 0.5
        normalization = "standard"
        clip_gradient = 5
        average = { decay = 0.99 }
        early_stopping = { patience = 3 }
        test = "at_end"
        [augment]
        shift = 2
        horizontal_flip = 0.5
        rotation = 10
        erasing = { probability = 0.25 }
        mixup = {}
        [loss.cross_entropy]
        label_smoothing = 0.1
        [schedule.cosine]
        minimum = 1e-5
        [optimizer.sgd]
        learning_rate = 1
        momentum = 0.9
        nesterov = true
        weight_decay = 5e-4
        "#,
    )
    .unwrap();
    assert_eq!((file.threads, file.json, file.quiet), (Some(7), Some(true), Some(false)));
    assert_eq!(file.out.as_deref(), Some("runs/a"));
    let spec = file.resolve(no_file).unwrap();
    let sgd = SgdSpec { learning_rate: 1.0, momentum: 0.9, nesterov: true, weight_decay: 5e-4 };
    let expected = TrainSpec {
        seed: i64::MAX as u64,
        data: "/data".into(),
        init: Some(InitSpec { file: "w.safetensors".into(), sha256: None }),
        epochs: 3,
        batch_size: 64,
        shuffle: false,
        validation: Some(0.2),
        subset: Some(0.5),
        normalization: NormalizationSpec::Standard,
        clip_gradient: Some(5.0),
        augment: AugmentSpec {
            shift: 2,
            horizontal_flip: 0.5,
            rotation: 10.0,
            erasing: Some(ErasingSpec { probability: 0.25, ..ErasingSpec::default() }),
            mixup: Some(MixupSpec { alpha: 0.2 }),
        },
        loss: LossSpec::CrossEntropy(CrossEntropySpec { label_smoothing: 0.1, class_weights: vec![] }),
        schedule: ScheduleSpec::Cosine(CosineSpec { minimum: 1e-5, warm_up_epochs: 0.0 }),
        average: Some(AverageSpec { decay: 0.99 }),
        early_stopping: Some(EarlyStoppingSpec { patience: 3, min_delta: 0.0 }),
        test: Testing::AtEnd,
        optimizer: OptimizerSpec::Sgd(sgd),
        network: preset("lenet-3x3").unwrap(),
    };
    assert_eq!(spec, expected);
}

#[test]
fn flags_win_over_the_file() {
    let file = RunFile::from_toml("epochs = 3\nseed = 4\nnetwork = \"a.toml\"\njson = true").unwrap();
    let flags = RunFile { epochs: Some(5), json: Some(false), threads: Some(2), ..RunFile::default() };
    let both = flags.over(file);
    assert_eq!((both.epochs, both.seed, both.json, both.threads), (Some(5), Some(4), Some(false), Some(2)));
    assert_eq!(both.network, Some(NetworkSource::Named("a.toml".into())));
    let nothing = RunFile::default();
    assert_eq!(nothing.clone().over(both.clone()), both);
    assert_eq!(both.clone().over(nothing), both);
}

#[test]
fn optimizer_flags_meet_the_file_sensibly() {
    let file = "[optimizer.sgd]\nlearning_rate = 0.1\nmomentum = 0.9";
    let sgd = SgdSpec { learning_rate: 0.1, momentum: 0.9, ..SgdSpec::default() };
    let adam = AdamSpec::default();
    let flags =
        |optimizer_kind, learning_rate| RunFile { optimizer_kind, learning_rate, ..RunFile::default() };

    assert_eq!(optimizer(file, flags(None, None)), OptimizerSpec::Sgd(sgd));
    assert_eq!(optimizer(file, flags(Some(OptimizerKind::Sgd), None)), OptimizerSpec::Sgd(sgd));
    let faster = SgdSpec { learning_rate: 0.5, ..sgd };
    assert_eq!(optimizer(file, flags(None, Some(0.5))), OptimizerSpec::Sgd(faster));
    assert_eq!(optimizer(file, flags(Some(OptimizerKind::Sgd), Some(0.5))), OptimizerSpec::Sgd(faster));
    // Another kind: nothing of the file's table has a meaning for it.
    assert_eq!(optimizer(file, flags(Some(OptimizerKind::Adam), None)), OptimizerSpec::Adam(adam));
    let faster = AdamSpec { learning_rate: 0.5, ..adam };
    assert_eq!(optimizer(file, flags(Some(OptimizerKind::Adam), Some(0.5))), OptimizerSpec::Adam(faster));
    assert_eq!(optimizer("", flags(None, Some(0.5))), OptimizerSpec::Adam(faster));
    let plain = OptimizerSpec::Sgd(SgdSpec::default());
    assert_eq!(optimizer("optimizer = \"sgd\"", flags(None, None)), plain);
    assert_eq!(optimizer("", flags(Some(OptimizerKind::Sgd), None)), plain);
    // A whole table on top replaces the overrides below it.
    let table = RunFile { optimizer: Some(plain), ..RunFile::default() };
    let both = table.over(flags(Some(OptimizerKind::Adam), Some(0.5)));
    assert_eq!(both.resolve(no_file).unwrap().optimizer, plain);
}

#[test]
fn flags_are_put_into_tables_of_the_file() {
    let file = "early_stopping = { patience = 3, min_delta = 0.01 }\n\
                [schedule.cosine]\nminimum = 1e-5\n\
                [augment]\nshift = 2\nerasing = { max_area = 0.2 }\nmixup = { alpha = 1 }";
    let with = |flags: RunFile| flags.over(RunFile::from_toml(file).unwrap()).resolve(no_file);
    let augment_flags = AugmentFlags { shift: Some(3), erasing: Some(0.25), ..AugmentFlags::default() };
    let flags = RunFile {
        schedule_kind: Some(ScheduleKind::Cosine),
        warm_up_epochs: Some(2.0),
        label_smoothing: Some(0.2),
        patience: Some(5),
        augment_flags,
        ..RunFile::default()
    };
    let spec = with(flags).unwrap();
    assert_eq!(spec.schedule, ScheduleSpec::Cosine(CosineSpec { minimum: 1e-5, warm_up_epochs: 2.0 }));
    let smoothed = CrossEntropySpec { label_smoothing: 0.2, class_weights: vec![] };
    assert_eq!(spec.loss, LossSpec::CrossEntropy(smoothed));
    assert_eq!(spec.early_stopping, Some(EarlyStoppingSpec { patience: 5, min_delta: 0.01 }));
    let erasing = ErasingSpec { probability: 0.25, max_area: 0.2, ..ErasingSpec::default() };
    let mixup = Some(MixupSpec { alpha: 1.0 });
    let augment = AugmentSpec { shift: 3, erasing: Some(erasing), mixup, ..AugmentSpec::default() };
    assert_eq!(spec.augment, augment);

    // Another schedule: nothing of the file's table has a meaning for it.
    let one_cycle = || RunFile { schedule_kind: Some(ScheduleKind::OneCycle), ..RunFile::default() };
    assert_eq!(with(one_cycle()).unwrap().schedule, ScheduleKind::OneCycle.into());
    let error = with(RunFile { warm_up_epochs: Some(1.0), ..one_cycle() }).unwrap_err().to_string();
    assert!(error.starts_with("`warm_up_epochs` is 1.0, but must be absent with one_cycle"), "{error}");
    let smoothing = RunFile { label_smoothing: Some(0.1), ..RunFile::default() };
    let map = RunFile::from_toml("loss = \"map\"").unwrap();
    let error = smoothing.over(map).resolve(no_file).unwrap_err().to_string();
    assert!(error.starts_with("`label_smoothing` is 0.1, but must be absent with the loss `map`"), "{error}");
}

#[test]
fn networks_come_by_preset_by_file_or_inline() {
    let named = |name: &str| format!("network = {name:?}");
    assert_eq!(resolve(&named("lenet-3x3")).unwrap().network, preset("lenet-3x3").unwrap());

    let small = NetworkSpec { name: "small".into(), ..preset("lenet").unwrap() };
    let load = |path: &str| {
        assert_eq!(path, "nets/small.toml");
        Ok::<_, SpecError>(small.clone())
    };
    let file = RunFile::from_toml(&named("nets/small.toml")).unwrap();
    assert_eq!(file.resolve(load).unwrap().network, small);

    let message = chain(&resolve(&named("nets/none.toml")).unwrap_err());
    assert_eq!(message, "`network` \"nets/none.toml\" cannot be used: no file nets/none.toml");

    let inline = "[network]\nname = \"i\"\ninput = [1, 4, 4]\nclasses = 2\n[[network.node]]\nlayer = ";
    let spec = resolve(&format!("{inline}\"flatten\"")).unwrap();
    assert_eq!((spec.network.name.as_str(), spec.network.nodes.len()), ("i", 1));
    let message = chain(&resolve(&format!("{inline}{{ linear = {{ out_features = 0 }} }}")).unwrap_err());
    assert_eq!(
        message,
        "`network` \"i\" cannot be used: node `0`: `layer.linear.out_features` is 0, but must be from 1 to 1048576"
    );
}

#[test]
fn wrong_keys_and_types_point_at_their_line() {
    let cases = [
        ("epochs = 1\nepoch = 2", "line 2", "unknown field `epoch`"),
        ("learning_rate = 0.1", "line 1", "unknown field `learning_rate`"),
        ("optimizer_kind = \"sgd\"", "line 1", "unknown field `optimizer_kind`"),
        ("epochs = \"ten\"", "line 1", "epochs = \"ten\""),
        ("epochs = 1.5", "line 1", "epochs = 1.5"),
        ("epochs = -1", "line 1", "epochs = -1"),
        ("seed = -1", "line 1", "seed = -1"),
        ("seed = 18446744073709551616", "line 1", "seed = 18446744073709551616"),
        ("shuffle = 1", "line 1", "shuffle = 1"),
        ("network = 5", "line 1", "a preset's name, the path of a network file, or a table"),
        ("init = 5", "line 1", "the path of a safetensors file or a table"),
        ("init = { fil = \"w\" }", "line 1", "unknown field `fil`"),
        ("\n[optimizer.adam]\nbeta = 0.9", "line 3", "unknown field `beta`"),
        ("[optimizer.sgd]\nbeta1 = 0.9", "line 2", "unknown field `beta1`"),
        ("[optimizer.lamb]", "line 1", "unknown variant `lamb`"),
        ("[optimizer.adam]\n[optimizer.sgd]", "line 1", "`sgd` is one too many: a run has one optimizer"),
        ("[optimizer]", "line 1", "empty table, expected one optimizer"),
        (
            "[optimizer]\nlearning_rate = 1",
            "line 2",
            "unknown variant `learning_rate`, expected one of `adam`, `adamw`, `sgd`, `rmsprop`",
        ),
        ("optimizer = \"lamb\"", "line 1", "unknown variant `lamb`, expected one of `adam`, `adamw`, `sgd`"),
        ("schedule = \"linear\"", "line 1", "unknown variant `linear`, expected one of `constant`, `step`"),
        ("[schedule.one_cycle]\nwarm_up_epochs = 1", "line 2", "unknown field `warm_up_epochs`"),
        ("schedule = { step = {}, cosine = {} }", "line 1", "`step` is one too many: a run has one schedule"),
        ("loss = 5", "line 1", "a loss's name or a table of one loss"),
        ("normalization = { range = [0, 1, 2] }", "line 1", "invalid length 3, expected [low, high]"),
        (
            "normalization = \"whiten\"",
            "line 1",
            "unknown variant `whiten`, expected one of `unit`, `standard`, `range`",
        ),
        ("average = {}", "line 1", "missing field `decay`"),
        ("early_stopping = {}", "line 1", "missing field `patience`"),
        ("[augment]\nflip = 1", "line 2", "unknown field `flip`"),
        ("optimizer = 5", "line 1", "an optimizer's name or a table of one optimizer"),
        ("[network]\nname = \"n\"\nversion = 1", "line 3", "unknown field `version`"),
        ("[network]\nname = \"n\"\ninput = [1, 4, 4]\nclasses = 2", "line 1", "missing field `node`"),
        ("epochs = 1\nepochs = 2", "line 2", "duplicate key"),
        ("epochs = ", "line 1", "epochs = "),
    ];
    for (text, line, expected) in cases {
        let message = chain(&RunFile::from_toml(text).unwrap_err());
        assert!(message.starts_with("cannot read the run file: TOML parse error at "), "{text}: {message}");
        assert!(message.contains(line) && message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn impossible_values_name_the_key() {
    let cases = [
        ("epochs = 0", "`epochs` is 0, but must be from 1 to 1000000000"),
        (
            "normalization = { range = [1e39, 2e39] }",
            "`normalization.range` is [1e39, 2e39], but must be two",
        ),
        (
            "normalization = { range = [0.0, 1e-50] }",
            "`normalization.range` is [0.0, 1e-50], but must be two",
        ),
        ("batch_size = 0", "`batch_size` is 0, but must be from 1 to 1000000000"),
        ("threads = 0", "`threads` is 0, but must be from 1 to 1024"),
        ("threads = 1025", "`threads` is 1025, but must be from 1 to 1024"),
        ("out = \"\"", "`out` is \"\", but must be the path of a folder"),
        ("[optimizer.adam]\nlearning_rate = nan", "`optimizer.adam.learning_rate` is NaN, but must be"),
        ("[optimizer.sgd]\nnesterov = true", "`optimizer.sgd.nesterov` is true, but must be false where"),
        ("validation = 1", "`validation` is 1.0, but must be a number from 0 to below 1"),
        (
            "[loss.cross_entropy]\nclass_weights = [1]",
            "`loss.cross_entropy.class_weights` is [1.0], but must",
        ),
        (
            "[schedule.cosine]\nminimum = 1",
            "`schedule.cosine.minimum` is 1.0, but must be at most the learning",
        ),
        ("[augment]\nshift = 28", "`augment.shift` is 28, but must be below the shorter side"),
        ("[init]\nfile = \"w\"\nsha256 = \"0\"", "`init.sha256` is \"0\", but must be 64 hexadecimal digits"),
    ];
    for (text, expected) in cases {
        // A preset is held against classes and pictures when it has been made to fit the data.
        let error = resolve(text).and_then(|spec| spec.validate());
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    let flags = RunFile { seed: Some(1 << 63), ..RunFile::default() };
    let message = flags.resolve(no_file).unwrap_err().to_string();
    assert_eq!(message, "`seed` is 9223372036854775808, but must be from 0 to 9223372036854775807");
}

#[test]
fn versions_are_told_before_keys() {
    RunFile::from_toml("version = 1").unwrap();
    let newer = RunFile::from_toml("novelty = true\nversion = 2").unwrap_err().to_string();
    assert!(
        newer.starts_with("the run file has format version 2, this program reads version 1: a newer danlu")
    );
    let unknown = RunFile::from_toml("version = -3").unwrap_err().to_string();
    assert_eq!(unknown, "the run file has the unknown format version -3, this program reads version 1");
}
