//! The picture of a run: loss on the left axis, accuracies on the right one, over the epochs.

use std::ops::Range;

use plotters::chart::DualCoordChartContext;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use spec::{EpochRecord, RunRecord};

use crate::canvas::{self, Area, Drawing, Drawn, Scale};
use crate::colors::{GRID, INK, rgb};
use crate::{ChartError, LOSS, MAX_SUBJECT, TEST, TRAIN, VALIDATION, shortened, subject};

/// Width and height.
const SIZE: (u32, u32) = (760, 460);
/// Epochs whose points are marked; more would be one band.
const MAX_MARKED: usize = 60;

type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;
type Chart<'a, DB> = DualCoordChartContext<'a, DB, Plane, Plane>;

/// The curves as an SVG file of 760 × 460 units.
pub fn svg(record: &RunRecord) -> Result<String, ChartError> {
    canvas::svg(SIZE, &Curves(record))
}

/// The curves as a PNG file of 1520 × 920 pixels.
pub fn png(record: &RunRecord) -> Result<Vec<u8>, ChartError> {
    canvas::png(SIZE, &Curves(record))
}

struct Curves<'a>(&'a RunRecord);

impl Drawing for Curves<'_> {
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        let epochs = &self.0.epochs;
        area.fill(&WHITE)?;
        let (x, losses) = (epoch_range(epochs), loss_range(epochs));
        let mut chart = ChartBuilder::on(area)
            .caption(caption(self.0), scale.font(18))
            .margin(scale.px(12))
            .x_label_area_size(scale.px(44))
            .y_label_area_size(scale.px(60))
            .right_y_label_area_size(scale.px(60))
            .build_cartesian_2d(x.clone(), losses.clone())?
            .set_secondary_coord(x, accuracy_range(epochs));
        draw_axes(&mut chart, (epochs.len(), n_decimals(&losses)), scale)?;
        draw_lines(&mut chart, epochs, scale)?;
        draw_legend(&mut chart, scale)
    }
}

/// Decimals that tell some ten labels of an axis apart.
fn n_decimals(range: &Range<f64>) -> usize {
    (1.0 - (range.end - range.start).log10()).ceil().clamp(2.0, 6.0) as usize
}

fn draw_axes<DB: DrawingBackend>(
    chart: &mut Chart<'_, DB>,
    (n_epochs, n_decimals): (usize, usize),
    scale: Scale,
) -> Drawn<DB> {
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc("loss")
        .x_labels(n_epochs.clamp(2, 11))
        .x_label_formatter(&whole)
        .y_label_formatter(&|y| format!("{y:.n_decimals$}"))
        .label_style(scale.font(13))
        .axis_desc_style(scale.font(15))
        .axis_style(INK.stroke_width(scale.len(1)))
        .bold_line_style(GRID.stroke_width(scale.len(1)))
        .light_line_style(TRANSPARENT)
        .set_all_tick_mark_size(scale.px(5))
        .draw()?;
    chart
        .configure_secondary_axes()
        .y_desc("accuracy")
        .y_label_formatter(&|y| format!("{y:.2}"))
        .label_style(scale.font(13))
        .axis_desc_style(scale.font(15))
        .axis_style(INK.stroke_width(scale.len(1)))
        .set_all_tick_mark_size(scale.px(5))
        .draw()
}

/// There is no half epoch.
fn whole(x: &f64) -> String {
    if (x - x.round()).abs() < 1e-6 { format!("{x:.0}") } else { String::new() }
}

fn draw_lines<DB: DrawingBackend>(
    chart: &mut Chart<'_, DB>,
    epochs: &[EpochRecord],
    scale: Scale,
) -> Drawn<DB> {
    let line = |color: [u8; 3], value: fn(&EpochRecord) -> f64| {
        let points = epochs.iter().map(move |epoch| (epoch.epoch as f64, value(epoch)));
        let style = rgb(color).stroke_width(scale.len(2)).filled();
        let point_size = if epochs.len() > MAX_MARKED { 0 } else { scale.len(3) };
        LineSeries::new(points.filter(|(_, y)| y.is_finite()), style).point_size(point_size)
    };
    chart.draw_series(line(LOSS, |epoch| epoch.loss))?.label("loss").legend(sample(LOSS, scale));
    chart
        .draw_secondary_series(line(TRAIN, |epoch| epoch.train_accuracy))?
        .label("train accuracy")
        .legend(sample(TRAIN, scale));
    if epochs.iter().any(|epoch| epoch.validation_accuracy.is_some()) {
        chart
            .draw_secondary_series(line(VALIDATION, |epoch| epoch.validation_accuracy.unwrap_or(f64::NAN)))?
            .label("validation accuracy")
            .legend(sample(VALIDATION, scale));
    }
    if epochs.iter().any(|epoch| epoch.test_accuracy.is_finite()) {
        chart
            .draw_secondary_series(line(TEST, |epoch| epoch.test_accuracy))?
            .label("test accuracy")
            .legend(sample(TEST, scale));
    }
    Ok(())
}

/// A piece of a line, for the legend.
pub(crate) fn sample(color: [u8; 3], scale: Scale) -> impl Fn((i32, i32)) -> PathElement<(i32, i32)> {
    let style = rgb(color).stroke_width(scale.len(3));
    move |(x, y)| PathElement::new([(x, y), (x + scale.px(22), y)], style)
}

