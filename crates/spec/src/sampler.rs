//! Which sampler and which pruner a study is asked to use.

use serde::{Deserialize, Serialize};

use crate::SpecError;
use crate::controller::{ControllerSpec, SoftmaxTableSpec};
use crate::error::{check_probability, check_value};

/// Who chooses the next trial's values. In a study file a bare name, `sampler = "random"`, or a table, `[sampler.tpe]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SamplerSpec {
    /// Every combination once, in an order that the seed shuffles; numbers need a step.
    Grid,
    /// Uniformly.
    Random,
    /// Sobol's sequence (Joe & Kuo 2008), scrambled (Owen 1998).
    Sobol,
    /// Tree-structured Parzen estimator (Bergstra et al. 2011), multivariate (Falkner et al. 2018).
    Tpe(TpeSpec),
    /// Regularized evolution (Real et al. 2019, algorithm 1).
    Evolution(EvolutionSpec),
    /// For several objectives: NSGA-II (Deb et al. 2002).
    Nsga2(Nsga2Spec),
    /// Local search: from a random point to better neighbors, again and again (White et al. 2021).
    LocalSearch,
    /// A recurrent controller that learns by REINFORCE (Zoph & Le 2016).
    Controller(ControllerSpec),
    /// One softmax for each decision, without recurrence, that learns by REINFORCE.
    SoftmaxTable(SoftmaxTableSpec),
}

impl Default for SamplerSpec {
    fn default() -> Self {
        Self::Tpe(TpeSpec::default())
    }
}

/// Numbers of [`SamplerSpec::Tpe`]; the defaults are Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TpeSpec {
    /// Whole or pruned trials, at quasi-random points, before the model is used.
    pub n_startup: usize,
    /// Candidates among which the model chooses, at least 1.
    pub n_candidates: usize,
    /// Whether trials that still run are taken for bad ones, so that parallel trials keep apart (the constant liar).
    pub constant_liar: bool,
}

impl Default for TpeSpec {
    fn default() -> Self {
        Self { n_startup: 10, n_candidates: 24, constant_liar: true }
    }
}

/// Numbers of [`SamplerSpec::Evolution`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvolutionSpec {
    /// The youngest trials that may be parents, at least 1; as many are sampled at random first.
    pub population: usize,
    /// Those of the population that are drawn, of which the best is the parent, from 1 to `population`.
    pub tournament: usize,
}

impl Default for EvolutionSpec {
    /// The paper's large-scale values (100 and 25) are for 20,000 children; these are for hundreds.
    fn default() -> Self {
        Self { population: 50, tournament: 10 }
    }
}

/// Numbers of [`SamplerSpec::Nsga2`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Nsga2Spec {
    /// Trials of a generation, at least 2.
    pub population: usize,
    /// Probability that a child has two parents, 0 to 1.
    pub crossover: f64,
    /// Probability that a parameter is drawn anew, 0 to 1; `None`: 1 / number of parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutation: Option<f64>,
}

impl Default for Nsga2Spec {
    /// Optuna's defaults.
    fn default() -> Self {
        Self { population: 50, crossover: 0.9, mutation: None }
    }
}

/// Who ends trials that do not look good. A step is an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrunerSpec {
    /// Nobody.
    #[default]
    None,
    /// A trial ends whose best value so far is worse than the median of earlier trials at that step.
    Median(MedianSpec),
    /// Asynchronous successive halving (Li et al. 2018, ASHA).
    Halving(HalvingSpec),
    /// Several brackets of successive halving (Li et al. 2017, Hyperband).
    Hyperband(HyperbandSpec),
}

/// Numbers of [`PrunerSpec::Median`]; the defaults are Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MedianSpec {
    /// Whole trials before any is pruned.
    pub n_startup: usize,
    /// Steps before which no trial is pruned.
    pub n_warm_up: u64,
}

impl Default for MedianSpec {
    fn default() -> Self {
        Self { n_startup: 5, n_warm_up: 0 }
    }
}

/// Numbers of [`PrunerSpec::Halving`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HalvingSpec {
    /// Steps that every trial gets, at least 1.
    pub min_steps: u64,
    /// One of so many goes on to the next rung, which has so many times the steps; at least 2.
    pub reduction: u64,
}

impl Default for HalvingSpec {
    fn default() -> Self {
        Self { min_steps: 1, reduction: 3 }
    }
}

/// Numbers of [`PrunerSpec::Hyperband`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HyperbandSpec {
    /// Steps that every trial of the first bracket gets, at least 1.
    pub min_steps: u64,
    /// Steps of a whole trial, at least `min_steps`; `None`: the epochs of the study's run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// As [`HalvingSpec::reduction`].
    pub reduction: u64,
}

impl Default for HyperbandSpec {
    fn default() -> Self {
        Self { min_steps: 1, max_steps: None, reduction: 3 }
    }
}

impl SamplerSpec {
    /// Its name in a file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Sobol => "sobol",
            Self::Tpe(_) => "tpe",
            Self::Evolution(_) => "evolution",
            Self::Nsga2(_) => "nsga2",
            Self::LocalSearch => "local_search",
            Self::Controller(_) => "controller",
            Self::SoftmaxTable(_) => "softmax_table",
        }
    }

    /// Checks every number; the error names the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), SpecError> {
        match self {
            Self::Grid | Self::Random | Self::Sobol | Self::LocalSearch => Ok(()),
            Self::Controller(controller) => controller.validate(),
            Self::SoftmaxTable(table) => table.validate(),
            Self::Tpe(tpe) => check_at_least("sampler.tpe.n_candidates", tpe.n_candidates as u64, 1),
            Self::Evolution(EvolutionSpec { population, tournament }) => {
                check_at_least("sampler.evolution.population", *population as u64, 1)?;
                let allowed = format!("from 1 to `population`, {population}");
                check_value(
                    (1..=*population).contains(tournament),
                    "sampler.evolution.tournament",
                    tournament,
                    &allowed,
                )
            }
            Self::Nsga2(nsga2) => {
                check_at_least("sampler.nsga2.population", nsga2.population as u64, 2)?;
                check_probability("sampler.nsga2.crossover", nsga2.crossover)?;
                nsga2.mutation.map_or(Ok(()), |p| check_probability("sampler.nsga2.mutation", p))
            }
        }
    }
}

impl PrunerSpec {
    /// Its name in a file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Median(_) => "median",
            Self::Halving(_) => "halving",
            Self::Hyperband(_) => "hyperband",
        }
    }

    /// Checks every number; the error names the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), SpecError> {
        match self {
            Self::None | Self::Median(_) => Ok(()),
            Self::Halving(halving) => {
                check_at_least("pruner.halving.min_steps", halving.min_steps, 1)?;
                check_at_least("pruner.halving.reduction", halving.reduction, 2)
            }
            Self::Hyperband(HyperbandSpec { min_steps, max_steps, reduction }) => {
                check_at_least("pruner.hyperband.min_steps", *min_steps, 1)?;
                check_at_least("pruner.hyperband.reduction", *reduction, 2)?;
                max_steps.map_or(Ok(()), |max| check_at_least("pruner.hyperband.max_steps", max, *min_steps))
            }
        }
    }
}

fn check_at_least(key: &str, value: u64, least: u64) -> Result<(), SpecError> {
    check_value(value >= least, key, value, &format!("{least} or more"))
}
