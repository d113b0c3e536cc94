//! The best children with their networks.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value as Json;

use super::decisions::{Decisions, Taken};
use super::drawing::{Drawing, drawing};
use crate::studies::objective::{Objective, eligible_cost, values};
use crate::studies::opened::View;

/// `GET /api/studies/ID/gallery`
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Gallery<'a> {
    pub(crate) objective: &'a Objective,
    /// Different networks that may be the best.
    pub(crate) n: usize,
    /// The best of them, the best first.
    pub(crate) best: Vec<BestChild>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct BestChild {
    pub(crate) value: f64,
    pub(crate) parameters: Option<u64>,
    pub(crate) multiply_adds: Option<u64>,
    /// Of the training, where it is known.
    pub(crate) seconds: Option<f64>,
    pub(crate) drawing: Drawing,
}

/// At most `max` different networks.
pub(crate) fn gallery<'a>(
    objective: &'a Objective,
    decisions: &Decisions<'_>,
    view: &View<'_>,
    max: usize,
) -> Gallery<'a> {
    let cost = |idx: usize| eligible_cost(decisions.children[idx].trial, 0, objective.direction);
    let all = 0..decisions.children.len();
    let mut ranked: Vec<(f64, usize)> = all.filter_map(|idx| Some((cost(idx)?, idx))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut known: HashSet<&[Taken]> = HashSet::new();
    ranked.retain(|&(_, idx)| known.insert(&decisions.children[idx].taken));
    let best = ranked.iter().take(max).map(|&(_, idx)| {
        let trial = decisions.children[idx].trial;
        let noted = |name: &str| trial.user_attributes.get(name);
        BestChild {
            value: values(trial)[0],
            parameters: noted("danlu:parameters").and_then(Json::as_u64),
            multiply_adds: noted("danlu:multiply_adds").and_then(Json::as_u64),
            seconds: noted("danlu:seconds").and_then(Json::as_f64),
            drawing: drawing(view, trial),
        }
    });
    Gallery { objective, n: ranked.len(), best: best.collect() }
}
