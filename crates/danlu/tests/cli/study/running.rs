//! `danlu study run`: to the end, on from there, and the same again.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::study::{Asked, PARAMETERS, files, json_lines, trials};
use crate::support::Place;

#[test]
fn a_study_goes_to_its_end_and_the_same_command_does_nothing_more() {
    let asked = Asked { keys: "retrain = { best = 1, seeds = 2 }", ..Asked::default() };
    let place = asked.place();
    let ran = place.run("study run s.toml").succeeds();
    assert!(ran.stdout.starts_with("study s: 6 trials (6 whole, 0 pruned, 0 failed, 0 of them reused)"));
    assert!(ran.stdout.contains("trained again on training and validation images: test accuracy"));
    assert_eq!(ran.stderr, "training the best again, 2 runs\n", "no progress in a pipe");
    let (done, report) = (trials(&place, "s"), place.read("studies/s/report.md"));
    assert_eq!(done.len(), 6);
    assert!(done.iter().all(|trial| trial["state"] == "complete" && trial["values"].is_object()));
    let again = place.run("study run s.toml").succeeds();
    assert_eq!(again.stderr, "");
    let without_time = |text: &str| text.split(" in ").next().unwrap().to_owned();
    assert_eq!(without_time(&again.stdout), without_time(&ran.stdout));
    assert_eq!(trials(&place, "s"), done);
    assert!(report.starts_with("# s\n") && report.contains("test accuracy"));
    for by in ["s", "studies/s"] {
        assert_eq!(place.run(&format!("study run {by} --quiet")).succeeds().stderr, "");
    }
    assert_eq!(trials(&place, "s"), done);
}

#[test]
fn a_study_leaves_its_files_and_no_others() {
    let asked = Asked { trials: 2, keys: "retrain = { best = 1, seeds = 1 }", ..Asked::default() };
    let place = asked.place();
    place.run("study run s.toml --quiet").succeeds();
    let all = files(&place.path("studies/s"));
    let outside_runs = |file: &&String| !file.starts_with("retrain/") && !file.ends_with(".json");
    let expected = [
        "report.md",
        "retrain",
        "study.db",
        "study.toml",
        "trials",
        "trials/0000",
        "trials/0000/.lock",
        "trials/0000/run.toml",
        "trials/0001",
        "trials/0001/.lock",
        "trials/0001/run.toml",
        "workers",
    ];
    assert_eq!(all.iter().filter(outside_runs).collect::<Vec<_>>(), expected);
}

#[test]
fn a_raised_budget_goes_on_and_anything_else_that_changes_is_refused() {
    let place = Asked { trials: 3, ..Asked::default() }.place();
    place.run("study run s.toml").succeeds();
    let first = trials(&place, "s");
    place.write("s.toml", Asked { trials: 5, ..Asked::default() }.text());
    place.run("study run s.toml").succeeds();
    let all = trials(&place, "s");
    assert_eq!((all.len(), &all[..3]), (5, &first[..]));
    let parameters = "[[parameter]]\nname = \"b\"\nkey = \"batch_size\"\nchoices = [32, 64]";
    let longer = crate::study::RUN.replace("epochs = 3", "epochs = 4");
    let cases = [
        (Asked { objectives: "\"validation_loss\"", ..Asked::default() }, "another list of `objectives`"),
        (Asked { sampler: "\"tpe\"", ..Asked::default() }, "another `sampler`"),
        (Asked { keys: "pruner = \"median\"", ..Asked::default() }, "another `pruner`"),
        (Asked { keys: "seed = 2", ..Asked::default() }, "another seed"),
        (
            Asked { keys: "constraints = { parameters = 1 }", ..Asked::default() },
            "another table `constraints`",
        ),
        (Asked { run: &longer, ..Asked::default() }, "another table `run`"),
        (Asked { parameters, ..Asked::default() }, "another list of parameters"),
    ];
    for (asked, expected) in cases {
        place.write("s.toml", asked.text());
        place.run("study run s.toml").fails(2, &["studies/s holds the study s with", expected]);
    }
    assert_eq!(trials(&place, "s"), all);
}

