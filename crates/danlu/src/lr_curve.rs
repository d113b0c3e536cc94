//! The picture of a search for a learning rate: loss over rate, whose axis is logarithmic.

use std::ops::Range;

use plotters::prelude::*;
use train::{LrFind, LrPoint};

use crate::curves::{Area, DrawResult, GRID, INK, LOSS, TEST, TRAIN, drawn, font};
use crate::error::CliError;

/// The curve as an SVG file.
pub(crate) fn svg(found: &LrFind, network: &str) -> Result<String, CliError> {
    drawn(|area| draw(area, found, network))
}

fn draw<'a>(area: &Area<'a>, found: &LrFind, network: &str) -> DrawResult<'a> {
    let points = &found.points;
    let y = loss_range(points);
    area.fill(&WHITE)?;
    let network: String = network.chars().take(40).collect();
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{network}: loss over learning rate"), font(18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(rate_range(points).log_scale(), y.clone())?;
    chart
        .configure_mesh()
        .x_desc("learning rate")
        .y_desc("loss")
        .x_label_formatter(&|rate| format!("{rate:.0e}"))
        .y_label_formatter(&|loss| format!("{loss:.2}"))
        .label_style(font(13))
        .axis_desc_style(font(15))
        .axis_style(INK)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()?;
    let line = |value: fn(&LrPoint) -> f64| {
        let top = y.end;
        points.iter().map(move |point| (point.learning_rate, value(point).min(top)))
    };
    let sample = |color: RGBColor| {
        move |(x, y): (i32, i32)| PathElement::new([(x, y), (x + 22, y)], color.stroke_width(3))
    };
    chart
        .draw_series(LineSeries::new(line(|point| point.loss), TRAIN.stroke_width(1)))?
        .label("each step")
        .legend(sample(TRAIN));
    chart
        .draw_series(LineSeries::new(line(|point| point.smoothed), LOSS.stroke_width(2)))?
        .label("smoothed")
        .legend(sample(LOSS));
    if let Some(rate) = found.steepest {
        chart
            .draw_series([PathElement::new([(rate, y.start), (rate, y.end)], TEST.stroke_width(2))])?
            .label(format!("steepest, {rate:.1e}"))
            .legend(sample(TEST));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .margin(14)
        .legend_area_size(30)
        .background_style(WHITE.mix(0.85))
        .border_style(GRID)
        .label_font(font(13))
        .draw()
}

fn rate_range(points: &[LrPoint]) -> Range<f64> {
    match points {
        [first, .., last] => first.learning_rate..last.learning_rate,
        // An axis needs two ends.
        [only] => only.learning_rate / 10.0..only.learning_rate * 10.0,
        [] => 1e-7..10.0,
    }
}

/// Not so high that an exploded loss would press all others flat: twice the first one.
fn loss_range(points: &[LrPoint]) -> Range<f64> {
    let losses = points.iter().flat_map(|point| [point.loss, point.smoothed]);
    let (low, high) =
        losses.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), y| (low.min(y), high.max(y)));
    let first = points.first().map_or(1.0, |first| first.loss);
    let top = high.min(2.0 * first).max(1e-6);
    0.9 * low.min(0.5 * top)..1.05 * top
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(losses: &[f64]) -> LrFind {
        let point = |(idx, &loss): (usize, &f64)| LrPoint {
            learning_rate: 1e-5 * 10f64.powi(idx as i32),
            loss,
            smoothed: loss,
        };
        LrFind {
            points: losses.iter().enumerate().map(point).collect(),
            steepest: Some(1e-4),
            minimum_tenth: None,
        }
    }

    #[test]
    fn any_sweep_can_be_drawn() {
        for losses in [&[][..], &[2.3], &[2.3, 2.3, 1.0, 50.0], &[0.0, 0.0], &[2.3, 1e300]] {
            let text = svg(&found(losses), "net").unwrap();
            assert!(text.contains("<svg") && text.contains("learning rate") && text.contains("smoothed"));
            let y = loss_range(&found(losses).points);
            assert!(y.start < y.end, "{y:?}");
        }
    }
}
