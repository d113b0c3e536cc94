//! `danlu data`, `danlu bench` and the environment.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{N_TRAIN, Place, Ran};

#[test]
fn a_data_set_is_described() {
    let place = Place::new();
    let json: Value = serde_json::from_str(&place.run("data info data --json").succeeds().stdout).unwrap();
    assert_eq!(json["train"]["n"], N_TRAIN);
    assert_eq!(json["train"]["shape"], serde_json::json!([1, 28, 28]));
    assert_eq!(json["test"]["class_counts"], serde_json::json!([7, 7, 7, 7, 6, 6, 6, 6, 6, 6]));
    assert_eq!(json["train"]["sha256"].as_str().unwrap().len(), 64);
    let text = place.run("data info data").succeeds().stdout;
    let row = text.lines().find(|line| line.starts_with("9 ")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["9", "32", "6"]);
    assert!(text.starts_with("data in data (named)\nIDX files\nimages of [1, 28, 28]"), "{text}");
}

#[test]
fn the_environment_names_the_data() {
    let place = Place::new();
    let info = |folder: &str| {
        let mut command = place.command("data info fashion-mnist");
        Ran::of(command.env("DANLU_DATA", folder).output().unwrap())
    };
    let text = info("data").succeeds().stdout;
    assert!(text.contains("fashion-mnist in data") && text.contains("Ankle boot"), "{text}");
    info("nowhere").fails(1, &["DANLU_DATA names nowhere"]);
}

#[test]
fn other_sets_are_looked_for_by_name() {
    let place = Place::new();
    place
        .run("data info minst")
        .fails(2, &["`minst` is neither the name of a data set (fashion-mnist, mnist,"]);
    place.run("data info kmnist").fails(1, &["KMNIST is not to be found", "http://codh.rois.ac.jp/kmnist/"]);
    fs::create_dir(place.path("kmnist")).unwrap();
    place.run("data info kmnist").fails(1, &["the folder kmnist here is not looked into", "`./kmnist`"]);
    fs::create_dir_all(place.path("cache/danlu")).unwrap();
    fs::rename(place.path("data"), place.path("cache/danlu/kmnist")).unwrap();
    let text = place.run("data info kmnist").succeeds().stdout;
    assert!(text.starts_with("kmnist in ") && text.contains("(cache)") && text.contains("wo を"), "{text}");
}

/// In its own folder a file needs no path, and the folder is `.`.
#[test]
fn data_is_read_in_its_own_folder() {
    let place = Place::new();
    fs::rename(place.path("data"), place.path("kmnist")).unwrap();
    fs::create_dir(place.path("cifar")).unwrap();
    place.write("cifar/data_batch_1.bin", vec![1; 3073 * 40]);
    let cases = [
        ("kmnist", ".", "kmnist"),
        ("kmnist", "t10k-labels-idx1-ubyte", "kmnist"),
        ("cifar", "data_batch_1.bin", "cifar-10"),
    ];
    for (folder, data, name) in cases {
        let mut command = place.command(&format!("data info {data} --json"));
        let ran = Ran::of(command.current_dir(place.path(folder)).output().unwrap()).succeeds();
        let json: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(json["name"], name, "{folder} {data}");
    }
}

#[test]
fn a_contact_sheet_shows_each_class() {
    let place = Place::new();
    let text = place.run("data info data --sheet sheet.png").succeeds().stdout;
    assert!(text.contains("sheet.png has a row for each class"), "{text}");
    let sheet = image::open(place.path("sheet.png")).unwrap().to_rgb8();
    assert_eq!(sheet.dimensions(), (10 * 58 + 2, 10 * 58 + 2));
    // The bar of class 3 is at rows 10 and 11 of its pictures, which are enlarged twice.
    assert!(sheet.get_pixel(30, 2 + 3 * 58 + 2 * 10).0[0] >= 190);
    place.run("data info data --sheet no/sheet.png").fails(1, &["cannot write no/sheet.png"]);
    place.run("train --data data --epochs 1 --out run").succeeds();
    let model = std::fs::read(place.path("run/model.safetensors")).unwrap();
    place.run("data info data --sheet run/model.safetensors").fails(2, &["run/model.safetensors"]);
    assert_eq!(std::fs::read(place.path("run/model.safetensors")).unwrap(), model);
}

#[test]
fn a_contact_sheet_of_large_pictures_is_thinned_and_says_so() {
    let place = Place::new();
    let (n, height, width) = (2, 3, 7000);
    fs::create_dir_all(place.path("long")).unwrap();
    for part in ["train", "t10k"] {
        let mut images = vec![0, 0, 8, 3];
        images.extend([n, height, width].into_iter().flat_map(u32::to_be_bytes));
        images.resize(images.len() + (n * height * width) as usize, 7);
        place.write(&format!("long/{part}-images-idx3-ubyte"), images);
        place.write(&format!("long/{part}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 2, 0, 1]);
    }
    let ran = place.run("data info long --sheet sheet.png").succeeds();
    assert!(ran.stderr.contains("sheet.png shows 1 of 2 rows and columns of the pictures"), "{}", ran.stderr);
    let sheet = image::open(place.path("sheet.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (10 * 3502 + 2, 2 * 4 + 2));
}

#[test]
fn a_download_that_cannot_be_is_told() {
    let place = Place::new();
    let mut command = place.command("data fetch fashion-mnist");
    command.env("XDG_CACHE_HOME", place.path("cache"));
    // Port 9 of the loopback interface: nobody listens.
    Ran::of(command.env("DANLU_URL", "http://127.0.0.1:9/").output().unwrap())
        .fails(1, &["http://127.0.0.1:9/"]);
}

#[test]
fn a_driver_is_obeyed() {
    let place = Place::new();
    let serve = |commands: &str| {
        let mut command = place.command("bench --data data --threads 1 --serve");
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    };
    let ran = serve("info\ntrain\neval\ntrain\ninfo\n").succeeds();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{}", ran.stdout);
    let info: Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!((&info["network"], &info["threads"]), (&"lenet".into(), &1.into()));
    assert_eq!(info["training_multiply_adds"], 758_520);
    assert_eq!(lines[4], lines[0]);
    for seconds in &lines[1..4] {
        assert!(seconds.parse::<f64>().unwrap() > 0.0);
    }
    assert_eq!(serve("eval\n").succeeds().stdout.lines().count(), 1);
    assert_eq!(serve("").succeeds().stdout, "");
    serve("train\nfly\n").fails(2, &["`fly` is not a command"]);
}