/// What cannot be begun leaves nothing behind, so that the mended file has its name.
#[test]
fn a_file_with_a_mistake_begins_no_study() {
    let misspelled = crate::study::RUN.replace("epochs", "epohcs");
    let parameters =
        "[[parameter]]\nname = \"k\"\nkey = \"network.node.conv.layer.conv2d.kernel\"\nchoices = [8, 9]";
    let misspelled_choice = PARAMETERS.replace("\"adam\", \"sgd\"", "\"adam\", \"sgd\", \"sdg\"");
    let misspelled_key = PARAMETERS.replace("optimizer.sgd.momentum", "optimizer.sgd.momentm");
    let without_key = PARAMETERS.replace("key = \"optimizer.*.learning_rate\"", "");
    let without_weights = format!("{}init = \"nowhere.safetensors\"\n", crate::study::RUN);
    let threads = format!("{}threads = 2\n", crate::study::RUN);
    let tested = PARAMETERS.replace("augment.shift", "test");
    let unstorable = format!(
        "{PARAMETERS}[[parameter]]\nname = \"n\"\nkey = \"seed\"\nint = {{ low = 0, high = {} }}\n",
        i64::MAX
    );
    let objectives = "\"parameters\", { name = \"validation_accuracy\", direction = \"minimize\" }";
    let cases = [
        (Asked { run: &threads, ..Asked::default() }, ["`run.threads` has no place", "--threads"]),
        (Asked { parameters: &tested, ..Asked::default() }, ["`test` has no place", "never look"]),
        (
            Asked { keys: "retrain = { set = { subset = 0.5 } }", ..Asked::default() },
            ["`retrain.set.subset` has no place", "all samples"],
        ),
        (Asked { objectives, ..Asked::default() }, ["`validation_accuracy` to maximize", "or another name"]),
        (
            Asked { objectives: "\"parameters\", \"parameters\"", ..Asked::default() },
            ["`objectives` is \"parameters\"", "each figure once"],
        ),
        (Asked { run: &misspelled, ..Asked::default() }, ["cannot read the table `run`", "`epohcs`"]),
        (Asked { parameters, ..Asked::default() }, ["none of 500 trials", "kernel"]),
        (Asked { sampler: "\"nsga3\"", ..Asked::default() }, ["s.toml", "nsga3"]),
        (Asked { keys: "retrain = { set = { epohcs = 1 } }", ..Asked::default() }, ["s.toml", "epohcs"]),
        (
            Asked { keys: "pruner = { halving = { min_steps = 3 } }", ..Asked::default() },
            ["no trial would be pruned", "a whole trial has 3 epochs"],
        ),
        (
            Asked { keys: "retrain = { seeds = 99999999999 }", ..Asked::default() },
            ["`retrain.seeds` is 99999999999", "from 1 to 1,000"],
        ),
        (
            Asked { parameters: &unstorable, ..Asked::default() },
            ["parameter \"n\"", "between -2^53 and 2^53"],
        ),
        (Asked { parameters: &misspelled_choice, ..Asked::default() }, ["s.toml", "`sdg`"]),
        (Asked { parameters: &misspelled_key, ..Asked::default() }, ["s.toml", "`momentm`"]),
        (Asked { parameters: &without_key, ..Asked::default() }, ["s.toml", "`learning_rate` has no `key`"]),
    ];
    let place = Asked { trials: 1, ..Asked::default() }.place();
    let sound = place.read("s.toml");
    for (asked, expected) in cases {
        place.write("s.toml", asked.text());
        for command in ["study run s.toml", "study ask s.toml"] {
            place.run(command).fails(2, &expected);
            assert!(!place.path("studies/s").exists(), "{command}: {expected:?}");
        }
    }
    place.write("s.toml", Asked { run: &without_weights, ..Asked::default() }.text());
    place.run("study run s.toml").fails(1, &["cannot read nowhere.safetensors"]);
    place.write("s.toml", sound);
    place.run("study run s.toml --quiet").succeeds();
    assert_eq!(trials(&place, "s").len(), 1);
}

/// A trial is the run that its file says, with the weights that it starts from.
#[test]
fn a_trial_starts_from_the_weights_that_the_run_names() {
    let run = format!("{}init = \"first/model.safetensors\"\n", crate::study::RUN);
    let parameters = "[[parameter]]\nname = \"shift\"\nkey = \"augment.shift\"\nchoices = [0, 1]";
    let place = Asked { trials: 1, run: &run, parameters, ..Asked::default() }.place();
    place.run("train --network small.toml --data data --epochs 1 --quiet --out first").succeeds();
    place.run("study run s.toml --quiet").succeeds();
    place.run("train studies/s/trials/0000/run.toml --quiet --out again").succeeds();
    assert_eq!(place.hash("studies/s/trials/0000"), place.hash("again"));
}

