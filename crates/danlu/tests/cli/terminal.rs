//! `--live` in a real terminal: tmux, whose keys are sent and whose screen is read. `make terminal` runs these tests.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use spec::RunState;

use crate::support::Place;

/// How long a busy machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);
const ENDLESS: &str = "train --live --data data --batch-size 64 --epochs 1000000 --out run";

/// A shell in a terminal, in a folder with a small data set.
struct Terminal {
    place: Place,
    socket: String,
}

impl Terminal {
    fn new(width: u16, height: u16) -> Self {
        static N: AtomicUsize = AtomicUsize::new(0);
        let n = N.fetch_add(1, Ordering::Relaxed);
        let terminal = Self { place: Place::new(), socket: format!("danlu-{}-{n}", std::process::id()) };
        let (width, height) = (width.to_string(), height.to_string());
        let dir = terminal.place.path("").display().to_string();
        let shell = "env -u NO_COLOR PS1='$ ' sh";
        terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &width,
            "-y",
            &height,
            "-c",
            &dir,
            shell,
        ]);
        terminal.wait_for("$ ");
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.socket]).args(arguments).output();
        let output = output.expect("tmux is installed");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The program with these arguments; then the shell says how it ended.
    fn danlu(&self, arguments: &str) {
        let program = env!("CARGO_BIN_EXE_danlu");
        self.typed(&format!("{program} {arguments}; echo ended $?."));
    }

    fn typed(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.press("Enter");
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// All rows, those that were wrapped as one.
    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J"])
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "{what} did not come:\n{screen}");
            thread::sleep(Duration::from_millis(30));
        }
    }

    fn wait_for(&self, words: &str) -> String {
        self.wait_until(words, |screen| screen.contains(words))
    }

    fn resize(&self, width: u16, height: u16) {
        self.tmux(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
    }

    /// Waits for the end; the terminal must be as it was before.
    fn ended(&self, code: i32) -> String {
        let screen = self.wait_for(&format!("ended {code}."));
        let flags = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        assert_eq!(flags.trim(), "0 1", "the screen is left and the cursor seen");
        self.typed("clear; stty -a");
        let modes = self.wait_for("icanon");
        assert!(!modes.contains("-icanon") && !modes.contains("-echo "), "keys are as before: {modes}");
        screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _gone = Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output();
    }
}

/// Dots of the chart's lines above its axis.
fn has_curve(screen: &str) -> bool {
    let dots = |c: &char| ('\u{2801}'..='\u{28ff}').contains(c);
    screen.lines().filter(|line| line.chars().any(|c| dots(&c))).count() > 3
}

#[test]
#[ignore = "needs tmux: make terminal"]
fn keys_and_sizes() {
    let terminal = Terminal::new(120, 40);
    terminal.danlu(ENDLESS);
    // At the start of an epoch no step was counted yet, so that not every screen has all the words.
    let words = ["lenet on", "━━ [l]oss", "━━ te[s]t acc", "by label", "/5 steps, ", " left", "? help"];
    terminal.wait_until("a curve and all words", |screen| {
        has_curve(screen) && words.iter().all(|words| screen.contains(words))
    });
    // A key that nobody knows.
    terminal.tmux(&["send-keys", "-H", "1b", "5b", "39", "39", "7a"]);
    terminal.press("l");
    terminal.wait_for("── [l]oss");
    terminal.press("m");
    terminal.wait_until("no matrix", |screen| !screen.contains("by label"));
    terminal.press("m");
    terminal.resize(80, 24);
    let is_small = |screen: &str| {
        let keys = screen.lines().nth(23).is_some_and(|line| line.contains("? help"));
        keys && screen.contains("by label") && has_curve(screen)
    };
    terminal.wait_until("80 × 24", is_small);
    terminal.press("?");
    terminal.wait_for("danlu resume");
    terminal.press("Escape");
    terminal.wait_until("no help", |screen| !screen.contains("danlu resume"));
    terminal.resize(30, 4);
    terminal.wait_until("4 rows", |screen| screen.lines().next().is_some_and(|line| line.contains("epoch")));
    terminal.resize(1, 1);
    terminal.resize(100, 30);
    terminal
        .wait_until("100 × 30", |screen| screen.lines().nth(29).is_some_and(|line| line.contains("? help")));
    terminal.press("q");
    let screen = terminal.ended(130);
    assert!(screen.contains("interrupted in epoch") && screen.contains("danlu resume run"), "{screen}");
    assert!(screen.contains(", test acc "), "the last epoch's line is left: {screen}");
    assert_eq!(terminal.place.record("run").state, RunState::Interrupted);
}

#[test]
#[ignore = "needs tmux: make terminal"]
fn a_stopped_run_goes_on_and_stops_after_an_epoch() {
    let terminal = Terminal::new(80, 24);
    terminal.danlu(ENDLESS);
    terminal.wait_until("a curve", has_curve);
    terminal.press("C-c");
    terminal.ended(130);
    let n_epochs = terminal.place.record("run").epochs.len();
    assert!(n_epochs > 0);
    terminal.typed("clear");
    terminal.danlu("resume run --live");
    // Its earlier epochs are there at once.
    terminal.wait_until("a curve", has_curve);
    terminal.press("e");
    let screen = terminal.ended(130);
    assert!(screen.contains("danlu resume run"), "{screen}");
    let record = terminal.place.record("run");
    assert!(record.epochs.len() > n_epochs && record.state == RunState::Interrupted);
    terminal.place.run("eval run --data data").succeeds();
}

