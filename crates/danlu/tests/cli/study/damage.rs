//! Studies whose files are damaged, or that the machine has no room for: nothing is lost, and what to do is told.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rand_core::Rng;
use serde_json::Value;
use spec::Seed;

use crate::study::{Asked, files, trials, with_input};
use crate::support::{Place, Ran};

const STORE: &str = "studies/s/study.db";
const REPAIR: &str = "`danlu study repair`";

fn more_trials(place: &Place, n_trials: u64) {
    place.write("s.toml", Asked { trials: n_trials, ..Asked::default() }.text());
}

/// A study of eight trials, two of them wished for, and what it would be after ten.
fn done() -> (Place, Vec<Value>) {
    let make = |n_trials| {
        let place = Asked { trials: n_trials, ..Asked::default() }.place();
        place.run("study ask s.toml").succeeds();
        with_input(&place, "study tell s", "{\"trial\": 0, \"state\": \"failed\"}").succeeds();
        with_input(&place, "study enqueue s", "{\"kernel\": 3}\n{\"optimizer\": \"sgd\"}\n").succeeds();
        place.run("study run s.toml --quiet").succeeds();
        place
    };
    (make(8), trials(&make(10), "s"))
}

/// A file's bytes where it was overwritten at a random place, and then cut at one.
fn damaged(bytes: &[u8], random: &mut impl Rng, is_cut: bool) -> Vec<u8> {
    let at = random.next_u32() as usize % bytes.len();
    if is_cut {
        return bytes[..at].to_vec();
    }
    let mut bytes = bytes.to_vec();
    for byte in bytes.iter_mut().skip(at).take(600) {
        *byte = random.next_u32() as u8;
    }
    bytes
}

#[test]
fn a_damaged_store_is_made_again_from_the_trials_folders() {
    let (place, whole) = done();
    let (bytes, before) = (fs::read(place.path(STORE)).unwrap(), trials(&place, "s"));
    let mut random = Seed(3).stream("damage");
    let mut n_found = 0;
    for turn in 0..12 {
        place.write(STORE, damaged(&bytes, &mut random, turn % 2 == 0));
        for command in ["show s", "list", "trials s", "best s", "export s --csv", "importance s"] {
            let ran = place.run(&format!("study {command}"));
            assert!(matches!(ran.code, Some(0 | 1)), "{command}: {}", ran.stderr);
        }
        let ran = place.run("study run s --quiet");
        if ran.code == Some(0) {
            // What was overwritten were bytes that nobody uses, or times.
            assert_eq!(trials(&place, "s").len(), before.len());
            continue;
        }
        n_found += 1;
        ran.fails(1, &[REPAIR, "study.db"]);
        let ran = place.run("study repair s").succeeds();
        assert!(ran.stdout.contains("the store was made again with 8 trials; the damaged one is kept as"));
        assert_eq!(trials(&place, "s"), before, "turn {turn}");
    }
    assert!(n_found >= 6, "every cut is found: {n_found}");
    more_trials(&place, 10);
    place.run("study run s.toml --quiet").succeeds();
    assert_eq!(trials(&place, "s"), whole);
}

#[test]
fn what_is_whole_is_not_repaired() {
    let (place, _) = done();
    let before = trials(&place, "s");
    assert_eq!(place.run("study repair s").succeeds().stdout, "nothing is damaged\n");
    assert_eq!(trials(&place, "s"), before);
    assert!(!files(&place.path("studies/s")).iter().any(|file| file.contains("damaged")));
}

#[test]
fn a_store_that_is_another_is_refused() {
    let (place, _) = done();
    let (bytes, before) = (fs::read(place.path(STORE)).unwrap(), trials(&place, "s"));
    let replaced = |from: &[u8], to: &[u8]| -> Vec<u8> {
        let mut bytes = bytes.clone();
        let found: Vec<usize> =
            (0..bytes.len() - from.len()).filter(|&at| &bytes[at..at + from.len()] == from).collect();
        found.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
        bytes
    };
    let cases = [
        (replaced(b"v3.2.0.a", b"v9.9.0.a"), "is of a newer version"),
        (b"not a store at all".to_vec(), "is no study store"),
        (Vec::new(), "is no study store: it is empty"),
    ];
    for (bytes, expected) in cases {
        place.write(STORE, bytes);
        for command in ["run s", "show s", "ask s", "tell s", "enqueue s", "best s"] {
            place.run(&format!("study {command}")).fails(1, &["studies/s/study.db", expected]);
        }
        let ran = place.run("study list").succeeds();
        assert!(ran.stdout.contains("unreadable"), "{}", ran.stdout);
        if expected.contains("newer") {
            place.run("study repair s").fails(1, &["studies/s/study.db", expected]);
            assert!(!files(&place.path("studies/s")).iter().any(|file| file.contains("damaged")));
        }
    }
    fs::remove_file(place.path(STORE)).unwrap();
    place.run("study show s").fails(1, &["no study store at studies/s/study.db"]);
    place.run("study run s.toml").fails(1, &["the study in studies/s has trials, but no store", REPAIR]);
    assert!(!place.path(STORE).exists(), "nothing begins again by itself");
    place.run("study repair s").succeeds();
    assert_eq!(trials(&place, "s"), before);
}