/// Every sampler and pruner: the same seed gives the same trials, bit for bit, and another seed others.
#[test]
fn one_job_gives_the_same_bits_each_time() {
    let cases = [
        ("\"random\"", "pruner = \"none\""),
        ("\"sobol\"", "pruner = \"median\""),
        ("\"tpe\"", "pruner = \"halving\""),
        ("\"evolution\"", "pruner = \"hyperband\""),
    ];
    for (sampler, keys) in cases {
        let keys = format!("{keys}\nretrain = {{ best = 0 }}");
        let asked = Asked { trials: 16, sampler, keys: &keys, ..Asked::default() };
        let (one, other) = (asked.place(), asked.place());
        one.run("study run s.toml --quiet --threads 1").succeeds();
        other.run("study run s.toml --quiet --threads 3").succeeds();
        assert_eq!(trials(&one, "s"), trials(&other, "s"), "{sampler}");
        let third = asked.place();
        third.write("s.toml", format!("seed = 2\n{}", asked.text()));
        third.run("study run s.toml --quiet").succeeds();
        assert_ne!(trials(&third, "s"), trials(&one, "s"), "{sampler}");
    }
}

/// Random choices do not depend on what came of others, so that the trials are the same; who did them is not.
#[test]
fn a_trial_comes_to_the_same_with_any_number_of_jobs() {
    let asked = Asked { trials: 8, ..Asked::default() };
    let (one, two) = (asked.place(), asked.place());
    one.run("study run s.toml --quiet --jobs 1").succeeds();
    two.run("study run s.toml --quiet --jobs 2 --threads 2").succeeds();
    assert_eq!(trials(&one, "s"), trials(&two, "s"));
}

const TWO_BY_TWO: &str = r#"
[[parameter]]
name = "kernel"
key = "network.node.conv.layer.conv2d.kernel"
choices = [1, 3]

[[parameter]]
name = "batch"
key = "batch_size"
choices = [32, 64]
"#;

#[test]
fn a_grid_ends_when_everything_was_tried() {
    let place =
        Asked { trials: 100, sampler: "\"grid\"", parameters: TWO_BY_TWO, ..Asked::default() }.place();
    place.run("study run s.toml --quiet --jobs 2 --threads 2").succeeds();
    let tried: BTreeSet<String> =
        trials(&place, "s").iter().map(|trial| trial["params"].to_string()).collect();
    assert_eq!((tried.len(), trials(&place, "s").len()), (4, 4));
    let listed = place.run("study list").succeeds().stdout;
    assert!(listed.lines().any(|line| line.starts_with("s  ") && line.contains("done")), "{listed}");
}

/// Four configurations, and more trials than that: the rest takes the results of the first.
#[test]
fn what_was_tried_is_never_trained_twice() {
    for (jobs, sampler) in [(1, "\"random\""), (2, "\"random\""), (1, "\"tpe\""), (2, "\"evolution\"")] {
        let place = Asked { trials: 9, sampler, parameters: TWO_BY_TWO, ..Asked::default() }.place();
        let ran = place.run(&format!("study run s.toml --json --threads 2 --jobs {jobs}")).succeeds();
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&report["n_complete"], &report["n_reused"]), (&9.into(), &5.into()), "{sampler}");
        let trials = trials(&place, "s");
        for trial in &trials {
            let Some(earlier) = trial["user_attributes"].get("danlu:duplicate_of") else { continue };
            let earlier = &trials[usize::try_from(earlier.as_u64().unwrap()).unwrap()];
            for same in ["params", "values", "intermediate"] {
                assert_eq!(trial[same], earlier[same]);
            }
        }
        let trained = files(&place.path("studies/s/trials"));
        assert_eq!(trained.iter().filter(|file| file.ends_with("record.json")).count(), 4);
    }
}

#[test]
fn a_constraint_of_the_network_is_kept_before_anything_is_trained() {
    // With a kernel of 5 the network has 474 numbers to learn, with one of 3 about 1,050.
    let keys = "retrain = { best = 0 }\nconstraints = { parameters = 1100 }";
    let place = Asked { keys, ..Asked::default() }.place();
    place.run("study run s.toml --quiet").succeeds();
    for trial in trials(&place, "s") {
        assert!(trial["user_attributes"]["danlu:parameters"].as_u64().unwrap() <= 1100);
        assert!(trial["constraints"][0].as_f64().unwrap() <= 0.0);
        assert_ne!(trial["params"]["kernel"], 1);
    }
}

