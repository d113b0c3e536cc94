//! One process that works on a study: `danlu study run` starts as many as there are trials at once, and they do not need it
//! to agree with each other. What a trial does to its process, it does to nobody else.

use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use data::Partition;
use runs::StopRequest;
use spec::Assignment;
use study::{Next, Study, StudyView, Told};

use crate::cli::StudyWorkArgs;
use crate::error::CliError;
use crate::loading::{Loaded, Wanted};
use crate::study_command::candidate::{Candidates, Prepared};
use crate::study_command::trial::{Trial, TrialEnd};
use crate::{environment, interrupt};

/// Between two looks while others are at work.
const PAUSE: Duration = Duration::from_millis(200);
/// Data sets that are kept in memory, for studies in which they vary.
const N_KEPT: usize = 4;

/// Data sets that were read, by what they are and what they were cut and fitted to.
#[derive(Default)]
struct Kept(Vec<(String, Loaded)>);

pub(crate) fn run(args: &StudyWorkArgs) -> Result<(), CliError> {
    interrupt::tidy_up();
    end_with_parent()?;
    let view = StudyView::open_for_writing(&args.dir)?;
    let candidates = Candidates::of(&view)?;
    let mut study = Study::work(view, candidates.n_epochs())?;
    let (mut kept, setup) = (Kept::default(), environment::setup(Some(args.threads))?);
    loop {
        if interrupt::is_signaled() {
            return Err(CliError::InterruptedEarly);
        }
        if StopRequest::read(&args.dir).is_some() {
            return Ok(());
        }
        let (number, values) = match next(&mut study, &candidates, &args.dir)? {
            Some(Next::Try { number, values }) => (number, values),
            Some(Next::Wait) => {
                thread::sleep(PAUSE);
                continue;
            }
            Some(Next::Done(_)) => return Ok(()),
            None => continue,
        };
        let prepared = match candidates.prepare(&values) {
            Ok(prepared) => prepared,
            Err(error) => {
                let told = Told::Failed { reason: error.one_line(), is_lasting: true };
                study.tell(number, told, Default::default())?;
                continue;
            }
        };
        let loaded = match kept.load(&prepared) {
            Ok(loaded) => loaded,
            Err(error) => {
                study.release(number)?;
                return Err(error);
            }
        };
        let trial = Trial { study: &mut study, number, prepared: &prepared, loaded, setup };
        match trial.run()? {
            TrialEnd::Told | TrialEnd::Lost => {}
            TrialEnd::Busy => thread::sleep(PAUSE),
            TrialEnd::Released => {
                return if interrupt::is_signaled() { Err(CliError::InterruptedEarly) } else { Ok(()) };
            }
        }
    }
}

/// `None`: somebody wants the work to end. Where all proposals are refused or were tried before, that may be the only way out.
fn next(study: &mut Study, candidates: &Candidates, dir: &Path) -> Result<Option<Next>, CliError> {
    let (mut failure, mut is_stopped) = (None, false);
    let mut look = |values: &Assignment| {
        is_stopped = interrupt::is_signaled() || StopRequest::read(dir).is_some();
        if is_stopped {
            return None;
        }
        candidates.look(values).map_err(|error| failure = Some(error)).ok()
    };
    let next = study.next(&mut look);
    match failure {
        Some(error) => Err(error),
        None if is_stopped => Ok(None),
        None => Ok(Some(next?)),
    }
}

impl Kept {
    fn load(&mut self, prepared: &Prepared) -> Result<&Loaded, CliError> {
        let Prepared { spec, plan } = prepared;
        let key = format!("{} {:?} {:?} {:?}", spec.data, spec.validation, spec.subset, plan.input());
        if let Some(idx) = self.0.iter().position(|(known, _)| *known == key) {
            return Ok(&self.0[idx].1);
        }
        let wanted = Wanted::of_run(&spec.data, None)?;
        let (shape, partition) = (
            plan.input(),
            Partition { validation: spec.validation, subset: spec.subset, ..Partition::default() },
        );
        let loaded = interrupt::abandon_on_signal(move || wanted.load(shape, &partition, true))?;
        if self.0.len() == N_KEPT {
            self.0.remove(0);
        }
        self.0.push((key, loaded));
        Ok(&self.0.last().expect("pushed above").1)
    }
}

/// Whoever started this process holds the other end of its standard input. When that is closed, it is gone, and this
/// process ends as after Ctrl-C: its trial is let go for others.
pub(crate) fn end_with_parent() -> Result<(), CliError> {
    let wait = || {
        let _closed = io::stdin().lock().read_to_end(&mut Vec::new());
        interrupt::end();
    };
    thread::Builder::new().spawn(wait).map(drop).map_err(CliError::Thread)
}
