//! The epochs of a run as columns, thinned to what a chart can show.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use spec::EpochRecord;

use crate::error::DashboardError;
use crate::request::Path;
use crate::run_dir::RECORD;
use crate::state::Shared;
use crate::wire::EpochColumns;
use crate::work::light;
use crate::{answer, request};

#[derive(Deserialize)]
struct EpochsQuery {
    points: Option<usize>,
}

/// `GET /api/runs/ID/epochs`
pub(crate) async fn epochs(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let query: EpochsQuery = request::query(&uri)?;
    let points = query.points.unwrap_or(1000).clamp(2, 10_000);
    light(move || {
        let run = shared.run(&id)?;
        let read = if run.has(RECORD) { Some(shared.sources.records.load(&run)?) } else { None };
        let epochs = read.as_ref().map_or(&[][..], |read| &read.record.epochs);
        Ok(answer::json(&columns(epochs, points)))
    })
    .await
}

fn columns(epochs: &[EpochRecord], points: usize) -> EpochColumns {
    let kept: Vec<&EpochRecord> = thinned(epochs.len(), points).map(|idx| &epochs[idx]).collect();
    let column = |of: fn(&EpochRecord) -> f64| kept.iter().map(|epoch| of(epoch)).collect();
    let optional = |of: fn(&EpochRecord) -> Option<f64>| {
        let column: Vec<_> = kept.iter().map(|epoch| of(epoch).filter(|value| value.is_finite())).collect();
        kept.iter().any(|epoch| of(epoch).is_some()).then_some(column)
    };
    EpochColumns {
        n_epochs: epochs.len(),
        epoch: kept.iter().map(|epoch| epoch.epoch).collect(),
        learning_rate: column(|epoch| epoch.learning_rate),
        loss: column(|epoch| epoch.loss),
        train_accuracy: column(|epoch| epoch.train_accuracy),
        validation_loss: optional(|epoch| epoch.validation_loss),
        validation_accuracy: optional(|epoch| epoch.validation_accuracy),
        test_accuracy: column(|epoch| epoch.test_accuracy),
        images_per_s: column(|epoch| epoch.images_per_s),
        train_s: column(|epoch| epoch.train_s),
        eval_s: column(|epoch| epoch.eval_s),
    }
}

/// At most `points` of `n` indices, the first and the last among them, as evenly as whole numbers can be.
fn thinned(n: usize, points: usize) -> impl Iterator<Item = usize> {
    let n_kept = n.min(points);
    (0..n_kept).map(move |idx| if n_kept == n { idx } else { idx * (n - 1) / (n_kept - 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_epochs_keep_both_ends_and_their_order() {
        let cases = [
            (0, 5, vec![]),
            (1, 5, vec![0]),
            (5, 5, vec![0, 1, 2, 3, 4]),
            (9, 5, vec![0, 2, 4, 6, 8]),
            (10, 2, vec![0, 9]),
        ];
        for (n, points, expected) in cases {
            assert_eq!(thinned(n, points).collect::<Vec<_>>(), expected, "{n} to {points}");
        }
        let many: Vec<_> = thinned(10_000, 1000).collect();
        assert!(many.len() == 1000 && many[999] == 9999 && many.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
