//! Studies of functions that cost nothing, whole in memory: what `bench/samplers.py` compares with Optuna.
//!
//! `studies describe FUNCTION` prints the space, `studies values FUNCTION N` random points with their curves,
//! `studies run FUNCTION SAMPLER PRUNER TRIALS FIRST_SEED N_SEEDS [unique]` a line of JSON for each study,
//! `studies nas FILE.json SAMPLER CHILDREN FIRST_SEED N_SEEDS` one for each architecture search on a table of networks (`nas.rs`;
//! SAMPLER is JSON here, as it stands in a study: `"random"`, `{"controller": {"hidden": 16}}`), and
//! `studies ask SAMPLER TRIALS OBJECTIVES FUNCTION` the time of one answer after so many trials. FUNCTION is a name of
//! `functions.rs` or `table:FILE.json` (`table.rs`); `unique` asks again for points that were tried, as a study does.
#![expect(clippy::print_stdout, reason = "its lines are read by a program")]

mod functions;
mod nas;
mod table;

use std::error::Error;
use std::time::Instant;

use search::{Ask, History, Observation, Outcome, Point, Pruner, Sampler, Space, pruner, sampler};
use serde_json::{Value, json};
use spec::{Direction, Domain, ParamValue, PrunerSpec, SamplerSpec, Scale, Seed};

/// The cost after each step of a training; the last one counts.
type Curve = dyn Fn(&Point) -> Vec<f64>;

/// Something to minimize.
struct Objective {
    space: Space,
    curve: Box<Curve>,
}

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["describe", function] => println!("{}", describe(&objective(function)?.space)),
        ["values", function, n] => print_values(&objective(function)?, n.parse()?)?,
        ["run", function, sampler, pruner, trials, first, n, ref rest @ ..] => {
            let study = Study {
                objective: objective(function)?,
                sampler: search::sampler(&sampler_spec(sampler)?),
                pruner: pruner_spec(pruner)?,
                n_trials: trials.parse()?,
                is_unique: rest == ["unique"],
            };
            let first: u64 = first.parse()?;
            (first..first + n.parse::<u64>()?).for_each(|seed| println!("{}", study.run(seed)));
        }
        ["nas", table, sampler, children, first, n] => {
            let (networks, sampler) = (nas::Networks::read(table)?, serde_json::from_str(sampler)?);
            let (children, first): (u64, u64) = (children.parse()?, first.parse()?);
            for seed in first..first + n.parse::<u64>()? {
                println!("{}", networks.search(&sampler, children, seed)?);
            }
        }
        ["ask", sampler, trials, objectives, function] => {
            let objective = objective(function)?;
            let (trials, objectives) = (trials.parse()?, objectives.parse()?);
            println!("{}", time_ask(&objective, &sampler_spec(sampler)?, trials, objectives));
        }
        _ => return Err("see the head of examples/studies/main.rs".into()),
    }
    Ok(())
}

fn objective(name: &str) -> Fallible<Objective> {
    match name.strip_prefix("table:") {
        Some(path) => table::read(path),
        None => functions::named(name).ok_or_else(|| format!("no function `{name}`").into()),
    }
}

fn sampler_spec(name: &str) -> Fallible<SamplerSpec> {
    let all = [
        SamplerSpec::Grid,
        SamplerSpec::Random,
        SamplerSpec::Sobol,
        SamplerSpec::default(),
        SamplerSpec::Evolution(Default::default()),
        SamplerSpec::Nsga2(Default::default()),
    ];
    all.into_iter().find(|spec| spec.name() == name).ok_or_else(|| format!("no sampler `{name}`").into())
}

fn pruner_spec(name: &str) -> Fallible<PrunerSpec> {
    let all = [
        PrunerSpec::None,
        PrunerSpec::Median(Default::default()),
        PrunerSpec::Halving(Default::default()),
        PrunerSpec::Hyperband(Default::default()),
    ];
    all.into_iter().find(|spec| spec.name() == name).ok_or_else(|| format!("no pruner `{name}`").into())
}

struct Study {
    objective: Objective,
    sampler: Box<dyn Sampler>,
    pruner: PrunerSpec,
    n_trials: u64,
    is_unique: bool,
}

