use super::*;

const STEPS: usize = 4;
const EPOCHS: usize = 3;

const COSINE: [f64; 12] = [
    0.1,
    0.09846666218300808,
    0.09397114317029975,
    0.08681980515339464,
    0.0775,
    0.06664685702961345,
    0.055,
    0.04335314297038658,
    0.0325,
    0.023180194846605367,
    0.01602885682970026,
    0.011533337816991932,
];
const WARM_COSINE: [f64; 12] = [
    0.025,
    0.05,
    0.075,
    0.1,
    0.09728616793536589,
    0.08947199994035401,
    0.0775,
    0.06281416799501188,
    0.047185832004988146,
    0.0325,
    0.020528000059645994,
    0.012713832064634126,
];
const ONE_CYCLE: [f64; 12] = [
    0.004,
    0.0349789654219583,
    0.08792851591221287,
    0.09944154354509119,
    0.09330129698414118,
    0.0811745653949763,
    0.06473789976951033,
    0.046263710266697504,
    0.028306099820869922,
    0.01334775301888306,
    0.0034566987425395223,
    4e-07,
];
const OTHER_CYCLE: [f64; 12] = [
    0.025,
    0.03216186271093946,
    0.05091186271093947,
    0.07408813728906052,
    0.09283813728906053,
    0.1,
    0.0934687384344914,
    0.075625,
    0.05125,
    0.026875,
    0.009031261565508613,
    0.0025,
];

fn rates(schedule: ScheduleSpec) -> Vec<f64> {
    schedule.validate(0.1, EPOCHS).unwrap();
    (0..STEPS * EPOCHS).map(|step| schedule.rate(0.1, step, STEPS, EPOCHS)).collect()
}

