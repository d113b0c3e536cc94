//! `danlu predict`.

use std::path::{Path, PathBuf};

use data::Dataset;
use runs::model_file::{self, Model};
use serde::Serialize;
use train::Setup;

use crate::cli::PredictArgs;
use crate::error::CliError;
use crate::{environment, output, picture_paths};

/// Classes that are printed, unless more are asked for.
const TOP: usize = 3;

/// Bytes of fitted pictures that are in memory at a time.
const BATCH_LEN: usize = 32 << 20;
/// Pictures that are in memory at a time at most: enough for every thread to have some.
const MAX_BATCH: usize = 1024;

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

/// How predictions are written.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Json,
    Csv,
}

pub(crate) fn run(args: &PredictArgs) -> Result<(), CliError> {
    let setup = environment::setup(args.threads)?;
    let model = model_file::load(&args.model)?;
    let found = picture_paths::find(&args.images);
    let form = match (args.json, args.csv) {
        (true, _) => Form::Json,
        (_, true) => Form::Csv,
        _ => Form::Text,
    };
    let all = if args.json { usize::MAX } else { TOP };
    let predictor = Predictor { model, setup, form, n_top: args.top.map_or(all, usize::from) };
    let n_images = found.pictures.len() + found.failures.len();
    found.failures.iter().for_each(|error| output::note(&error.report()));
    if let Form::Csv = form {
        output::line("path,rank,class,probability")?;
    }
    let mut n_failed = found.failures.len();
    for batch in found.pictures.chunks(predictor.batch_size()) {
        n_failed += predictor.predict(batch)?;
    }
    match n_failed {
        0 => Ok(()),
        _ => Err(CliError::Pictures { n_failed, n_images }),
    }
}

struct Predictor {
    model: Model,
    setup: Setup,
    form: Form,
    n_top: usize,
}

impl Predictor {
    fn batch_size(&self) -> usize {
        let picture_len: usize = self.model.network.input.iter().product();
        (BATCH_LEN / picture_len.max(1)).clamp(1, MAX_BATCH)
    }

    /// Predicts some pictures and tells of those that cannot be read; returns how many.
    fn predict(&self, paths: &[PathBuf]) -> Result<usize, CliError> {
        let (mut read, mut images) = (Vec::new(), Vec::new());
        for (path, picture) in paths.iter().zip(data::read_pictures(paths, self.model.network.input)?) {
            match picture {
                Ok(picture) => {
                    read.push(path.as_path());
                    images.extend(picture.pixels);
                }
                Err(error) => output::note(&CliError::from(error).report()),
            }
        }
        if !read.is_empty() {
            let logits = self.logits(images, read.len())?;
            let logits = logits.chunks_exact(self.model.classes.len());
            for (path, logits) in read.iter().zip(logits) {
                self.show(path, best(&self.model.classes, logits, self.n_top))?;
            }
        }
        Ok(paths.len() - read.len())
    }

    fn logits(&self, images: Vec<u8>, n: usize) -> Result<Vec<f32>, CliError> {
        let Model { path, network, plan, params, classes, normalization } = &self.model;
        let dataset = Dataset {
            name: "pictures".into(),
            shape: network.input,
            images,
            labels: vec![0; n],
            classes: classes.clone(),
            sha256: String::new(),
        };
        let logits = train::logits(plan, params, &dataset, normalization, self.setup)?;
        match logits.iter().all(|logit| logit.is_finite()) {
            true => Ok(logits),
            false => Err(CliError::NotFinite { path: path.clone() }),
        }
    }

    fn show(&self, path: &Path, predictions: Vec<Prediction<'_>>) -> Result<(), CliError> {
        let image = path.display().to_string();
        match self.form {
            Form::Json => output::json(&ImageJson { image, predictions }),
            Form::Csv => output::exact(&csv_rows(&image, &predictions)?),
            Form::Text => {
                let row = |p: &Prediction<'_>| format!("\n  {:5.1} %  {}", 100.0 * p.probability, p.class);
                output::line(&format!("{image}{}", predictions.iter().map(row).collect::<String>()))
            }
        }
    }
}

/// Rows of path, rank, class and probability, without the last line break.
fn csv_rows(image: &str, predictions: &[Prediction<'_>]) -> Result<String, CliError> {
    let mut writer = csv::Writer::from_writer(vec![]);
    for (idx, prediction) in predictions.iter().enumerate() {
        writer
            .serialize((image, idx + 1, prediction.class, prediction.probability))
            .map_err(CliError::Csv)?;
    }
    let bytes = writer.into_inner().map_err(|error| CliError::Stdout(error.into_error()))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_end_matches('\n').to_owned())
}

/// The most probable classes, the best first.
fn best<'a>(classes: &'a [String], logits: &[f32], n_top: usize) -> Vec<Prediction<'a>> {
    let top = metrics::top(logits, n_top).into_iter();
    top.map(|(class, probability)| Prediction { class: &classes[class], probability }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_commas_are_one_cell() {
        let rows =
            [Prediction { class: "a", probability: 0.75 }, Prediction { class: "b, c", probability: 0.25 }];
        assert_eq!(csv_rows("x,y.png", &rows).unwrap(), "\"x,y.png\",1,a,0.75\n\"x,y.png\",2,\"b, c\",0.25");
    }
}
