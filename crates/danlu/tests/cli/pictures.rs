//! A folder of pictures, some of them broken: looked at, trained on, predicted.

use std::fs;
use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::Value;

use crate::support::Place;

const N_CLASSES: usize = 10;
const N_BROKEN: usize = 20;
const N_GOOD: usize = 280;

/// A picture of its class: a square of the class's color at the class's place.
fn drawn(class: usize, idx: usize, format: ImageFormat) -> Vec<u8> {
    let (width, height) = (20 + (idx % 7) as u32, 18 + (idx % 5) as u32);
    let color = |x: u32, y: u32| {
        let is_square = x / 5 == (class % 4) as u32 && y / 6 == (class / 4) as u32;
        let noise = ((idx * 31 + (x * 17 + y * 7) as usize) % 40) as u8;
        if is_square { [(20 * class) as u8, 255 - (20 * class) as u8, 200] } else { [noise; 3] }
    };
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb(color(x, y)));
    let mut bytes = Cursor::new(vec![]);
    DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Names and contents of 18 files that are no pictures.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let [png, jpeg, bmp, webp] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::WebP]
        .map(|format| drawn(3, 1, format));
    let changed = |bytes: &[u8], at: usize, new: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    let data = png.windows(4).position(|word| word == b"IDAT").unwrap();
    vec![
        ("empty.png", vec![]),
        ("empty.jpg", vec![]),
        ("text.png", b"this is text".to_vec()),
        ("text.jpeg", b"this is text".to_vec()),
        ("half.png", png[..png.len() / 2].to_vec()),
        ("start.png", png[..8].to_vec()),
        ("bad-data-sum.png", changed(&png, data + 12, &[png[data + 12] ^ 1])),
        ("bad-header-sum.png", changed(&png, 20, &[1])),
        ("half.jpg", jpeg[..jpeg.len() / 2].to_vec()),
        ("last-byte-missing.jpg", jpeg[..jpeg.len() - 1].to_vec()),
        ("start.jpg", jpeg[..20].to_vec()),
        ("no-width.bmp", changed(&bmp, 18, &[0; 4])),
        ("huge.bmp", changed(&bmp, 18, &[0, 0, 1, 0, 0, 0, 1, 0])),
        ("half.bmp", bmp[..bmp.len() / 2].to_vec()),
        ("half.webp", webp[..webp.len() / 2].to_vec()),
        ("animated.gif", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec()),
        ("zeros.png", vec![0; 1000]),
        ("page.webp", b"<html><body>404 not found</body></html>".to_vec()),
    ]
}

/// A folder `set` of ten classes: 280 pictures, 20 that are broken, and 3 files that are something else.
fn place() -> Place {
    place_with(N_GOOD)
}

fn place_with(n_good: usize) -> Place {
    let place = Place::new();
    let formats = [
        (ImageFormat::Png, "png"),
        (ImageFormat::Jpeg, "jpg"),
        (ImageFormat::Bmp, "bmp"),
        (ImageFormat::WebP, "webp"),
        (ImageFormat::Jpeg, "png"),
        (ImageFormat::Png, "data"),
    ];
    for idx in 0..n_good {
        let (class, (format, ending)) = (idx % N_CLASSES, formats[idx / N_CLASSES % formats.len()]);
        fs::create_dir_all(place.path(&format!("set/class {class}"))).unwrap();
        place.write(&format!("set/class {class}/{idx}.{ending}"), drawn(class, idx, format));
    }
    for (idx, (name, bytes)) in broken().into_iter().enumerate() {
        place.write(&format!("set/class {}/{name}", idx % N_CLASSES), bytes);
    }
    fs::create_dir(place.path("set/class 0/folder.png")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        place.path("data/train-images-idx3-ubyte"),
        place.path("set/class 1/link.png"),
    )
    .unwrap();
    #[cfg(not(unix))]
    place.write("set/class 1/link.png", "no link");
    for other in ["class 2/Thumbs.db", "class 3/notes.txt", ".DS_Store"] {
        place.write(&format!("set/{other}"), "something else");
    }
    place
}