impl Study {
    /// The best final cost after each trial (null before there is one), and the steps that all trials took.
    fn run(&self, seed: u64) -> Value {
        let mut history = History::new(self.objective.space.clone(), vec![Direction::Minimize]);
        let (mut best, mut n_steps, mut bests) = (f64::INFINITY, 0, Vec::new());
        for number in 0..self.n_trials {
            let Some(point) = self.ask(&history, Seed(seed), number) else { break };
            let trial = self.train(&mut history, number, point);
            n_steps += trial.intermediate.len();
            if let Outcome::Complete(costs) = &trial.outcome {
                best = best.min(costs[0]);
            }
            bests.push(best);
            history.insert(trial);
        }
        json!({ "seed": seed, "best": bests, "steps": n_steps })
    }

    fn ask(&self, history: &History, seed: Seed, number: u64) -> Option<Point> {
        let n_attempts = if self.is_unique { 100 } else { 1 };
        let answers = (0..n_attempts)
            .map_while(|attempt| self.sampler.ask(&Ask { history, seed, number, attempt }).point());
        let mut last = None;
        for point in answers {
            let is_tried = history.observations().iter().any(|trial| trial.point == point);
            last = Some(point);
            if !is_tried {
                break;
            }
        }
        last
    }

    fn train(&self, history: &mut History, number: u64, point: Point) -> Observation {
        let curve = (self.objective.curve)(&point);
        let pruner: Box<dyn Pruner> = pruner(&self.pruner, curve.len() as u64);
        let mut trial = Observation::new(number, point, Outcome::Pending);
        for (step, &cost) in (1..).zip(&curve) {
            trial.intermediate.push((step, cost));
            history.insert(trial.clone());
            if pruner.prune(history, number, step) {
                trial.outcome = Outcome::Pruned(vec![cost]);
                return trial;
            }
        }
        trial.outcome = Outcome::Complete(curve.last().copied().into_iter().collect());
        trial
    }
}

/// Milliseconds of one answer after trials at random points: the least of eleven, which other programs disturbed least.
/// Further objectives are the function at other trials' points, so that they are not one another's.
fn time_ask(objective: &Objective, spec: &SamplerSpec, n_trials: u64, n_objectives: usize) -> Value {
    let mut history = History::new(objective.space.clone(), vec![Direction::Minimize; n_objectives]);
    let mut costs = vec![0.0; n_objectives];
    let random = sampler(&SamplerSpec::Random);
    for number in 0..n_trials {
        let point = random.ask(&Ask { history: &history, seed: Seed(1), number, attempt: 0 }).point();
        let point = point.expect("random points do not end");
        costs.rotate_right(1);
        costs[0] = (objective.curve)(&point)[0];
        let outcome = Outcome::Complete(costs.clone());
        history.insert(Observation::new(number, point, outcome));
    }
    let sampler = sampler(spec);
    let times = (0..11).map(|idx| {
        let start = Instant::now();
        sampler.ask(&Ask { history: &history, seed: Seed(1), number: n_trials + idx, attempt: 0 });
        start.elapsed().as_secs_f64() * 1e3
    });
    json!({ "ms": times.fold(f64::INFINITY, f64::min) })
}

fn print_values(objective: &Objective, n: u64) -> Fallible<()> {
    let history = History::new(objective.space.clone(), vec![Direction::Minimize]);
    let random = sampler(&SamplerSpec::Random);
    for number in 0..n {
        let point = random.ask(&Ask { history: &history, seed: Seed(1), number, attempt: 0 }).point();
        let point = point.ok_or("random points do not end")?;
        println!("{}", json!({ "point": numbers(&point), "curve": (objective.curve)(&point) }));
    }
    Ok(())
}

/// A category's number is its position.
fn numbers(point: &Point) -> Vec<Option<f64>> {
    let number = |value: &ParamValue| match *value {
        ParamValue::Float(x) => x,
        ParamValue::Int(x) => x as f64,
        ParamValue::Category(idx) => idx as f64,
    };
    point.iter().map(|value| value.as_ref().map(number)).collect()
}

fn describe(space: &Space) -> Value {
    let dimensions = space.dimensions().iter().map(|dimension| {
        let domain = match &dimension.domain {
            Domain::Float(x) => json!({ "kind": "float", "low": x.low, "high": x.high, "log": x.scale == Scale::Log, "step": x.step }),
            Domain::Int(x) => json!({ "kind": "int", "low": x.low, "high": x.high, "log": x.scale == Scale::Log, "step": x.step }),
            Domain::Categorical(all) => json!({ "kind": "categorical", "n_choices": all.len() }),
        };
        let conditions = dimension.conditions.iter();
        let conditions: Vec<Value> =
            conditions.map(|one| json!({ "dimension": one.dimension, "categories": one.categories })).collect();
        json!({ "name": dimension.name, "domain": domain, "conditions": conditions })
    });
    Value::Array(dimensions.collect())
}
