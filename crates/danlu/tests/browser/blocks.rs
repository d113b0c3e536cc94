//! Edits of a network of blocks whose outcome depends on when they come.

use serde_json::json;

use crate::browser::Browser;

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
