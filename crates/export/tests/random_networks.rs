//! The random networks are what they should be.

#[path = "../examples/random_networks/generator.rs"]
mod generator;
#[path = "../examples/random_networks/layers.rs"]
mod layers;

use std::collections::BTreeMap;

use nn::Plan;
use spec::Seed;

#[test]
fn two_hundred_of_them_are_small_and_valid_and_have_every_layer() {
    let mut counts: BTreeMap<&str, usize> =
        layers::KINDS.into_iter().chain(["rbf"]).map(|kind| (kind, 0)).collect();
    for idx in 0..200 {
        let network = generator::random_network(Seed(1), idx);
        assert!(network.nodes.len() <= 12, "{idx}: {} nodes", network.nodes.len());
        assert!(network.input[1..].iter().all(|&side| side <= 12), "{idx}: {:?}", network.input);
        let plan = Plan::compile(&network).unwrap_or_else(|error| panic!("{idx}: {error}"));
        assert!(plan.n_values() < 50_000, "{idx}: {}", plan.n_values());
        for node in &network.nodes {
            *counts.get_mut(node.layer.kind()).expect("a known layer") += 1;
        }
    }
    let rare: Vec<_> = counts.iter().filter(|(_, n)| **n < 3).collect();
    assert!(rare.is_empty(), "{rare:?}");
    assert_eq!(counts.len(), 27);
}

#[test]
fn a_seed_and_a_number_are_one_network() {
    assert_eq!(generator::random_network(Seed(3), 5), generator::random_network(Seed(3), 5));
    assert_ne!(generator::random_network(Seed(3), 5), generator::random_network(Seed(4), 5));
}
