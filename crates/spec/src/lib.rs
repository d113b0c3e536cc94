//! Plain data for what is asked and what came of it.
//!
//! What a person writes is a [`RunFile`] (any key may be absent) and what a run needs is a [`TrainSpec`]
//! (nothing is absent); [`RunFile::resolve`] is the only way from one to the other. Nothing here computes,
//! opens a file or knows the shapes inside a network: texts come in, values and readable errors go out.

mod adapt;
mod augment;
mod average;
mod controller;
mod domain;
mod early_stopping;
mod error;
mod grammar;
mod layer;
mod layer_check;
mod loss;
mod network;
mod network_check;
mod network_file;
mod normalization;
mod one_of;
mod optimizer;
mod pair;
mod parameter;
mod preset;
mod recipe;
mod record;
mod retrain;
mod run_file;
mod sampler;
mod schedule;
mod seed;
mod study;
mod toml_text;
mod train;
mod trial;
mod version;

pub use augment::{AugmentSpec, ErasingSpec, MixupSpec};
pub use average::AverageSpec;
pub use controller::{ControllerSpec, RewardSpec, SoftmaxTableSpec};
pub use domain::{Assignment, Category, Domain, FloatDomain, IntDomain, ParamValue, Scale};
pub use early_stopping::EarlyStoppingSpec;
pub use error::SpecError;
pub use grammar::{DecisionSpec, Depths, GrammarSpec};
pub use layer::{
    BatchNorm2dSpec, Conv2dSpec, DropoutSpec, GroupNormSpec, LayerNormSpec, LeakyReluSpec, LinearSpec,
    MergeSpec, PadSpec, PartialConv2dSpec, PoolSpec, RbfSpec, ScaledTanhSpec, SqueezeExciteSpec,
    SubsampleSpec,
};
pub use loss::{CrossEntropySpec, LossSpec, MapSpec};
pub use network::{LayerSpec, NetworkSpec, NodeSpec};
pub use network_check::{MAX_CLASSES, MAX_NODES, MAX_SIZE};
pub use normalization::NormalizationSpec;
pub use optimizer::{AdamSpec, AdamwSpec, OptimizerKind, OptimizerSpec, RmspropSpec, SgdSpec};
pub use pair::Pair;
pub use parameter::{ChoiceSpec, FloatSpec, IntSpec, LARGEST_WHOLE, Labels, ParameterSpec};
pub use preset::{PRESETS, Preset, preset};
pub use recipe::recipe;
pub use record::{DataRecord, EpochRecord, MachineRecord, RunRecord, RunState, StopReason};
pub use retrain::RetrainSpec;
pub use run_file::{AugmentFlags, MAX_THREADS, NetworkSource, RunFile};
pub use sampler::{
    EvolutionSpec, HalvingSpec, HyperbandSpec, MedianSpec, Nsga2Spec, PrunerSpec, SamplerSpec, TpeSpec,
};
pub use schedule::{ConstantSpec, CosineSpec, OneCycleSpec, ScheduleKind, ScheduleSpec, StepSpec};
pub use seed::Seed;
pub use study::{BudgetSpec, MAX_TRIALS, Measure, ObjectiveSpec, StudySpec, is_study_name};
pub use train::{InitSpec, MAX_COUNT, Testing, TrainSpec};
pub use trial::{Direction, Number, Param, TrialRecord, TrialState};
pub use version::FORMAT_VERSION;
