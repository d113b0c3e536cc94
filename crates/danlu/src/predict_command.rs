//! `danlu predict`.

use std::path::Path;

use data::Dataset;
use serde::Serialize;

use crate::cli::PredictArgs;
use crate::error::CliError;
use crate::model_file::Model;
use crate::{environment, model_file, output, picture};

/// Classes that are printed for people, unless they ask for more.
const TOP: usize = 3;

#[derive(Serialize)]
struct ImageJson<'a> {
    image: String,
    predictions: Vec<Prediction<'a>>,
}

#[derive(Serialize)]
struct Prediction<'a> {
    class: &'a str,
    probability: f64,
}

pub(crate) fn run(args: &PredictArgs) -> Result<(), CliError> {
    let setup = environment::setup(Some(1))?;
    let model = model_file::load(&args.model)?;
    let pictures = read_pictures(&model, args)?;
    let n_failed = args.images.len() - pictures.paths.len();
    if !pictures.paths.is_empty() {
        let dataset = pictures.dataset;
        let logits = train::logits(&model.plan, &model.params, &dataset, &model.normalization, setup)?;
        let n_top = args.top.map_or(if args.json { usize::MAX } else { TOP }, usize::from);
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(CliError::NotFinite { path: model.path });
        }
        for (path, logits) in pictures.paths.iter().zip(logits.chunks_exact(model.classes.len())) {
            show(path, best(&model.classes, logits, n_top), args.json)?;
        }
    }
    match n_failed {
        0 => Ok(()),
        _ => Err(CliError::Pictures { n_failed, n_images: args.images.len() }),
    }
}

struct Pictures<'a> {
    paths: Vec<&'a Path>,
    dataset: Dataset,
}

/// The pictures that can be read; each other one is told of at once.
fn read_pictures<'a>(model: &Model, args: &'a PredictArgs) -> Result<Pictures<'a>, CliError> {
    let [channels, height, width] = model.network.input;
    if channels != 1 {
        return Err(CliError::Channels { channels });
    }
    let (mut paths, mut images) = (Vec::new(), Vec::new());
    for path in &args.images {
        match picture::read(path, height, width) {
            Ok(pixels) => {
                paths.push(path.as_path());
                images.extend(pixels);
            }
            Err(error) => output::note(&error.report()),
        }
    }
    let dataset = Dataset {
        name: "pictures".into(),
        shape: model.network.input,
        images,
        labels: vec![0; paths.len()],
        classes: model.classes.clone(),
        sha256: String::new(),
    };
    Ok(Pictures { paths, dataset })
}

/// The most probable classes, the best first.
fn best<'a>(classes: &'a [String], logits: &[f32], n_top: usize) -> Vec<Prediction<'a>> {
    let probabilities = softmax(logits);
    let mut predictions: Vec<Prediction<'_>> = classes
        .iter()
        .zip(probabilities)
        .map(|(class, probability)| Prediction { class, probability })
        .collect();
    predictions.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    predictions.truncate(n_top);
    predictions
}

/// `exp(x) / Σ exp(x)`, from which the largest is taken first so that nothing overflows.
fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exps: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - largest).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.iter().map(|exp| exp / sum).collect()
}

fn show(path: &Path, predictions: Vec<Prediction<'_>>, json: bool) -> Result<(), CliError> {
    let image = path.display().to_string();
    if json {
        return output::json(&ImageJson { image, predictions });
    }
    let rows = predictions.iter().map(|p| format!("\n  {:5.1} %  {}", 100.0 * p.probability, p.class));
    output::line(&format!("{image}{}", rows.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_and_the_best_is_first() {
        let classes = ["a", "b", "c"].map(String::from);
        let all = best(&classes, &[1.0, 200.0, 199.0], 3);
        assert_eq!(all.iter().map(|p| p.class).collect::<Vec<_>>(), ["b", "c", "a"]);
        assert!((all.iter().map(|p| p.probability).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((all[0].probability / all[1].probability - std::f64::consts::E).abs() < 1e-9);
        assert_eq!(best(&classes, &[1.0, 2.0, 3.0], 1).len(), 1);
    }
}
