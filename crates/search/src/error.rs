//! Why a sampler cannot work.

/// Why a sampler cannot work in a space, or for such objectives.
#[derive(Debug, thiserror::Error)]
pub enum SamplerError {
    /// A grid over a number without a step.
    #[error("parameter `{name}` has no `step`: a grid needs a finite number of values")]
    Continuous {
        /// The parameter.
        name: String,
    },
    /// A grid of more combinations than can be numbered.
    #[error("the grid has more than {limit} combinations")]
    TooMany {
        /// What is allowed.
        limit: u64,
    },
    /// A policy over a number.
    #[error("parameter `{name}` is a number: the sampler {sampler} needs parameters that all have choices")]
    NotCategorical {
        /// The sampler.
        sampler: &'static str,
        /// The parameter.
        name: String,
    },
    /// A reward of something that is better when smaller.
    #[error(
        "the objective is minimized: the sampler {sampler} is rewarded for what is maximized, as an accuracy"
    )]
    Minimized {
        /// The sampler.
        sampler: &'static str,
    },
    /// A reward of several objectives, or of none.
    #[error("the study has {n_objectives} objectives: the sampler {sampler} needs one")]
    ObjectiveCount {
        /// The sampler.
        sampler: &'static str,
        /// How many there are.
        n_objectives: usize,
    },
}
