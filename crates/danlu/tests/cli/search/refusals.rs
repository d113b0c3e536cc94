//! What a search cannot be, and how that is told.

use crate::search::{GRAMMAR, RUN, searched};
use crate::study::{Asked, with_input};

#[test]
fn a_study_without_grammar_is_no_search() {
    let place = Asked { trials: 1, ..Asked::default() }.place();
    let hint =
        "is a study without a grammar, so that there is nothing to search for; `danlu study` works on it";
    place.run("search s.toml").fails(2, &["s.toml", hint]);
    assert!(!place.path("studies").exists(), "nothing is begun");
    place.run("search lenet-tune").fails(2, &["lenet-tune", hint]);
    place.run("study run s.toml --quiet").succeeds();
    for command in ["", "show ", "trials ", "stop ", "best "] {
        place.run(&format!("search {command}s")).fails(2, &[hint]);
    }
    place.run("search enqueue s --network lenet").fails(2, &[hint]);
    place.run("search nothing").fails(2, &["`nothing` is neither a study file, nor a study in"]);
}

#[test]
fn mistakes_of_a_grammar_are_told_before_anything_is_begun() {
    let text = |from: &str, to: &str| {
        assert!(GRAMMAR.contains(from));
        GRAMMAR.replacen(from, to, 1)
    };
    let cases = [
        (Asked { run: &format!("{RUN}network = \"lenet\"\n"), ..searched() }, "`run.network`"),
        (Asked { parameters: &text("$kernel", "$kernal"), ..searched() }, "node conv: `$kernal` is neither"),
        (
            Asked { parameters: &text("choices = [1, 3, 5]", "choices = [9]"), ..searched() },
            "no decisions give a network",
        ),
        (
            Asked { parameters: &text("input = [1, 28, 28]", ""), ..searched() },
            "`grammar.input` must be given",
        ),
        (
            Asked { parameters: &text("{ name = \"flatten\", layer = \"flatten\" },", ""), ..searched() },
            "fits no map, of whatever size",
        ),
        (
            Asked { parameters: &text("[1, 28, 28]", "[3, 28, 28]"), ..searched() },
            "the network's input is [3, 28, 28]",
        ),
        (
            Asked { parameters: &text("choices = [2, 4]", "choises = [2]"), ..searched() },
            "unknown field `choises`",
        ),
    ];
    for (asked, expected) in cases {
        asked.place().run("search s.toml").fails(2, &[expected]);
    }
}

#[test]
fn a_network_outside_is_told_why() {
    let place = searched().place();
    let said = [
        "\"lenet\" is none of the search s",
        "node `conv.0` (conv2d) stands where the grammar has node `small`",
    ];
    place.run("search enqueue s.toml --network lenet").fails(2, &said);
    place.run("search enqueue s.toml --network nothing").fails(2, &["`nothing` is neither a preset"]);
    let tight = Asked { keys: "constraints = { activation_bytes = 3136 }", ..searched() }.place();
    tight.run("search s.toml").fails(2, &["`activation_bytes` is"]);
    let no_room = "{\"0.kernel\": 5, \"0.filters\": 2, \"1.kernel\": 5}";
    place.run("search s.toml --quiet").succeeds();
    let ran = with_input(&place, "study enqueue s", no_room);
    ran.fails(2, &["no network of the grammar has these values: parameter `1.kernel` cannot be 5 then"]);
}
