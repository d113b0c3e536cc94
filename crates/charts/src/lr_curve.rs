//! The picture of a search for a learning rate: loss over rate, whose axis is logarithmic.

use std::ops::Range;

use plotters::prelude::*;

use crate::canvas::{self, Area, Drawing, Drawn, Scale};
use crate::colors::{GRID, INK, rgb};
use crate::curves::sample;
use crate::{ChartError, LOSS, TEST, TRAIN};

/// Width and height.
const SIZE: (u32, u32) = (760, 460);

/// What a search for a learning rate came to.
#[derive(Clone, Copy, Debug)]
pub struct LrCurve<'a> {
    /// The network's name.
    pub network: &'a str,
    /// One for each step, by rising rate.
    pub points: &'a [LrPoint],
    /// The rate at which the smoothed loss falls most steeply.
    pub steepest: Option<f64>,
}

/// One step of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LrPoint {
    /// The step's rate, above 0.
    pub learning_rate: f64,
    /// Its loss.
    pub loss: f64,
    /// The moving average of the losses.
    pub smoothed: f64,
}

/// The curve as an SVG file of 760 × 460 units.
pub fn svg(curve: &LrCurve<'_>) -> Result<String, ChartError> {
    canvas::svg(SIZE, curve)
}

/// The curve as a PNG file of 1520 × 920 pixels.
pub fn png(curve: &LrCurve<'_>) -> Result<Vec<u8>, ChartError> {
    canvas::png(SIZE, curve)
}

impl Drawing for LrCurve<'_> {
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Drawn<DB> {
        let points = self.points;
        let y = loss_range(points);
        area.fill(&WHITE)?;
        let network: String = self.network.chars().take(40).collect();
        let mut chart = ChartBuilder::on(area)
            .caption(format!("{network}: loss over learning rate"), scale.font(18))
            .margin(scale.px(12))
            .x_label_area_size(scale.px(44))
            .y_label_area_size(scale.px(60))
            .build_cartesian_2d(rate_range(points).log_scale(), y.clone())?;
        chart
            .configure_mesh()
            .x_desc("learning rate")
            .y_desc("loss")
            .x_label_formatter(&|rate| format!("{rate:.0e}"))
            .y_label_formatter(&|loss| format!("{loss:.2}"))
            .label_style(scale.font(13))
            .axis_desc_style(scale.font(15))
            .axis_style(INK)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .draw()?;
        let line = |value: fn(&LrPoint) -> f64| {
            let top = y.end;
            points.iter().map(move |point| (point.learning_rate, value(point).min(top)))
        };
        chart
            .draw_series(LineSeries::new(line(|point| point.loss), rgb(TRAIN).stroke_width(scale.len(1))))?
            .label("each step")
            .legend(sample(TRAIN, scale));
        chart
            .draw_series(LineSeries::new(line(|point| point.smoothed), rgb(LOSS).stroke_width(scale.len(2))))?
            .label("smoothed")
            .legend(sample(LOSS, scale));
        if let Some(rate) = self.steepest {
            let path = [(rate, y.start), (rate, y.end)];
            chart
                .draw_series([PathElement::new(path, rgb(TEST).stroke_width(scale.len(2)))])?
                .label(format!("steepest, {rate:.1e}"))
                .legend(sample(TEST, scale));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .margin(scale.len(14))
            .legend_area_size(scale.len(30))
            .background_style(WHITE.mix(0.85))
            .border_style(GRID)
            .label_font(scale.font(13))
            .draw()
    }
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

    #[test]
    fn any_sweep_can_be_drawn() {
        for losses in [&[][..], &[2.3], &[2.3, 2.3, 1.0, 50.0], &[0.0, 0.0], &[2.3, 1e300]] {
            let point = |(idx, &loss): (usize, &f64)| LrPoint {
                learning_rate: 1e-5 * 10f64.powi(idx as i32),
                loss,
                smoothed: loss,
            };
            let points: Vec<LrPoint> = losses.iter().enumerate().map(point).collect();
            let text = svg(&LrCurve { network: "net", points: &points, steepest: Some(1e-4) }).unwrap();
            assert!(text.contains("<svg") && text.contains("learning rate") && text.contains("smoothed"));
            let y = loss_range(&points);
            assert!(y.start < y.end, "{y:?}");
        }
    }
}
