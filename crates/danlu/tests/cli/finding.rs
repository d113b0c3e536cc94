//! The search for a learning rate.

use serde_json::Value;

use crate::support::Place;

#[test]
fn a_sweep_prints_a_table_and_a_suggestion_and_draws_the_curve() {
    let place = Place::new();
    let sweep = "lr-find --data data --batch-size 64 --from 1e-4 --to 10 --steps 80";
    let ran = place.run(sweep).succeeds();
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["learning", "rate", "loss", "smoothed"]);
    assert!(lines[1].trim_start().starts_with("1.0e-4  2.3"), "{}", lines[1]);
    assert!((10..25).contains(&lines.len()), "{}", ran.stdout);
    let last = lines.last().unwrap();
    assert!(last.starts_with("try --learning-rate ") && last.contains("falls most steeply"), "{last}");
    assert_eq!(ran.stderr, "the curve is in lr-find.svg\n");
    let svg = place.read("lr-find.svg");
    for words in ["<svg", "learning rate", "smoothed", "steepest", "</svg>"] {
        assert!(svg.contains(words), "{words}");
    }

    let json = place.run(&format!("{sweep} --json --plot other.svg --threads 1")).succeeds();
    assert_eq!(json.stderr, "");
    let object: Value = serde_json::from_str(&json.stdout).unwrap();
    let points = object["points"].as_array().unwrap();
    assert!((30..=80).contains(&points.len()), "{}", points.len());
    let suggestion = object["suggestion"].as_f64().unwrap();
    assert!((1e-4..0.3).contains(&suggestion), "{suggestion}");
    assert!(last.contains(&format!("{suggestion:.1e}")), "{last}");
    assert_eq!(place.read("other.svg"), svg);
    // No run was begun.
    assert!(!place.path("runs").exists());
}

#[test]
fn a_sweep_follows_a_run_file_and_refuses_what_makes_no_sense() {
    let place = Place::new();
    place.write(
        "run.toml",
        "data = \"data\"\nbatch_size = 64\noptimizer = \"sgd\"\nnetwork = \"lenet-3x3\"\n",
    );
    let json = place.run("lr-find run.toml --steps 20 --json").succeeds();
    let object: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&object["network"], object["points"].as_array().unwrap().len()), (&"lenet-3x3".into(), 20));
    place
        .run("lr-find run.toml --from 1 --to 0.1")
        .fails(2, &["learning rates from 1.0 to 0.1 cannot be tried"]);
    place.run("lr-find run.toml --from 0").fails(2, &["cannot be tried"]);
    place.run("lr-find run.toml --from 1e-320").fails(2, &["cannot be tried"]);
    place.run("lr-find run.toml --to 1e308").fails(2, &["cannot be tried"]);
    place.run("lr-find run.toml --steps 1").fails(2, &["--steps"]);
    place.run("lr-find --data nowhere").fails(2, &["`nowhere` is neither the name of a data set"]);
    // Before any data is looked for.
    place.run("lr-find --data data --batch-size 64 --steps 20 --plot lr.PNG").succeeds();
    assert!(std::fs::read(place.path("lr.PNG")).unwrap().starts_with(b"\x89PNG"));
    let course = "--patience 2 --average 0.9 --schedule one_cycle";
    place.run(&format!("lr-find --data data --batch-size 64 --steps 20 {course}")).succeeds();
    place.run("lr-find --data data --plot lr.jpg").fails(2, &["must end in .svg or .png"]);
    let said = ["data/train-images-idx3-ubyte is a file of the data set"];
    place.run("lr-find --data data --plot data/train-images-idx3-ubyte").fails(2, &said);
    place.run("lr-find --data nowhere --plot data").fails(1, &["cannot write data", "is a directory"]);
    place.run("lr-find --data nowhere --plot no/a.svg").fails(1, &["cannot write no/a.svg", "No such file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_plot_that_cannot_be_written_does_not_take_the_table_with_it() {
    let place = Place::new();
    let ran = place.run("lr-find --data data --batch-size 64 --steps 20 --plot /dev/full");
    let ran = ran.fails(1, &["cannot write /dev/full"]);
    assert!(ran.stdout.trim_start().starts_with("learning rate"), "{}", ran.stdout);
}
