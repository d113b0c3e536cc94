//! Edits of a network of blocks whose outcome depends on when and in which order they come.

use serde_json::json;

use crate::browser::Browser;

/// The sum reads blocks without names, by their places.
const SHORTCUT: &str = r#"
version = 1

[network]
name = "shortcut"
input = [1, 28, 28]
classes = 10
node = [
    { layer = { conv2d = { out_channels = 4, kernel = 3, padding = 1 } } },
    { layer = "relu" },
    { layer = { conv2d = { out_channels = 4, kernel = 3, padding = 1 } } },
    { name = "sum", inputs = ["1", "2"], layer = "add" },
    { name = "mean", layer = "global_avg_pool" },
    { name = "flat", layer = "flatten" },
    { name = "out", layer = { linear = { out_features = 10 } } },
]
"#;

/// In the turn of an edit nothing can be sent to train: the text is that of before.
pub(crate) async fn train_waits_for_the_check(page: &Browser) {
    let edit = "(() => {
        const field = document.querySelector('[data-test=recipe-epochs]');
        field.value = '7';
        field.dispatchEvent(new Event('input', { bubbles: true }));
        const isOff = document.querySelector('[data-test=train]').disabled;
        document.querySelector('.train-form').dispatchEvent(new SubmitEvent('submit', { cancelable: true }));
        return isOff;
    })()";
    page.until("!document.querySelector('[data-test=train]').disabled").await;
    assert_eq!(page.value(edit).await, json!(true), "what was before the edit could be trained");
    page.until("!document.querySelector('[data-test=train]').disabled").await;
    page.until("document.querySelector('[data-test=toml]').value.includes('epochs = 7')").await;
    let sent = "performance.getEntriesByType('resource').some((entry) => entry.name.endsWith('/api/train'))";
    assert_eq!(page.value(sent).await, json!(false), "a run was started");
}

/// A block is put in, moved, doubled and taken out; the sum reads the same two, and all goes on to fit.
pub(crate) async fn readers_keep_what_they_read(page: &Browser) {
    page.value(&format!(
        "(() => {{
            const area = document.querySelector('[data-test=toml]');
            area.value = {};
            area.dispatchEvent(new Event('input', {{ bubbles: true }}));
        }})()",
        json!(SHORTCUT)
    ))
    .await;
    fits(page, 7).await;
    page.click("[data-test='block-0'] [data-act=duplicate]").await;
    fits(page, 8).await;
    let sum = "JSON.stringify([...document.querySelectorAll('[data-test=block-sum] select')].map((one) => one.value))";
    assert_eq!(page.value(sum).await, json!(r#"["1","2"]"#));
    let kinds = "[...document.querySelectorAll('.block')].map((one) => one.dataset.test.slice(6)).join(' ')";
    assert_eq!(page.value(kinds).await, json!("0 conv1 1 2 sum mean flat out"));
    page.click("[data-test='block-2'] [data-act=up]").await;
    page.until(&format!("{kinds} === '0 conv1 2 1 sum mean flat out'")).await;
    fits(page, 8).await;
    page.click("[data-test='block-0'] [data-act=remove]").await;
    fits(page, 7).await;
    assert_eq!(page.value(kinds).await, json!("conv1 2 1 sum mean flat out"));
    assert_eq!(page.value(sum).await, json!(r#"["1","2"]"#));
}

/// So many blocks, checked and without a fault.
async fn fits(page: &Browser, n: usize) {
    page.until(&format!(
        "document.querySelectorAll('.block').length === {n} && document.querySelectorAll('.block.has-output').length === {n} \
         && !document.querySelector('[data-test=train]').disabled"
    ))
    .await;
}
