//! Architecture searches on a table of trainings that were made once, bench/nas-table; bench/README.md describes the file.
//!
//! A child is trained with one of the seeds that the table has, drawn for each network and each search (Ying et al. 2019,
//! NAS-Bench-101, section 4.1): all searches of one seed see the same of a network, so that they can be compared in pairs. A
//! network that was trained before has its earlier result. Samplers that do not take that are asked again, as in a study.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::Rng;
use search::{Ask, Dimension, History, Observation, Outcome, Point, Role, Sampler, Space};
use serde_json::{Value, json};
use spec::{Category, Direction, Domain, SamplerSpec, Seed};

use crate::table::list;
use crate::{Fallible, numbers};

/// As in a study.
const N_ATTEMPTS: u64 = 100;

/// All networks of a space.
pub(crate) struct Networks {
    space: Space,
    /// The position of a network in `accuracies`.
    rows: BTreeMap<Vec<u64>, usize>,
    /// Of each network, by seed and epoch.
    accuracies: Vec<Vec<Vec<f64>>>,
}

impl Networks {
    /// Reads an unpacked table.
    pub(crate) fn read(path: &str) -> Fallible<Self> {
        let table: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let dimensions = list(&table, "space")?.iter().map(dimension).collect::<Fallible<Vec<_>>>()?;
        let (mut rows, mut accuracies) = (BTreeMap::new(), Vec::new());
        for (idx, row) in list(&table, "rows")?.iter().enumerate() {
            rows.insert(serde_json::from_value(row["params"].clone())?, idx);
            accuracies.push(serde_json::from_value(row["validation"].clone())?);
        }
        Ok(Self { space: Space::new(dimensions)?, rows, accuracies })
    }

    /// A search: of each child the position of its network in the table, and which of its seeds counts.
    pub(crate) fn search(&self, spec: &SamplerSpec, n_children: u64, seed: u64) -> Fallible<Value> {
        let sampler = search::sampler(spec);
        let mut history = History::new(self.space.clone(), vec![Direction::Maximize]);
        let (mut tried, mut rows, mut draws) = (BTreeSet::new(), Vec::new(), Vec::new());
        for number in 0..n_children {
            let ask = Ask { history: &history, seed: Seed(seed), number, attempt: 0 };
            let (attempt, point) = self.propose(&*sampler, ask, &tried)?;
            let row = self.row(&point)?;
            let draw = draw(Seed(seed), row, self.accuracies[row].len());
            history.insert(trained(number, attempt, point, &self.accuracies[row][draw]));
            tried.insert(row);
            rows.push(row);
            draws.push(draw);
        }
        Ok(json!({ "seed": seed, "rows": rows, "draws": draws }))
    }

    /// What the sampler says at the first attempt that is good, or at the last.
    fn propose(
        &self,
        sampler: &dyn Sampler,
        ask: Ask<'_>,
        tried: &BTreeSet<usize>,
    ) -> Fallible<(u64, Point)> {
        for attempt in 0.. {
            let point = sampler.ask(&Ask { attempt, ..ask }).point().ok_or("the sampler has no answer")?;
            let is_good = sampler.takes_repeats() || !tried.contains(&self.row(&point)?);
            if is_good || attempt == N_ATTEMPTS {
                return Ok((attempt, point));
            }
        }
        unreachable!("attempts end")
    }

    fn row(&self, point: &Point) -> Fallible<usize> {
        let key: Vec<u64> = numbers(point).into_iter().flatten().map(|x| x as u64).collect();
        self.rows.get(&key).copied().ok_or_else(|| format!("the table has no row {key:?}").into())
    }
}

/// A decision of a layer, `0.filter_height`, as a grammar has it.
fn dimension(parameter: &Value) -> Fallible<Dimension> {
    let name = parameter["name"].as_str().ok_or("a parameter of the table has no `name`")?;
    let values = list(parameter, "values")?.iter().filter_map(Value::as_i64).map(Category::Int);
    let (layer, kind) = name.split_once('.').ok_or_else(|| format!("`{name}` names no layer"))?;
    let role = Role::Layer { kind: kind.into(), layer: layer.parse()? };
    Ok(Dimension { role, ..Dimension::new(name, Domain::Categorical(values.collect())) })
}

/// Which of the seeds of a network counts in a search.
fn draw(seed: Seed, row: usize, n: usize) -> usize {
    (seed.stream(&format!("draw/{row}")).next_u64() % n as u64) as usize
}

fn trained(number: u64, attempt: u64, point: Point, curve: &[f64]) -> Observation {
    let costs: Vec<f64> = curve.iter().map(|&accuracy| Direction::Maximize.cost(accuracy)).collect();
    let outcome = Outcome::Complete(costs.last().copied().into_iter().collect());
    let intermediate = (1..).zip(costs).collect();
    Observation { intermediate, attempt: Some(attempt), ..Observation::new(number, point, outcome) }
}