#[test]
fn several_objectives_give_a_front() {
    let objectives = "\"validation_accuracy\", \"parameters\"";
    let asked = Asked { trials: 12, objectives, sampler: "\"nsga2\"", ..Asked::default() };
    let place = asked.place();
    place.run("study run s.toml --quiet").succeeds();
    let best = json_lines(&place.run("study best s --json").succeeds().stdout);
    let values = |trial: &Value| {
        let values = &trial["values"];
        (values["validation_accuracy"].as_f64().unwrap(), values["parameters"].as_f64().unwrap())
    };
    assert!(!best.is_empty());
    for trial in trials(&place, "s") {
        let (accuracy, parameters) = values(&trial);
        let is_beaten = best.iter().map(values).any(|(a, p)| a >= accuracy && p <= parameters);
        assert!(is_beaten, "{trial} should be on the front");
    }
    place.write("s.toml", Asked { keys: "pruner = \"median\"", ..asked }.text().replace("\"s\"", "\"t\""));
    place.run("study run s.toml").fails(2, &["`pruner` must be \"none\""]);
    assert!(!place.path("studies/t").exists());
}

#[test]
fn a_target_and_a_time_end_a_study() {
    let place = Asked { trials: 1000, ..Asked::default() }.place();
    let text = place.read("s.toml");
    place.write("s.toml", text.replace("budget.trials = 1000", "budget = { trials = 1000, target = 0.05 }"));
    place.run("study run s.toml --quiet").succeeds();
    let n_trials = trials(&place, "s").len();
    assert!((1..100).contains(&n_trials), "{n_trials}");
    // The time counts over restarts: it is used up in the first.
    place.write(
        "s.toml",
        text.replace("budget.trials = 1000", "budget.minutes = 0.02").replace("\"s\"", "\"t\""),
    );
    place.run("study run s.toml --quiet").succeeds();
    let n_trials = trials(&place, "t").len();
    assert!(n_trials >= 1);
    place.run("study run s.toml --quiet").succeeds();
    assert_eq!(trials(&place, "t").len(), n_trials);
}

/// A learning rate that nothing survives, and one that works.
#[test]
fn losses_that_are_no_numbers_fail_their_trials_alone() {
    let parameters = r#"
[[parameter]]
name = "rate"
key = "optimizer.sgd.learning_rate"
choices = [0.01, 1e30]

[[parameter]]
name = "batch"
key = "batch_size"
choices = [32, 64]
"#;
    let run = format!("{}optimizer = \"sgd\"\n", crate::study::RUN);
    for objectives in ["\"validation_accuracy\"", "\"validation_loss\""] {
        let asked = Asked { sampler: "\"grid\"", objectives, run: &run, parameters, ..Asked::default() };
        let place = asked.place();
        place.run("study run s.toml --quiet").succeeds();
        let (failed, whole): (Vec<Value>, Vec<Value>) =
            trials(&place, "s").into_iter().partition(|trial| trial["state"] == "failed");
        assert_eq!((failed.len(), whole.len()), (2, 2), "{failed:?} {whole:?}");
        for trial in failed {
            assert_eq!(trial["params"]["rate"], 1e30);
            let reason = trial["user_attributes"]["danlu:failure"].as_str().unwrap();
            assert!(reason.contains("not a number") || reason.contains("NaN"), "{reason}");
        }
    }
}

#[test]
fn mistakes_in_a_study_file_are_told_at_once() {
    let parameter = |key: &str, domain: &str| format!("[[parameter]]\nname = \"p\"\nkey = '{key}'\n{domain}");
    let cases = [
        (parameter("learning_rat", "choices = [1, 2]"), "learning_rat"),
        (parameter("optimizer.adam.rate", "choices = [0.1]"), "rate"),
        (parameter("network.node.con.layer", "choices = [\"relu\"]"), "there is no `con` in the list"),
        (parameter("network.node.conv.layer.conv2d.kernl", "choices = [3]"), "kernl"),
        (parameter("batch_size", "int = { low = 3, high = 1 }"), "low"),
        (parameter("batch_size", "choices = []"), "choices"),
        (parameter("batch_size", ""), "is incomplete"),
        (parameter("batch_size", "choices = [8]\nint = { low = 1, high = 2 }"), "is more than one kind"),
        (parameter("batch_size", "choices = [0]"), "batch_size"),
        (parameter("epochs", "choices = [\"many\"]"), "many"),
        (parameter("batch_size", "float = { low = 0.0, high = 1.0, scale = \"log\" }"), "low"),
        (parameter("batch_size", "choices = [32]\nwhen = { q = 1 }"), "`when` names `q`"),
        (parameter("batch_size", "choices = [32]\nwhat = 1"), "what"),
    ];
    for (parameters, expected) in cases {
        let place = Asked { parameters: &parameters, ..Asked::default() }.place();
        let ran = place.run("study run s.toml").fails(2, &[expected]);
        assert_eq!(ran.stdout, "", "{parameters}");
    }
}

