//! A study as it stands: for whoever looks at it, and beneath whoever works on it.

use std::collections::BTreeMap;
use std::path::Path;

use search::{Grammar, History, Space};
use serde_json::Value as Json;
use spec::{Direction, Measure, ObjectiveSpec, StudySpec, TrialRecord, TrialState};
use store::{Store, StoreError, StudyId, StudyRow, TrialCache};

use crate::ask::is_outside;
use crate::folder::{FILE, STORE};
use crate::template::{space, space_of};
use crate::{StudyError, StudyFolder, journal};

/// The study attribute that holds the study file.
pub(crate) const FILE_ATTRIBUTE: &str = "danlu:file";

/// A study as it stands.
pub struct StudyView {
    folder: StudyFolder,
    spec: StudySpec,
    grammar: Option<Grammar>,
    pub(crate) store: Store,
    pub(crate) id: StudyId,
    cache: TrialCache,
    pub(crate) history: History,
}

/// How many trials are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Somebody wants them tried.
    pub waiting: usize,
    /// Somebody tries them.
    pub running: usize,
    /// Whole ones, reused ones among them.
    pub complete: usize,
    /// Ended early.
    pub pruned: usize,
    /// Could not be tried.
    pub failed: usize,
}

impl StudyView {
    /// To look at.
    pub fn open(dir: &Path) -> Result<Self, StudyError> {
        let folder = StudyFolder::new(dir);
        let spec = folder.read_file()?;
        let store = Store::open_read_only(folder.path(STORE))?;
        Self::of(folder, spec, store)
    }

    /// To change it. Whoever made the folder may have been killed before there was a store.
    pub fn open_for_writing(dir: &Path) -> Result<Self, StudyError> {
        let folder = StudyFolder::new(dir);
        let spec = folder.read_file()?;
        let text = folder.read_text()?;
        Self::begin_in(folder, spec, &text)
    }

    /// Makes the folder of a study, or finds it begun with the same file.
    pub fn begin(dir: &Path, text: &str) -> Result<Self, StudyError> {
        let (folder, spec) = (StudyFolder::new(dir), StudySpec::from_toml(text)?);
        check(&spec)?;
        folder.put_file(text, &spec)?;
        Self::begin_in(folder, spec, text)
    }

    fn begin_in(folder: StudyFolder, spec: StudySpec, text: &str) -> Result<Self, StudyError> {
        let path = folder.path(STORE);
        if !path.exists() && journal::has_any(&folder) {
            return Err(StudyError::StoreLost { dir: folder.dir().to_owned() });
        }
        let store = Store::create_or_open(path)?;
        match store.find_study(&spec.name)? {
            None if !journal::has_any(&folder) => match create_study(&store, &spec, text) {
                // Another process was quicker.
                Err(StudyError::Store(StoreError::NameTaken { .. })) | Ok(_) => {}
                Err(error) => return Err(error),
            },
            _ => {}
        }
        let view = Self::of(folder, spec, store)?;
        view.keep_text(text)?;
        Ok(view)
    }

    /// What the store says of the study itself; `None` where somebody has deleted it.
    pub(crate) fn row(&self) -> Result<Option<StudyRow>, StudyError> {
        Ok(self.store.studies()?.into_iter().find(|study| study.id == self.id))
    }

    /// The store has the study file as it was given last.
    fn keep_text(&self, text: &str) -> Result<(), StudyError> {
        let row = self.row()?;
        let kept = row.as_ref().and_then(|study| study.user_attributes.get(FILE_ATTRIBUTE));
        if kept == Some(&Json::from(text)) {
            return Ok(());
        }
        // Somebody may have edited the file in the folder.
        if let Some(before) = kept.and_then(Json::as_str).and_then(|kept| StudySpec::from_toml(kept).ok()) {
            self.folder.check_unchanged(&before, &self.spec)?;
        }
        Ok(self.store.set_study_user_attribute(self.id, FILE_ATTRIBUTE, &Json::from(text))?)
    }

    fn of(folder: StudyFolder, spec: StudySpec, store: Store) -> Result<Self, StudyError> {
        let not_there = || StudyError::NotInStore { path: folder.path(STORE), name: spec.name.clone() };
        let id = store.find_study(&spec.name)?.ok_or_else(not_there)?;
        let directions = spec.objectives.iter().map(|objective| objective.direction).collect();
        let grammar = spec.grammar.as_ref().map(Grammar::new).transpose()?;
        let history = History::new(space_of(grammar.as_ref(), &spec.parameters)?, directions);
        let mut view = Self { folder, spec, grammar, store, id, cache: TrialCache::default(), history };
        view.sync()?;
        Ok(view)
    }

    /// Reads what changed; returns whether anything did.
    pub fn sync(&mut self) -> Result<bool, StudyError> {
        let changed = self.store.sync(self.id, &mut self.cache)?;
        let trials = self.cache.trials();
        changed.iter().for_each(|&number| self.history.record(&trials[number as usize]));
        Ok(!changed.is_empty())
    }

    /// Where it is kept.
    pub fn folder(&self) -> &StudyFolder {
        &self.folder
    }

    /// What was asked.
    pub fn spec(&self) -> &StudySpec {
        &self.spec
    }

    /// Which networks there are, in an architecture search.
    pub fn grammar(&self) -> Option<&Grammar> {
        self.grammar.as_ref()
    }