fn object(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn broken_pictures_are_listed_and_counted() {
    let place = place();
    let json = object(&place.run("data info set --json").succeeds().stdout);
    let rejected = json["rejected"].as_array().unwrap();
    let names: Vec<_> = rejected.iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(names.len(), N_BROKEN, "{names:?}");
    for (idx, (name, _)) in broken().into_iter().enumerate() {
        assert!(names.contains(&format!("class {}/{name}", idx % N_CLASSES).as_str()), "{name}");
    }
    assert_eq!(json["n_skipped"], 3);
    assert_eq!(json["train"]["class_counts"], serde_json::json!(vec![22; N_CLASSES]));
    assert_eq!(json["validation"]["n"], 3 * N_CLASSES);
    assert_eq!(json["test"]["n"], 3 * N_CLASSES);
    assert_eq!(json["original_sizes"]["width"], serde_json::json!({"min": 20, "median": 23, "max": 26}));
    assert_eq!(json["train"]["shape"], serde_json::json!([3, 32, 32]));
    let text = place.run("data info set --input 1,28,28").succeeds().stdout;
    assert!(text.contains("20 pictures in set cannot be read"), "{text}");
    assert!(text.contains("class 9/last-byte-missing.jpg: is cut off"), "{text}");
    place.run("data info set --input 2,28,28").fails(2, &["must be 1 or 3 channels"]);
}

#[test]
fn a_folder_of_five_thousand_is_trained_on_and_predicted() {
    let n_good = 5000 - N_BROKEN;
    let place = place_with(n_good);
    let train = |out: &str| {
        place.run(&format!("train --data set --epochs 3 --batch-size 32 --learning-rate 0.002 --out {out}"))
    };
    let ran = train("run").succeeds();
    assert!(ran.stderr.contains("20 pictures in set cannot be read"), "{}", ran.stderr);
    let record = place.record("run");
    // Of each class's 498 a tenth for validation and a tenth for test.
    let n = (record.data.n_train, record.data.n_validation, record.data.n_test);
    assert_eq!((n, record.data.name.as_str()), ((3980, 500, 500), "set"));
    assert_eq!((record.spec.network.classes, record.spec.network.input), (N_CLASSES, [1, 28, 28]));
    train("again").succeeds();
    assert_eq!(place.hash("run"), place.hash("again"));
    let evaluated = object(&place.run("eval run --data set --json").succeeds().stdout);
    assert_eq!(evaluated["accuracy"], record.epochs[2].test_accuracy);
    assert!(evaluated["accuracy"].as_f64().unwrap() > 0.9, "{evaluated}");
    let ran =
        place.run("predict run set --top 1 --json").fails(1, &["half.webp", "link.png", "could not be read"]);
    let objects: Vec<Value> = ran.stdout.lines().map(object).collect();
    let right = |object: &&Value| {
        let class = object["predictions"][0]["class"].as_str().unwrap();
        object["image"].as_str().unwrap().starts_with(&format!("set/{class}/"))
    };
    assert_eq!(objects.len(), n_good - 830, "all but those called .data");
    assert!(objects.iter().filter(right).count() > 3700);
}

#[test]
fn presets_take_the_shape_and_the_classes_of_the_data() {
    let place = Place::new();
    fs::create_dir(place.path("cifar")).unwrap();
    let records = |n: usize| -> Vec<u8> {
        (0..n)
            .flat_map(|idx| {
                std::iter::once((idx % 10) as u8).chain((0..3072).map(move |at| (at * idx) as u8))
            })
            .collect()
    };
    place.write("cifar/data_batch_1.bin", records(64));
    place.write("cifar/test_batch.bin", records(16));
    place.run("train --data cifar --epochs 1 --batch-size 32 --network lenet-3x3 --out run").succeeds();
    assert_eq!(place.record("run").spec.network.input, [3, 32, 32]);
    // What stands in a file is not changed.
    let network = spec::preset("lenet").unwrap().to_toml().unwrap();
    place.write("net.toml", network);
    place
        .run("train --data cifar --network net.toml --out other")
        .fails(2, &["the network's input is [1, 28, 28], but the pictures of cifar-10 are [3, 32, 32]"]);
}

/// Classes are counted by their places, which another name may change.
#[test]
fn a_model_is_not_evaluated_on_other_classes() {
    let place = Place::new();
    for idx in 0..60 {
        let dir = format!("set/{}", ["bag", "coat", "dress"][idx % 3]);
        fs::create_dir_all(place.path(&dir)).unwrap();
        place.write(&format!("{dir}/{idx}.png"), drawn(idx % 3, idx, ImageFormat::Png));
    }
    place.run("train --data set --epochs 1 --quiet --out run").succeeds();
    assert_eq!(place.run("eval run").succeeds().stderr, "");
    // Nothing has been moved, so that the same pictures are tested.
    assert_eq!(place.run("eval run --data set").succeeds().stderr, "");
    place.run("data info set --sheet set/bag/0.png").fails(2, &["set/bag/0.png is a file of the data set"]);
    place.run("data info set --sheet sheet.svg").fails(2, &["must end in .png"]);
    place.write("set/bag/more.png", drawn(0, 61, ImageFormat::Png));
    place.write("set/bag/cut.png", &drawn(0, 62, ImageFormat::Png)[..40]);
    let ran = place.run("eval run --data set --json").succeeds();
    let said =
        ["1 picture in set cannot be read and is left out:\n  bag/cut.png", "note: set has no test part"];
    assert!(said.iter().all(|said| ran.stderr.contains(said)), "{}", ran.stderr);
    assert_eq!(object(&ran.stdout)["n_rejected"], 1);
    place.run("eval run").fails(1, &["the model may have learned from them"]);
    for file in ["more.png", "cut.png"] {
        fs::remove_file(place.path("set/bag").join(file)).unwrap();
    }
    place.run("bench --data set --images 16 --threads 1").succeeds();
    fs::rename(place.path("set/dress"), place.path("set/a dress")).unwrap();
    let said = ["the data set set has the classes a dress, bag, coat, but the model knows bag, coat, dress"];
    place.run("eval run").fails(2, &said);
}

#[test]
fn color_networks_see_color() {
    let place = place();
    let network = spec::preset("lenet").unwrap().adapted([3, 28, 28], N_CLASSES).to_toml().unwrap();
    place.write("net.toml", network);
    place.run("train --data set --network net.toml --epochs 1 --batch-size 32 --out run").succeeds();
    assert_eq!(place.record("run").spec.network.input, [3, 28, 28]);
    let ran = place.run("predict run set/class?0/0.png set/class*/12.jpg --top 1").succeeds();
    assert_eq!(ran.stdout.lines().count(), 4);
}
