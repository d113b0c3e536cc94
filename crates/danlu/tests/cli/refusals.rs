//! What is refused, how it is told, and with which exit code.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use spec::RunState;

use crate::support::{Place, Ran};

#[test]
fn wrong_usage_is_told_by_flag_or_key() {
    let place = Place::new();
    let cases = [
        ("--epochs 0", "`epochs` is 0"),
        ("--epochs -1", "--epochs"),
        ("--epochs many", "--epochs"),
        ("--batch-size 0", "`batch_size` is 0"),
        ("--threads 0", "`threads` is 0"),
        ("--threads 5000", "`threads` is 5000"),
        ("--learning-rate nan", "learning_rate"),
        ("--learning-rate 0", "learning_rate"),
        ("--learning-rate -0.1", "learning_rate"),
        ("--seed -1", "--seed"),
        ("--seed 9223372036854775808", "`seed` is 9223372036854775808"),
        ("--optimizer lamb", "adam, adamw, sgd or rmsprop"),
        ("--schedule linear", "constant, step, cosine or one_cycle"),
        ("--schedule one_cycle --warm-up-epochs 1", "`warm_up_epochs` is 1.0, but must be absent"),
        ("--normalization whiten", "unit or standard"),
        ("--validation 1", "`validation` is 1.0, but must be a number from 0 to below 1"),
        ("--average 1", "`average.decay` is 1.0, but must be"),
        ("--patience 0", "`early_stopping.patience` is 0"),
        ("--shift 28", "`augment.shift` is 28, but must be below the shorter side"),
        ("--mixup -1", "`augment.mixup.alpha` is -1.0"),
        ("--shuffle maybe", "--shuffle"),
        ("--network lenet5", "`lenet5` is neither a preset (lenet, lenet-3x3, lenet-3x3-se,"),
        ("--wrong", "--wrong"),
    ];
    for (flags, expected) in cases {
        place.train(flags).fails(2, &[expected]);
    }
    for flags in ["--live --json", "--live --quiet"] {
        place.train(flags).fails(2, &["--live", "cannot be used with"]);
    }
    place.write("run.toml", "data = \"data\"\njson = true\n");
    place.run("train run.toml --live").fails(2, &["--live shows the run on a full screen, and `json`"]);
    place.run("fly").fails(2, &["fly"]);
    place.run("eval nothing --threads 0").fails(2, &["--threads", "must be from 1 to 1024"]);
    place.run("predict nothing a.png --top 0").fails(2, &["--top"]);
    place.run("data fetch mnist").fails(2, &["`mnist` is no data set"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn an_unknown_instruction_set_is_wrong_usage() {
    let place = Place::new();
    let output = place.command("train --data data").env("DANLU_ISA", "mmx").output().unwrap();
    Ran::of(output).fails(2, &["DANLU_ISA", "`mmx`", "plain"]);
}

#[test]
fn a_run_file_with_a_mistake_is_shown() {
    let place = Place::new();
    place.write("run.toml", "data = \"data\"\nepochz = 3\n");
    place.run("train run.toml").fails(2, &["run.toml", "line 2", "unknown field `epochz`", "^^^^^^"]);
    place.write("run.toml", "epochs = 0\n");
    place.run("train run.toml").fails(2, &["`epochs` is 0"]);
    place.write("run.toml", "data = \"data\"\nout = \"\"\n");
    place.run("train run.toml").fails(2, &["`out` is \"\"", "the path of a folder"]);
    place.write("run.toml", b"data = \"\xff\"\n");
    place.run("train run.toml").fails(1, &["run.toml is not text in UTF-8: byte 8"]);
    place.write("run.toml", "network = \"nowhere.toml\"\n");
    place.run("train run.toml").fails(2, &["`nowhere.toml` is neither a preset"]);
    place.write("run.toml", "network = \"data\"\n");
    place.run("train run.toml").fails(1, &["cannot read data", "directory"]);
    place.run("train data").fails(1, &["cannot read data", "directory"]);
    place.run("train missing.toml").fails(1, &["cannot read missing.toml", "No such file"]);
}

#[test]
fn a_mistake_is_told_of_the_file_only_if_it_stands_there() {
    let place = Place::new();
    place.write("run.toml", "data = \"data\"\nepochs = 1\nschedule = \"one_cycle\"\n");
    let cases = [
        ("--epochs 0", "error: `epochs` is 0"),
        ("--warm-up-epochs 1", "error: `warm_up_epochs` is 1.0"),
        ("--network lenet5", "error: `network` \"lenet5\" cannot be used"),
    ];
    for (flags, said) in cases {
        let ran = place.run(&format!("train run.toml {flags}")).fails(2, &[said]);
        assert!(!ran.stderr.contains("run.toml"), "{}", ran.stderr);
    }
    place.write("run.toml", "data = \"data\"\nepochs = 0\n");
    place.run("train run.toml --batch-size 32").fails(2, &["cannot use run.toml", "`epochs` is 0"]);
}

#[test]
fn a_file_with_the_line_ends_of_windows_is_quoted_as_it_looks() {
    let place = Place::new();
    place.write("run.toml", "data = \"data\"\r\nepochz = 3\r\n");
    let ran = place.run("train run.toml").fails(2, &["epochz = 3\n"]);
    assert!(!ran.stderr.contains(['\r', '\u{fffd}']), "{}", ran.stderr);
}

#[test]
fn a_network_that_does_not_fit_is_refused_before_data_is_read() {
    let place = Place::new();
    let network = |layer: &str| {
        format!(
            "name = \"n\"\ninput = [1, 28, 28]\nclasses = 10\n[[node]]\nname = \"bad\"\nlayer = {layer}\n"
        )
    };
    place.write("net.toml", network("{ conv2d = { out_channels = 6, kernel = 29 } }"));
    let said = ["the network `n`", "`bad`", "29×29", "[1, 28, 28]", "at most 28×28"];
    place.run("train --network net.toml --data nowhere").fails(2, &said);
    place.write("net.toml", network("{ linear = { out_features = 10 } }"));
    let said = ["`bad`", "flat", "[1, 28, 28]", "[784]"];
    place.run("train --network net.toml --data nowhere").fails(2, &said);
    place.run("summary net.toml").fails(2, &said);
    assert!(!place.path("runs").exists());
}

/// What a training begins with is not written over, and what is not written is not said to be there.
#[test]
fn logs_and_plots_leave_the_inputs_alone() {
    let place = Place::new();
    place.run("train --data data --epochs 1 --quiet --out first").succeeds();
    std::fs::copy(place.path("first/model.safetensors"), place.path("w.safetensors")).unwrap();
    place.write("mine.toml", "data = \"data\"\nepochs = 1\ninit = \"w.safetensors\"\n");
    let (weights, run) = (std::fs::read(place.path("w.safetensors")).unwrap(), place.read("mine.toml"));
    let said = ["is what the training begins with"];
    place.run("train mine.toml --init w.safetensors --steps-log w.safetensors").fails(2, &said);
    place.run("train mine.toml --steps-log mine.toml").fails(2, &said);
    place.run("lr-find mine.toml --plot ./mine.toml").fails(2, &said);
    place.run("train mine.toml --steps-log w.safetensors").fails(2, &said);
    assert_eq!(std::fs::read(place.path("w.safetensors")).unwrap(), weights);
    assert_eq!(place.read("mine.toml"), run);
    let failed =
        place.run("lr-find mine.toml --steps 5 --plot nowhere/curve.svg --json").fails(1, &["nowhere"]);
    assert_eq!(failed.stdout, "");
}

#[test]
fn data_that_does_not_fit_or_is_not_there_leaves_no_folder() {
    let place = Place::new();
    place
        .run("train --data nowhere")
        .fails(2, &["`nowhere` is neither", "nor a folder", "nowhere does not exist"]);
    let said = ["no data set is found in no/where", "no/where does not exist"];
    place.run("train --data no/where").fails(1, &said);
    place.write("run.toml", "data = \"no/where\"\n");
    let ran = place.run("train run.toml").fails(1, &said);
    assert!(!ran.stderr.contains("--data"), "nobody typed it: {}", ran.stderr);
    place.write(
        "net.toml",
        "name = \"n\"\ninput = [1, 8, 8]\nclasses = 10\nnode = [{ layer = \"flatten\" }, \
         { layer = { linear = { out_features = 10 } } }]",
    );
    place.train("--network net.toml").fails(2, &["[1, 8, 8]", "[1, 28, 28]"]);
    let labels = place.path("data/t10k-labels-idx1-ubyte");
    let bytes = fs::read(&labels).unwrap();
    fs::write(&labels, &bytes[..40]).unwrap();
    place.train("").fails(1, &["t10k-labels-idx1-ubyte", "truncated"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn a_place_that_cannot_be_written_to_is_told() {
    let place = Place::new();
    place.write("file", "x");
    place.train("--out file").fails(1, &["file is not a folder"]);
    place.train("--out file/run").fails(1, &["cannot make the folder file/run", "Not a directory"]);
    place.train("--out /proc/danlu-run").fails(1, &["/proc/danlu-run"]);
    place.train("--epochs 1 --steps-log no/steps").fails(1, &["cannot write no/steps"]);
    place.write("runs", "x");
    place.train("--epochs 1").fails(1, &["runs"]);
}

#[test]
fn paths_that_are_no_text_are_no_trouble() {
    let place = Place::new();
    let odd = OsStr::from_bytes(b"odd-\xff");
    let with = |flag: &str, code: i32, said: &[&str]| {
        let mut command = place.command("train --data data --epochs 1 --batch-size 64");
        Ran::of(command.arg(flag).arg(odd).output().unwrap()).fails(code, said);
    };
    with("--out", 0, &["the run is kept in odd-"]);
    with("--data", 2, &["`data` is odd-", "UTF-8"]);
    with("--init", 2, &["`init` is odd-", "UTF-8"]);
    with("--network", 2, &["`network` is odd-", "UTF-8"]);
    let model = place.path("").join(odd);
    let output = place.command("eval --data data").arg(model).output().unwrap();
    Ran::of(output).succeeds();
}

#[test]
fn a_loss_that_diverges_ends_the_run_and_says_so() {
    let place = Place::new();
    let ran = place.train("--optimizer sgd --learning-rate 1e30 --out run");
    ran.fails(
        1,
        &["the run failed in epoch 1", "no epoch is kept in run", "the loss became", "lower learning rate"],
    );
    let RunState::Failed { reason } = place.record("run").state else { panic!("it failed") };
    assert!(reason.starts_with("the loss became"), "{reason}");
    assert!(!place.path("run/model.safetensors").exists());
}

#[test]
fn a_loss_that_is_no_number_before_anything_is_learned_is_not_laid_to_the_learning_rate() {
    let place = Place::new();
    place.train("--epochs 1 --out run").succeeds();
    let mut weights = fs::read(place.path("run/model.safetensors")).unwrap();
    let header_len = u64::from_le_bytes(weights[..8].try_into().unwrap());
    for value in weights[8 + header_len as usize..].as_chunks_mut().0 {
        *value = 1e38_f32.to_le_bytes();
    }
    place.write("w.safetensors", weights);
    let said = ["at the first step, before the first update", "no learning rate helps", "the start weights"];
    let ran = place.train("--init w.safetensors").fails(1, &said);
    assert!(!ran.stderr.contains("lower learning rate"), "{}", ran.stderr);
    place.run("lr-find --data data --init w.safetensors").fails(1, &said);
}

#[test]
fn weights_that_cannot_be_used_are_told_by_file_and_tensor() {
    let place = Place::new();
    place.train("--epochs 1 --out run").succeeds();
    let good = fs::read(place.path("run/model.safetensors")).unwrap();
    let refused = |bytes: &[u8], said: &[&str]| {
        place.write("w.safetensors", bytes);
        place.train("--init w.safetensors").fails(1, said);
        place.train("--init w.safetensors").fails(1, &["w.safetensors"]);
    };
    refused(&good[..good.len() - 1], &["not a whole safetensors file"]);
    refused(&good[..5], &["not a whole safetensors file"]);
    refused(b"", &["not a whole safetensors file"]);
    refused(&[&[0xff; 8][..], &good[8..]].concat(), &["not a whole safetensors file"]);
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    refused(&nan, &["NaN", "tensor `"]);
    let ran = place.train("--network lenet-3x3 --init run/model.safetensors");
    ran.fails(1, &["run/model.safetensors", "tensor `conv.0.weight`", "[6, 1, 5, 5]", "[2, 1, 3, 3]"]);
    place.train("--init missing").fails(1, &["cannot read missing"]);
    place.train("--init data").fails(1, &["cannot read data"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn numbers_that_single_precision_cannot_hold_are_wrong_usage() {
    let place = Place::new();
    place.train("--learning-rate 1e-46").fails(2, &["learning_rate", "1e-46", "single precision"]);
    place.train("--learning-rate 1e39").fails(2, &["learning_rate", "1e39", "single precision"]);
    place.write("run.toml", "data = \"data\"\n[optimizer.adam]\nepsilon = 1e-60\n");
    place.run("train run.toml").fails(2, &["optimizer.adam.epsilon", "1e-60"]);
}

#[test]
fn a_network_for_other_classes_or_pictures_is_refused_before_any_data_is_read() {
    let place = Place::new();
    let network = |size: usize, classes: usize| {
        format!(
            "version = 1\nname = \"other\"\ninput = [1, {size}, {size}]\nclasses = {classes}\n\
             [[node]]\nlayer = \"flatten\"\n[[node]]\nlayer = {{ linear = {{ out_features = {classes} }} }}\n"
        )
    };
    place.write("seven.toml", network(28, 7));
    let wanted = "node `1` (linear) is the last and gives [7], but the data set fashion-mnist has 10 classes";
    place.run("train --network seven.toml").fails(2, &[wanted]);
    place.write("large.toml", network(32, 10));
    let wanted = "the network's input is [1, 32, 32], but the pictures of fashion-mnist are [1, 28, 28]";
    place.run("train --network large.toml").fails(2, &[wanted]);
    assert!(!place.path("runs").exists());
}

/// Batches are normalized by their own variance, which is large, but what is used after training by one that hardly moves from 1.
#[test]
fn an_evaluation_without_numbers_is_no_result() {
    let place = Place::new();
    let layers = [
        "layer = { scaled_tanh = { amplitude = 1e18, slope = 1.0 } }",
        "name = \"b\"\nlayer = { batch_norm2d = { momentum = 1e-30 } }",
        "inputs = [\"b\", \"b\", \"b\"]\nlayer = \"multiply\"",
        "layer = \"flatten\"",
        "layer = { linear = { out_features = 10 } }",
    ];
    let nodes: String = layers.iter().map(|layer| format!("[[node]]\n{layer}\n")).collect();
    place.write("net.toml", format!("name = \"n\"\ninput = [1, 28, 28]\nclasses = 10\n{nodes}"));
    for (part, flags) in [("test", ""), ("validation", "--validation 0.3")] {
        let ran = place.train(&format!("--network net.toml --epochs 1 {flags} --out {part}"));
        ran.fails(1, &["the run failed", &format!("the loss of the {part} samples is NaN")]);
    }
}

#[test]
fn a_run_that_is_refused_changes_no_file() {
    let place = Place::new();
    place.train("--epochs 1 --out o").succeeds();
    place.write("keep.log", "keep");
    place.train("--epochs 1 --out o --steps-log keep.log").fails(2, &["o holds a run (run.toml)"]);
    assert_eq!(place.read("keep.log"), "keep");
    place.train("--epochs 1 --out other --tensorboard events").succeeds();
    let again = "--epochs 1 --out third --tensorboard events --steps-log keep.log";
    place.train(again).fails(2, &["events.out.tfevents.danlu is there"]);
    assert_eq!(place.read("keep.log"), "keep");
    let onto_itself = "--epochs 1 --out third --steps-log third/record.json";
    place.train(onto_itself).fails(2, &["third/record.json is a file of a run"]);
    assert!(!place.path("third").exists());
    let model = fs::read(place.path("o/model.safetensors")).unwrap();
    let own = "--epochs 1 --out o --force --init o/model.safetensors";
    place.train(own).fails(2, &["o/model.safetensors are the model that this run would replace"]);
    assert!(fs::read(place.path("o/model.safetensors")).unwrap() == model);
    place.train("--epochs 1 --out new --steps-log new/steps.log").succeeds();
    assert!(place.read("new/steps.log").lines().count() > 0);
}

#[test]
fn files_of_a_run_are_not_written_over() {
    let place = Place::new();
    place.run("train --epochs 1 --out run").succeeds();
    place.run("train --epochs 1 --seed 2 --out other").succeeds();
    let model = std::fs::read(place.path("run/model.safetensors")).unwrap();
    for command in [
        "export other run/model.safetensors",
        "export other run/model.py",
        "export other --to onnx run/record.json",
        "eval other --logits run/model.safetensors",
        "eval other --logits other/model.safetensors",
        "lr-find --steps 3 --plot run/curves.svg",
    ] {
        place.run(command).fails(2, &["run"]);
    }
    place.write("loose.safetensors", "something else");
    place.run("export run loose.py").fails(2, &["loose.safetensors is there and holds something else"]);
    // The class of a run's own model may lie beside it, and be written again.
    place.run("export run run/model.py").succeeds();
    place.run("export run run/model.py").succeeds();
    assert!(std::fs::read(place.path("run/model.safetensors")).unwrap() == model);
}

#[test]
fn a_device_is_not_read_to_its_end() {
    Place::new().run("train /dev/zero").fails(1, &["/dev/zero has more than 16 MiB"]);
}
