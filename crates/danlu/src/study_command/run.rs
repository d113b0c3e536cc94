//! `danlu study run`: processes that work, what they show, and what becomes of the best at the end.

use std::collections::VecDeque;
use std::env;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use runs::StopRequest;
use study::{Counts, StudyError, StudyView};

use crate::cli::{DEFAULT_STUDIES, StudyFlags};
use crate::error::CliError;
use crate::live::{StudyScreen, StudyWish};
use crate::study_command::progress::{self, StudyLine};
use crate::study_command::{place, report, retrain};
use crate::{environment, interrupt, output};

/// Between two looks at the store and at the processes.
const POLL: Duration = Duration::from_millis(100);
/// Between two lines of progress.
const SHOW: Duration = Duration::from_millis(500);
/// Last words of a process that are kept.
const N_LAST_WORDS: usize = 5;
/// Processes, of each that is wanted, that may end by accident while not one trial comes to its end. A trial that is to blame
/// is given up before.
const MAX_DEATHS: usize = 20;
/// The exit code of a program with a fault of its own.
const PANICKED: i32 = 101;

/// What is worked on, and how.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    /// The study as it was typed.
    pub(crate) named: &'a Path,
    pub(crate) flags: &'a StudyFlags,
    /// What was typed before it, which goes on after a break.
    pub(crate) command: &'static str,
}

impl Work<'_> {
    /// The command that goes on.
    fn typed(&self) -> String {
        let studies = match self.flags.studies == Path::new(DEFAULT_STUDIES) {
            true => String::new(),
            false => format!(" --studies {}", output::typed(&self.flags.studies)),
        };
        format!("{} {}{studies}", self.command, output::typed(self.named))
    }

    fn interrupted(&self, view: &StudyView) -> CliError {
        CliError::StudyInterrupted { typed: self.typed(), n_trials: view.trials().len() }
    }
}

pub(crate) fn run(asked: &Work<'_>) -> Result<(), CliError> {
    let Work { named, flags: args, .. } = asked;
    let place = place::to_begin(named, &args.studies)?;
    let candidates = place.candidates()?.ok_or(CliError::StudyWithoutRun)?;
    if let Some(foreign) = place.spec()?.foreign_objective() {
        return Err(CliError::ForeignObjective { name: foreign.name.clone() });
    }
    let mut view = place.open()?;
    candidates.keep_networks(&view)?;
    interrupt::tidy_up();
    if StopRequest::read(&place.dir).is_some() && study::any_works(view.folder()) {
        return Err(StudyError::StopPending { dir: place.dir }.into());
    }
    StopRequest::clear(&place.dir)?;
    let threads = environment::setup(args.threads)?.threads;
    let wanted = args.jobs.unwrap_or(view.spec().jobs);
    let jobs = wanted.min(threads);
    if jobs < wanted && !(args.quiet || args.json) {
        output::note(&format!(
            "{jobs} trials at once instead of {wanted}: each has a thread of its own at least"
        ));
    }
    let crew = Crew::start(&place.dir, jobs, threads)?;
    crew.work(&mut view, asked)?;
    let crew = retrain::Crew { jobs, threads, is_quiet: args.quiet || args.json };
    let retrained = retrain::run(&mut view, &candidates, crew);
    if retrained.is_err() {
        // What the trials came to is known.
        report::write(&view)?;
    }
    if !retrained? {
        if interrupt::is_signaled() {
            return Err(asked.interrupted(&view));
        }
        output::note(&format!("stopped; `{}` goes on", asked.typed()));
        return report::summary(&view, args.json);
    }
    view.tidy()?;
    report::write(&view)?;
    report::summary(&view, args.json)?;
    match view.counts() {
        Counts { complete: 0, pruned: 0, failed: n, .. } if n > 0 => Err(CliError::AllTrialsFailed { n }),
        _ => Ok(()),
    }
}

/// The processes that work.
struct Crew {
    dir: PathBuf,
    threads: usize,
    workers: Vec<Worker>,
    jobs: usize,
    /// Since a trial came to its end.
    n_deaths: usize,
}

struct Worker {
    child: Child,
    last_words: Arc<Mutex<VecDeque<String>>>,
}

impl Crew {
    fn start(dir: &Path, jobs: usize, threads: usize) -> Result<Self, CliError> {
        let threads = (threads / jobs).max(1);
        let mut crew = Self { dir: dir.to_owned(), threads, workers: Vec::new(), jobs, n_deaths: 0 };
        for _ in 0..jobs {
            crew.hire()?;
        }
        Ok(crew)
    }

