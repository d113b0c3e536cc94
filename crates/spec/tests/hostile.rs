//! Texts from outside that were made to do harm: real ones, changed at random, are a value or an error.

use proptest::prelude::*;
use spec::{NetworkSpec, RunFile, RunRecord};

const REFERENCE: &str = include_str!("../../../docs/reference.toml");

/// The reference with its alternatives where they can stand beside it: a network in place.
fn run_file() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    };
    REFERENCE.lines().map(uncomment).collect::<Vec<_>>().join("\n")
}

/// The text with some characters put in the place of others.
fn changed(
    text: &str,
    changes: &[(prop::sample::Index, String)],
    cut: Option<prop::sample::Index>,
) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, piece) in changes {
        let at = at.index(characters.len());
        let end = (at + piece.chars().count()).min(characters.len());
        characters.splice(at..end, piece.chars());
    }
    if let Some(cut) = cut {
        characters.truncate(cut.index(characters.len()));
    }
    characters.into_iter().collect()
}

fn pieces() -> impl Strategy<Value = Vec<(prop::sample::Index, String)>> {
    let piece = prop_oneof![
        "[\\PC\\n\"#=\\[\\]{}]{1,3}",
        Just("99999999999999999999".to_owned()),
        Just("1e999".to_owned()),
        Just("[[[[[[[[".to_owned()),
        Just("nan".to_owned()),
        Just("-1".to_owned()),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), piece), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn texts_are_read_or_refused(
        changes in pieces(),
        cut in prop::option::of(any::<prop::sample::Index>()),
        as_it_stands in any::<bool>(),
    ) {
        let text = if as_it_stands { REFERENCE.to_owned() } else { run_file() };
        let text = changed(&text, &changes, cut);
        if let Ok(file) = RunFile::from_toml(&text)
            && let Ok(spec) = file.resolve(|name| Err::<NetworkSpec, _>(format!("no file {name}")))
        {
            // A preset is held against classes and pictures when it has been made to fit the data.
            prop_assert!(spec.validate_for_network().is_err() || spec.validate().is_ok());
        }
        let _either = NetworkSpec::from_toml(&text);
        let _either = RunRecord::from_json(&text);
    }
}

/// A reader that calls itself for each bracket must not run out of stack.
#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{a=", "{\"a\":"] {
        let text = format!("network = {}", open.repeat(100_000));
        assert!(RunFile::from_toml(&text).is_err());
        assert!(RunRecord::from_json(&open.repeat(100_000)).is_err());
    }
}