/// In the middle of the right side, which loss and accuracies leave free as they part.
fn draw_legend<'a, DB: DrawingBackend + 'a>(chart: &mut Chart<'a, DB>, scale: Scale) -> Drawn<DB> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .margin(scale.len(14))
        .legend_area_size(scale.len(30))
        .background_style(WHITE.mix(0.85))
        .border_style(GRID.stroke_width(scale.len(1)))
        .label_font(scale.font(13))
        .draw()
}

/// What was trained, and how well it does.
fn caption(record: &RunRecord) -> String {
    let Some(last) = record.epochs.last() else {
        return shortened(&record.spec.network.name, MAX_SUBJECT);
    };
    let (part, accuracy) = match last.validation_accuracy {
        Some(accuracy) if !last.test_accuracy.is_finite() => ("validation", accuracy),
        _ => ("test", last.test_accuracy),
    };
    let percent = 100.0 * accuracy;
    format!("{}: {part} accuracy {percent:.1} % after epoch {}", subject(record), last.epoch)
}

fn epoch_range(epochs: &[EpochRecord]) -> Range<f64> {
    // One epoch alone stands in the middle.
    if epochs.len() < 2 { 0.0..2.0 } else { 1.0..epochs.len() as f64 }
}

/// From a little below the smallest to a little above the largest loss.
fn loss_range(epochs: &[EpochRecord]) -> Range<f64> {
    let (low, high) = extent(epochs.iter().map(|epoch| epoch.loss)).unwrap_or((0.0, 1.0));
    let margin = (0.05 * (high - low)).max(0.02 * high.abs()).max(1e-6);
    (low - margin).max(0.0)..high + margin
}

fn accuracy_range(epochs: &[EpochRecord]) -> Range<f64> {
    let accuracies = epochs.iter().flat_map(|epoch| {
        [epoch.train_accuracy, epoch.validation_accuracy.unwrap_or(f64::NAN), epoch.test_accuracy]
    });
    let (low, high) = extent(accuracies).unwrap_or((0.0, 1.0));
    ((low - 0.02) * 20.0).floor().max(0.0) / 20.0..(((high + 0.02) * 20.0).ceil() / 20.0).min(1.0)
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let around = |(low, high): (f64, f64), y: f64| (low.min(y), high.max(y));
    values.filter(|y| y.is_finite()).map(|y| (y, y)).reduce(|extent, (y, _)| around(extent, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize, loss: f64, train_accuracy: f64, test_accuracy: f64) -> EpochRecord {
        EpochRecord {
            epoch,
            learning_rate: 0.001,
            loss,
            train_accuracy,
            validation_loss: None,
            validation_accuracy: None,
            test_accuracy,
            train_s: 1.0,
            eval_s: 0.1,
            images_per_s: 6e4,
        }
    }

    #[test]
    fn ranges_hold_all_points_and_are_not_empty() {
        let cases = [
            vec![],
            vec![epoch(1, 0.9, 0.67, 0.76)],
            vec![epoch(1, 0.0, 1.0, 1.0), epoch(2, 0.0, 1.0, 1.0)],
            vec![epoch(1, 1e30, 0.0, 0.0), epoch(2, 2.0, 0.1, 0.1)],
            vec![epoch(1, f64::NAN, f64::NAN, 0.1)],
        ];
        for epochs in cases {
            let (loss, accuracy) = (loss_range(&epochs), accuracy_range(&epochs));
            assert!(loss.start < loss.end && accuracy.start < accuracy.end, "{loss:?} {accuracy:?}");
            for epoch in epochs.iter().filter(|epoch| epoch.loss.is_finite()) {
                assert!(loss.contains(&epoch.loss));
                assert!(accuracy.start <= epoch.test_accuracy && epoch.test_accuracy <= accuracy.end);
            }
        }
    }

    fn record(epochs: Vec<EpochRecord>) -> RunRecord {
        let text = r#"{"version": 1, "danlu": "0", "state": "running", "parameters_hash": null,
            "machine": {"os": "o", "arch": "a", "cpu": null, "isa": "i", "threads": 1, "n_cores": 1},
            "data": {"name": "d", "dir": "/", "train_sha256": "", "test_sha256": "", "n_train": 1, "n_test": 1}"#;
        let spec = spec::TrainSpec::default();
        let mut record: serde_json::Value = serde_json::from_str(&format!("{text}}}")).unwrap();
        record["spec"] = serde_json::to_value(&spec).unwrap();
        record["epochs"] = serde_json::to_value(&epochs).unwrap();
        RunRecord::from_json(&record.to_string()).unwrap()
    }

    #[test]
    fn both_formats_show_the_lines_that_there_are() {
        let validated = EpochRecord { validation_accuracy: Some(0.5), ..epoch(2, 0.5, 0.7, 0.7) };
        let runs = [vec![], vec![epoch(1, 0.9, 0.6, 0.7)], vec![epoch(1, f64::NAN, 0.6, 0.7), validated]];
        for (n, epochs) in runs.into_iter().enumerate() {
            let record = record(epochs);
            let text = svg(&record).unwrap();
            assert_eq!(text.contains("validation accuracy"), n == 2);
            let picture = image::load_from_memory(&png(&record).unwrap()).unwrap().to_rgb8();
            assert_eq!(picture.dimensions(), (1520, 920));
            assert!(picture.pixels().any(|pixel| pixel.0 == LOSS), "the legend shows the loss");
        }
    }
}
