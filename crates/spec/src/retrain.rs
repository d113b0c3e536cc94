//! What becomes of a study's best trials.

use serde::Deserialize;

use crate::SpecError;
use crate::error::check_value;
use crate::parameter::ParameterSpec;

/// What becomes of the best trials at the end: each is trained again on training and validation samples together, with
/// seeds of its own, and then the test samples are read once. Before that a small grid of further settings may be tried on
/// each, by validation only (Zoph & Le 2016, section 4.1).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetrainSpec {
    /// How many of the best; 0: none is trained again.
    pub best: usize,
    /// How many times each, with seeds of its own.
    pub seeds: usize,
    /// How many of them are left after the grid, those that were best there; absent: all.
    pub finalists: Option<usize>,
    /// Keys of the run that differ from the trial's, and their values: more epochs, say.
    pub set: toml::Table,
    /// The grid: choices for further keys of the run, of which each combination is tried.
    #[serde(rename = "parameter")]
    pub parameters: Vec<ParameterSpec>,
}

/// Trainings of one trial at the end, at most: each is a run on disk.
const MAX_SEEDS: usize = 1_000;
/// Trainings of one trial in the grid, at most.
const MAX_COMBINATIONS: usize = 10_000;

impl Default for RetrainSpec {
    fn default() -> Self {
        Self { best: 1, seeds: 5, finalists: None, set: toml::Table::new(), parameters: Vec::new() }
    }
}

impl RetrainSpec {
    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        check_value((1..=MAX_SEEDS).contains(&self.seeds), "retrain.seeds", self.seeds, "from 1 to 1,000")?;
        let finalists = self.finalists.unwrap_or(1);
        check_value(finalists > 0, "retrain.finalists", finalists, "1 or more")?;
        let n_choices = |parameter: &ParameterSpec| parameter.choices.as_ref().map_or(1, Vec::len);
        let n_combinations = self.parameters.iter().map(n_choices).fold(1, usize::saturating_mul);
        let allowed = "a grid of up to 10,000 combinations";
        check_value(n_combinations <= MAX_COMBINATIONS, "retrain.parameter", n_combinations, allowed)?;
        for (idx, parameter) in self.parameters.iter().enumerate() {
            parameter.validate()?;
            let is_plain = parameter.choices.is_some() && parameter.when.is_empty();
            let allowed = "a parameter with `choices` and without `when`";
            check_value(is_plain, "retrain.parameter", format_args!("{:?}", parameter.name), allowed)?;
            let is_new = self.parameters[..idx].iter().all(|other| other.name != parameter.name);
            let allowed = "a name that no other has";
            check_value(is_new, "retrain.parameter", format_args!("{:?}", parameter.name), allowed)?;
        }
        Ok(())
    }
}
