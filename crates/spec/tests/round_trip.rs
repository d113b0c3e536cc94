//! Any valid spec is written and read back to the same bits, as TOML and inside a JSON record.

use proptest::prelude::*;
use spec::{
    AdamSpec, AdamwSpec, AugmentSpec, AverageSpec, BatchNorm2dSpec, ConstantSpec, Conv2dSpec, CosineSpec,
    CrossEntropySpec, DropoutSpec, EarlyStoppingSpec, ErasingSpec, InitSpec, LayerSpec, LeakyReluSpec,
    LinearSpec, LossSpec, MAX_COUNT, MAX_SIZE, MapSpec, MergeSpec, MixupSpec, NetworkSpec, NodeSpec,
    NormalizationSpec, OneCycleSpec, OptimizerSpec, Pair, PoolSpec, RmspropSpec, RunFile, ScheduleSpec,
    SgdSpec, StepSpec, Testing, TrainSpec,
};

/// Positive and finite in single precision too, with every exponent and mantissa as likely as any other.
fn positive() -> impl Strategy<Value = f64> {
    let (least, most) = (f64::from(f32::from_bits(1)), f64::from(f32::MAX));
    (least.to_bits()..=most.to_bits()).prop_map(f64::from_bits)
}

fn share() -> impl Strategy<Value = f64> {
    (0..1f64.to_bits()).prop_map(f64::from_bits)
}

fn text() -> impl Strategy<Value = String> {
    "[^\\p{C}]{1,12}"
}

fn pair(min: usize) -> impl Strategy<Value = Pair> {
    (min..=MAX_SIZE, min..=MAX_SIZE).prop_map(|(h, w)| Pair::new(h, w))
}

fn optimizer() -> impl Strategy<Value = OptimizerSpec> {
    let adam = (positive(), share(), share(), positive(), share()).prop_map(
        |(learning_rate, beta1, beta2, epsilon, weight_decay)| {
            OptimizerSpec::Adam(AdamSpec { learning_rate, beta1, beta2, epsilon, weight_decay })
        },
    );
    let sgd = (positive(), share(), any::<bool>(), positive()).prop_map(
        |(learning_rate, momentum, nesterov, weight_decay)| {
            let nesterov = nesterov && momentum > 0.0;
            OptimizerSpec::Sgd(SgdSpec { learning_rate, momentum, nesterov, weight_decay })
        },
    );
    let adamw = (positive(), share(), share(), positive(), share()).prop_map(
        |(learning_rate, beta1, beta2, epsilon, weight_decay)| {
            OptimizerSpec::Adamw(AdamwSpec { learning_rate, beta1, beta2, epsilon, weight_decay })
        },
    );
    let rmsprop = (positive(), share(), positive(), share(), any::<bool>(), positive()).prop_map(
        |(learning_rate, alpha, epsilon, momentum, centered, weight_decay)| {
            OptimizerSpec::Rmsprop(RmspropSpec {
                learning_rate,
                alpha,
                epsilon,
                momentum,
                centered,
                weight_decay,
            })
        },
    );
    prop_oneof![adam, adamw, sgd, rmsprop]
}

/// For a run of any length at any learning rate.
fn schedule() -> impl Strategy<Value = ScheduleSpec> {
    let divisor = || share().prop_map(|share| 1.0 + share);
    prop_oneof![
        share().prop_map(|warm_up_epochs| ScheduleSpec::Constant(ConstantSpec { warm_up_epochs })),
        (1..=MAX_COUNT, divisor(), share()).prop_map(|(every, divisor, warm_up_epochs)| {
            ScheduleSpec::Step(StepSpec { every, factor: 1.0 / divisor, warm_up_epochs })
        }),
        share().prop_map(|warm_up_epochs| ScheduleSpec::Cosine(CosineSpec { minimum: 0.0, warm_up_epochs })),
        (f64::MIN_POSITIVE..1.0, divisor(), divisor()).prop_map(
            |(warm_up_share, start_factor, end_factor)| {
                ScheduleSpec::OneCycle(OneCycleSpec { warm_up_share, start_factor, end_factor })
            }
        ),
    ]
}

