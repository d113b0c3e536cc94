//! Several objectives: who dominates whom. Costs are smaller when better.

use std::cmp::Ordering;

use crate::standing::{Standing, by_standing, costs, standing};
use crate::{History, Observation, Outcome};

/// The feasible, complete trial of the lowest first cost, the earliest of equals; `None` if there is none.
pub fn best(history: &History) -> Option<u64> {
    let standings = history.observations().iter().map(|trial| (standing(trial), trial.number));
    let complete = standings.filter_map(|(standing, number)| match standing {
        Some(Standing::Complete(cost)) => Some((cost, number)),
        _ => None,
    });
    Some(complete.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?.1)
}

/// The numbers, ascending, of the feasible, complete trials that no other such trial dominates.
pub fn pareto_front(history: &History) -> Vec<u64> {
    let is_candidate = |outcome: &Outcome| matches!(outcome, Outcome::Complete(_));
    let trials = history.observations().iter();
    let trials: Vec<_> = trials.filter(|one| is_candidate(&one.outcome) && one.violation <= 0.0).collect();
    let all: Vec<_> = trials.iter().map(|trial| costs(trial, history.directions().len())).collect();
    let mut front: Vec<u64> = fronts(&all, 1).into_iter().flatten().map(|idx| trials[idx].number).collect();
    front.sort_unstable();
    front
}

/// The area that points of two costs dominate within `reference`, which points that do not dominate it add nothing to.
pub fn hypervolume(points: &[[f64; 2]], reference: [f64; 2]) -> f64 {
    let mut points: Vec<_> = points.iter().filter(|x| x[0] < reference[0] && x[1] < reference[1]).collect();
    points.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let (mut area, mut height) = (0.0, reference[1]);
    for point in points {
        if point[1] < height {
            area += (reference[0] - point[0]) * (height - point[1]);
            height = point[1];
        }
    }
    area
}

/// Whether `a` is nowhere worse than `b` and somewhere better.
pub(crate) fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

/// Points in fronts: the first is dominated by none, the second by the first alone, and so on (Deb et al. 2002), until
/// `n_wanted` are in them. Each front is ascending in the first cost. No cost is NaN, and all points have as many.
pub(crate) fn fronts(costs: &[Vec<f64>], n_wanted: usize) -> Vec<Vec<usize>> {
    let mut rest: Vec<usize> = (0..costs.len()).collect();
    rest.sort_by(|&a, &b| compare(&costs[a], &costs[b]));
    let mut fronts = Vec::new();
    let mut n = 0;
    while n < n_wanted && !rest.is_empty() {
        let mut front: Vec<usize> = Vec::new();
        rest.retain(|&idx| {
            let is_dominated = is_dominated(costs, &front, idx);
            if !is_dominated {
                front.push(idx);
            }
            is_dominated
        });
        n += front.len();
        fronts.push(front);
    }
    fronts
}

/// Points come in lexicographic order, so whoever dominates one came before it. Of two costs the front's last one has the
/// lowest second.
fn is_dominated(costs: &[Vec<f64>], front: &[usize], idx: usize) -> bool {
    let first = if costs[idx].len() <= 2 { front.len().saturating_sub(1) } else { 0 };
    front[first..].iter().any(|&other| dominates(&costs[other], &costs[idx]))
}

fn compare(a: &[f64], b: &[f64]) -> Ordering {
    let pairs = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
    pairs.fold(Ordering::Equal, Ordering::then)
}

/// How empty the neighborhood of each point of a front is (Deb et al. 2002): over all costs the distance of its two
/// neighbors; infinite for the outermost.
pub(crate) fn crowding_distances(costs: &[Vec<f64>], front: &[usize]) -> Vec<f64> {
    let mut distances = vec![0.0; front.len()];
    for objective in 0..front.first().map_or(0, |&idx| costs[idx].len()) {
        let cost = |place: usize| costs[front[place]][objective];
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by(|&a, &b| cost(a).total_cmp(&cost(b)));
        let (first, last) = (order[0], order[front.len() - 1]);
        let range = cost(last) - cost(first);
        (distances[first], distances[last]) = (f64::INFINITY, f64::INFINITY);
        for three in order.windows(3) {
            let share = (cost(three[2]) - cost(three[0])) / range;
            // Equal or infinite costs say nothing of the neighborhood.
            distances[three[1]] += if share.is_finite() { share } else { 0.0 };
        }
    }
    distances
}

/// The `n` best points, ascending by index: front after front, and of the front that does not fit those in the emptiest
/// neighborhoods.
pub(crate) fn best_of(costs: &[Vec<f64>], n: usize) -> Vec<usize> {
    let mut best = Vec::with_capacity(n);
    for front in fronts(costs, n) {
        let distances = crowding_distances(costs, &front);
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]).then(front[a].cmp(&front[b])));
        let n_more = n - best.len();
        best.extend(order.into_iter().take(n_more).map(|place| front[place]));
    }
    best.sort_unstable();
    best
}

/// Brings the `n` best trials to the front, in no order. Of several objectives [`best_of`] tells which whole ones these are.
pub(crate) fn bring_best_to_front(known: &mut [(Standing, &Observation)], n: usize, n_objectives: usize) {
    if n >= known.len() {
        return;
    }
    if n_objectives <= 1 {
        known.select_nth_unstable_by(n, by_standing);
    } else {
        known.sort_unstable_by(by_standing);
        let n_whole = known.partition_point(|(standing, _)| matches!(standing, Standing::Complete(_)));
        let whole = known[..n_whole].to_vec();
        let costs: Vec<Vec<f64>> = whole.iter().map(|(_, trial)| costs(trial, n_objectives)).collect();
        let best = best_of(&costs, n);
        let (first, rest): (Vec<_>, Vec<_>) = (0..n_whole).partition(|idx| best.binary_search(idx).is_ok());
        for (place, idx) in first.into_iter().chain(rest).enumerate() {
            known[place] = whole[idx];
        }
    }
}