    fn hire(&mut self) -> Result<(), CliError> {
        let program = env::current_exe().map_err(CliError::io("find", "danlu itself"))?;
        let mut command = Command::new(program);
        command.args(["study", "work", "--threads", &self.threads.to_string()]).arg("--").arg(&self.dir);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(CliError::StartWorker)?;
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        if let Some(stderr) = child.stderr.take() {
            let heard = Arc::clone(&last_words);
            thread::Builder::new()
                .spawn(move || listen(BufReader::new(stderr), &heard))
                .map_err(CliError::Thread)?;
        }
        self.workers.push(Worker { child, last_words });
        Ok(())
    }

    /// Until all have nothing left to do. One that dies is replaced; a trial that several die of is given up.
    fn work(mut self, view: &mut StudyView, asked: &Work<'_>) -> Result<(), CliError> {
        let args = asked.flags;
        let is_hidden = args.live || args.quiet || args.json || !std::io::stderr().is_terminal();
        let (mut line, mut shown) = (StudyLine::new(is_hidden, view), Instant::now());
        let mut n_over = progress::n_over(view.counts());
        let mut screen = if args.live { StudyScreen::start()? } else { None };
        while !self.workers.is_empty() {
            thread::sleep(POLL);
            match screen.as_ref().and_then(StudyScreen::wish) {
                Some(StudyWish::StopNow) => StopRequest::Now.write(&self.dir)?,
                Some(StudyWish::StopAfterTrials) => StopRequest::AfterEpoch.write(&self.dir)?,
                None => {}
            }
            if interrupt::is_signaled() {
                self.let_go();
            }
            if let Some((worker, status)) = self.next_ended()? {
                view.sync()?;
                if n_over != progress::n_over(view.counts()) {
                    (n_over, self.n_deaths) = (progress::n_over(view.counts()), 0);
                }
                self.after(worker, status)?;
            }
            if shown.elapsed() > SHOW {
                view.sync()?;
                match &mut screen {
                    Some(screen) => screen.draw(view, &line.text(view)),
                    None => line.show(view),
                }
                shown = Instant::now();
            }
        }
        drop(screen);
        view.sync()?;
        line.clear();
        match interrupt::is_signaled() {
            true => Err(asked.interrupted(view)),
            false => Ok(()),
        }
    }

    fn next_ended(&mut self) -> Result<Option<(Worker, ExitStatus)>, CliError> {
        for idx in 0..self.workers.len() {
            if let Some(status) = self.workers[idx].child.try_wait().map_err(CliError::StartWorker)? {
                return Ok(Some((self.workers.swap_remove(idx), status)));
            }
        }
        Ok(None)
    }

    fn after(&mut self, worker: Worker, status: ExitStatus) -> Result<(), CliError> {
        if status.success() || interrupt::is_signaled() {
            return Ok(());
        }
        let words = worker.last_words();
        let accident = match status.code() {
            Some(PANICKED) => Some(format!("a fault of danlu: {words}")),
            // It said itself what is wrong, and the next would say the same.
            Some(_) => None,
            None => Some(signal_of(status)),
        };
        let Some(how) = accident else {
            self.end();
            return Err(CliError::WorkerFailed { words });
        };
        self.n_deaths += 1;
        if self.n_deaths > MAX_DEATHS * self.jobs {
            self.end();
            return Err(CliError::WorkersDie { n: self.n_deaths, how });
        }
        study::note_death(&self.dir, worker.child.id(), &how);
        self.hire()
    }

    /// Closes their standard input, at which they let go of their trials and end.
    fn let_go(&mut self) {
        self.workers.iter_mut().for_each(|worker| drop(worker.child.stdin.take()));
    }

    fn end(&mut self) {
        self.let_go();
        for mut worker in self.workers.drain(..) {
            let _gone = worker.child.wait();
        }
    }
}

impl Worker {
    fn last_words(&self) -> String {
        let words = self.last_words.lock();
        words.map_or_else(|_| String::new(), |words| Vec::from_iter(words.iter().cloned()).join("\n"))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(stderr: impl BufRead, heard: &Mutex<VecDeque<String>>) {
    for line in stderr.lines().map_while(Result::ok) {
        let Ok(mut words) = heard.lock() else { return };
        if words.len() == N_LAST_WORDS {
            words.pop_front();
        }
        words.push_back(line);
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(9) => "signal 9, as it is when memory runs out".into(),
        Some(6) => "signal 6, as it ends when memory runs out or something is very wrong".into(),
        Some(signal) => format!("signal {signal}"),
        None => "an unknown signal".into(),
    }
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> String {
    "the system".into()
}
