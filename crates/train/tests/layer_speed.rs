//! The speeds of a network's layers, as far as a test can know them.

use lanes::Isa;
use train::{Bound, LayerSpeed, Setup, Speed};

/// The machine may be shared, and what bounds a layer measured in a slower moment.
const MAX_SHARE: f64 = 4.0;

#[test]
fn every_layer_of_a_network_has_a_speed_within_its_bound() {
    let setup = Setup { threads: 1, isa: Isa::detect() };
    let speeds = train::measure_layers(&spec::preset("lenet").unwrap(), setup).unwrap();
    let names: Vec<_> = speeds.iter().map(|speed| speed.name.as_str()).collect();
    let convolutions = ["conv.0", "conv.1", "conv.2", "conv.3", "conv.4", "conv.5"];
    let classifier = ["fc.0", "fc.1", "fc.2", "fc.3", "fc.4"];
    assert_eq!(names, [&convolutions[..], &classifier].concat());
    let weighted = ["conv.0", "conv.3", "fc.0", "fc.2", "fc.4"];
    for LayerSpeed { name, forward, training } in speeds {
        assert!(0.0 < forward.ns && forward.ns < training.ns, "{name}: {forward:?}, {training:?}");
        for Speed { share, bound, .. } in [forward, training] {
            assert!(0.0 < share && share < MAX_SHARE, "{name}: {forward:?}, {training:?}");
            assert_eq!(bound == Bound::MultiplyAdds, weighted.contains(&&*name), "{name}");
        }
    }
}
