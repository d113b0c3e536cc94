//! Studies on the page: one whose trials this test tries itself, and one that trains.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::browser::Browser;

/// Trials of [`TOLD`].
const N_TOLD: u64 = 40;

/// What is tried is a function of its parameters.
const TOLD: &str = r#"
version = 1
name = "told"
objectives = [{ name = "loss", direction = "minimize" }]
sampler = "random"
budget = { trials = 50 }
parameter = [
    { name = "rate", float = { low = 1e-4, high = 0.1, scale = "log" } },
    { name = "width", int = { low = 4, high = 64 } },
    { name = "optimizer", choices = ["sgd", "adam"] },
    { name = "momentum", float = { low = 0.0, high = 0.99 }, when = { optimizer = "sgd" } },
]
"#;

/// Two trials that learn from a tenth of the images, and the better one trained again.
const TRAINED: &str = r#"
version = 1
name = "trained"
objectives = ["validation_accuracy"]
sampler = "random"
budget = { trials = 2 }
retrain = { best = 1, seeds = 1 }
run = { network = "lenet", epochs = 1, validation = 0.9 }

[[parameter]]
name = "batch_size"
key = "batch_size"
int = { low = 32, high = 128, step = 32 }
"#;

fn danlu(studies: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_danlu"));
    command.args(arguments).arg("--studies").arg(studies);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes both studies.
pub(crate) fn make(studies: &Path) {
    let file = |name: &str, text: &str| {
        let path = studies.with_file_name(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let asked = danlu(studies, &["study", "ask", &file("told.toml", TOLD), "-n", &N_TOLD.to_string()], "");
    let told: String = asked.lines().map(|line| tell(&serde_json::from_str(line).unwrap())).collect();
    danlu(studies, &["study", "tell", "told"], &told);
    danlu(studies, &["study", "run", "--quiet", &file("trained.toml", TRAINED)], "");
}

/// Three values on the way and what it came to; every tenth fails.
fn tell(asked: &Value) -> String {
    let trial = asked["trial"].as_u64().unwrap();
    if trial % 10 == 9 {
        return format!("{}\n", json!({ "trial": trial, "state": "failed", "reason": "a made up failure" }));
    }
    let rate = asked["params"]["rate"].as_f64().unwrap();
    let width = asked["params"]["width"].as_f64().unwrap();
    let loss = (rate.log10() + 2.0).powi(2) + (width - 40.0).powi(2) / 400.0;
    let step = |step: u32| json!({ "trial": trial, "step": step, "value": loss + 1.0 / f64::from(step) });
    let lines = [step(1), step(2), step(3), json!({ "trial": trial, "values": [loss] })];
    lines.map(|line| format!("{line}\n")).concat()
}

/// The list, every chart of the told study, and its table.
pub(crate) async fn look(page: &Browser) {
    page.click("[data-test=nav-studies]").await;
    page.until("document.querySelectorAll('.studies tbody tr').length === 2").await;
    page.shot("studies").await;
    page.click(".studies a[href='#/studies/told']").await;
    page.until("document.querySelector('[data-part=history] .chart')?.dataset.trials === '40'").await;
    page.until("document.querySelectorAll('[data-part=history] .scatterlayer .trace').length === 3").await;
    page.shot("study").await;
    let drawn = [
        ("intermediate", ".scatterlayer .trace"),
        ("importance", ".importance-bars li"),
        ("contour", ".contourlayer .contour"),
        ("parallel", "canvas[data-lines='36']"),
        ("slices", "[data-slices='4'] .scatterlayer .trace"),
        ("timeline", "[data-bars='40'] .barlayer .trace"),
        ("trials", "tbody tr"),
        ("about", ".space tbody tr"),
    ];
    for (part, there) in drawn {
        page.value(&format!("document.querySelector('[data-part={part}]').scrollIntoView()")).await;
        page.find(&format!("[data-part={part}] {there}")).await;
    }
    page.value("document.querySelector('[data-part=parallel]').scrollIntoView()").await;
    page.shot("study-parallel").await;
    page.draw("[data-axis=rate]", &[(0.0, 20.0), (0.0, 120.0)]).await;
    page.until("Number(document.querySelector('.parallel canvas').dataset.lines) < 36").await;
    table(page).await;
}

/// The failed ones, one of which is opened.
async fn table(page: &Browser) {
    page.value("document.querySelector('#trial-state').scrollIntoView()").await;
    page.until("document.querySelectorAll('.trials tbody tr').length === 25").await;
    page.click("#trial-state option[value=failed]").await;
    page.until("document.querySelectorAll('.trials tbody tr').length === 4").await;
    page.fill("#trial-search", "#19").await;
    page.until("document.querySelectorAll('.trials tbody tr').length === 1").await;
    page.shot("study-table").await;
    page.click("[data-trial='19'] a").await;
    page.until("location.hash === '#/studies/told/trials/19'").await;
    let failure = page.find(".failure").await.text().await.unwrap();
    assert_eq!(failure, "a made up failure");
}

/// A trial that trained, as blocks and as a run; and the best trained again.
pub(crate) async fn open_a_trial(page: &Browser) {
    page.value("location.hash = '#/studies/trained'").await;
    page.find("[data-part=report] tbody tr").await;
    page.find(".state.finished").await;
    page.value("location.hash = '#/studies/trained/trials/1'").await;
    page.find(".curve-body .scatterlayer .trace").await;
    page.shot("trial").await;
    page.click("[data-test=as-blocks]").await;
    page.until("document.querySelectorAll('.block').length === 12").await;
    page.value("history.back()").await;
    page.click("[data-test=as-run]").await;
    page.until("location.hash === '#/runs/study~trained~0001'").await;
    page.find("[data-figure=validation_accuracy]").await;
    page.find(".run-head .actions a[href='#/studies/trained/trials/1']").await;
    assert_eq!(page.value("document.querySelectorAll('.run-head button').length").await, json!(0));
    page.shot("trial-run").await;
}
