//! Working on a study: the next trial, and when there is none.

use std::collections::BTreeMap;

use search::{ATTEMPT, Answer, Ask, Pruner, Sampler};
use serde_json::Value as Json;
use spec::{Assignment, Param, Seed, TrialRecord, TrialState};
use store::{Changes, Lease};

use crate::view::{Ending, StudyView};
use crate::worker::Worker;
use crate::{StudyError, Told};

/// How often a sampler is asked again for values that are refused, before one is put down as failed.
const MAX_REFUSED: u64 = 200;
/// How often a sampler is asked again for values that were tried before, before the earlier result is taken.
const MAX_REPEATED: u64 = 100;

/// The trial attribute that says which run its values ask for.
pub const RUN: &str = "danlu:run";
/// The trial attribute that says why it failed.
pub const FAILURE: &str = "danlu:failure";
/// The trial attribute of a failure that would come again.
pub(crate) const LASTING: &str = "danlu:lasting_failure";

/// A process that works on a study.
pub struct Study {
    pub(crate) view: StudyView,
    pub(crate) lease: Lease,
    /// `None`: somebody outside, who may take all the time in the world.
    pub(crate) worker: Option<Worker>,
    pub(crate) sampler: Box<dyn Sampler>,
    /// Steps of the sampler whose logs and memory are in the store.
    pub(crate) n_steps_kept: u64,
    pub(crate) pruner: Box<dyn Pruner>,
}

/// What is known of values before they are tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate {
    /// Names the run that they ask for: the same for all values that ask for the same. Empty: not known.
    pub run: String,
    /// Why they cannot be tried.
    pub refusal: Option<String>,
    /// What is to be noted of the trial.
    pub attributes: BTreeMap<String, Json>,
}

/// Says what is known of values; `None` where that cannot be told, for a reason that is not theirs.
pub type Look<'a> = &'a mut dyn FnMut(&Assignment) -> Option<Candidate>;

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Try these values. The trial is this worker's until it is told, let go or lost.
    Try {
        /// The trial.
        number: u64,
        /// Its values.
        values: Assignment,
    },
    /// Ask again in a moment: others are at work, and what they leave may have to be done.
    Wait,
    /// Nothing is left to do.
    Done(Ending),
}

/// The trial attribute that names the trial from which the sampler made this one.
pub const PARENT: &str = "danlu:parent";

enum Proposal {
    /// Values, and what is known of them.
    Fresh(Assignment, Candidate),
    /// Values that were tried before.
    Repeated(Assignment, Candidate, u64),
    /// The same values are tried at this moment, or the sampler waits for trials that run.
    NotYet,
    /// There are no further values.
    Exhausted,
}

impl Study {
    /// Works on the study; `max_steps` are the epochs of a whole trial, if that is known.
    pub fn work(view: StudyView, max_steps: u64) -> Result<Self, StudyError> {
        let worker = Worker::begin(view.folder())?;
        Self::of(view, worker.lease().clone(), Some(worker), max_steps)
    }

    /// Asks and tells for another program, whose trials are nobody's to take back.
    ///
    /// # Errors
    /// A budget of minutes, before the first trial, in a study that has no run: nobody would count them.
    pub fn outside(view: StudyView, max_steps: u64) -> Result<Self, StudyError> {
        let spec = view.spec();
        if spec.run.is_none() && spec.budget.minutes.is_some() && view.trials().is_empty() {
            return Err(StudyError::MinutesOutside);
        }
        Self::of(view, Lease::outside(), None, max_steps)
    }

    fn of(view: StudyView, lease: Lease, worker: Option<Worker>, max_steps: u64) -> Result<Self, StudyError> {
        let sampler = search::sampler(&view.spec().sampler);
        let pruner = search::pruner(&view.spec().pruner, max_steps);
        let mut study = Self { view, lease, worker, sampler, n_steps_kept: 0, pruner };
        study.recall()?;
        Ok(study)
    }

    /// The study as it stands.
    pub fn view(&self) -> &StudyView {
        &self.view
    }