#[test]
fn a_space_in_which_nothing_can_be_tried_says_why() {
    let parameters = "[[parameter]]\nname = \"kernel\"\nkey = \"network.node.conv.layer.conv2d.kernel\"\nint = { low = 9, high = 20 }";
    let place = Asked { parameters, ..Asked::default() }.place();
    place.run("study run s.toml").fails(2, &["kernel = ", "kernel"]);
    let keys = "constraints = { parameters = 10 }";
    let place = Asked { keys, ..Asked::default() }.place();
    place.run("study run s.toml").fails(2, &["the constraint allows 10 at most"]);
    let place = Asked::default().place();
    std::fs::remove_dir_all(place.path("data")).unwrap();
    place.run("study run s.toml").fails(2, &["`data`"]);
}

#[test]
fn a_study_file_that_is_edited_in_the_folder_is_no_other_study() {
    let place = Asked { trials: 1, ..Asked::default() }.place();
    place.run("study run s.toml").succeeds();
    let edited = place.read("studies/s/study.toml").replace("[\"adam\", \"sgd\"]", "[\"sgd\", \"adam\"]");
    place.write("studies/s/study.toml", edited);
    place.run("study run s").fails(2, &["another list of parameters"]);
}

/// Else some of its trials would be of one network and some of another.
#[test]
fn a_network_file_that_is_edited_makes_another_study() {
    let run = crate::study::RUN.replace("network = \"small.toml\"\n", "");
    let chosen = "[[parameter]]\nname = \"n\"\nkey = \"network\"\nchoices = [\"small.toml\", \"lenet\"]";
    for asked in [Asked::default(), Asked { run: &run, parameters: chosen, ..Asked::default() }] {
        let place = Asked { trials: 1, ..asked }.place();
        place.run("study run s.toml --quiet").succeeds();
        place.write("s.toml", Asked { trials: 2, ..asked }.text());
        place.write("small.toml", crate::study::NETWORK.replace("out_channels = 4", "out_channels = 5"));
        for command in ["study run s.toml", "study ask s", "study best s --toml"] {
            place.run(command).fails(2, &["the network \"small.toml\" is another one", "studies/s"]);
        }
        assert_eq!(trials(&place, "s").len(), 1);
        // Comments are no other network.
        place.write("small.toml", format!("# As it was.\n{}", crate::study::NETWORK));
        place.run("study run s.toml --quiet").succeeds();
        assert_eq!(trials(&place, "s").len(), 2);
    }
}

/// Nothing new is to be had, so that a worker takes one earlier result after the other.
#[test]
fn a_study_that_only_repeats_can_be_stopped() {
    let parameters = "[[parameter]]\nname = \"b\"\nkey = \"batch_size\"\nchoices = [64]";
    let asked = Asked { parameters, keys: "retrain = { best = 1, seeds = 1 }", ..Asked::default() };
    let place = asked.place();
    place.write("s.toml", asked.text().replace("trials = 6", "minutes = 1e18"));
    let run = place.command("study run s.toml").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while trials_dir(&place) < 3 {
        assert!(start.elapsed() < Duration::from_secs(60), "no trial is repeated");
        thread::sleep(Duration::from_millis(20));
    }
    place.run("study stop s").succeeds();
    let ran = run.wait_with_output().unwrap();
    assert!(ran.status.success());
    assert!(String::from_utf8(ran.stderr).unwrap().contains("stopped; `danlu study run s.toml` goes on"));
    assert!(!place.path("studies/s/retrain").exists());
}

fn trials_dir(place: &Place) -> usize {
    std::fs::read_dir(place.path("studies/s/trials")).map_or(0, Iterator::count)
}
