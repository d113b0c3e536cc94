//! The samplers, one file each.

mod evolution;
mod grid;
mod local_search;
mod mutation;
mod nsga2;
mod random;
mod sobol;
mod tpe;

use spec::{Direction, SamplerSpec};

use crate::{Sampler, SamplerError, Space, controller, reinforce, softmax_table};

/// How often a model may be refused for one trial before its answers are drawn uniformly: whatever it proposes is tried
/// already, so the rest of the space deserves a look.
const N_MODEL_ATTEMPTS: u64 = 16;

/// The sampler that is asked for.
pub fn sampler(spec: &SamplerSpec) -> Box<dyn Sampler> {
    match *spec {
        SamplerSpec::Grid => Box::new(grid::Grid),
        SamplerSpec::Random => Box::new(random::Random),
        SamplerSpec::Sobol => Box::new(sobol::Sobol),
        SamplerSpec::Tpe(spec) => Box::new(tpe::Tpe { spec }),
        SamplerSpec::Evolution(spec) => Box::new(evolution::Evolution { spec }),
        SamplerSpec::Nsga2(spec) => Box::new(nsga2::Nsga2 { spec }),
        SamplerSpec::LocalSearch => Box::new(local_search::LocalSearch),
        SamplerSpec::Controller(spec) => Box::new(controller::sampler(spec)),
        SamplerSpec::SoftmaxTable(spec) => Box::new(softmax_table::sampler(spec)),
    }
}

/// Whether a sampler can work in a space and for such objectives: a grid needs numbers of which there are finitely many, what
/// learns a policy needs choices alone and one objective that is maximized. Others take anything.
pub fn check_sampler(
    spec: &SamplerSpec,
    space: &Space,
    directions: &[Direction],
) -> Result<(), SamplerError> {
    match spec {
        SamplerSpec::Grid => grid::check(space),
        SamplerSpec::Controller(_) | SamplerSpec::SoftmaxTable(_) => {
            reinforce::check(spec.name(), space, directions)
        }
        _ => Ok(()),
    }
}
