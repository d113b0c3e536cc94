//! The page in a real browser: built of blocks, trained on real data, looked at, tried and tuned.
//!
//! `make browser` runs it; it needs chromium, chromedriver and Fashion-MNIST. Pictures of each page are left in
//! `target/tmp/screenshots` and `target/tmp/screenshots-search`.

mod blocks;
mod browser;
#[path = "../../../dashboard/tests/api/made_up_search.rs"]
mod made_up_search;
mod processes;
mod searches;
mod studies;

use std::path::Path;

use browser::Browser;
use processes::Listening;
use serde_json::{Value, json};

const DESK: (u32, u32) = (1360, 900);
const PHONE: (u32, u32) = (360, 740);

#[test]
fn a_network_is_built_trained_looked_at_and_tried() {
    let runs = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let studies = other.path().join("studies");
    let dashboard = Listening::dashboard(runs.path(), &studies);
    let driver = Listening::chromedriver();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        let page = Browser::open(&driver.told, shots).await;
        page.goto(&dashboard.told).await;
        start(&page).await;
        blocks::train_waits_for_the_check(&page).await;
        blocks::readers_keep_what_they_read(&page).await;
        open_lenet(&page).await;
        build(&page).await;
        train(&page).await;
        look_at_a_cell(&page).await;
        try_a_drawing(&page).await;
        compare(&page, runs.path()).await;
        replace_a_run(&page, runs.path()).await;
        studies::make(&studies);
        studies::look(&page).await;
        studies::open_a_trial(&page).await;
        keep_pictures(&page).await;
        assert_is_quiet(&page, &dashboard.told).await;
        page.close().await;
    });
}

#[test]
fn a_search_is_looked_at_while_it_grows() {
    let place = tempfile::tempdir().unwrap();
    let studies = place.path().join("studies");
    let mut search = searches::make(&studies);
    let dashboard = Listening::dashboard(&place.path().join("runs"), &studies);
    let driver = Listening::chromedriver();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots-search");
        let page = Browser::open(&driver.told, shots).await;
        page.goto(&dashboard.told).await;
        searches::list(&page).await;
        searches::look(&page).await;
        searches::open_as_blocks(&page).await;
        searches::grow(&page, &studies, &mut search).await;
        searches::family(&page).await;
        searches::keep_pictures(&page).await;
        assert_is_quiet(&page, &dashboard.told).await;
        page.close().await;
    });
}

/// There are no runs; the preset LeNet is opened.
async fn start(page: &Browser) {
    page.find("main .nothing .button").await;
    page.shot("runs-empty").await;
    // A reload would lose this mark.
    page.value("window.loadedOnce = true").await;
    page.click("[data-test=nav-blocks]").await;
    open_lenet(page).await;
}

async fn open_lenet(page: &Browser) {
    page.click("[data-test=preset-lenet]").await;
    page.until("document.querySelectorAll('.block').length === 12").await;
    assert_output(page, "conv.3", "16 × 8 × 8").await;
}

async fn assert_output(page: &Browser, block: &str, output: &str) {
    let text = format!(
        "document.querySelector('[data-test=\"block-{block}\"] [data-test=block-output]').textContent"
    );
    page.until(&format!("{text} === '{output}'")).await;
}

/// A kernel that does not fit turns its block red, with the reason; the text follows; what is mended fits.
async fn build(page: &Browser) {
    let block = "[data-test='block-conv.3']";
    let kernel = format!("{block} [data-test=param-kernel]");
    page.fill(&kernel, "13").await;
    page.until(&format!("document.querySelector(\"{block}\").classList.contains('is-wrong')")).await;
    let reason = page.find(&format!("{block} [data-test=block-error]")).await.text().await.unwrap();
    assert!(reason.contains("13") && reason.contains("12"), "the reason has no sizes: {reason}");
    page.until("document.querySelector('[data-test=train]').disabled").await;
    page.shot("blocks-wrong").await;

    page.fill(&kernel, "3").await;
    assert_output(page, "conv.3", "16 × 10 × 10").await;
    page.until("document.querySelectorAll('.block.is-wrong').length === 0").await;
    page.until("document.querySelector('[data-test=toml]').value.includes('kernel = [3, 3]')").await;
    page.fill(&kernel, "5").await;
    assert_output(page, "conv.3", "16 × 8 × 8").await;
}

