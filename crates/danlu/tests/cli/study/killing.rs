//! Studies whose processes are killed at any instant come to the same end as if nothing had been.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand_core::Rng;
use serde_json::Value;
use spec::Seed;

use crate::study::{Asked, files, trials};
use crate::support::Place;

/// Six configurations of which one cannot be built and two break the constraint: trials that are trained, refused, taken from
/// an earlier one, pruned.
const PARAMETERS: &str = r#"
[[parameter]]
name = "kernel"
key = "network.node.conv.layer.conv2d.kernel"
choices = [1, 3, 5, 9]

[[parameter]]
name = "batch"
key = "batch_size"
choices = [16, 32]

[[parameter]]
name = "shift"
key = "augment.shift"
int = { low = 0, high = 1 }
"#;

const KEYS: &str = "
pruner = { median = { n_startup = 2 } }
constraints = { parameters = 1900 }
retrain = { best = 1, seeds = 1 }
";

/// Who is killed.
#[derive(Clone, Copy, Debug)]
enum Whom {
    /// All processes, as when the machine loses its power.
    All,
    /// The process that was typed; the others find that out.
    First,
    /// One of those that train.
    Worker,
}

fn asked(sampler: &str) -> Asked<'_> {
    let run = "[run]\ndata = \"data\"\nnetwork = \"small.toml\"\nepochs = 4\nvalidation = 0.2\n";
    Asked { trials: 16, sampler, keys: KEYS, run, parameters: PARAMETERS, ..Asked::default() }
}

/// A search whose controller learns from each four children, of which some break the constraint.
fn search() -> Asked<'static> {
    Asked {
        trials: 18,
        sampler: "{ controller = { learning_rate = 0.02, reward = { children = 4 } } }",
        keys: "retrain = { best = 1, seeds = 1 }\nconstraints = { parameters = 250 }",
        run: "[run]\ndata = \"data\"\nepochs = 2\nvalidation = 0.2\n",
        parameters: GRAMMAR,
        ..Asked::default()
    }
}

const GRAMMAR: &str = r#"
[grammar]
layers = [1, 2]
skips = true
layer = [
    { name = "conv", layer = { conv2d = { out_channels = "$filters", kernel = "$kernel", stride = 2, padding = "same" } } },
    { name = "act", layer = "relu" },
]
head = [
    { name = "mean", layer = "global_avg_pool" },
    { name = "flatten", layer = "flatten" },
    { name = "fc", layer = { linear = { out_features = "$classes" } } },
]
[[grammar.decision]]
name = "kernel"
choices = [1, 3, 5]
[[grammar.decision]]
name = "filters"
choices = [2, 4, 8]
"#;

/// What a study comes to, the clock apart: its trials, its report, its files, and what its sampler learned.
#[derive(PartialEq, Debug)]
struct Outcome {
    trials: Vec<Value>,
    report: Value,
    files: Vec<String>,
    learned: Vec<(String, Value)>,
}

fn outcome(place: &Place) -> Outcome {
    let mut report: Value = serde_json::from_str(&place.read("studies/s/report.json")).unwrap();
    for timed in ["worked_s", "trials_per_hour"] {
        report.as_object_mut().unwrap().remove(timed);
    }
    let mut files = files(&place.path("studies/s"));
    // The time that each process worked.
    files.retain(|file| !(file.starts_with("workers/") && file.ends_with(".json")));
    Outcome { trials: trials(place, "s"), report, files, learned: learned(place) }
}

/// The logs of the sampler's steps and its memory.
fn learned(place: &Place) -> Vec<(String, Value)> {
    let store = store::Store::open_read_only(place.path("studies/s/study.db")).unwrap();
    let study = store.studies().unwrap().remove(0);
    let all = study.user_attributes.into_iter().chain(study.system_attributes);
    all.filter(|(key, _)| key.starts_with(study::STEP) || key == "danlu:memory").collect()
}

/// Processes of the program that work in the place.
fn processes(place: &Place) -> Vec<u32> {
    let root = fs::canonicalize(place.path("")).unwrap();
    let is_there = |id: &u32| {
        let link = |name: &str| fs::read_link(Path::new("/proc").join(id.to_string()).join(name));
        let is_danlu = link("exe").is_ok_and(|exe| exe.ends_with("danlu"));
        is_danlu && link("cwd").is_ok_and(|cwd| cwd == root)
    };
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_there).collect()
}