#[test]
fn a_damaged_study_file_is_taken_from_the_store() {
    let (place, _) = done();
    let (text, before) = (place.read("studies/s/study.toml"), trials(&place, "s"));
    let cut = &text[..text.len() / 2];
    for broken in [cut, "name = ", "", "name = \"s\"\nobjectives = [\"parameters\"]\nodd = 1\n"] {
        place.write("studies/s/study.toml", broken);
        place.run("study show s").fails(2, &["studies/s/study.toml"]);
        place.run("study run s.toml").fails(2, &["studies/s/study.toml"]);
        let ran = place.run("study repair s").succeeds();
        assert_eq!(ran.stdout, "the study file was taken from the store\n");
        assert_eq!((place.read("studies/s/study.toml"), trials(&place, "s")), (text.clone(), before.clone()));
    }
    fs::remove_file(place.path("studies/s/study.toml")).unwrap();
    place.run("study show s").fails(1, &["the study in studies/s has a store, but no study.toml", REPAIR]);
    place.run("study repair s").succeeds();
    place.run("study run s --quiet").succeeds();
    assert_eq!(trials(&place, "s"), before);
}

#[test]
fn files_of_workers_that_are_damaged_do_no_harm() {
    let whole = Asked::default().place();
    whole.run("study run s.toml --quiet").succeeds();
    let place = Asked { trials: 3, ..Asked::default() }.place();
    place.run("study run s.toml --quiet").succeeds();
    for (name, text) in [
        ("1.json", "{"),
        ("2.json", "{\"started_ms\": 9, \"seen_ms\": -9}"),
        ("3.json", "{\"started_ms\": 9000000000000, \"seen_ms\": 9000000000001}"),
        ("4.json", "\u{0}\u{0}"),
        ("old-1-0.lock", "odd"),
        ("1.death", "odd"),
        ("odd", "odd"),
    ] {
        place.write(&format!("studies/s/workers/{name}"), text);
    }
    more_trials(&place, 6);
    place.run("study run s.toml --quiet").succeeds();
    assert_eq!(trials(&place, "s"), trials(&whole, "s"));
    fs::remove_dir_all(place.path("studies/s/workers")).unwrap();
    place.run("study run s.toml --quiet").succeeds();
    assert_eq!(trials(&place, "s"), trials(&whole, "s"));
}

/// Who owns what this process makes.
fn user() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

/// The program as a user that folders can be closed to.
fn as_somebody(place: &Place, arguments: &str) -> Command {
    let mut command = place.command(arguments);
    if user() == 0 {
        command.uid(65534).gid(65534);
    }
    command
}

