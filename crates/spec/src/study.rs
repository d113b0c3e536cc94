//! What a study is asked to do: what may vary, who chooses, what is good, and how long.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::Deserializer;

use crate::error::{check_above_zero, check_value};
use crate::grammar::GrammarSpec;
use crate::parameter::ParameterSpec;
use crate::retrain::RetrainSpec;
use crate::{Direction, PrunerSpec, SamplerSpec, SpecError, toml_text};

/// Largest number of trials that may be asked for.
pub const MAX_TRIALS: u64 = 1_000_000_000;

/// The file of `danlu study run STUDY.toml`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudySpec {
    /// Version of the format; checked when read.
    pub version: Option<u32>,
    /// Also the name of the study's folder: letters, digits, `-`, `_` and `.`, at most 64, not beginning with `.` or `-`.
    pub name: String,
    /// Where the sampler's random numbers come from.
    #[serde(default = "one")]
    pub seed: u64,
    /// What is good, at least one; with several there is no best trial but a front.
    pub objectives: Vec<ObjectiveSpec>,
    /// Figures that a good trial keeps to: at most so much of what is better when small, at least so much of what is better
    /// when large.
    #[serde(default)]
    pub constraints: BTreeMap<Measure, f64>,
    /// Who chooses.
    #[serde(default)]
    pub sampler: SamplerSpec,
    /// Who ends trials early; looks at the first objective after each epoch.
    #[serde(default)]
    pub pruner: PrunerSpec,
    /// How long.
    #[serde(default)]
    pub budget: BudgetSpec,
    /// Trials at once, each on its share of the cores, at least 1.
    #[serde(default = "one_usize")]
    pub jobs: usize,
    /// What becomes of the best.
    #[serde(default)]
    pub retrain: RetrainSpec,
    /// What does not vary: any keys of a run file. `None`: the trials are made by another program (ask and tell).
    #[serde(default)]
    pub run: Option<toml::Table>,
    /// Which networks there are, for an architecture search; the run then names none.
    #[serde(default)]
    pub grammar: Option<GrammarSpec>,
    /// What varies.
    #[serde(default, rename = "parameter")]
    pub parameters: Vec<ParameterSpec>,
}

/// One objective: a [`Measure`]'s name, or a table with a name and a direction for a figure that another program tells.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveSpec {
    /// Its name.
    pub name: String,
    /// What is better.
    pub direction: Direction,
}

/// A figure that Danlu takes of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Share of the validation samples that are classified rightly after the last epoch, 0 to 1.
    ValidationAccuracy,
    /// Mean loss of the validation samples after the last epoch.
    ValidationLoss,
    /// Numbers that the network learns.
    Parameters,
    /// Multiply-adds for one image.
    MultiplyAdds,
    /// Size of the model file, in bytes: four for each number that is kept, running statistics included.
    ModelBytes,
    /// Most bytes of activations, the picture among them, that a forward pass of one image must keep at once: four for each
    /// number that was computed and is still to be read, or is being computed.
    ActivationBytes,
    /// Time for one image on one core, evaluated in groups of sixteen, in microseconds; the median of several passes. It
    /// differs from machine to machine and from time to time.
    MicrosecondsPerImage,
}

/// How long a study goes on, counted over all its restarts; it ends when any of these is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSpec {
    /// Trials: whole, pruned, failed and reused ones.
    pub trials: Option<u64>,
    /// Time in which somebody works on the study, in minutes; no trial is begun after it.
    pub minutes: Option<f64>,
    /// A value of the first objective that is good enough.
    pub target: Option<f64>,
}

impl Measure {
    /// All, in the order in which they are shown to people.
    pub const ALL: [Self; 7] = [
        Self::ValidationAccuracy,
        Self::ValidationLoss,
        Self::Parameters,
        Self::MultiplyAdds,
        Self::ModelBytes,
        Self::ActivationBytes,
        Self::MicrosecondsPerImage,
    ];

    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::ValidationAccuracy => "validation_accuracy",
            Self::ValidationLoss => "validation_loss",
            Self::Parameters => "parameters",
            Self::MultiplyAdds => "multiply_adds",
            Self::ModelBytes => "model_bytes",
            Self::ActivationBytes => "activation_bytes",
            Self::MicrosecondsPerImage => "microseconds_per_image",
        }
    }

    /// The measure of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }

    /// What is better.
    pub fn direction(self) -> Direction {
        match self {
            Self::ValidationAccuracy => Direction::Maximize,
            _ => Direction::Minimize,
        }
    }

    /// By how much `value` is outside of the constraint `limit`; 0 or below where it is inside.
    pub fn violation(self, value: f64, limit: f64) -> f64 {
        self.direction().cost(value) - self.direction().cost(limit)
    }
}

