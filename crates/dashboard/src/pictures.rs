//! `/api/runs/ID/confusion`, `/images` and `/image/IDX.png`: the test images and what the model took them for.

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use metrics::{Confusion, Predictions};
use serde::Deserialize;

use crate::error::DashboardError;
use crate::request::Path;
use crate::state::Shared;
use crate::test_part;
use crate::wire::{ClassJson, ConfusedJson, ConfusionJson, ImageList, ImageRow};
use crate::{answer, request};

/// Pairs of classes in the list of mistakes.
const N_CONFUSED: usize = 10;
/// Images of a page at most.
const MAX_LIMIT: usize = 500;

pub(crate) async fn confusion(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, DashboardError> {
    let run = shared.run(&id)?;
    let state = shared.clone();
    let work = move || {
        let test = test_part::load(&state, &run)?;
        let predictions = test_part::predictions(&run, &test)?;
        let confusion = Confusion::new(test.classes.len(), &test.labels, &predictions.predicted);
        Ok(answer::json(&confusion_json(&test.classes, &confusion)))
    };
    shared.worker.run(work).await
}

fn confusion_json<'a>(classes: &'a [String], confusion: &Confusion) -> ConfusionJson<'a> {
    let per_class = confusion.per_class().into_iter();
    let most_confused = confusion.most_confused(N_CONFUSED).into_iter();
    ConfusionJson {
        classes,
        matrix: (0..confusion.n_classes()).map(|label| confusion.row(label).to_vec()).collect(),
        per_class: per_class
            .map(|class| ClassJson {
                class: &classes[class.class],
                n: class.n,
                recall: class.recall,
                precision: class.precision,
            })
            .collect(),
        most_confused: most_confused
            .map(|pair| ConfusedJson { label: pair.label, predicted: pair.predicted, n: pair.n })
            .collect(),
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Hardest,
    Index,
}

#[derive(Deserialize)]
struct ImagesQuery {
    label: Option<u8>,
    predicted: Option<u8>,
    /// 1: those only that are taken for another class.
    #[serde(default)]
    wrong: u8,
    #[serde(default)]
    order: Order,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

pub(crate) async fn images(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, DashboardError> {
    let query: ImagesQuery = request::query(&uri)?;
    let run = shared.run(&id)?;
    let state = shared.clone();
    let work = move || {
        let test = test_part::load(&state, &run)?;
        let predictions = test_part::predictions(&run, &test)?;
        Ok(answer::json(&image_list(&query, &test.labels, &predictions)))
    };
    shared.worker.run(work).await
}

fn image_list(query: &ImagesQuery, labels: &[u8], predictions: &Predictions) -> ImageList {
    let ordered = match query.order {
        Order::Hardest => predictions.hardest(),
        Order::Index => (0..predictions.len()).collect(),
    };
    let row = |idx: usize| ImageRow {
        idx,
        label: labels[idx],
        predicted: predictions.predicted[idx],
        confidence: predictions.confidence[idx],
        loss: predictions.loss[idx],
    };
    let is_asked = |row: &ImageRow| {
        query.label.is_none_or(|label| row.label == label)
            && query.predicted.is_none_or(|predicted| row.predicted == predicted)
            && (query.wrong != 1 || row.label != row.predicted)
    };
    let found: Vec<ImageRow> = ordered.into_iter().map(row).filter(is_asked).collect();
    let limit = query.limit.unwrap_or(60).min(MAX_LIMIT);
    ImageList { total: found.len(), images: found.into_iter().skip(query.offset).take(limit).collect() }
}

/// `GET /api/runs/ID/image/IDX.png`
pub(crate) async fn image(
    State(shared): State<Shared>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, DashboardError> {
    let idx = name.strip_suffix(".png").and_then(|idx| idx.parse().ok());
    let idx: usize = idx.ok_or_else(|| DashboardError::no("such image"))?;
    let run = shared.run(&id)?;
    let state = shared.clone();
    let work = move || {
        let test = test_part::load(&state, &run)?;
        Ok(answer::png(png(test_part::image(&test, idx)?, test.shape)?))
    };
    shared.worker.run(work).await
}

/// A PNG of C·H·W bytes: in color if there are three channels, else of the first one in gray.
pub(crate) fn png(pixels: &[u8], [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, DashboardError> {
    let plane = height * width;
    let (bytes, color) = match channels {
        3 => {
            let at = |idx: usize| [pixels[idx], pixels[plane + idx], pixels[2 * plane + idx]];
            ((0..plane).flat_map(at).collect(), ExtendedColorType::Rgb8)
        }
        _ => (pixels[..plane].to_vec(), ExtendedColorType::L8),
    };
    let [width, height] = [width, height].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(&bytes, width, height, color)?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_packed_gray_and_in_color() {
        let gray = image::load_from_memory(&png(&[0, 50, 100, 150, 200, 250], [1, 2, 3]).unwrap()).unwrap();
        assert_eq!(gray.as_luma8().unwrap().as_raw(), &[0, 50, 100, 150, 200, 250]);
        let color = image::load_from_memory(&png(&[1, 2, 3, 4, 5, 6], [3, 1, 2]).unwrap()).unwrap();
        assert_eq!(color.as_rgb8().unwrap().as_raw(), &[1, 3, 5, 2, 4, 6]);
        let first_of_two = image::load_from_memory(&png(&[7, 8], [2, 1, 1]).unwrap()).unwrap();
        assert_eq!(first_of_two.as_luma8().unwrap().as_raw(), &[7]);
    }

    #[test]
    fn images_are_found_by_label_and_prediction_and_the_hardest_come_first() {
        let labels = [0, 0, 1, 1];
        let predictions = Predictions {
            predicted: vec![0, 1, 1, 0],
            confidence: vec![0.9, 0.8, 0.7, 0.6],
            loss: vec![0.1, 2.0, 0.3, 1.0],
        };
        let list = |text: &str| {
            let query: ImagesQuery = request::query(&format!("/?{text}").parse().unwrap()).unwrap();
            let list = image_list(&query, &labels, &predictions);
            (list.total, list.images.iter().map(|image| image.idx).collect::<Vec<_>>())
        };
        assert_eq!(list(""), (4, vec![1, 3, 2, 0]));
        assert_eq!(list("order=index"), (4, vec![0, 1, 2, 3]));
        assert_eq!(list("wrong=1&limit=1"), (2, vec![1]));
        assert_eq!(list("label=1&predicted=0"), (1, vec![3]));
        assert_eq!(list("offset=3"), (4, vec![0]));
    }
}