    /// What may vary.
    pub fn space(&self) -> &Space {
        self.history.space()
    }

    /// What is good.
    pub fn objectives(&self) -> &[ObjectiveSpec] {
        &self.spec.objectives
    }

    /// All trials, by number.
    pub fn trials(&self) -> &[TrialRecord] {
        self.cache.trials()
    }

    /// The trial of that number.
    pub fn trial(&self, number: u64) -> Result<&TrialRecord, StudyError> {
        let n_trials = self.trials().len();
        let found = usize::try_from(number).ok().and_then(|idx| self.trials().get(idx));
        found.ok_or(StudyError::NoTrial { number, n_trials })
    }

    /// What was tried, as samplers see it.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How many trials are in which state.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for trial in self.trials() {
            *match trial.state {
                TrialState::Waiting => &mut counts.waiting,
                TrialState::Running => &mut counts.running,
                TrialState::Complete { .. } => &mut counts.complete,
                TrialState::Pruned { .. } => &mut counts.pruned,
                TrialState::Failed => &mut counts.failed,
            } += 1;
        }
        counts
    }

    /// Trials that run in other programs, which may never tell of them.
    pub fn elsewhere(&self) -> impl Iterator<Item = &TrialRecord> {
        self.trials().iter().filter(|trial| is_outside(trial))
    }

    /// Whole trials that keep to the constraints, the best first: by the first objective, or those of the front.
    pub fn best(&self) -> Vec<&TrialRecord> {
        let front = search::pareto_front(&self.history);
        let mut best: Vec<&TrialRecord> = match self.objectives() {
            [_] => self.trials().iter().filter(|trial| trial.state.complete_values().is_some()).collect(),
            _ => front.iter().map(|&number| &self.trials()[number as usize]).collect(),
        };
        best.retain(|trial| trial.is_feasible());
        let cost = |trial: &TrialRecord| {
            self.objectives()[0]
                .direction
                .cost(trial.state.complete_values().map_or(f64::INFINITY, |values| values[0]))
        };
        best.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.number.cmp(&b.number)));
        best
    }

    /// Why no trial is the best.
    pub fn nothing_good(&self) -> StudyError {
        let name = self.spec.name.clone();
        match self.counts().complete {
            0 => StudyError::NothingWhole { name },
            _ => StudyError::NothingGood { name },
        }
    }

    /// Time in which somebody worked on it, in seconds.
    pub fn worked_s(&self) -> f64 {
        self.folder.worked_s()
    }

    /// Why no further trial is begun; `None` while one may be.
    pub fn ending(&self) -> Option<Ending> {
        let budget = &self.spec.budget;
        let is_good = |trial: &&TrialRecord| {
            let (value, target) = (trial.state.complete_values().map(|values| values[0]), budget.target);
            let direction = self.objectives()[0].direction;
            value.zip(target).is_some_and(|(value, target)| direction.cost(value) <= direction.cost(target))
        };
        if budget.target.is_some() && self.best().first().is_some_and(is_good) {
            return Some(Ending::Target);
        }
        if budget.minutes.is_some_and(|minutes| self.worked_s() >= 60.0 * minutes) {
            return Some(Ending::Time);
        }
        budget.trials.is_some_and(|trials| self.trials().len() as u64 >= trials).then_some(Ending::Trials)
    }
}

/// Why no further trial is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A trial is as good as asked.
    Target,
    /// The time is used up.
    Time,
    /// As many trials were begun as asked.
    Trials,
    /// Everything was tried.
    Exhausted,
}

/// Puts a study into a store.
pub(crate) fn create_study(store: &Store, spec: &StudySpec, text: &str) -> Result<StudyId, StudyError> {
    let directions: Vec<Direction> = spec.objectives.iter().map(|objective| objective.direction).collect();
    let names: Vec<&str> = spec.objectives.iter().map(|objective| objective.name.as_str()).collect();
    let attributes = BTreeMap::from([
        (FILE_ATTRIBUTE.to_owned(), Json::from(text)),
        ("danlu:version".to_owned(), Json::from(1)),
        ("danlu:objectives".to_owned(), Json::from(names)),
    ]);
    Ok(store.create_study(&spec.name, &directions, &attributes)?)
}

/// What the parts of a study file ask of each other.
fn check(spec: &StudySpec) -> Result<(), StudyError> {
    if spec.objectives.len() > 1 && spec.pruner != spec::PrunerSpec::None {
        return Err(StudyError::PrunerOfSeveral);
    }
    let first = spec.measures().and_then(|measures| measures.first().copied());
    let is_of_epoch =
        first.is_none_or(|measure| matches!(measure, Measure::ValidationAccuracy | Measure::ValidationLoss));
    if spec.pruner != spec::PrunerSpec::None && !is_of_epoch {
        return Err(StudyError::PrunerOfWhat { objective: spec.objectives[0].name.clone() });
    }
    if let spec::PrunerSpec::Hyperband(hyperband) = &spec.pruner
        && spec.run.is_none()
        && hyperband.max_steps.is_none()
    {
        return Err(StudyError::StepsOutside);
    }
    let directions: Vec<Direction> = spec.objectives.iter().map(|objective| objective.direction).collect();
    Ok(search::check_sampler(&spec.sampler, &space(spec)?, &directions)?)
}

/// Whether a folder holds a study.
pub fn is_study(dir: &Path) -> bool {
    dir.join(FILE).is_file() && dir.join(STORE).is_file()
}