fn loss() -> impl Strategy<Value = LossSpec> {
    prop_oneof![
        share().prop_map(|label_smoothing| {
            LossSpec::CrossEntropy(CrossEntropySpec { label_smoothing, class_weights: vec![] })
        }),
        positive().prop_map(|rubbish| LossSpec::Map(MapSpec { rubbish })),
    ]
}

fn augment() -> impl Strategy<Value = AugmentSpec> {
    let erasing = (share(), share(), share()).prop_map(|(probability, min_area, min_aspect)| ErasingSpec {
        probability,
        min_area: min_area.max(1e-9),
        max_area: 1.0,
        min_aspect: min_aspect.max(1e-9),
        max_aspect: 2.0,
    });
    let mixup = (0.01..100.0).prop_map(|alpha| MixupSpec { alpha });
    let (erasing, mixup) = (proptest::option::of(erasing), proptest::option::of(mixup));
    (share(), 0.0..180.0, erasing, mixup).prop_map(|(horizontal_flip, rotation, erasing, mixup)| {
        AugmentSpec { shift: 0, horizontal_flip, rotation, erasing, mixup }
    })
}

/// What a run may do beside its optimizer's steps.
fn with_options(spec: TrainSpec) -> impl Strategy<Value = TrainSpec> {
    let shares = [share().prop_map(|share| share.max(1e-9)).boxed(), share().boxed(), share().boxed()];
    let flags = [any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()];
    (augment(), loss(), schedule(), shares, flags, 1..=MAX_COUNT).prop_map(
        move |(augment, loss, schedule, [validation, decay, min_delta], flags, patience)| TrainSpec {
            validation: flags[0].then_some(validation),
            normalization: match flags[1] {
                true => NormalizationSpec::Standard,
                false => NormalizationSpec::Range([-0.1, 1.175]),
            },
            clip_gradient: flags[2].then_some(1.0 + decay),
            augment,
            loss,
            schedule,
            average: flags[3].then_some(AverageSpec { decay }),
            test: if flags[4] { Testing::AtEnd } else { Testing::EachEpoch },
            early_stopping: flags[4].then_some(EarlyStoppingSpec { patience, min_delta }),
            ..spec.clone()
        },
    )
}

fn layer() -> impl Strategy<Value = LayerSpec> {
    let conv = (1..=MAX_SIZE, pair(1), pair(1), pair(0), any::<bool>()).prop_map(
        |(out_channels, kernel, stride, padding, bias)| {
            let (dilation, groups) = (stride, out_channels);
            LayerSpec::Conv2d(Conv2dSpec { out_channels, kernel, stride, padding, dilation, groups, bias })
        },
    );
    let pool = (pair(2), proptest::option::of(pair(1))).prop_map(|(kernel, stride)| {
        LayerSpec::MaxPool2d(PoolSpec { kernel, stride, padding: Pair::square(1) })
    });
    let slope = (positive(), any::<bool>()).prop_map(|(size, minus)| if minus { -size } else { size });
    prop_oneof![
        conv,
        pool,
        slope.prop_map(|slope| LayerSpec::LeakyRelu(LeakyReluSpec { slope })),
        (1..=MAX_SIZE, any::<bool>())
            .prop_map(|(out_features, bias)| LayerSpec::Linear(LinearSpec { out_features, bias })),
        (positive(), share()).prop_map(|(epsilon, momentum)| {
            LayerSpec::BatchNorm2d(BatchNorm2dSpec { epsilon, momentum: 1.0 - momentum })
        }),
        share().prop_map(|p| LayerSpec::Dropout(DropoutSpec { p })),
        any::<bool>().prop_map(|pad| LayerSpec::Concat(MergeSpec { pad })),
        Just(LayerSpec::Relu),
        Just(LayerSpec::Flatten),
        Just(LayerSpec::Add(MergeSpec::default())),
    ]
}

