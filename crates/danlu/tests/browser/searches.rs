//! Architecture searches on the page, over searches that are made up.

use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::browser::Browser;
use crate::made_up_search::{How, MadeUp};
use crate::turn_to_chinese;

const N_LEARNED: usize = 240;
const N_BIG: usize = 10_000;

/// A search that learns, one that evolves, one without children and a large one.
pub(crate) fn make(studies: &Path) -> MadeUp {
    MadeUp::begin(How::Evolved, studies, "evolved", 160);
    MadeUp::begin(How::Evolved, studies, "empty", 0);
    MadeUp::begin(How::Evolved, studies, "big", N_BIG);
    MadeUp::begin(How::Learned, studies, "learned", N_LEARNED)
}

/// The list, from the navigation and from the studies.
pub(crate) async fn list(page: &Browser) {
    page.click("[data-test=nav-studies]").await;
    page.find(".studies a.tag[href='#/search/learned']").await;
    page.click("[data-test=nav-search]").await;
    page.until("document.querySelectorAll('.studies tbody tr').length === 4").await;
    page.shot("searches").await;
    page.click(".studies a[href='#/search/learned']").await;
}

/// Brings a part into view and waits for what it draws.
async fn drawn(page: &Browser, part: &str, there: &str) {
    page.find(&format!("[data-part={part}]")).await;
    page.value(&format!("document.querySelector('[data-part={part}]').scrollIntoView()")).await;
    page.find(&format!("[data-part={part}] {there}")).await;
}

/// Every chart of the search that learns.
pub(crate) async fn look(page: &Browser) {
    page.until("document.querySelector('[data-part=rewards] .chart')?.dataset.children === '234'").await;
    page.until("document.querySelectorAll('[data-part=rewards] .scatterlayer .trace').length >= 4").await;
    page.find("[data-test=child] svg.network").await;
    page.shot("search").await;
    page.click("[data-test=rewards-by] option[value=time]").await;
    page.find("[data-part=rewards] .chart[data-by=time]").await;
    page.click("[data-test=rewards-by] option[value=number]").await;
    page.find("[data-part=rewards] .chart[data-by=number]").await;
    let charts = [
        ("gallery", "tbody tr:nth-child(10) svg.network"),
        ("entropy", "[data-steps='30'] .scatterlayer .trace:nth-child(5)"),
        ("quantiles", "[data-steps='30'] .scatterlayer .trace:nth-child(6)"),
        ("unique", "[data-steps='30'] .scatterlayer .trace:nth-child(3)"),
        ("decisions", "[data-kinds='7'] .scatterlayer .trace"),
        ("costs-parameters", "[data-front] .scatterlayer .trace:nth-child(2)"),
        ("costs-multiply_adds", "[data-front] .scatterlayer .trace:nth-child(2)"),
    ];
    for (part, there) in charts {
        drawn(page, part, there).await;
    }
    page.shot("search-costs").await;
    drawn(page, "decisions", ".chart").await;
    page.shot("search-decisions").await;
    page.click("[data-test=decisions-layer] option[value='0']").await;
    page.find("[data-part=decisions] [data-kinds='5']").await;
}

/// Position of a child's dot from the middle of the chart's plane, in pixels.
const DOT: &str = "(() => {
    const chart = document.querySelector('[data-part=rewards] .chart');
    const { xaxis, yaxis } = chart._fullLayout;
    const trace = chart.data.find((trace) => trace.mode === 'markers');
    const at = trace.customdata.indexOf(200);
    return [xaxis.d2p(trace.x[at]) - xaxis._length / 2, yaxis.d2p(trace.y[at]) - yaxis._length / 2];
})()";

