//! A study: asks a sampler, tells the store, and keeps count. Where samplers meet the store.
//!
//! A study is a folder: the study file, the store, a run folder for each trial. Any number of processes work on it at once;
//! each is a [`Study`] with a [`Worker`]'s lease on its trials. Whoever only looks has a [`StudyView`]. What a trial is
//! stays with the caller, who asks for the next one ([`Study::next`]), tries it and tells what came of it.

mod ask;
mod enqueue;
mod error;
mod folder;
mod journal;
mod json;
mod lost;
mod memory;
mod networks;
mod patch;
mod presets;
mod repair;
mod tell;
mod template;
mod tidy;
mod view;
mod worker;

pub use ask::{Candidate, FAILURE, Look, Next, PARENT, RUN, Study};
pub use error::StudyError;
pub use folder::{FILE, REPORT, REPORT_JSON, STORE, StudyFolder};
pub use json::{params_from_json, params_to_json, value_to_json};
pub use lost::MAX_DEATHS;
pub use memory::STEP;
pub use networks::network_files;
pub use patch::PatchError;
pub use presets::{PRESETS, Preset};
pub use repair::{Repaired, RepairedStore, repair};
pub use tell::Told;
pub use template::{FrameOf, LoadNetwork, Template, combinations, encode, space};
pub use view::{Counts, Ending, StudyView, is_study};
pub use worker::{GRACE_MS, Worker, any_works, note_death};