impl StudySpec {
    /// Reads and validates a study file. Unknown keys and wrong types are errors with line and column. What stands under
    /// `run` is only looked at when the first trial is made.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        let spec: Self = toml_text::read("study file", text)?;
        spec.validate()?;
        Ok(spec)
    }

    /// The objectives that a training gives; `None` where one is told by another program.
    pub fn measures(&self) -> Option<Vec<Measure>> {
        self.objectives.iter().map(|objective| Measure::named(&objective.name)).collect()
    }

    /// The first objective that Danlu itself has no figure for.
    pub fn foreign_objective(&self) -> Option<&ObjectiveSpec> {
        self.objectives.iter().find(|objective| Measure::named(&objective.name).is_none())
    }

    fn validate(&self) -> Result<(), SpecError> {
        let allowed = "1 to 64 letters, digits, `-`, `_` and `.`, not beginning with `.` or `-`";
        check_value(is_study_name(&self.name), "name", format_args!("{:?}", self.name), allowed)?;
        let seeds = format!("from 0 to {}", i64::MAX);
        check_value(i64::try_from(self.seed).is_ok(), "seed", self.seed, &seeds)?;
        self.validate_objectives()?;
        check_value((1..=crate::MAX_THREADS).contains(&self.jobs), "jobs", self.jobs, "from 1 to 1024")?;
        for (measure, limit) in &self.constraints {
            let key = format!("constraints.{}", measure.name());
            check_value(limit.is_finite(), &key, limit, "a finite number")?;
        }
        self.sampler.validate()?;
        self.pruner.validate()?;
        self.budget.validate(&self.sampler)?;
        self.retrain.validate()?;
        self.parameters.iter().try_for_each(ParameterSpec::validate)
    }

    fn validate_objectives(&self) -> Result<(), SpecError> {
        check_value(!self.objectives.is_empty(), "objectives", "[]", "one or more")?;
        for (idx, ObjectiveSpec { name, direction }) in self.objectives.iter().enumerate() {
            let shown = format!("{name:?}");
            check_value(!name.is_empty(), "objectives", &shown, "figures with names")?;
            let is_new = self.objectives[..idx].iter().all(|other| other.name != *name);
            check_value(is_new, "objectives", &shown, "each figure once")?;
            if let Some(measure) = Measure::named(name) {
                let allowed = format!("`{name}` to {}, or another name", measure.direction().name());
                let shown = format!("{shown} to {}", direction.name());
                check_value(*direction == measure.direction(), "objectives", &shown, &allowed)?;
            }
        }
        Ok(())
    }
}

impl BudgetSpec {
    fn validate(&self, sampler: &SamplerSpec) -> Result<(), SpecError> {
        if let Some(trials) = self.trials {
            let allowed = format!("from 1 to {MAX_TRIALS}");
            check_value((1..=MAX_TRIALS).contains(&trials), "budget.trials", trials, &allowed)?;
        }
        self.minutes.map_or(Ok(()), |minutes| check_above_zero("budget.minutes", minutes))?;
        if let Some(target) = self.target {
            check_value(target.is_finite(), "budget.target", target, "a finite number")?;
        }
        let ends = self.trials.is_some() || self.minutes.is_some() || *sampler == SamplerSpec::Grid;
        let allowed = "a table with `trials` or `minutes`, or else the study never ends (only a grid does)";
        check_value(ends, "budget", "without an end", allowed)
    }
}

/// Whether a study and its folder may be called so.
pub fn is_study_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed) && !name.starts_with(['.', '-'])
}

fn one() -> u64 {
    1
}

fn one_usize() -> usize {
    1
}

impl<'de> Deserialize<'de> for ObjectiveSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(objective::ObjectiveVisitor)
    }
}

mod objective {
    use std::fmt;

    use serde::Deserialize;
    use serde::de::value::MapAccessDeserializer;
    use serde::de::{self, MapAccess, Visitor};

    use super::{Direction, Measure, ObjectiveSpec};

    /// A name or a table, told apart by type: serde's `untagged` would lose the error's place.
    pub(super) struct ObjectiveVisitor;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        name: String,
        direction: Word,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Minimize,
        Maximize,
    }

    impl<'de> Visitor<'de> for ObjectiveVisitor {
        type Value = ObjectiveSpec;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a measure's name or a table with `name` and `direction`")
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<ObjectiveSpec, E> {
            let Some(measure) = Measure::named(name) else {
                let known = Measure::ALL.map(Measure::name).join(", ");
                return Err(E::custom(format_args!(
                    "`{name}` is none of {known}; for a figure of another program write \
                     {{ name = \"{name}\", direction = \"minimize\" }}"
                )));
            };
            Ok(ObjectiveSpec { name: name.into(), direction: measure.direction() })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ObjectiveSpec, A::Error> {
            let Table { name, direction } = Table::deserialize(MapAccessDeserializer::new(map))?;
            let direction = match direction {
                Word::Minimize => Direction::Minimize,
                Word::Maximize => Direction::Maximize,
            };
            Ok(ObjectiveSpec { name, direction })
        }
    }
}
