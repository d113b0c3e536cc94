//! `danlu lr-find`.

use charts::lr_curve::{self, LrCurve};
use runs::{atomic_file, check_no_run_file};
use serde::Serialize;
use spec::{ScheduleSpec, TrainSpec};
use train::{LrFind, LrPoint, LrRange, lr_find};

use crate::cli::LrFindArgs;
use crate::error::CliError;
use crate::picture_format::PictureFormat;
use crate::run::{Run, initial_params};
use crate::table::{Align, table};
use crate::{output, request};

/// Rows of the table for people, about.
const N_ROWS: usize = 20;

#[derive(Serialize)]
struct FindJson<'a> {
    /// Where the smoothed loss falls most steeply.
    suggestion: Option<f64>,
    /// A tenth of the rate of the lowest smoothed loss.
    minimum_tenth: Option<f64>,
    plot: String,
    points: Vec<PointJson>,
    network: &'a str,
}

#[derive(Serialize)]
struct PointJson {
    learning_rate: f64,
    loss: f64,
    smoothed: f64,
}

pub(crate) fn run(args: &LrFindArgs) -> Result<(), CliError> {
    let mut request = request::resolve(&args.run)?;
    let range = LrRange { start: args.from, end: args.to };
    // The engine computes in single precision.
    if !(range.start as f32 > 0.0 && range.start < range.end && (range.end as f32).is_finite()) {
        return Err(CliError::LrRange { from: range.start, to: range.end });
    }
    check_no_run_file(&args.plot)?;
    atomic_file::check_place(&args.plot)?;
    ignore_what_does_not_count(&mut request.spec);
    let (plan, wanted) = request.prepare()?;
    request.check_no_input(&args.run, &wanted, &args.plot)?;
    let format = PictureFormat::of(&args.plot, &[PictureFormat::Svg, PictureFormat::Png])?;
    let params = initial_params(&mut request.spec, &plan)?;
    let talk = request.talk.with(args.json, false);
    let run = Run::load(request.spec, plan, wanted, request.setup, talk)?;
    let found = lr_find(run.job(), &params, range, usize::from(args.steps))?;
    // First, so that the sweep is not lost with the picture; nor is the picture when nobody reads on.
    let printed = if talk.json { print_json(args, &run, &found) } else { print_text(&found) };
    atomic_file::replace(&args.plot, &draw(&found, &run.spec.network.name, format)?)?;
    if !talk.json && printed.is_ok() {
        output::note(&format!("the curve is in {}", args.plot.display()));
    }
    printed
}

/// A sweep is no whole training: what is said of its course is not looked at.
fn ignore_what_does_not_count(spec: &mut TrainSpec) {
    spec.schedule = ScheduleSpec::default();
    spec.early_stopping = None;
    spec.average = None;
}

fn draw(found: &LrFind, network: &str, format: PictureFormat) -> Result<Vec<u8>, CliError> {
    let point = |&LrPoint { learning_rate, loss, smoothed }: &LrPoint| lr_curve::LrPoint {
        learning_rate,
        loss,
        smoothed,
    };
    let points: Vec<_> = found.points.iter().map(point).collect();
    let curve = LrCurve { network, points: &points, steepest: found.steepest };
    Ok(match format {
        PictureFormat::Svg => lr_curve::svg(&curve)?.into_bytes(),
        PictureFormat::Png => lr_curve::png(&curve)?,
    })
}

fn print_json(args: &LrFindArgs, run: &Run, found: &LrFind) -> Result<(), CliError> {
    let point =
        |&LrPoint { learning_rate, loss, smoothed }: &LrPoint| PointJson { learning_rate, loss, smoothed };
    output::json(&FindJson {
        suggestion: found.steepest,
        minimum_tenth: found.minimum_tenth,
        plot: args.plot.display().to_string(),
        points: found.points.iter().map(point).collect(),
        network: &run.spec.network.name,
    })
}

fn print_text(found: &LrFind) -> Result<(), CliError> {
    let every = found.points.len().div_ceil(N_ROWS).max(1);
    let mut rows = vec![["learning rate", "loss", "smoothed"].map(String::from).to_vec()];
    rows.extend(found.points.iter().step_by(every).map(|point| {
        vec![
            format!("{:.1e}", point.learning_rate),
            format!("{:.4}", point.loss),
            format!("{:.4}", point.smoothed),
        ]
    }));
    output::line(&table(&[Align::Right; 3], &rows))?;
    output::line(&suggestion(found))
}

fn suggestion(found: &LrFind) -> String {
    match (found.steepest, found.minimum_tenth) {
        (Some(steepest), Some(tenth)) => format!(
            "try --learning-rate {steepest:.1e}, where the loss falls most steeply, or {tenth:.1e}, a tenth of that at \
             its minimum"
        ),
        _ => "no rate lowers the loss within so few steps: try --steps or another range".into(),
    }
}
