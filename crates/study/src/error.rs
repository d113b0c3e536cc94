//! What can be wrong with a study.

use std::error::Error;
use std::path::PathBuf;

use runs::RunsError;
use search::{GrammarError, OutsideError, SamplerError, SpaceError};
use spec::SpecError;
use store::StoreError;

use crate::patch::PatchError;

/// Why a study cannot be begun, gone on with or read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StudyError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error(transparent)]
    Grammar(#[from] GrammarError),
    #[error("the grammar says which networks there are, so that {what} must not")]
    TwoNetworks { what: String },
    #[error("the data {data:?} cannot be used")]
    Data { data: String, source: Box<dyn Error + Send + Sync> },
    #[error("the study {name} has no grammar, so that no network is one of its trials")]
    NoGrammar { name: String },
    #[error("the network {network:?} is none of the search {name}")]
    Outside { network: String, name: String, source: OutsideError },
    #[error("no network of the grammar has these values: parameter `{name}` cannot be {value} then")]
    NotAllowed { name: String, value: String },
    #[error("parameter `{name}` is there only where `{other}` is {wanted}; give that with it")]
    NotThere { name: String, other: String, wanted: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] RunsError),
    #[error("cannot use {}", path.display())]
    File { path: PathBuf, source: SpecError },
    #[error("cannot put parameter `{parameter}` into the run")]
    Patch { parameter: String, source: PatchError },
    #[error("parameter `{parameter}` has no `key`, so that no run would have its values")]
    NoKey { parameter: String },
    #[error("`network` {name:?} cannot be used")]
    Network { name: String, source: Box<dyn Error + Send + Sync> },
    #[error(
        "parameter `{parameter}`: `when` names `{name}`, which must be an earlier parameter with such choices"
    )]
    Condition { parameter: String, name: String },
    #[error("the study in {} has a store, but no {}; `danlu study repair` takes it from the store", dir.display(), crate::FILE)]
    FileLost { dir: PathBuf },
    #[error(
        "`budget.minutes` counts the time in which danlu works on a study, and one without a table `run` it does not work \
         on; give `budget.trials`"
    )]
    MinutesOutside,
    #[error(
        "`pruner.hyperband` asks how long a whole trial is; without a table `run` give `max_steps`, the last step that is told"
    )]
    StepsOutside,
    #[error("a stop is asked for of the study in {}, and processes that obey it are at work: wait for them, and run it then", dir.display())]
    StopPending { dir: PathBuf },
    #[error("{} holds no study: it has no {file}", dir.display())]
    NoStudy { dir: PathBuf, file: &'static str },
    #[error(
        "the study in {} has trials, but no store {}; put it back, or let `danlu study repair` make it again from the \
         trials' folders",
        dir.display(),
        crate::STORE
    )]
    StoreLost { dir: PathBuf },
    #[error(
        "the store {} has no study called {name}; put the right one back, or let `danlu study repair` make it again from the \
         trials' folders",
        path.display()
    )]
    NotInStore { path: PathBuf, name: String },
    #[error(
        "{} holds the study {name} with another {what}; give the changed one another name \
         (only `budget`, `jobs` and `retrain` may change)", dir.display()
    )]
    Changed { dir: PathBuf, name: String, what: &'static str },
    #[error(
        "the network {name:?} is another one than when the study {study} in {} was begun: put it back as it was, or give the \
         study with the changed one another name", dir.display()
    )]
    NetworkChanged { dir: PathBuf, name: String, study: String },
    #[error("`{key}` has no place in a study's runs: {why}")]
    RunKey { key: String, why: &'static str },
    #[error("with several objectives nobody can be ended early: `pruner` must be \"none\"")]
    PrunerOfSeveral,
    #[error(
        "`{objective}` is not known before a trial's end, so that nobody can be ended early by it: `pruner` must be \"none\""
    )]
    PrunerOfWhat { objective: String },
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    #[error("trial {number} does not exist: the study has {n_trials}")]
    NoTrial { number: u64, n_trials: usize },
    #[error("there is no parameter `{name}`; the study has {known}")]
    NoParameter { name: String, known: String },
    #[error("parameter `{name}` cannot be {value}: it is {allowed}")]
    NotInDomain { name: String, value: String, allowed: String },
    #[error("the study {name} has no whole trial yet")]
    NothingWhole { name: String },
    #[error("no whole trial of the study {name} keeps to its constraints")]
    NothingGood { name: String },
    #[error("trial {number} has {found} values, but the study has {expected} objectives")]
    ValueCount { number: u64, found: usize, expected: usize },
    #[error("what is known of a trial's values could not be found out")]
    NotLooked,
    #[error("somebody works on the study in {}; `danlu study stop` ends that", dir.display())]
    AtWork { dir: PathBuf },
}
