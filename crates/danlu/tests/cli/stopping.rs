//! Runs that do not get to their end.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use spec::RunState;

use crate::support::{Place, Ran};

/// Starts a run without an end and waits for its first epoch. Returns what is left of its output.
fn start(place: &Place, flags: &str) -> (Child, BufReader<impl Read + use<>>) {
    let arguments = format!("train --data data --batch-size 64 --epochs 1000000 --out run {flags}");
    let mut command = place.command(&arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("epoch 1, "), "{line}");
    (child, stdout)
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// A run whose record can be read, with as many epochs as it says, and a model that can be used.
fn is_whole(place: &Place) -> usize {
    let n_epochs = place.record("run").epochs.len();
    let evaluated = place.run("eval run --json").succeeds();
    assert!(evaluated.stdout.contains("\"n\":64"), "{}", evaluated.stdout);
    n_epochs
}

#[test]
fn ctrl_c_keeps_the_whole_epochs() {
    for name in ["-INT", "-TERM"] {
        let place = Place::new();
        let (child, mut stdout) = start(&place, "");
        signal(&child, name);
        stdout.read_to_end(&mut Vec::new()).unwrap();
        let ran = Ran::of(child.wait_with_output().unwrap());
        let n_epochs = is_whole(&place);
        let kept =
            if n_epochs == 1 { "1 epoch is kept".into() } else { format!("{n_epochs} epochs are kept") };
        let message =
            format!("interrupted in epoch {}; {kept} in run, and `danlu resume run` goes on\n", n_epochs + 1);
        assert_eq!(ran.stderr, message);
        assert_eq!(ran.code, Some(130));
        assert_eq!(place.record("run").state, RunState::Interrupted);
    }
}

#[test]
fn a_request_in_the_folder_ends_the_run_and_is_used_up() {
    for (word, said) in [("after-epoch", "stopped after epoch"), ("now", "interrupted in epoch")] {
        let place = Place::new();
        let (child, mut stdout) = start(&place, "");
        fs::write(place.path("run/stop"), word).unwrap();
        stdout.read_to_end(&mut Vec::new()).unwrap();
        let ran = Ran::of(child.wait_with_output().unwrap());
        ran.fails(130, &[said, "`danlu resume run` goes on"]);
        assert!(is_whole(&place) >= 1);
        assert_eq!(place.record("run").state, RunState::Interrupted);
        assert!(!place.path("run/stop").exists());
        let predictions = runs::read_predictions(&place.path("run/predictions.safetensors")).unwrap();
        assert_eq!(predictions.len(), 64);
    }
}

#[test]
fn a_kill_loses_at_most_the_running_epoch() {
    let place = Place::new();
    let (mut child, _stdout) = start(&place, "");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_whole(&place) >= 1);
    assert_eq!(place.record("run").state, RunState::Running);
}

#[test]
fn a_closed_pipe_ends_the_run_and_keeps_it() {
    let place = Place::new();
    let (child, stdout) = start(&place, "");
    drop(stdout);
    let ran = Ran::of(child.wait_with_output().unwrap());
    ran.fails(1, &["error: standard output was closed; ", "kept in run"]);
    assert!(is_whole(&place) >= 2);
    assert_eq!(place.record("run").state, RunState::Interrupted);
}

#[test]
fn a_whole_run_has_its_pictures_though_nobody_reads_on() {
    let place = Place::new();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = place.command("train --data data --batch-size 64 --epochs 1 --out run");
    let ran = Ran::of(command.stdout(writer).stderr(Stdio::piped()).output().unwrap());
    ran.fails(1, &["error: standard output was closed; 1 epoch is kept in run"]);
    assert_eq!(place.record("run").state, RunState::Finished);
    for picture in ["curves.png", "confusion.png", "hardest.png"] {
        assert!(place.path(&format!("run/{picture}")).exists(), "{picture}");
    }
}

#[test]
fn whoever_reads_no_further_is_not_told_so() {
    let place = Place::new();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let ran = place.command("summary lenet").stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((ran.status.code(), ran.stderr.as_slice()), (Some(141), &b""[..]));
}

#[test]
fn a_full_standard_output_is_told() {
    let place = Place::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    for (n_epochs, place_in_run) in [(1, "failed after its last epoch"), (2, "failed in epoch 2")] {
        let full = full.try_clone().unwrap();
        let mut command = place
            .command(&format!("train --data data --batch-size 64 --epochs {n_epochs} --out run-{n_epochs}"));
        let ran =
            Ran::of(command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap());
        let kept = format!("1 epoch is kept in run-{n_epochs}");
        ran.fails(1, &[place_in_run, &kept, "standard output", "No space left on device"]);
    }
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let summary = place.command("summary lenet").stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    Ran::of(summary.wait_with_output().unwrap()).fails(1, &["standard output cannot be written to"]);
}

#[test]
fn ctrl_c_ends_a_download_at_once() {
    let place = Place::new();
    // A server that takes the request and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = place.command("data fetch fashion-mnist");
    command.env("DANLU_URL", format!("http://{}", listener.local_addr().unwrap()));
    command.env("XDG_CACHE_HOME", place.path("cache"));
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _connection = listener.accept().unwrap();
    let start = Instant::now();
    signal(&child, "-INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    ran.fails(130, &["interrupted"]);
}

/// A file system of its own, of 1 MiB.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(dir: &Path) -> Option<Self> {
        fs::create_dir(dir).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(dir);
        let done = mount.stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success()).then(|| Self(dir.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _stays = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_the_last_model_whole() {
    let place = Place::new();
    let Some(_disk) = SmallDisk::mount(&place.path("disk")) else {
        // Standard error itself, because the output of tests that pass is not shown.
        let skipped =
            "a_full_disk_leaves_the_last_model_whole: SKIPPED, a small file system cannot be mounted";
        writeln!(std::io::stderr(), "{skipped}").unwrap();
        return;
    };
    // A checkpoint takes 524 KiB and a model 176, so that a second checkpoint does not fit beside the first.
    let ran = place.train("--epochs 3 --out disk/run");
    let (model, checkpoint) = ("disk/run/model.safetensors", "disk/run/checkpoint");
    ran.fails(1, &["the run failed in epoch 2; 1 epoch is kept", checkpoint, "No space left on device"]);
    place.run(&format!("eval {model} --data data")).succeeds();
    let record = place.record("disk/run");
    assert_eq!(record.epochs.len(), 1);
    assert!(matches!(record.state, RunState::Failed { .. }), "{:?}", record.state);
    assert!(!place.path("disk/run/.checkpoint.tmp").exists());
}
