//! Other programs and people at a study: `ask`, `tell`, `enqueue`, `stop`.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::study::{Asked, json_lines, trials, with_input};
use crate::support::{Place, Ran};

/// Trials that Danlu knows nothing of.
const FOREIGN: &str = r#"
name = "f"
objectives = [{ name = "height", direction = "maximize" }]
sampler = "random"
pruner = { median = { n_startup = 1 } }
budget = { trials = 6 }

[[parameter]]
name = "x"
float = { low = -1.0, high = 1.0 }

[[parameter]]
name = "how"
choices = ["up", "down"]
"#;

fn foreign() -> Place {
    let place = Place::new();
    place.write("f.toml", FOREIGN);
    place
}

fn ask(place: &Place, arguments: &str) -> Vec<Value> {
    json_lines(&place.run(&format!("study ask {arguments}")).succeeds().stdout)
}

fn tell(place: &Place, lines: &str) -> Vec<Value> {
    json_lines(&with_input(place, "study tell f", lines).succeeds().stdout)
}

fn states(place: &Place, study: &str) -> Vec<String> {
    trials(place, study).iter().map(|trial| trial["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn another_program_asks_and_tells() {
    let place = foreign();
    let asked = [ask(&place, "f.toml"), ask(&place, "f -n 3")].concat();
    let numbers: Vec<_> = asked.iter().map(|line| line["trial"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
    assert!(asked.iter().all(|line| line["params"]["x"].is_f64() && line["params"]["how"].is_string()));
    let lines = "{\"trial\": 0, \"step\": 1, \"value\": 0.5}\n\n{\"trial\": 0, \"values\": [0.75]}\n";
    assert_eq!(tell(&place, lines), [json!({"trial": 0, "prune": false}), json!({"trial": 0, "told": true})]);
    // Worse than the only other one so far.
    assert_eq!(
        tell(&place, "{\"trial\": 1, \"step\": 1, \"value\": 0.25}"),
        [json!({"trial": 1, "prune": true})]
    );
    tell(
        &place,
        "{\"trial\": 1, \"state\": \"pruned\"}\n{\"trial\": 2, \"state\": \"failed\", \"reason\": \"it rained\"}",
    );
    assert_eq!(states(&place, "f"), ["complete", "pruned", "failed", "running"]);
    let all = trials(&place, "f");
    assert_eq!((&all[0]["values"]["height"], &all[1]["values"]["height"]), (&json!(0.75), &json!(0.25)));
    assert_eq!(all[2]["user_attributes"]["danlu:failure"], "it rained");
    tell(&place, "{\"trial\": 3, \"values\": [0.5], \"constraints\": [1.0]}");
    assert_eq!(ask(&place, "f -n 3").last().unwrap(), &json!({"trial": null, "done": "trials"}));
    place.run("study run f").fails(2, &["no table `run`"]);
    assert_eq!(json_lines(&place.run("study best f --json").succeeds().stdout)[0]["trial"], 0);
}

#[test]
fn wrong_lines_are_told_with_their_number_and_those_before_count() {
    let place = foreign();
    ask(&place, "f.toml -n 3");
    let cases = [
        ("{\"trial\": 0", "line 2"),
        ("{\"trial\": 0, \"value\": [1.0]}", "line 2"),
        ("{\"trial\": -1, \"values\": [1.0]}", "line 2"),
        ("{\"trial\": 0, \"wert\": 1.0}", "wert"),
        ("{\"trial\": 0, \"values\": [1.0, 2.0]}", "2 values"),
        ("{\"trial\": 0, \"values\": [1e999]}", "line 2"),
        ("{\"trial\": 0}", "trial 0"),
        ("{\"trial\": 0, \"step\": 1}", "trial 0"),
        ("{\"trial\": 0, \"values\": [1.0], \"state\": \"failed\"}", "trial 0"),
        ("{\"trial\": 0, \"state\": \"odd\"}", "odd"),
        ("{\"trial\": 0, \"state\": \"failed\", \"constraints\": [1.0]}", "`constraints` go with `values`"),
        ("{\"trial\": 0, \"state\": \"pruned\", \"reason\": \"bad\"}", "a `reason` with the state `failed`"),
        ("{\"trial\": 7, \"values\": [1.0]}", "7"),
        ("[]", "line 2"),
    ];
    for (step, (wrong, expected)) in cases.into_iter().enumerate() {
        let lines = format!("{{\"trial\": 1, \"step\": {}, \"value\": 0.5}}\n{wrong}\n", step + 1);
        let ran = with_input(&place, "study tell f", &lines).fails(2, &["line 2 of the input", expected]);
        assert_eq!(json_lines(&ran.stdout).len(), 1, "{wrong}");
    }
    assert_eq!(states(&place, "f"), ["running"; 3]);
    assert_eq!(trials(&place, "f")[1]["intermediate"].as_object().unwrap().len(), cases.len());
    tell(&place, "{\"trial\": 2, \"values\": [1.0]}");
    // What is over stays.
    let again = with_input(&place, "study tell f", "{\"trial\": 2, \"values\": [2.0]}");
    again.fails(2, &["line 1 of the input", "trial 2 is over and stays as it is"]);
    assert_eq!(trials(&place, "f")[2]["values"]["height"], 1.0);
}

#[test]
fn numbers_of_python_that_are_not_finite_are_understood() {
    let place = foreign();
    ask(&place, "f.toml -n 3");
    tell(&place, "{\"trial\": 0, \"values\": [NaN]}\n{\"trial\": 1, \"values\": [-Infinity]}");
    tell(&place, "{\"trial\": 2, \"step\": 1, \"value\": NaN}");
    assert_eq!(states(&place, "f"), ["failed", "complete", "running"]);
    assert_eq!(trials(&place, "f")[1]["values"]["height"], "-inf");
    for looked in ["trials f", "export f --csv", "best f"] {
        let ran = place.run(&format!("study {looked}")).succeeds();
        assert!(ran.stdout.contains("-inf"), "{}", ran.stdout);
    }
}

#[test]
fn what_breaks_a_constraint_stands_behind_the_others() {
    let place = foreign();
    place.write("f.toml", FOREIGN.replace("\"how\"", "\"state\""));
    ask(&place, "f.toml -n 3");
    tell(&place, "{\"trial\": 0, \"values\": [0.9], \"constraints\": [3]}");
    tell(&place, "{\"trial\": 1, \"values\": [0.1], \"constraints\": [0]}");
    let table = place.run("study trials f --sorted").succeeds().stdout;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let head = ["trial", "state", "epochs", "height", "feasible", "x", "params_state"];
    assert_eq!(rows[0], head);
    let told: Vec<_> = rows[1..].iter().map(|row| (row[0], row[4])).collect();
    assert_eq!(told, [("1", "true"), ("2", "-"), ("0", "false")]);
}

#[test]
fn of_other_programs_trials_nobody_counts_the_minutes_nor_knows_the_steps() {
    let place = foreign();
    place.write("f.toml", FOREIGN.replace("trials = 6", "minutes = 1.0"));
    place.run("study ask f.toml").fails(2, &["`budget.minutes`", "`budget.trials`"]);
    let hyperband = |numbers: &str| {
        let pruner = format!("{{ hyperband = {{ {numbers} }} }}");
        FOREIGN.replace("{ median = { n_startup = 1 } }", &pruner).replace("\"f\"", "\"g\"")
    };
    place.write("g.toml", hyperband(""));
    place.run("study ask g.toml").fails(2, &["`max_steps`"]);
    place.write("g.toml", hyperband("max_steps = 27"));
    ask(&place, "g.toml");
    let shown = json_lines(&place.run("study show g --json").succeeds().stdout);
    assert_eq!(shown[0]["trials_per_hour"], Value::Null);
}

#[test]
fn a_trial_of_danlu_can_be_asked_for_with_its_run() {
    let place = Asked { trials: 2, ..Asked::default() }.place();
    let asked = ask(&place, "s.toml");
    place.write("asked.toml", asked[0]["run"].as_str().unwrap());
    place.run("train asked.toml --out by-hand --quiet").succeeds();
    let accuracy = place.record("by-hand").epochs.last().unwrap().validation_accuracy.unwrap();
    // Danlu does the other trial and leaves the first to whoever asked.
    place.run("study run s.toml --quiet").succeeds();
    assert_eq!(states(&place, "s"), ["running", "complete"]);
    with_input(&place, "study tell s", &format!("{{\"trial\": 0, \"values\": [{accuracy}]}}")).succeeds();
    // The same as if Danlu had done it.
    let by_danlu = Asked { trials: 2, ..Asked::default() }.place();
    by_danlu.run("study run s.toml --quiet").succeeds();
    for (one, other) in trials(&place, "s").iter().zip(trials(&by_danlu, "s")) {
        assert_eq!((&one["params"], &one["values"]), (&other["params"], &other["values"]));
    }
}

#[test]
fn wanted_values_come_first() {
    let place = Asked { trials: 4, ..Asked::default() }.place();
    ask(&place, "s.toml");
    let lines = "{\"kernel\": 5, \"learning_rate\": 0.01}\n{\"optimizer\": \"sgd\", \"momentum\": 0.3}\n{}\n";
    let ran = with_input(&place, "study enqueue s", lines).succeeds();
    assert_eq!(json_lines(&ran.stdout), [json!({"trial": 1}), json!({"trial": 2}), json!({"trial": 3})]);
    assert_eq!(states(&place, "s"), ["running", "waiting", "waiting", "waiting"]);
    place.run("study run s --quiet").succeeds();
    assert_eq!(states(&place, "s"), ["running", "complete", "complete", "complete"]);
    let all = trials(&place, "s");
    assert_eq!((&all[1]["params"]["kernel"], &all[1]["params"]["learning_rate"]), (&json!(5), &json!(0.01)));
    assert_eq!((&all[2]["params"]["optimizer"], &all[2]["params"]["momentum"]), (&json!("sgd"), &json!(0.3)));
    assert!(all.iter().all(|trial| trial["params"]["shift"].is_u64()), "the sampler chooses what is missing");
}

#[test]
fn wanted_values_that_cannot_be_are_refused() {
    let place = Asked::default().place();
    ask(&place, "s.toml");
    let cases = [
        ("{\"kernle\": 3}", "there is no parameter `kernle`; the study has kernel, optimizer,"),
        ("{\"kernel\": 4}", "parameter `kernel` cannot be 4: it is one of 1, 3, 5"),
        ("{\"learning_rate\": 1.0}", "parameter `learning_rate` cannot be 1.0: it is from 0.001 to 0.1"),
        ("{\"momentum\": 0.1}", "parameter `momentum` cannot be 0.1: it is from 0 to 0.9 in steps of 0.3"),
        ("{\"momentum\": 0.3}", "`momentum` is there only where `optimizer` is sgd"),
        ("{\"optimizer\": \"adam\", \"momentum\": 0.3}", "`momentum` is there only where `optimizer` is sgd"),
        ("{\"shift\": 1.5}", "parameter `shift` cannot be 1.5: it is from 0 to 2"),
        ("{\"shift\": \"1\"}", "parameter `shift` cannot be \"1\""),
        ("kernel = 3", "line 2 of the input"),
        ("[3]", "line 2 of the input"),
    ];
    for (line, expected) in cases {
        let ran = with_input(&place, "study enqueue s", &format!("\n{line}\n"));
        let ran = ran.fails(2, &["line 2 of the input", expected]);
        assert_eq!(ran.stdout, "", "{line}");
    }
    assert_eq!(trials(&place, "s").len(), 1);
    place.run("study best s").fails(1, &["the study s has no whole trial yet"]);
}

/// A study without an end, and the process that works on it once it has a trial.
fn endless(flags: &str) -> (Place, Child) {
    let run = crate::study::RUN.replace("epochs = 3", "epochs = 100000");
    let place = Asked { trials: 100_000, run: &run, ..Asked::default() }.place();
    let mut command = place.command(&format!("study run s.toml {flags}"));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| place.path("studies/s/trials/0000/checkpoint").exists());
    (place, child)
}

#[track_caller]
fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not come to that");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_wish_to_stop_ends_the_processes_and_the_same_command_goes_on() {
    let (place, child) = endless("--jobs 2 --threads 2");
    place.run("study stop s").succeeds();
    place.run("study run s --quiet").fails(1, &["a stop is asked for of the study in studies/s"]);
    place.run("study stop s --now").succeeds();
    let ran = Ran::of(child.wait_with_output().unwrap()).succeeds();
    assert!(ran.stderr.contains("stopped; `danlu study run s.toml` goes on"), "{}", ran.stderr);
    let all = trials(&place, "s");
    assert!(all.iter().all(|trial| trial["state"] == "waiting"), "{all:?}");
    let n_epochs = all[0]["intermediate"].as_object().unwrap().len();
    assert!(n_epochs > 0);
    let mut command = place.command("study run s");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| trials(&place, "s")[0]["intermediate"].as_object().unwrap().len() > n_epochs);
    place.run("study stop s --now").succeeds();
    child.wait().unwrap();
    let ran = place.run("study stop s").succeeds();
    assert_eq!(ran.stderr, "nobody works on s at the moment\n");
}

/// Sent to the first process alone: it lets go of the others, and they of their trials.
#[test]
fn ctrl_c_lets_go_of_the_trials() {
    for name in ["-INT", "-TERM"] {
        let (place, child) = endless("--jobs 2 --threads 2");
        signal(name, &child.id().to_string());
        let ran = Ran::of(child.wait_with_output().unwrap());
        ran.fails(130, &["interrupted", "`danlu study run s.toml` goes on"]);
        let all = trials(&place, "s");
        assert!(!all.is_empty() && all.iter().all(|trial| trial["state"] == "waiting"), "{all:?}");
    }
}

fn signal(name: &str, whom: &str) {
    assert!(Command::new("kill").args([name, "--", whom]).status().unwrap().success());
}