fn give_away(dir: &Path) {
    if user() == 0 {
        for file in files(dir) {
            chown(dir.join(file), Some(65534), Some(65534)).unwrap();
        }
        chown(dir, Some(65534), Some(65534)).unwrap();
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_can_be_looked_at() {
    let (place, _) = done();
    let before = trials(&place, "s");
    give_away(&place.path(""));
    if !as_somebody(&place, "study list").output().unwrap().status.success() {
        // The program itself lies where nobody else may go.
        return;
    }
    let close = |mode: u32| {
        for file in ["studies/s", STORE, "studies/s/study.toml", "studies/s/workers", "studies"] {
            let is_dir = place.path(file).is_dir();
            let mode = if is_dir { mode } else { mode & 0o644 };
            fs::set_permissions(place.path(file), Permissions::from_mode(mode)).unwrap();
        }
    };
    close(0o555);
    let run = |arguments: &str| Ran::of(as_somebody(&place, arguments).output().unwrap());
    run("study run s --quiet").fails(1, &["studies/s", "read-only"]);
    run("study repair s").fails(1, &["studies/s"]);
    run("study stop s").fails(1, &["cannot write studies/s/stop"]);
    run("study show s").succeeds();
    run("study best s").succeeds();
    place.write("t.toml", place.read("s.toml").replace("\"s\"", "\"t\""));
    run("study run t.toml").fails(1, &["cannot make the folder studies/t"]);
    close(0o755);
    assert_eq!(trials(&place, "s"), before);
}

/// No file may become larger than some KiB, as on a disk that is full.
#[test]
fn a_full_disk_ends_the_study_and_it_goes_on_with_more_room() {
    let whole = Asked { trials: 12, ..Asked::default() }.place();
    whole.run("study run s.toml --quiet").succeeds();
    let place = Asked { trials: 12, ..Asked::default() }.place();
    place.run("study ask s.toml").succeeds();
    let size = fs::metadata(place.path(STORE)).unwrap().len() / 1024;
    fs::remove_dir_all(place.path("studies")).unwrap();
    for room in [1, 4, size, size + 4, size + 8, size + 16, size + 24] {
        let limited = format!("trap '' XFSZ; ulimit -f {room}; exec \"$0\" study run s.toml --quiet");
        let mut command = Command::new("bash");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_danlu")]).current_dir(place.path(""));
        let ran = Ran::of(command.stdin(Stdio::null()).output().unwrap());
        assert!(!ran.stderr.is_empty() || ran.code == Some(0), "with {room} KiB");
        if ran.code != Some(0) {
            ran.fails(1, &["studies/s"]);
        }
    }
    place.run("study run s.toml --quiet").succeeds();
    assert_eq!(trials(&place, "s"), trials(&whole, "s"));
}

#[test]
fn a_folder_that_is_removed_ends_the_study() {
    let run = crate::study::RUN.replace("epochs = 3", "epochs = 100000");
    let place = Asked { run: &run, ..Asked::default() }.place();
    let mut command = place.command("study run s.toml --jobs 2 --threads 2");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !place.path("studies/s/trials/0000/checkpoint").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    while place.path("studies/s").exists() {
        let _written_to_meanwhile = fs::remove_dir_all(place.path("studies/s"));
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("studies/s"), "{}", ran.stderr);
}

/// A network for which the process has no memory.
#[test]
fn a_trial_that_memory_is_too_small_for_is_given_up_alone() {
    let parameters = r#"
[[parameter]]
name = "width"
key = "network.node.wide.layer.linear.out_features"
choices = [8, 1000000]
"#;
    let place = Asked { sampler: "\"grid\"", parameters, ..Asked::default() }.place();
    let network = crate::study::NETWORK.replace(
        "{ layer = \"flatten\" },",
        "{ layer = \"flatten\" },\n{ name = \"wide\", layer = { linear = { out_features = 8 } } },",
    );
    place.write("small.toml", network);
    let limited = "ulimit -v 500000; exec \"$0\" study run s.toml --quiet --threads 1";
    let mut command = Command::new("bash");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_danlu")]).current_dir(place.path(""));
    Ran::of(command.stdin(Stdio::null()).output().unwrap()).succeeds();
    let all = trials(&place, "s");
    let (small, large): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|trial| trial["params"]["width"] == 8);
    assert_eq!((&small[0]["state"], &large[0]["state"]), (&"complete".into(), &"failed".into()));
    let reason = large[0]["user_attributes"]["danlu:failure"].as_str().unwrap();
    assert!(reason.contains("5 processes ended while they tried it, the last by signal 6"), "{reason}");
}

/// A lock file that was cut, a record that is odd, a checkpoint that is none: the trial begins anew and comes to the same.
#[test]
fn what_a_trial_left_may_be_damaged() {
    let run = crate::study::RUN.replace("epochs = 3", "epochs = 200");
    let asked = Asked { trials: 1, run: &run, ..Asked::default() };
    let whole = asked.place();
    whole.run("study run s.toml --quiet").succeeds();
    for file in ["checkpoint", "record.json", "run.toml", "trial.json"] {
        let place = asked.place();
        let mut command = place.command("study run s.toml --quiet");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !place.path("studies/s/trials/0000/checkpoint").exists() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        place.run("study stop s --now").succeeds();
        assert!(child.wait().unwrap().success());
        let damaged =
            OpenOptions::new().write(true).open(place.path(&format!("studies/s/trials/0000/{file}")));
        overwrite(&damaged.unwrap());
        place.run("study run s.toml --quiet").succeeds();
        assert_eq!(trials(&place, "s"), trials(&whole, "s"), "{file}");
    }
}

fn overwrite(file: &File) {
    file.write_all_at(b"\xff\xff\xff\xff odd \xff", 0).unwrap();
}