    /// The next trial: one that waits, or one that the sampler chooses. Where values cannot be looked at, nothing is changed.
    pub fn next(&mut self, look: Look<'_>) -> Result<Next, StudyError> {
        loop {
            self.worker.as_ref().map_or(Ok(()), Worker::beat)?;
            self.take_back_lost()?;
            self.view.sync()?;
            if let Some(number) = self.view.store.claim_waiting(self.view.id, &self.lease)? {
                self.view.sync()?;
                match self.go_on_with(number, look) {
                    Ok(Some(next)) => return Ok(next),
                    Ok(None) => continue,
                    Err(error) => {
                        let _the_first_error_counts = self.release(number);
                        return Err(error);
                    }
                }
            }
            let number = self.view.trials().len() as u64;
            if let Some(ending) = self.view.ending() {
                // What the last trials taught is to be in the log.
                self.sampler.learn(&self.question(number, 0));
                self.keep_memory()?;
                return Ok(self.done(ending));
            }
            let proposal = self.propose(number, &BTreeMap::new(), look)?;
            self.keep_memory()?;
            match proposal {
                Proposal::NotYet => return Ok(Next::Wait),
                Proposal::Exhausted => return Ok(self.done(Ending::Exhausted)),
                Proposal::Fresh(values, candidate) => {
                    if self.begin(number, &values, &candidate)? {
                        return Ok(Next::Try { number, values });
                    }
                }
                Proposal::Repeated(values, candidate, earlier) => {
                    if self.begin(number, &values, &candidate)? {
                        self.repeat(number, earlier)?;
                    }
                }
            }
        }
    }

    /// Others at work may yet be lost and leave something to do.
    fn done(&self, ending: Ending) -> Next {
        let holds = |trial: &TrialRecord| {
            let is_leased = trial.system_attributes.contains_key(store::LEASE);
            trial.state == TrialState::Running && is_leased && !is_outside(trial)
        };
        if self.view.trials().iter().any(holds) { Next::Wait } else { Next::Done(ending) }
    }

    /// A trial that waited: begun before, or wanted by somebody. `None`: it is over at once.
    fn go_on_with(&mut self, number: u64, look: Look<'_>) -> Result<Option<Next>, StudyError> {
        let trial = self.view.trial(number)?;
        if trial.user_attributes.contains_key(RUN) {
            let values = trial.params.iter().map(|(name, param)| (name.clone(), param.value)).collect();
            return self.go_on_with_begun(number, values, look);
        }
        let fixed = match self.wanted(trial) {
            Ok(fixed) => fixed,
            Err(error) => {
                let told = Told::Failed { reason: error.to_string(), is_lasting: false };
                self.tell(number, told, BTreeMap::new())?;
                return Ok(None);
            }
        };
        let (values, candidate, earlier) = match self.propose(number, &fixed, look)? {
            Proposal::Fresh(values, candidate) => (values, candidate, None),
            Proposal::Repeated(values, candidate, earlier) => (values, candidate, Some(earlier)),
            Proposal::NotYet => {
                self.view.store.release(self.view.id, number, &self.lease)?;
                return Ok(Some(Next::Wait));
            }
            Proposal::Exhausted => {
                let reason = "there are no further values for it".to_owned();
                self.tell(number, Told::Failed { reason, is_lasting: false }, BTreeMap::new())?;
                return Ok(None);
            }
        };
        let changes = self.changes(&values, &candidate);
        self.view.store.update(self.view.id, number, &self.lease, &changes)?;
        self.put_down(number)?;
        self.after_begin(number, &candidate)?;
        match earlier {
            Some(earlier) => self.repeat(number, earlier).map(|()| None),
            None if candidate.refusal.is_some() => Ok(None),
            None => Ok(Some(Next::Try { number, values })),
        }
    }

    /// A trial that was begun before. Whoever began it may have been gone before it was seen that nothing need be tried.
    fn go_on_with_begun(
        &mut self,
        number: u64,
        values: Assignment,
        look: Look<'_>,
    ) -> Result<Option<Next>, StudyError> {
        let candidate = look(&values).ok_or(StudyError::NotLooked)?;
        let over = self.earlier(number, &candidate.run).filter(|trial| trial.state.is_over());
        match (&candidate.refusal, over.map(|trial| trial.number)) {
            (Some(_), _) => self.after_begin(number, &candidate).map(|()| None),
            (None, Some(earlier)) => self.repeat(number, earlier).map(|()| None),
            (None, None) => Ok(Some(Next::Try { number, values })),
        }
    }