/// A dot shows its child when it is pointed at, and a press opens the network as blocks; so does the picture, by mouse and
/// by keys.
pub(crate) async fn open_as_blocks(page: &Browser) {
    page.value("scrollTo(0, 0)").await;
    page.find("[data-part=rewards] .nsewdrag").await;
    let dot = page.value(DOT).await;
    let dot = [0, 1].map(|at| dot[at].as_f64().unwrap());
    page.point("[data-part=rewards] .nsewdrag", (dot[0], dot[1])).await;
    page.find("[data-part=rewards] [data-child='200'] svg.network").await;
    page.shot("search-child").await;
    page.draw("[data-part=rewards] .nsewdrag", &[(dot[0], dot[1])]).await;
    page.until("location.hash.startsWith('#/blocks')").await;
    page.until("document.querySelectorAll('.block').length > 6").await;
    page.find("[data-test='block-0.conv']").await;
    page.shot("search-blocks").await;
    page.value("location.hash = '#/search/learned'").await;
    drawn(page, "gallery", "tbody tr:nth-child(3) .picture").await;
    let picture = page.find("[data-part=gallery] tbody tr:nth-child(3) .picture").await;
    picture.send_keys("\u{e007}").await.unwrap();
    page.until("location.hash.startsWith('#/blocks')").await;
    page.find("[data-test='block-0.conv']").await;
    page.until("document.querySelectorAll('.block.is-wrong').length === 0").await;
}

/// Children that are added appear where they belong.
pub(crate) async fn grow(page: &Browser, studies: &Path, search: &mut MadeUp) {
    page.value("location.hash = '#/search/learned'").await;
    page.find("[data-part=rewards] .chart[data-children='234']").await;
    search.go_on(&studies.join("learned"), "learned", 16);
    page.until("document.querySelector('[data-figure=trials] dd').textContent === '256'").await;
    page.find("[data-part=rewards] .chart[data-children='250']").await;
    drawn(page, "entropy", "[data-steps='32']").await;
}

/// The family tree of the search that evolves, and ten thousand of its kind.
#[expect(clippy::print_stdout, reason = "a test says what it measured")]
pub(crate) async fn family(page: &Browser) {
    page.value("location.hash = '#/search/evolved'").await;
    page.find("[data-part=rewards] .chart[data-children]").await;
    drawn(page, "family", "[data-children='156'] .scatterlayer .trace:nth-child(4)").await;
    page.until("Number(document.querySelector('.family-chart').dataset.line) > 1").await;
    page.find("[data-part=family] [data-test=child] svg.network").await;
    page.shot("search-family").await;
    let start = Instant::now();
    page.value("location.hash = '#/search/big'").await;
    page.find("[data-part=rewards] .chart[data-children='9730']").await;
    println!("the first chart of {N_BIG} children: {:.1} s", start.elapsed().as_secs_f64());
    let shown = page.value("document.querySelector('[data-part=rewards] .chart').data.reduce((n, trace) => n + trace.x.length, 0)").await;
    assert!(shown.as_u64().unwrap() < 4000, "{shown} points are drawn");
    for part in ["entropy", "decisions", "family", "costs-parameters"] {
        drawn(page, part, ".scatterlayer .trace").await;
    }
    println!("all charts of {N_BIG} children: {:.1} s", start.elapsed().as_secs_f64());
    page.value("location.hash = '#/search/empty'").await;
    page.until("document.querySelectorAll('.nothing-yet').length > 2").await;
}

/// On a telephone, in the dark and in Chinese.
pub(crate) async fn keep_pictures(page: &Browser) {
    let pages = [
        ("searches", "#/search", ".studies tbody tr"),
        ("search", "#/search/evolved", "[data-test=child] svg.network"),
    ];
    turn_to_chinese(page, &pages).await;
    page.until("document.querySelector('#h-rewards')?.textContent === '子网络'").await;
    page.find("[data-test=child] svg.network").await;
    let words = page.value("document.querySelector('main').innerText").await;
    assert!(!words.as_str().unwrap().contains("search."), "a key stands in place of its words");
    page.shot("search-chinese").await;
    assert_eq!(page.value("document.documentElement.lang").await, json!("zh-Hans"));
}
