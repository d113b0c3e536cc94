//! A memory saves the work.

use spec::{SamplerSpec, Seed, SoftmaxTableSpec};

use super::cases::{history, plain};
use crate::reinforce::memory::{decode, encode};
use crate::{Ask, History, Observation, Outcome, Sampler, sampler};

fn ask(sampler: &dyn Sampler, history: &History) -> Option<crate::Point> {
    let number = history.observations().len() as u64;
    sampler.ask(&Ask { history, seed: Seed(1), number, attempt: 0 }).point()
}

/// Whoever worked it out again would not have this baseline.
#[test]
fn what_is_recalled_is_not_worked_out_again() {
    let spec = SamplerSpec::SoftmaxTable(SoftmaxTableSpec::default());
    let (first, mut history) = (sampler(&spec), history(&plain()));
    for number in 0..24 {
        let point = ask(&*first, &history).unwrap();
        let outcome = Outcome::Complete(vec![-0.5]);
        let (intermediate, violation) = (vec![], 0.0);
        history.insert(Observation {
            intermediate,
            violation,
            attempt: Some(0),
            ..Observation::new(number, point, outcome)
        });
    }
    ask(&*first, &history).unwrap();
    let mut learned = decode(&first.memory(0).unwrap().bytes).unwrap();
    learned.baseline.sum += 1.0;
    let bytes = encode(&learned);
    let second = sampler(&spec);
    second.recall(&bytes);
    ask(&*second, &history).unwrap();
    assert_eq!(second.memory(0).unwrap().bytes, bytes);
}