    /// The values that somebody wants of a trial that waits: its parameters, or what Optuna's `enqueue_trial` leaves alone.
    /// Names that the study does not have are ignored, as Optuna does.
    fn wanted(&self, trial: &TrialRecord) -> Result<Assignment, StudyError> {
        let is_ours = |name: &String| self.view.space().dimensions().iter().any(|one| one.name == *name);
        let fixed =
            trial.system_attributes.get("fixed_params").and_then(Json::as_object).into_iter().flatten();
        let fixed = fixed.filter(|(name, _)| is_ours(name)).map(|(name, json)| (name.clone(), json.clone()));
        let fixed = crate::params_from_json(&self.view, &fixed.collect())?;
        let wanted = fixed.into_iter().chain(trial.params.clone());
        Ok(wanted.map(|(name, param)| (name, param.value)).collect())
    }

    /// Values for a trial, some of which may be fixed. What the sampler says is refused where it cannot be tried or was
    /// tried before, but not for ever.
    fn propose(&self, number: u64, fixed: &Assignment, look: Look<'_>) -> Result<Proposal, StudyError> {
        let mut repeated = None;
        // Where nothing is left to choose, nobody is asked.
        let whole = self.with_fixed(&Assignment::new(), fixed);
        let is_whole = !fixed.is_empty() && whole.keys().all(|name| fixed.contains_key(name));
        for attempt in 0.. {
            let answer = (!is_whole).then(|| self.sampler.ask(&self.question(number, attempt)));
            let (sampled, parent) = match answer {
                Some(Answer::Try(proposal)) => {
                    (self.view.space().assignment(&proposal.point), proposal.parent)
                }
                Some(Answer::Wait) => return Ok(Proposal::NotYet),
                Some(Answer::Exhausted) => return Ok(repeated.unwrap_or(Proposal::Exhausted)),
                None => (whole.clone(), None),
            };
            let values = self.with_fixed(&sampled, fixed);
            let mut candidate = look(&values).ok_or(StudyError::NotLooked)?;
            if let Some(refusal) = self.not_as_fixed(&values, fixed) {
                candidate.refusal.get_or_insert(refusal);
            }
            if fixed.is_empty() {
                candidate.attributes.insert(ATTEMPT.into(), Json::from(attempt));
                let parent = parent.map(|parent| (PARENT.to_owned(), Json::from(parent)));
                candidate.attributes.extend(parent);
            }
            let earlier = self.earlier(number, &candidate.run);
            match (&candidate.refusal, earlier) {
                (Some(_), _) if attempt < MAX_REFUSED && !is_whole => {}
                (None, Some(earlier))
                    if attempt < MAX_REPEATED && !is_whole && !self.sampler.takes_repeats() =>
                {
                    if earlier.state.is_over() && repeated.is_none() {
                        repeated = Some(Proposal::Repeated(values, candidate, earlier.number));
                    }
                }
                (Some(_), _) | (None, None) => return Ok(Proposal::Fresh(values, candidate)),
                (None, Some(earlier)) if earlier.state.is_over() => {
                    let earlier = earlier.number;
                    return Ok(Proposal::Repeated(values, candidate, earlier));
                }
                // Who tries it may never tell: a policy, which draws the same again, has it tried here too; others take the
                // first that is over.
                (None, Some(earlier)) if is_outside(earlier) && self.sampler.takes_repeats() => {
                    return Ok(Proposal::Fresh(values, candidate));
                }
                (None, Some(earlier)) if is_outside(earlier) => {
                    return Ok(repeated.unwrap_or(Proposal::NotYet));
                }
                (None, Some(_)) => return Ok(Proposal::NotYet),
            }
        }
        unreachable!("attempts end")
    }