/// From PyTorch 2.15, with `o = torch.optim.SGD([p], lr=0.1)`, `o.param_groups[0]['lr']` read before each of 12 steps:
///
/// ```python
/// warm = lambda s: SequentialLR(o, [LinearLR(o, start_factor=1/4, total_iters=3), s], milestones=[3])
/// warm(LambdaLR(o, lambda t: 1.0)); StepLR(o, 4, 0.5); warm(StepLR(o, 4, 0.5))
/// CosineAnnealingLR(o, 12, eta_min=0.01); warm(CosineAnnealingLR(o, 9, eta_min=0.01))
/// OneCycleLR(o, 0.1, total_steps=12, cycle_momentum=False)
/// OneCycleLR(o, 0.1, total_steps=12, pct_start=0.5, div_factor=4, final_div_factor=10, cycle_momentum=False)
/// ```
#[test]
fn rates_are_pytorchs() {
    let step = |warm_up_epochs| ScheduleSpec::Step(StepSpec { every: 1, factor: 0.5, warm_up_epochs });
    let cosine = |warm_up_epochs| ScheduleSpec::Cosine(CosineSpec { minimum: 0.01, warm_up_epochs });
    let cycle = OneCycleSpec { warm_up_share: 0.5, start_factor: 4.0, end_factor: 10.0 };
    let cases: [(ScheduleSpec, [f64; 12]); 7] = [
        (
            ScheduleSpec::Constant(ConstantSpec { warm_up_epochs: 0.75 }),
            [0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
        ),
        (step(0.0), [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025]),
        (step(0.75), [0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025]),
        (cosine(0.0), COSINE),
        (cosine(0.75), WARM_COSINE),
        (ScheduleSpec::OneCycle(OneCycleSpec::default()), ONE_CYCLE),
        (ScheduleSpec::OneCycle(cycle), OTHER_CYCLE),
    ];
    for (schedule, want) in cases {
        for (step, (got, want)) in rates(schedule).into_iter().zip(want).enumerate() {
            // A cosine near its end is a difference of nearly equal numbers, so the bound is of the whole range.
            assert!((got - want).abs() < 1e-16, "{schedule:?}, step {step}: {got:?} for {want:?}");
        }
    }
}

/// `OneCycleLR(o, 0.1, total_steps=n, cycle_momentum=False)`, which has no rise where the run is short.
#[test]
fn short_cycles_are_pytorchs_too() {
    let cycle = ScheduleSpec::OneCycle(OneCycleSpec::default());
    let cases: [&[f64]; 3] = [
        &[0.0811745653949763, 4e-07],
        &[0.09944154354509119, 0.046263710266697504, 4e-07],
        &[0.004, 0.0811745653949763, 0.028306099820869922, 4e-07],
    ];
    for wanted in cases {
        for (step, &want) in wanted.iter().enumerate() {
            let got = cycle.rate(0.1, step, wanted.len(), 1);
            assert!((got - want).abs() < 1e-16, "step {step}: {got:?} for {want:?}");
        }
    }
}

#[test]
fn every_rate_of_every_run_is_a_positive_number() {
    for kind in [ScheduleKind::Constant, ScheduleKind::Step, ScheduleKind::Cosine, ScheduleKind::OneCycle] {
        for n_steps in 1..6 {
            for epochs in 1..30 {
                for warm_up_epochs in [0.0, 0.4, 1.0, epochs as f64] {
                    let mut schedule = ScheduleSpec::from(kind);
                    if kind != ScheduleKind::OneCycle {
                        schedule.set_warm_up_epochs(warm_up_epochs).unwrap();
                    }
                    for step in 0..n_steps * epochs {
                        let rate = schedule.rate(0.1, step, n_steps, epochs);
                        assert!(0.0 < rate && rate <= 0.1, "{schedule:?}: {rate:?} at {step} of {epochs}");
                    }
                }
            }
        }
    }
}

#[test]
fn kinds_read_back_from_their_names() {
    for kind in [ScheduleKind::Constant, ScheduleKind::Step, ScheduleKind::Cosine, ScheduleKind::OneCycle] {
        assert_eq!(kind.to_string().parse::<ScheduleKind>().unwrap(), kind);
        assert_eq!(ScheduleSpec::from(kind).kind(), kind);
        let tag = serde_json::to_value(ScheduleSpec::from(kind)).unwrap();
        assert!(tag.get(kind.to_string()).is_some(), "{tag}");
    }
    let error = "polynomial".parse::<ScheduleKind>().unwrap_err().to_string();
    assert_eq!(error, "`schedule` is \"polynomial\", but must be constant, step, cosine or one_cycle");
}

#[test]
fn impossible_numbers_are_refused_by_key() {
    let step = StepSpec::default();
    let cycle = OneCycleSpec::default();
    let cases = [
        (ScheduleSpec::Constant(ConstantSpec { warm_up_epochs: 3.5 }), "constant.warm_up_epochs", "3.5"),
        (ScheduleSpec::Constant(ConstantSpec { warm_up_epochs: f64::NAN }), "constant.warm_up_epochs", "NaN"),
        (ScheduleSpec::Step(StepSpec { every: 0, ..step }), "step.every", "0"),
        (ScheduleSpec::Step(StepSpec { factor: 0.0, ..step }), "step.factor", "0.0"),
        (ScheduleSpec::Step(StepSpec { factor: 1.5, ..step }), "step.factor", "1.5"),
        (
            ScheduleSpec::Cosine(CosineSpec { minimum: -0.1, ..CosineSpec::default() }),
            "cosine.minimum",
            "-0.1",
        ),
        (ScheduleSpec::Cosine(CosineSpec { minimum: 0.2, ..CosineSpec::default() }), "cosine.minimum", "0.2"),
        (
            ScheduleSpec::OneCycle(OneCycleSpec { warm_up_share: 1.0, ..cycle }),
            "one_cycle.warm_up_share",
            "1.0",
        ),
        (
            ScheduleSpec::OneCycle(OneCycleSpec { start_factor: 0.5, ..cycle }),
            "one_cycle.start_factor",
            "0.5",
        ),
        (
            ScheduleSpec::OneCycle(OneCycleSpec { end_factor: f64::NAN, ..cycle }),
            "one_cycle.end_factor",
            "NaN",
        ),
    ];
    for (schedule, key, value) in cases {
        let message = schedule.validate(0.1, 3).unwrap_err().to_string();
        assert!(message.starts_with(&format!("`schedule.{key}` is {value}, but must be ")), "{message}");
    }
    let message = ScheduleSpec::OneCycle(cycle).set_warm_up_epochs(1.0).unwrap_err().to_string();
    assert!(message.starts_with("`warm_up_epochs` is 1.0, but must be absent with one_cycle"), "{message}");
}