#[test]
#[ignore = "needs tmux: make terminal"]
fn the_end_leaves_the_usual_lines() {
    let terminal = Terminal::new(80, 24);
    terminal.danlu("train --live --data data --batch-size 64 --epochs 5 --validation 0.1 --out run");
    let screen = terminal.ended(0);
    for words in ["epoch 5, loss ", "the best epoch by the validation part", "the run is kept in run"] {
        assert!(screen.contains(words), "{words:?}:\n{screen}");
    }
    assert_eq!(terminal.place.record("run").state, RunState::Finished);
}

#[test]
#[ignore = "needs tmux: make terminal"]
fn a_terminal_without_a_cursor_gets_lines() {
    let terminal = Terminal::new(120, 24);
    terminal.typed("TERM=dumb; export TERM");
    terminal.danlu("train --live --data data --batch-size 64 --epochs 2 --out run");
    let screen = terminal.ended(0);
    assert_eq!(screen.matches("note: --live needs a terminal").count(), 1, "{screen}");
    assert!(screen.contains("epoch 1, loss ") && screen.contains("epoch 2, loss "), "{screen}");
}

#[test]
#[ignore = "needs tmux: make terminal"]
fn sigterm_gives_the_terminal_back() {
    let terminal = Terminal::new(80, 24);
    let program = env!("CARGO_BIN_EXE_danlu");
    terminal.typed(&format!("sh -c 'echo $$ > pid; exec {program} {ENDLESS}'; echo ended $?."));
    terminal.wait_until("a curve", has_curve);
    let status = Command::new("kill").args(["-TERM", terminal.place.read("pid").trim()]).status().unwrap();
    assert!(status.success());
    let screen = terminal.ended(130);
    assert!(screen.contains("interrupted in epoch"), "{screen}");
    assert_eq!(terminal.place.record("run").state, RunState::Interrupted);
}

#[test]
#[ignore = "needs tmux: make terminal"]
fn a_run_ends_with_its_terminal() {
    let terminal = Terminal::new(80, 24);
    terminal.danlu(ENDLESS);
    terminal.wait_until("a curve", has_curve);
    terminal.tmux(&["kill-server"]);
    let start = Instant::now();
    while terminal.place.record("run").state != RunState::Interrupted {
        assert!(start.elapsed() < PATIENCE, "the run goes on without a terminal");
        thread::sleep(Duration::from_millis(30));
    }
    // Its folder is free once the process is gone.
    while runs::is_locked(&terminal.place.path("run")) {
        assert!(start.elapsed() < PATIENCE, "the process goes on");
        thread::sleep(Duration::from_millis(30));
    }
}

#[test]
#[ignore = "needs tmux: make terminal"]
fn an_error_is_seen_after_the_screen_is_gone() {
    let terminal = Terminal::new(120, 24);
    terminal.danlu("train --live --data data --batch-size 64 --optimizer sgd --learning-rate 1e30 --out run");
    let screen = terminal.ended(1);
    assert!(screen.contains("error: the run failed in epoch 1"), "{screen}");
    assert!(screen.contains("because the loss became"), "{screen}");
}

const STUDY: &str = r#"
version = 1
name = "seen"
objectives = ["validation_accuracy"]
sampler = "random"
jobs = 2
budget = { trials = 1000000 }
retrain = { best = 0 }
[run]
network = "lenet"
data = "data"
batch_size = 64
epochs = 2
validation = 0.2
[[parameter]]
name = "learning_rate"
key = "optimizer.adam.learning_rate"
float = { low = 1e-4, high = 0.1, scale = "log" }
"#;

#[test]
#[ignore = "needs tmux: make terminal"]
fn a_study_shows_its_trials_and_ends_when_a_key_says_so() {
    let terminal = Terminal::new(100, 30);
    terminal.place.write("seen.toml", STUDY);
    terminal.danlu("study run seen.toml --live");
    let screen = terminal.wait_until("whole trials", |screen| screen.matches("whole").count() > 2);
    for words in ["seen · ", "validation_accuracy", "best so far", "learning_rate 0.", "q stop now"] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    terminal.press("q");
    let screen = terminal.ended(0);
    assert!(
        screen.contains("danlu study run seen.toml` goes on") && screen.contains("best trial"),
        "{screen}"
    );
    terminal.danlu("study run seen.toml --live");
    terminal.wait_for("best so far");
    terminal.press("C-c");
    let screen = terminal.ended(130);
    assert!(screen.contains("interrupted; "), "{screen}");
    let trials = terminal.place.run("study export seen --json").succeeds().stdout;
    let states: Vec<&str> = trials.lines().filter_map(|line| line.split("\"state\":\"").nth(1)).collect();
    assert!(states.len() > 2 && states.iter().all(|state| !state.starts_with("running")), "{trials}");
}