/// Notes each number of epochs that the chart has been drawn with.
const WATCH: &str = "(window.drawn = [], new MutationObserver(() => {
    const n = document.querySelector('#curves')?.dataset.epochs;
    if (n > 0 && n !== window.drawn.at(-1)) window.drawn.push(n);
}).observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-epochs'] }))";

/// Two epochs on real data, started from the page; its chart grows where it stands.
async fn train(page: &Browser) {
    // With the library there, and small batches, the first epoch is drawn well before the second ends.
    page.value("import('/assets/plot.js').then((module) => module.plotly()).then(() => true)").await;
    page.value(WATCH).await;
    page.fill("[data-test=recipe-batch_size]", "16").await;
    page.fill("[data-test=recipe-epochs]", "2").await;
    page.fill("[data-test=train-name]", "first").await;
    page.until("!document.querySelector('[data-test=train]').disabled").await;
    page.shot("blocks").await;
    page.click("[data-test=train]").await;
    page.until("location.hash === '#/runs/first'").await;
    page.find(".live-line span").await;
    page.shot("run-learning").await;
    page.until("window.drawn.at(-1) === '2'").await;
    assert_eq!(page.value("window.drawn").await, json!(["1", "2"]), "the chart did not grow by epochs");
    page.until("document.querySelector('.state.finished')").await;
    page.until("document.querySelectorAll('#curves .scatterlayer .trace').length === 3").await;
    assert_eq!(page.value("window.loadedOnce").await, json!(true), "the page was loaded again");
    let accuracy = page.value("document.querySelector('[data-figure=test_accuracy] dd').textContent").await;
    let percent: f64 = accuracy.as_str().unwrap().trim_end_matches('%').parse().unwrap();
    assert!(percent > 60.0, "LeNet tells {percent} % apart after two epochs");
}

/// Shirts that are taken for T-shirts, from the confusion matrix.
async fn look_at_a_cell(page: &Browser) {
    page.until("document.querySelectorAll('.matrix button').length === 100").await;
    // The matrix follows the last epoch a moment later: its diagonal is then the test accuracy.
    page.until(
        "Math.abs([...document.querySelectorAll('.matrix .right')].reduce((sum, cell) => sum + Number(cell.textContent.replace(',', '')), 0) / 100 \
         - parseFloat(document.querySelector('[data-figure=test_accuracy] dd').textContent)) < 0.006",
    )
    .await;
    page.find("[data-test=maps]").await;
    page.shot("run").await;
    let count = page.find("[data-cell='6,0']").await.text().await.unwrap();
    page.click("[data-cell='6,0']").await;
    page.until("document.querySelector('dialog[open] .tile img')?.naturalWidth === 28").await;
    let title = page.find("#images-title").await.text().await.unwrap();
    assert!(title.contains("Shirt") && title.contains(&count), "{title} is not of the cell with {count}");
    page.shot("run-cell").await;
    page.click("dialog[open] header button").await;
}

/// A drawing gets bars that sum to one, and the maps of each layer.
async fn try_a_drawing(page: &Browser) {
    page.click(".run-head a[href='#/try/first']").await;
    page.draw("[data-test=draw]", &[(-70.0, -90.0), (70.0, -90.0), (60.0, 90.0), (0.0, 0.0), (-60.0, 90.0)])
        .await;
    page.until("document.querySelectorAll('[data-test=bars] li').length === 10").await;
    page.until("document.querySelectorAll('[data-test=maps] canvas').length > 50").await;
    let sum = page
        .value("[...document.querySelectorAll('.bar-fill')].reduce((sum, bar) => sum + Number(bar.style.getPropertyValue('--share')), 0)")
        .await;
    assert!((sum.as_f64().unwrap() - 1.0).abs() < 1e-3, "the bars sum to {sum}");
    page.shot("try").await;
}

