//! Test images, mistakes, filters, and pictures that are tried.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Place, pixel, write_record};

#[test]
fn mistakes_are_counted_and_their_images_are_found() {
    let place = Place::new();
    place.add_run("a", 1);
    let confusion = place.get("/api/runs/a/confusion").json();
    assert_eq!(confusion["matrix"], json!([[4, 0, 0], [1, 3, 0], [1, 0, 3]]));
    assert_eq!(confusion["most_confused"].as_array().unwrap().len(), 2);
    let second = json!({ "class": confusion["classes"][1], "n": 4, "recall": 0.75, "precision": 1.0 });
    assert_eq!(confusion["per_class"][1], second);
    let list = place.get("/api/runs/a/images?wrong=1").json();
    let hardest = json!({ "idx": 5, "label": 2, "predicted": 0, "confidence": 0.5, "loss": 3.0 });
    assert_eq!((&list["total"], &list["images"][0]), (&json!(2), &hardest));
    let cell = place.get("/api/runs/a/images?label=1&predicted=0").json();
    assert_eq!((&cell["total"], &cell["images"][0]["idx"]), (&json!(1), &json!(1)));
    let picture = place.get("/api/runs/a/image/5.png");
    let decoded = image::load_from_memory(&picture.bytes).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (5, 6));
    assert_eq!(decoded.as_luma8().unwrap().as_raw(), &(0..30).map(|at| pixel(5, at)).collect::<Vec<_>>());
}

#[test]
fn predictions_of_other_images_are_not_shown() {
    let place = Place::new();
    place.add_run("a", 1);
    std::fs::remove_file(place.runs().join("a/predictions.safetensors")).unwrap();
    place.get("/api/runs/a/confusion").is_refused(404, "predictions.safetensors in this run");
    // Other images than those that the run began with.
    let mut record = place.add_run("b", 1);
    record.data.test_sha256 = "00".repeat(32);
    write_record(&place.runs().join("b"), &record);
    place.get("/api/runs/b/image/0.png").is_refused(409, "are not those that the run began with");
}

#[test]
fn a_test_image_and_the_same_picture_sent_are_seen_alike() {
    let place = Place::new();
    let record = place.add_run("a", 1);
    let tried = place.get("/api/runs/a/try/4").json();
    assert_eq!(tried["label"], 1);
    let png = place.get("/api/runs/a/image/4.png").bytes;
    let address = format!("data:image/png;base64,{}", STANDARD.encode(&png));
    assert_eq!(tried["image"], address);
    let mut sent = place.post("/api/runs/a/try", png).json();
    assert_eq!(sent["label"], Value::Null);
    sent["label"] = json!(1);
    assert_eq!(sent, tried);
    let predictions = tried["predictions"].as_array().unwrap();
    let probabilities: Vec<f64> =
        predictions.iter().map(|one| one["probability"].as_f64().unwrap()).collect();
    assert!(
        (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9 && probabilities.is_sorted_by(|a, b| a >= b)
    );
    assert!(predictions.iter().all(|one| record.data.classes.iter().any(|class| one["class"] == *class)));
    let layers = tried["layers"].as_array().unwrap();
    let shapes: Vec<_> =
        layers.iter().map(|layer| (layer["layer"].as_str().unwrap(), &layer["dims"])).collect();
    let expected = [
        ("conv2d", json!([2, 4, 3])),
        ("relu", json!([2, 4, 3])),
        ("max_pool2d", json!([2, 2, 1])),
        ("flatten", json!([4])),
        ("linear", json!([3])),
    ];
    assert_eq!(shapes, expected.each_ref().map(|(layer, dims)| (*layer, dims)));
    let maps = STANDARD.decode(layers[0]["maps"].as_str().unwrap()).unwrap();
    assert_eq!((maps.len(), &layers[0]["shown"]), (24, &json!(2)));
    assert!(maps[..12].contains(&0) && maps[..12].contains(&255));
    assert!(layers[1]["min"][0].as_f64().unwrap() >= 0.0);
}

#[test]
fn pictures_of_any_size_and_color_are_fitted() {
    let place = Place::new();
    place.add_run("a", 1);
    let picture = image::RgbaImage::from_fn(640, 480, |x, y| image::Rgba([x as u8, y as u8, 9, 200]));
    for format in [image::ImageFormat::Png, image::ImageFormat::WebP] {
        let mut bytes = std::io::Cursor::new(vec![]);
        picture.write_to(&mut bytes, format).unwrap();
        let tried = place.post("/api/runs/a/try", bytes.into_inner()).json();
        assert_eq!(tried["predictions"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn filters_are_the_first_convolutions_weights() {
    let place = Place::new();
    place.add_run("a", 1);
    let filters = place.get("/api/runs/a/filters").json();
    assert_eq!((&filters["node"], &filters["dims"]), (&json!("conv"), &json!([2, 1, 3, 3])));
    assert_eq!(filters["values"].as_array().unwrap().len(), 18);
    std::fs::remove_file(place.runs().join("a/model.safetensors")).unwrap();
    place.get("/api/runs/a/filters").is_refused(404, "its file is missing");
}
