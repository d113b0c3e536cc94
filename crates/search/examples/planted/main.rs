//! How many children a sampler needs to find the best of 1,024 made-up architectures: the figures of
//! `docs/design/controller.md`.
//!
//! `planted MAX INTERACTION FIRST_SEED [NAME]`, for 20 seeds, up to MAX children each, with pairs of decisions worth
//! INTERACTION times what single ones are; NAME: only samplers in whose name it stands.
#![expect(clippy::print_stdout, reason = "an example shows its numbers")]

mod table;

use std::error::Error;
use std::time::Instant;

use search::{Ask, sampler};
use spec::{ControllerSpec, EvolutionSpec, RewardSpec, SamplerSpec, Seed, SoftmaxTableSpec, TpeSpec};
use table::Planted;

const N_SEEDS: u64 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [max, interaction, first_seed, name @ ..] = &args[..] else {
        return Err("see the head of examples/planted/main.rs".into());
    };
    let (max, interaction): (u64, f64) = (max.parse()?, interaction.parse()?);
    let first_seed: u64 = first_seed.parse()?;
    for (label, spec) in
        samplers().into_iter().filter(|(label, _)| name.iter().all(|name| label.contains(name.as_str())))
    {
        let begin = Instant::now();
        let runs = (first_seed..first_seed + N_SEEDS)
            .map(|seed| children_to_best(&spec, &Planted::new(seed, interaction), seed, max));
        let mut found: Vec<u64> = runs.map(|found| found.unwrap_or(u64::MAX)).collect();
        found.sort_unstable();
        let n_found = found.iter().filter(|&&n| n <= max).count();
        let at = |idx: usize| if found[idx] == u64::MAX { format!(">{max}") } else { found[idx].to_string() };
        println!(
            "{label:36} {n_found:2} of {N_SEEDS}, median {:>5}, 19th {:>5}, {:.1} s",
            at(9),
            at(18),
            begin.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// How many children there were when the best architecture was drawn.
fn children_to_best(spec: &SamplerSpec, planted: &Planted, seed: u64, max: u64) -> Option<u64> {
    let (sampler, mut history) = (sampler(spec), planted.history());
    for number in 0..max {
        let ask = Ask { history: &history, seed: Seed(seed), number, attempt: 0 };
        let point = sampler.ask(&ask).point()?;
        if planted.is_best(&point) {
            return Some(number + 1);
        }
        history.insert(planted.trial(number, point));
    }
    None
}

fn samplers() -> Vec<(&'static str, SamplerSpec)> {
    let paper = ControllerSpec::default();
    let controller = |learning_rate, entropy_bonus| ControllerSpec { learning_rate, entropy_bonus, ..paper };
    let children = |children| RewardSpec { children, ..RewardSpec::default() };
    let limited = ControllerSpec { temperature: 5.0, tanh: Some(2.5), ..controller(0.005, 0.0) };
    let clipped = |n_passes, spec| ControllerSpec { clip: Some(0.2), n_passes, ..spec };
    let table = |learning_rate, entropy_bonus, reward| {
        SamplerSpec::SoftmaxTable(SoftmaxTableSpec { learning_rate, entropy_bonus, reward, delay: 0 })
    };
    let ones = vec![
        ("controller, paper", paper),
        ("controller, paper, 1 child a step", ControllerSpec { reward: children(1), ..paper }),
        ("controller, paper, delay 1", ControllerSpec { delay: 1, ..paper }),
        ("controller, rate 0.002", controller(0.002, 0.0)),
        ("controller, rate 0.005", controller(0.005, 0.0)),
        ("controller, paper, entropy 0.03", controller(0.0006, 0.03)),
        ("controller, rate 0.002, entropy 0.01", controller(0.002, 0.01)),
        ("controller, rate 0.002, entropy 0.03", controller(0.002, 0.03)),
        ("controller, rate 0.005, entropy 0.03", controller(0.005, 0.03)),
        ("controller, rate 0.005, entropy 0.1", controller(0.005, 0.1)),
        ("controller, rate 0.005, tanh 2.5", limited),
        ("controller, paper, clip, 4 passes", clipped(4, paper)),
        ("controller, clip, 4 passes, entropy 0.03", clipped(4, controller(0.0006, 0.03))),
    ];
    let plain = [
        ("random", SamplerSpec::Random),
        ("evolution", SamplerSpec::Evolution(EvolutionSpec::default())),
        ("tpe", SamplerSpec::Tpe(TpeSpec::default())),
        ("softmax table, rate 0.03", table(0.03, 0.0, RewardSpec::default())),
        ("softmax table, rate 0.1", table(0.1, 0.0, RewardSpec::default())),
        ("softmax table, rate 0.1, entropy 0.03", table(0.1, 0.03, RewardSpec::default())),
        ("softmax table, rate 0.03, 1 child", table(0.03, 0.0, children(1))),
    ];
    let ones = ones.into_iter().map(|(name, spec)| (name, SamplerSpec::Controller(spec)));
    plain.into_iter().chain(ones).collect()
}