/// The run and a copy of its folder.
async fn compare(page: &Browser, runs: &Path) {
    std::fs::create_dir(runs.join("second")).unwrap();
    for entry in std::fs::read_dir(runs.join("first")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, runs.join("second").join(path.file_name().unwrap())).unwrap();
    }
    page.value("location.hash = '#/compare?run=first&run=second'").await;
    page.until("document.querySelectorAll('.chart .scatterlayer .trace').length === 2").await;
    page.shot("compare").await;
}

/// The copy becomes another run, with one epoch; its page, which is open, is that run's then.
async fn replace_a_run(page: &Browser, runs: &Path) {
    page.value("location.hash = '#/runs/second'").await;
    page.until("document.querySelector('#curves')?.dataset.epochs === '2'").await;
    let path = runs.join("second/record.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record["epochs"].as_array_mut().unwrap().truncate(1);
    let beside = path.with_extension("new");
    std::fs::write(&beside, record.to_string()).unwrap();
    std::fs::rename(&beside, &path).unwrap();
    page.until("document.querySelector('#curves')?.dataset.epochs === '1'").await;
    page.until("document.querySelector('[data-figure=epochs] dd')?.textContent.startsWith('1 ')").await;
}

/// Pages (name, hash, what is there) on a telephone and in the dark, where each fits; then the page speaks Chinese.
async fn turn_to_chinese(page: &Browser, pages: &[(&str, &str, &str)]) {
    for (name, hash, there) in pages {
        for (how, (width, height), colors) in [("phone", PHONE, "light"), ("dark", DESK, "dark")] {
            page.look(width, height, colors).await;
            page.value(&format!("location.hash = '{hash}'")).await;
            page.find(there).await;
            let wide = page.value("document.documentElement.scrollWidth").await;
            assert!(wide.as_u64().unwrap() <= u64::from(width), "{name} is {wide} pixels wide on {width}");
            page.shot(&format!("{name}-{how}")).await;
        }
    }
    page.look(DESK.0, DESK.1, "light").await;
    page.click("#language").await;
}

/// Each page on a telephone, in the dark and in Chinese.
async fn keep_pictures(page: &Browser) {
    let pages = [
        ("runs", "#/runs", ".runs tbody tr"),
        ("run", "#/runs/first", ".matrix button"),
        ("studies", "#/studies", ".studies tbody tr"),
        ("study", "#/studies/told", "[data-part=history] .chart[data-trials]"),
        ("trial", "#/studies/told/trials/3", ".curve-body .scatterlayer"),
        ("blocks", "#/blocks", ".block"),
        ("try", "#/try/first?index=9", ".map"),
    ];
    turn_to_chinese(page, &pages).await;
    for (name, hash, there) in pages {
        page.value(&format!("location.hash = '{hash}'")).await;
        page.find(there).await;
        page.shot(&format!("{name}-chinese")).await;
    }
    assert_eq!(page.value("document.documentElement.lang").await, json!("zh-Hans"));
}

/// Nothing is in the console, and nothing was asked of another host.
async fn assert_is_quiet(page: &Browser, address: &str) {
    let said = page.console().await;
    assert!(said.is_empty(), "the console says {}", said.join("\n"));
    let asked = page.value("performance.getEntriesByType('resource').map((entry) => entry.name)").await;
    let elsewhere = |name: &&serde_json::Value| {
        let name = name.as_str().unwrap_or_default();
        !name.starts_with(address) && !name.starts_with("data:") && !name.starts_with("blob:")
    };
    let others: Vec<_> = asked.as_array().unwrap().iter().filter(elsewhere).collect();
    assert!(others.is_empty(), "{others:?} were asked for");
}
