//! The picture of a run: loss on the left axis, accuracies on the right one, over the epochs.

use std::ops::Range;

use plotters::chart::DualCoordChartContext;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use spec::{EpochRecord, RunRecord};

use crate::error::CliError;

/// Width and height in SVG units.
const SIZE: (u32, u32) = (760, 460);
const FONT: &str = "sans-serif";
pub(crate) const INK: RGBColor = RGBColor(64, 64, 64);
pub(crate) const GRID: RGBColor = RGBColor(226, 226, 226);
/// Four colors of Okabe & Ito's palette, which color-blind people can tell apart as well.
pub(crate) const LOSS: RGBColor = RGBColor(213, 94, 0);
pub(crate) const TRAIN: RGBColor = RGBColor(86, 180, 233);
const VALIDATION: RGBColor = RGBColor(0, 158, 115);
pub(crate) const TEST: RGBColor = RGBColor(0, 114, 178);

/// The curves as an SVG file.
pub(crate) fn svg(record: &RunRecord) -> Result<String, CliError> {
    drawn(|area| draw(area, record))
}

/// What `draw` puts on an empty picture.
pub(crate) fn drawn(draw: impl for<'a> FnOnce(&Area<'a>) -> DrawResult<'a>) -> Result<String, CliError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        draw(&area).map_err(|error| CliError::Curves { reason: error.to_string() })?;
        area.present().map_err(|error| CliError::Curves { reason: error.to_string() })?;
    }
    Ok(text)
}

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;
type Chart<'a, 'b> = DualCoordChartContext<'a, SVGBackend<'b>, Plane, Plane>;
pub(crate) type DrawResult<'a> =
    Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw<'a>(area: &Area<'a>, record: &RunRecord) -> DrawResult<'a> {
    let epochs = &record.epochs;
    area.fill(&WHITE)?;
    let x = epoch_range(epochs);
    let mut chart = ChartBuilder::on(area)
        .caption(caption(record), font(18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .right_y_label_area_size(60)
        .build_cartesian_2d(x.clone(), loss_range(epochs))?
        .set_secondary_coord(x, accuracy_range(epochs));
    draw_axes(&mut chart, epochs.len())?;
    draw_lines(&mut chart, epochs)?;
    draw_legend(&mut chart)
}

pub(crate) fn font(size: u32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

fn draw_axes<'a>(chart: &mut Chart<'_, 'a>, n_epochs: usize) -> DrawResult<'a> {
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc("loss")
        .x_labels(n_epochs.clamp(2, 11))
        .x_label_formatter(&whole)
        .y_label_formatter(&|y| format!("{y:.2}"))
        .label_style(font(13))
        .axis_desc_style(font(15))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    chart
        .configure_secondary_axes()
        .y_desc("accuracy")
        .y_label_formatter(&|y| format!("{y:.2}"))
        .label_style(font(13))
        .axis_desc_style(font(15))
        .axis_style(INK)
        .draw()
}

/// There is no half epoch.
fn whole(x: &f64) -> String {
    if (x - x.round()).abs() < 1e-6 { format!("{x:.0}") } else { String::new() }
}

fn draw_lines<'a>(chart: &mut Chart<'_, 'a>, epochs: &[EpochRecord]) -> DrawResult<'a> {
    let validation = |epoch: &EpochRecord| epoch.validation_accuracy.unwrap_or(f64::NAN);
    let line = |color: RGBColor, value: fn(&EpochRecord) -> f64| {
        let points = epochs.iter().map(move |epoch| (epoch.epoch as f64, value(epoch)));
        LineSeries::new(points.filter(|(_, y)| y.is_finite()), color.stroke_width(2).filled()).point_size(3)
    };
    let sample = |color: RGBColor| {
        move |(x, y): (i32, i32)| PathElement::new([(x, y), (x + 22, y)], color.stroke_width(3))
    };
    chart.draw_series(line(LOSS, |epoch| epoch.loss))?.label("loss").legend(sample(LOSS));
    chart
        .draw_secondary_series(line(TRAIN, |epoch| epoch.train_accuracy))?
        .label("train accuracy")
        .legend(sample(TRAIN));
    if epochs.iter().any(|epoch| epoch.validation_accuracy.is_some()) {
        chart
            .draw_secondary_series(line(VALIDATION, validation))?
            .label("validation accuracy")
            .legend(sample(VALIDATION));
    }
    chart
        .draw_secondary_series(line(TEST, |epoch| epoch.test_accuracy))?
        .label("test accuracy")
        .legend(sample(TEST));
    Ok(())
}

/// In the middle of the right side, which loss and accuracies leave free as they part.
fn draw_legend<'a>(chart: &mut Chart<'a, 'a>) -> DrawResult<'a> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .margin(14)
        .legend_area_size(30)
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .label_font(font(13))
        .draw()
}

/// What was trained, and how well it does.
fn caption(record: &RunRecord) -> String {
    let name: String = record.spec.network.name.chars().take(40).collect();
    let Some(last) = record.epochs.last() else { return name };
    let accuracy = 100.0 * last.test_accuracy;
    format!("{name} on {}: test accuracy {accuracy:.1} % after epoch {}", record.data.name, last.epoch)
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
}