#[track_caller]
fn wait_for_processes(place: &Place) {
    let start = Instant::now();
    while !processes(place).is_empty() {
        assert!(start.elapsed() < Duration::from_secs(30), "processes are left over");
        thread::sleep(Duration::from_millis(5));
    }
}

fn start(place: &Place, flags: &str) -> Child {
    let mut command = place.command(&format!("study run s.toml --quiet --threads 2 {flags}"));
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whether anybody was killed.
fn kill(place: &Place, child: &mut Child, whom: Whom) -> bool {
    if child.try_wait().unwrap().is_some() {
        return false;
    }
    let id = child.id();
    let whom = match whom {
        Whom::All => format!("-{id}"),
        Whom::First => id.to_string(),
        Whom::Worker => match processes(place).into_iter().find(|&other| other != id) {
            Some(worker) => worker.to_string(),
            None => return false,
        },
    };
    // A worker may have ended in between.
    Command::new("kill").args(["-KILL", "--", &whom]).stderr(Stdio::null()).status().unwrap().success()
}

/// Workers of one study that are killed. More in a row and in the same epoch are taken for a training that cannot be done.
const MAX_OF_ONE_STUDY: usize = study::MAX_DEATHS as usize - 1;

/// Kills so often at instants of a study's length, over as many studies as it takes, each of which must end as `whole` did.
fn kill_often(asked: Asked<'_>, n_kills: usize, whom: Whom, whole: &Outcome, length: Duration) {
    let mut random = Seed(11).stream(&format!("kills of {whom:?}"));
    let mut instant = || length.mul_f64(f64::from(random.next_u32()) / f64::from(u32::MAX));
    let (mut n_killed, mut n_studies) = (0, 0);
    while n_killed < n_kills {
        n_studies += 1;
        assert!(n_studies < 10 * n_kills, "only {n_killed} could be killed");
        let place = asked.place();
        let n_before = n_killed;
        loop {
            let mut child = start(&place, "--jobs 1");
            thread::sleep(instant());
            let mut is_killed = kill(&place, &mut child, whom);
            n_killed += usize::from(is_killed);
            while is_killed && matches!(whom, Whom::Worker) {
                thread::sleep(instant() / 4);
                let may_kill = n_killed < n_kills.min(n_before + MAX_OF_ONE_STUDY);
                is_killed = may_kill && kill(&place, &mut child, whom);
                n_killed += usize::from(is_killed);
            }
            let status = child.wait().unwrap();
            wait_for_processes(&place);
            if matches!(whom, Whom::Worker) {
                assert!(status.success(), "it goes on with another worker");
                break;
            }
            if !is_killed || n_killed == n_kills {
                break;
            }
        }
        place.run("study run s.toml --quiet").succeeds();
        assert_eq!(
            &outcome(&place),
            whole,
            "study {n_studies}, after {} kills of {whom:?}",
            n_killed - n_before
        );
        wait_for_processes(&place);
    }
}

/// What comes of the study undisturbed, and how long that takes.
fn undisturbed(asked: Asked<'_>) -> (Outcome, Duration) {
    let place = asked.place();
    let start = Instant::now();
    place.run("study run s.toml --quiet --threads 2 --jobs 1").succeeds();
    let length = start.elapsed();
    let outcome = outcome(&place);
    let has = |key: &str| outcome.trials.iter().any(|trial| trial["user_attributes"].get(key).is_some());
    assert!(has("danlu:duplicate_of"), "some are taken from earlier ones");
    assert_eq!(outcome.trials.len() as u64, asked.trials);
    (outcome, length)
}

#[test]
fn whoever_is_killed_the_study_comes_to_the_same_end() {
    let asked = asked("\"tpe\"");
    let (whole, length) = undisturbed(asked);
    for state in ["complete", "pruned"] {
        assert!(whole.trials.iter().any(|trial| trial["state"] == state), "{state}");
    }
    for whom in [Whom::All, Whom::First, Whom::Worker] {
        kill_often(asked, 4, whom, &whole, length);
    }
}

/// Children of a step are drawn from one policy, whichever ends first.
#[test]
fn a_search_learns_the_same_with_children_in_parallel() {
    let (alone, _) = undisturbed(search());
    let place = search().place();
    place.run("study run s.toml --quiet --threads 2 --jobs 2").succeeds();
    let both = outcome(&place);
    assert_eq!(both.learned, alone.learned);
    let known = |outcome: Outcome| without_reuse(outcome).0;
    assert_eq!(known(both), known(alone));
}

#[test]
fn a_search_that_is_killed_proposes_and_learns_the_same() {
    let (whole, length) = undisturbed(search());
    assert_eq!(whole.learned.len(), 1 + 4, "a memory, and a log of each whole step");
    let n_refused: u64 = whole.learned.iter().filter_map(|(_, step)| step["n_refused"].as_u64()).sum();
    assert!(n_refused > 0, "some break the constraint");
    for whom in [Whom::All, Whom::Worker] {
        kill_often(search(), 4, whom, &whole, length);
    }
}

/// `make kill-study`
#[test]
#[ignore = "takes minutes"]
fn fifty_kills_of_each_kind() {
    let asked = asked("\"tpe\"");
    let (whole, length) = undisturbed(asked);
    for whom in [Whom::All, Whom::First, Whom::Worker] {
        kill_often(asked, 50, whom, &whole, length);
    }
}

/// `make kill-study`
#[test]
#[ignore = "takes minutes"]
fn twenty_kills_of_a_search() {
    let (whole, length) = undisturbed(search());
    for whom in [Whom::All, Whom::First, Whom::Worker] {
        kill_often(search(), 20, whom, &whole, length);
    }
}

/// Random choices and no pruner: which of two does a trial first makes no difference.
fn two_at_once(n_rounds: usize) {
    let keys = "retrain = { best = 1, seeds = 2 }";
    let shared = || Asked { keys, ..asked("\"random\"") }.place();
    let alone = shared();
    let start_alone = Instant::now();
    alone.run("study run s.toml --quiet --jobs 1").succeeds();
    let (whole, length) = (outcome(&alone), start_alone.elapsed());
    let mut random = Seed(12).stream("kills of one of two");
    for round in 0..n_rounds {
        let place = shared();
        let mut children: [Child; 2] = [start(&place, "--jobs 1"), start(&place, "--jobs 2")];
        for _ in 0..round.min(4) {
            let draw = f64::from(random.next_u32()) / f64::from(u32::MAX);
            thread::sleep(length.mul_f64(draw / 3.0));
            let idx = random.next_u32() as usize % 2;
            let whom = [Whom::All, Whom::First][random.next_u32() as usize % 2];
            kill(&place, &mut children[idx], whom);
            children[idx].wait().unwrap();
            children[idx] = start(&place, "--jobs 1");
        }
        for (idx, child) in children.iter_mut().enumerate() {
            assert!(child.wait().unwrap().success(), "round {round}: process {idx}");
        }
        wait_for_processes(&place);
        assert_eq!(without_reuse(outcome(&place)), without_reuse_of(&whole), "round {round}");
    }
}

/// Of two equal trials at once either may take the other's result.
fn without_reuse(mut outcome: Outcome) -> (Vec<Value>, Vec<String>) {
    for trial in &mut outcome.trials {
        let trial = trial.as_object_mut().unwrap();
        trial.remove("user_attributes");
    }
    let kept =
        |file: &String| file.ends_with("trial.json") || file.starts_with("retrain/") || file.starts_with('r');
    (outcome.trials, outcome.files.into_iter().filter(kept).collect())
}

fn without_reuse_of(outcome: &Outcome) -> (Vec<Value>, Vec<String>) {
    let Outcome { trials, report, files, .. } = outcome;
    let (trials, report, files) = (trials.clone(), report.clone(), files.clone());
    without_reuse(Outcome { trials, report, files, learned: Vec::new() })
}

#[test]
fn two_at_once_share_the_work() {
    two_at_once(3);
}

/// `make kill-study`
#[test]
#[ignore = "takes minutes"]
fn two_at_once_with_many_kills() {
    two_at_once(20);
}

/// As a process leaves a folder that is killed between making it and making the store, or the study in it.
#[test]
fn a_study_that_was_killed_at_its_birth_begins() {
    let whole = Asked::default().place();
    whole.run("study run s.toml --quiet").succeeds();
    let place = Asked::default().place();
    fs::create_dir_all(place.path("studies/s")).unwrap();
    place.write("studies/s/study.toml", place.read("s.toml"));
    place.write("studies/s/.study.db.123-0.tmp", "");
    place.run("study run s --quiet").succeeds();
    assert_eq!(trials(&place, "s"), trials(&whole, "s"));
    let parts = |place: &Place| -> Vec<PathBuf> {
        let all = files(&place.path("studies")).into_iter().map(PathBuf::from);
        all.filter(|file| file.extension().is_some_and(|e| e == "tmp")).collect()
    };
    assert_eq!(parts(&place), Vec::<PathBuf>::new());
}