    fn question(&self, number: u64, attempt: u64) -> Ask<'_> {
        Ask { history: &self.view.history, seed: Seed(self.view.spec().seed), number, attempt }
    }

    /// The sampler's values with the fixed ones in their place; conditions then decide anew what there is.
    fn with_fixed(&self, sampled: &Assignment, fixed: &Assignment) -> Assignment {
        if fixed.is_empty() {
            return sampled.clone();
        }
        let space = self.view.space();
        let first = |domain: &spec::Domain| match domain {
            spec::Domain::Float(float) => spec::ParamValue::Float(float.low),
            spec::Domain::Int(int) => spec::ParamValue::Int(int.low),
            spec::Domain::Categorical(_) => spec::ParamValue::Category(0),
        };
        let point = space.fill(|_, dimension| {
            let known = fixed.get(&dimension.name).or_else(|| sampled.get(&dimension.name)).copied();
            known
                .filter(|&value| dimension.domain.contains(value))
                .unwrap_or_else(|| first(&dimension.domain))
        });
        space.assignment(&point)
    }

    /// Why values are not as they are wanted: no network of a grammar is.
    fn not_as_fixed(&self, values: &Assignment, fixed: &Assignment) -> Option<String> {
        let differs = |dimension: &&search::Dimension| {
            let (value, wanted) = (values.get(&dimension.name), fixed.get(&dimension.name));
            value.is_some() && wanted.is_some() && value != wanted
        };
        let dimension = self.view.space().dimensions().iter().find(differs)?;
        let (name, value) = (dimension.name.clone(), dimension.domain.show(fixed[&dimension.name]));
        Some(StudyError::NotAllowed { name, value }.to_string())
    }

    /// The first other trial of the same run whose result stands, or will; one that may never end counts only if it is alone.
    fn earlier(&self, number: u64, run: &str) -> Option<&TrialRecord> {
        let stands = |trial: &&TrialRecord| match trial.state {
            TrialState::Failed => trial.user_attributes.contains_key(LASTING),
            // One that waits without a run is somebody's wish, of which the sampler still chooses some.
            _ => true,
        };
        let is_same =
            |trial: &&TrialRecord| trial.user_attributes.get(RUN).and_then(Json::as_str) == Some(run);
        let others = self.view.trials().iter().filter(|trial| trial.number != number);
        let same = others.filter(|_| !run.is_empty()).filter(is_same).filter(stands);
        same.min_by_key(|trial| is_outside(trial))
    }

    /// What is put down of a trial when it begins.
    fn changes(&self, values: &Assignment, candidate: &Candidate) -> Changes {
        let param = |dimension: &search::Dimension| {
            let &value = values.get(&dimension.name)?;
            Some((dimension.name.clone(), Param { domain: dimension.domain.clone(), value }))
        };
        let mut user_attributes = candidate.attributes.clone();
        user_attributes.insert(RUN.into(), Json::from(candidate.run.clone()));
        let params = self.view.space().dimensions().iter().filter_map(param).collect();
        Changes { params, user_attributes, ..Changes::default() }
    }

    /// Whether the trial is begun: somebody else may have begun one of that number.
    fn begin(&mut self, number: u64, values: &Assignment, candidate: &Candidate) -> Result<bool, StudyError> {
        let changes = self.changes(values, candidate);
        if !self.view.store.begin_trial(self.view.id, &self.lease, number, &changes)? {
            return Ok(false);
        }
        self.put_down(number)?;
        self.after_begin(number, candidate)?;
        Ok(candidate.refusal.is_none())
    }

    /// What cannot be tried is over at once.
    fn after_begin(&mut self, number: u64, candidate: &Candidate) -> Result<(), StudyError> {
        match &candidate.refusal {
            Some(reason) => {
                let told = Told::Failed { reason: reason.clone(), is_lasting: true };
                self.tell(number, told, BTreeMap::new())
            }
            None => Ok(()),
        }
    }
}

/// Whether the trial runs in another program.
pub(crate) fn is_outside(trial: &TrialRecord) -> bool {
    let lease = trial.system_attributes.get(store::LEASE).filter(|_| trial.state == TrialState::Running);
    lease.and_then(Lease::from_json).is_some_and(|lease| lease.is_outside())
}

impl Drop for Study {
    fn drop(&mut self) {
        let Some(worker) = &mut self.worker else { return };
        let running = self.view.store.running_leases(self.view.id);
        let has_none = running.is_ok_and(|running| running.iter().all(|one| one.lease != self.lease));
        if !has_none {
            worker.abandon();
        }
    }
}