/// Node `idx`, with inputs where the layer demands them and a name in every other case.
fn node(idx: usize, layer: LayerSpec, name: Option<String>) -> NodeSpec {
    let inputs = layer.merges().then(|| vec!["input".into(), "input".into()]);
    NodeSpec { name: name.map(|name| format!("{idx} {name}")), inputs, layer }
}

fn network() -> impl Strategy<Value = NetworkSpec> {
    let nodes = proptest::collection::vec((layer(), proptest::option::of(text())), 1..8);
    let sizes = [1..=MAX_SIZE, 1..=MAX_SIZE, 1..=MAX_SIZE];
    (text(), sizes, 1..=256usize, nodes).prop_map(|(name, input, classes, nodes)| {
        let nodes =
            nodes.into_iter().enumerate().map(|(idx, (layer, name))| node(idx, layer, name)).collect();
        NetworkSpec { name, input, classes, nodes }
    })
}

fn train_spec() -> impl Strategy<Value = TrainSpec> {
    let init = (".{1,12}", proptest::option::of("[0-9a-f]{64}"));
    let init = proptest::option::of(init.prop_map(|(file, sha256)| InitSpec { file, sha256 }));
    let counts = [1..=MAX_COUNT, 1..=MAX_COUNT];
    (0..=i64::MAX as u64, ".{1,12}", init, counts, any::<bool>(), optimizer(), network())
        .prop_map(|(seed, data, init, [epochs, batch_size], shuffle, optimizer, network)| TrainSpec {
            seed,
            data,
            init,
            epochs,
            batch_size,
            shuffle,
            optimizer,
            network,
            ..TrainSpec::default()
        })
        .prop_flat_map(with_options)
}

fn read(text: &str) -> TrainSpec {
    let no_file = |path: &str| Err(format!("no file {path}"));
    RunFile::from_toml(text).unwrap().resolve(no_file).unwrap()
}

proptest! {
    #[test]
    fn a_run_file_reads_back(spec in train_spec()) {
        spec.validate().unwrap();
        let text = spec.to_toml().unwrap();
        let read = read(&text);
        prop_assert_eq!(&read, &spec, "{}", text);
        prop_assert_eq!(read.to_toml().unwrap(), text);
    }

    #[test]
    fn a_network_file_reads_back(network in network()) {
        let text = network.to_toml().unwrap();
        prop_assert_eq!(NetworkSpec::from_toml(&text).unwrap(), network, "{}", text);
    }

    #[test]
    fn a_spec_reads_back_from_json(spec in train_spec()) {
        let text = serde_json::to_string(&spec).unwrap();
        prop_assert_eq!(serde_json::from_str::<TrainSpec>(&text).unwrap(), spec, "{}", text);
    }
}

#[test]
fn odd_learning_rates_keep_their_bits() {
    let odd = [0.1 + 0.2, 1e-3 / 3.0, 1.4e-45, 1e-38 / 3.0, f64::from(f32::MAX), 1.0 + f64::EPSILON, 1e22];
    for learning_rate in odd {
        for mut optimizer in [OptimizerSpec::default(), OptimizerSpec::Sgd(SgdSpec::default())] {
            optimizer.set_learning_rate(learning_rate);
            let spec = TrainSpec { optimizer, ..TrainSpec::default() };
            let from_toml = read(&spec.to_toml().unwrap());
            let json = serde_json::to_string(&spec).unwrap();
            let from_json: TrainSpec = serde_json::from_str(&json).unwrap();
            assert_eq!(from_toml.optimizer.learning_rate().to_bits(), learning_rate.to_bits());
            assert_eq!(from_json.optimizer.learning_rate().to_bits(), learning_rate.to_bits());
        }
    }
}
