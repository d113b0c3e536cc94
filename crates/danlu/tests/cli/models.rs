//! Using what was trained: eval, predict, summary.

use std::fs;

use image::{GrayImage, imageops};
use serde_json::Value;

use crate::support::{N_TEST, Place, Ran, picture};

fn trained() -> Place {
    let place = Place::new();
    place.train("--epochs 30 --learning-rate 0.003 --out run").succeeds();
    place
}

fn object(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn evaluation_is_that_of_the_last_epoch() {
    let place = trained();
    let evaluated = object(&place.run("eval run --data data --json").succeeds().stdout);
    let last = place.record("run").epochs[29];
    assert_eq!(evaluated["accuracy"], last.test_accuracy);
    assert_eq!(evaluated["n"], N_TEST);
    let text = place.run("eval run/model.safetensors --data data --threads 1").succeeds().stdout;
    assert!(text.contains(&format!("test acc {:.4}, 64 images", last.test_accuracy)), "{text}");
}

#[test]
fn lenet_5_is_measured_by_the_loss_of_its_run() {
    let place = Place::new();
    let loss = |arguments: &str| {
        let json = place.run(&format!("eval {arguments} --data data --json")).succeeds().stdout;
        object(&json)["loss"].as_f64().unwrap()
    };
    for rubbish in [1, 40] {
        place.write(
            "run.toml",
            format!("network = \"lenet-5-1998\"\nloss = {{ map = {{ rubbish = {rubbish} }} }}\n"),
        );
        place.train("run.toml --epochs 1 --optimizer sgd --learning-rate 1e-6 --out run --force").succeeds();
        let said = runs::read_predictions(&place.path("run/predictions.safetensors")).unwrap();
        let mean = said.loss.iter().map(|&loss| f64::from(loss)).sum::<f64>() / N_TEST as f64;
        let of_run = loss("run");
        assert!((of_run - mean).abs() < 1e-5 * mean, "{of_run} is not {mean}");
        fs::copy(place.path("run/model.safetensors"), place.path("alone.safetensors")).unwrap();
        assert_eq!(loss("alone.safetensors") == of_run, rubbish == 1);
    }
}

/// Of the data's name, from another folder, there may be something else.
#[test]
fn a_run_is_evaluated_on_its_own_data_from_any_folder() {
    let place = Place::new();
    place.train("--epochs 1 --out run").succeeds();
    let said = place.run("eval run").succeeds().stdout;
    let other = Place::new();
    let images = other.path("data/t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&images).unwrap();
    bytes[16..].reverse();
    fs::write(images, bytes).unwrap();
    let eval = |flags: &str| {
        let mut command = other.command(&format!("eval {flags}"));
        Ran::of(command.arg(place.path("run")).output().unwrap())
    };
    assert_eq!(eval("").succeeds().stdout, said);
    fs::rename(place.path("data"), place.path("moved")).unwrap();
    eval("").fails(1, &["the test images of data have SHA-256", "but those of the run", "--data"]);
    assert_ne!(eval("--data data").succeeds().stdout, said);
}

#[test]
fn data_that_does_not_fit_the_model_is_wrong_usage() {
    let place = Place::new();
    let pictures = |class: &str, n: u32| {
        fs::create_dir_all(place.path("set").join(class)).unwrap();
        for idx in 0..n {
            let picture = GrayImage::from_pixel(28, 28, image::Luma([idx as u8]));
            picture.save(place.path(&format!("set/{class}/{idx}.png"))).unwrap();
        }
    };
    place.train("--epochs 1 --out run").succeeds();
    pictures("a", 10);
    pictures("b", 10);
    place.run("eval run --data set").fails(2, &["gives [10], but the data set set has 2 classes"]);
    place.run("train --data set --epochs 1 --out two").succeeds();
    place.run("eval two --data data").fails(2, &["gives [2], but the data set data has 10 classes"]);
    place.run("eval run --data nowhere").fails(2, &["`nowhere` is neither the name of a data set"]);
}

#[test]
fn a_damaged_record_is_a_failure_and_no_wrong_usage() {
    let place = Place::new();
    place.train("--epochs 1 --out run").succeeds();
    let record = place.read("run/record.json");
    place.write("run/record.json", &record[..300]);
    for command in ["eval run", "resume run"] {
        place.run(command).fails(1, &["cannot use run/record.json", "the run record is cut short"]);
    }
}

#[test]
fn logits_are_written() {
    let place = trained();
    place.run("eval run --data data --logits logits.safetensors").succeeds();
    let bytes = fs::read(place.path("logits.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let logits = file.tensor("logits").unwrap();
    assert_eq!(logits.shape(), [N_TEST, 10]);
    assert_eq!(logits.dtype(), safetensors::Dtype::F32);
    place.run("eval run --data data --logits no/logits").fails(1, &["cannot write no/logits"]);
}

#[test]
fn classes_of_pictures_are_named() {
    let place = trained();
    let gray = GrayImage::from_raw(28, 28, picture(7)).unwrap();
    gray.save(place.path("small.png")).unwrap();
    let large = imageops::resize(&gray, 280, 280, imageops::FilterType::Nearest);
    large.save(place.path("large.jpg")).unwrap();
    let ran = place.run("predict run small.png large.jpg --json").succeeds();
    let objects: Vec<Value> = ran.stdout.lines().map(object).collect();
    assert_eq!(objects.len(), 2);
    for (object, image) in objects.iter().zip(["small.png", "large.jpg"]) {
        assert_eq!(object["image"], image);
        let predictions = object["predictions"].as_array().unwrap();
        assert_eq!(predictions.len(), 10);
        assert_eq!(predictions[0]["class"], "7", "{image}");
        let sum: f64 = predictions.iter().map(|p| p["probability"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
    let text = place.run("predict run small.png --top 2").succeeds().stdout;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "small.png"));
    assert!(lines[1].ends_with(" %  7"), "{text}");
}

#[test]
fn a_picture_that_cannot_be_read_does_not_stop_the_others() {
    let place = trained();
    GrayImage::from_raw(28, 28, picture(1)).unwrap().save(place.path("good.png")).unwrap();
    let good = fs::read(place.path("good.png")).unwrap();
    place.write("cut.png", &good[..good.len() / 2]);
    place.write("text.jpg", "hello");
    let ran = place.run("predict run cut.png good.png text.jpg none.png data");
    let said = ["cut.png", "text.jpg", "none.png", "data holds no picture", "4 of 5 could not be read"];
    let ran = ran.fails(1, &said);
    assert!(ran.stdout.starts_with("good.png\n"), "{}", ran.stdout);
}

#[test]
fn folders_and_patterns_are_predicted_in_order() {
    let place = trained();
    fs::create_dir_all(place.path("set/deep")).unwrap();
    for (name, class) in [("set/b.png", 2), ("set/a.bmp", 5), ("set/deep/c.webp", 8)] {
        GrayImage::from_raw(28, 28, picture(class)).unwrap().save(place.path(name)).unwrap();
    }
    let csv = place.run("predict run set --top 1 --csv").succeeds().stdout;
    let cells: Vec<Vec<_>> = csv.lines().map(|line| line.split(',').take(3).collect()).collect();
    assert_eq!(cells[0], ["path", "rank", "class"]);
    assert_eq!(cells[1..], [["set/a.bmp", "1", "5"], ["set/b.png", "1", "2"], ["set/deep/c.webp", "1", "8"]]);
    let ran = place.run("predict run set/[a-b].* set/*/c.webp --json --top 1 --threads 1").succeeds();
    assert_eq!(
        ran.stdout.lines().map(|line| object(line)["image"].clone()).collect::<Vec<_>>(),
        ["set/a.bmp", "set/b.png", "set/deep/c.webp"]
    );
    place.run("predict run set/*.gif").fails(1, &["no file matches `set/*.gif`", "1 of 1 could not be read"]);
    place.run("predict run set --json --csv").fails(2, &["cannot be used with"]);
}

#[test]
fn what_is_no_model_is_refused() {
    let place = Place::new();
    place.write("empty", "");
    place.run("eval empty --data data").fails(1, &["empty", "not a whole safetensors file"]);
    place.run("eval nothing --data data").fails(1, &["cannot read nothing"]);
    place.run("eval data --data data").fails(1, &["cannot read data/model.safetensors"]);
    place.run("predict nothing a.png").fails(1, &["cannot read nothing"]);
    place.train("--optimizer sgd --learning-rate 1e30 --out run");
    place.run("eval run --data data").fails(1, &["run has no model: not one epoch"]);
    // The network of such a run is known all the same.
    let of_run = place.run("summary run").succeeds().stdout;
    assert_eq!(place.run("summary run/run.toml").succeeds().stdout, of_run);
    place.write("empty.toml", "");
    place.run("summary empty.toml").fails(2, &["empty.toml"]);
    place.write("usual.toml", "epochs = 3\n");
    assert!(place.run("summary usual.toml").succeeds().stdout.contains("44,426"));
    place.write("none.toml", "epochs = 0\n");
    place.run("summary none.toml").fails(2, &["none.toml", "`epochs`"]);
    place.write("wrong.toml", "network = \"lenett\"\n");
    place.run("summary wrong.toml").fails(2, &["`lenett` is neither a preset"]);
}

#[test]
fn a_summary_has_a_row_a_layer_and_totals() {
    let place = Place::new();
    let text = place.run("summary lenet").succeeds().stdout;
    let total = text.lines().find(|line| line.starts_with("total")).unwrap();
    assert_eq!(total.split_whitespace().collect::<Vec<_>>(), ["total", "44,426", "281,640"]);
    let first = text.lines().find(|line| line.starts_with("conv.0")).unwrap();
    assert!(first.contains("conv2d") && first.contains("[6, 24, 24]") && first.contains("86,400"), "{first}");
    let json = object(&place.run("summary lenet-3x3 --json").succeeds().stdout);
    assert_eq!(json["parameters"], 43_414);
    assert_eq!(json["layers"][0]["output"], serde_json::json!([2, 26, 26]));
    place.run("summary lenet5").fails(2, &["`lenet5` is neither a preset"]);
    place
        .run("summary data/train-labels-idx1-ubyte")
        .fails(2, &["train-labels-idx1-ubyte", "TOML parse error"]);
}

#[test]
fn a_model_is_exported_by_the_ending_of_the_file() {
    let place = Place::new();
    place.train("--epochs 1 --out run").succeeds();
    place.run("export run lenet.onnx").succeeds();
    let onnx = fs::read(place.path("lenet.onnx")).unwrap();
    let has = |text: &str| onnx.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("conv.3.weight") && has(r#"["0","1","2","3","4","5","6","7","8","9"]"#) && has("logits"));
    place.run("export run/model.safetensors --to onnx other").succeeds();
    assert!(fs::read(place.path("other")).unwrap() == onnx);

    let said = place.run("export run lenet.py").succeeds().stdout;
    assert!(said.contains("lenet.safetensors, ") && said.contains("lenet.py, "), "{said}");
    assert!(place.read("lenet.py").contains("class Lenet(nn.Module):"));
    let weights = fs::read(place.path("lenet.safetensors")).unwrap();
    let model = fs::read(place.path("run/model.safetensors")).unwrap();
    assert!(weights == model);
    place.run("export run plain.safetensors").succeeds();
    place.run("eval plain.safetensors --data data").succeeds();

    // Beside the model itself, which stays as it is.
    let before = fs::metadata(place.path("run/model.safetensors")).unwrap().modified().unwrap();
    place.run("export run run/model.py").succeeds();
    assert_eq!(fs::metadata(place.path("run/model.safetensors")).unwrap().modified().unwrap(), before);
}

#[test]
fn exports_that_cannot_be_are_refused() {
    let place = Place::new();
    place.train("--epochs 1 --out run").succeeds();
    std::fs::create_dir(place.path("folder.py")).unwrap();
    let cases = [
        ("export run lenet", 2, "lenet does not end in .onnx, .py or .safetensors; say with --to which"),
        ("export run --to pytorch lenet.pt", 2, "lenet.pt does not end in .py"),
        ("export run --to keras lenet", 2, "'keras'"),
        ("export run run/model.safetensors", 2, "run/model.safetensors is the model that is exported"),
        ("export run/../run --to onnx ./run/model.safetensors", 2, "is the model that is exported"),
        ("export nothing lenet.onnx", 1, "cannot read nothing"),
        ("export run no/lenet.onnx", 1, "cannot write no/lenet.onnx"),
        ("export run --to onnx lenet.py", 2, "lenet.py has the ending of another format than --to asks for"),
        ("export run folder.py", 1, "cannot write folder.py"),
        ("export data lenet.onnx", 1, "cannot read data/model.safetensors"),
    ];
    for (arguments, code, said) in cases {
        place.run(arguments).fails(code, &[said]);
    }
    assert!(!place.path("lenet.onnx").exists() && !place.path("folder.safetensors").exists());
    let stdout = std::fs::File::create(place.path("redirected")).unwrap();
    let mut command = place.command("export run /dev/stdout --to safetensors");
    let output = command.stdout(stdout).output().unwrap();
    assert!(output.status.success() && output.stderr.starts_with(b"/dev/stdout, "));
    place.run("eval redirected --data data").succeeds();
}
