//! What a sampler worked out of the trials so far, kept in the store so that a process that comes later need not begin again,
//! and what it says of each of its steps.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::{Study, StudyError};

/// The study's system attribute with the sampler's memory. It says nothing that the trials do not say.
const MEMORY: &str = "danlu:memory";
/// What the names of the study's attributes with step logs begin with; the step's number follows in six digits.
pub const STEP: &str = "danlu:step:";

impl Study {
    /// Gives the sampler what an earlier process kept.
    pub(crate) fn recall(&mut self) -> Result<(), StudyError> {
        let Some(study) = self.view.row()? else { return Ok(()) };
        let text = study.system_attributes.get(MEMORY).and_then(Json::as_str);
        if let Some(bytes) = text.and_then(|text| STANDARD.decode(text).ok()) {
            self.sampler.recall(&bytes);
        }
        let known =
            study.user_attributes.keys().filter_map(|key| key.strip_prefix(STEP)?.parse::<u64>().ok());
        self.n_steps_kept = known.max().map_or(0, |last| last + 1);
        Ok(())
    }

    /// Puts down what the sampler has learned since the last time. Whoever else works on the study learns the same, so it does
    /// no harm that two write it.
    pub(crate) fn keep_memory(&mut self) -> Result<(), StudyError> {
        let Some(memory) = self.sampler.memory(self.n_steps_kept) else { return Ok(()) };
        let logs: Vec<(String, Json)> = self
            .sampler
            .steps(self.n_steps_kept)
            .iter()
            .map(|log| {
                (format!("{STEP}{:06}", log.step), serde_json::to_value(log).expect("numbers and texts"))
            })
            .collect();
        let bytes = Json::from(STANDARD.encode(&memory.bytes));
        // At once, so that whoever finds the logs of a step finds its memory too.
        self.view.store.set_study_attributes(
            self.view.id,
            logs.iter().map(|(key, log)| (key.as_str(), log)),
            [(MEMORY, &bytes)],
        )?;
        self.n_steps_kept = memory.n_steps;
        Ok(())
    }
}
