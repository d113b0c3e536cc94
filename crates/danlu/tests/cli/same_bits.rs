//! The same run gives the same bits.

use crate::support::{Place, Ran};

#[test]
fn threads_and_instruction_sets_change_no_bit() {
    let place = Place::new();
    place.train("--epochs 3 --threads 1 --out a").succeeds();
    let hash = place.hash("a");
    place.train("--epochs 3 --threads 2 --out b").succeeds();
    assert_eq!(place.hash("b"), hash);
    place.train("--epochs 3 --threads 7 --out c").succeeds();
    assert_eq!(place.hash("c"), hash);
    let mut plain = place.command("train --data data --batch-size 64 --epochs 3 --out d");
    Ran::of(plain.env("DANLU_ISA", "plain").output().unwrap()).succeeds();
    assert_eq!(place.hash("d"), hash);
    assert_eq!(place.record("d").machine.isa, "plain");
    place.train("--epochs 3 --seed 2 --out e").succeeds();
    assert_ne!(place.hash("e"), hash);
}

#[test]
fn the_spec_that_was_used_gives_the_same_run() {
    let place = Place::new();
    place
        .train("--epochs 2 --optimizer sgd --learning-rate 0.1 --seed 5 --network lenet-3x3 --out a")
        .succeeds();
    place.run("train a/run.toml --out b").succeeds();
    assert_eq!(place.hash("b"), place.hash("a"));
    assert_eq!(place.read("b/run.toml"), place.read("a/run.toml"));
    assert_eq!(place.record("b").spec, place.record("a").spec);
}

#[test]
fn weights_are_a_start() {
    let place = Place::new();
    place.train("--epochs 1 --out a").succeeds();
    place.train("--epochs 1 --init a/model.safetensors --out b").succeeds();
    assert_ne!(place.hash("b"), place.hash("a"));
    let init = place.record("b").spec.init.expect("it was given");
    assert_eq!(init.file, "a/model.safetensors");
    assert_eq!(init.sha256.expect("it is always put down").len(), 64);
    place.run("train b/run.toml --out c").succeeds();
    assert_eq!(place.hash("c"), place.hash("b"));
    // The same weights, written again by another hand, are no longer the same file.
    place.train("--epochs 1 --seed 9 --out a --force").succeeds();
    place.run("train b/run.toml --out d").fails(1, &["a/model.safetensors has SHA-256", "asks for"]);
    assert!(!place.path("d").exists());
}
