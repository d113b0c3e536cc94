//! A headless Chromium, driven through WebDriver.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// What is waited for comes within this, or the test fails.
const PATIENCE: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(50);

/// A window with the page.
pub(crate) struct Browser {
    client: Client,
    shots: PathBuf,
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Chromium {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Chromium {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    /// Opens a window; pictures of it go into a folder that is made afresh.
    pub(crate) async fn open(driver_port: &str, shots: PathBuf) -> Self {
        // No name but this machine's resolves: what is asked of another host fails and shows up in the console.
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--hide-scrollbars",
            "--lang=en-US",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ]);
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.as_object().unwrap().clone());
        let client = builder.connect(&format!("http://127.0.0.1:{driver_port}")).await.unwrap();
        let _ = std::fs::remove_dir_all(&shots);
        std::fs::create_dir_all(&shots).unwrap();
        let browser = Self { client, shots };
        browser.look(1360, 900, "light").await;
        browser
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }

    pub(crate) async fn goto(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// Sets the window's size and the colors that the system prefers.
    pub(crate) async fn look(&self, width: u32, height: u32, colors: &str) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.chromium("Emulation.setDeviceMetricsOverride", size).await;
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": colors },
            // A picture in the midst of a change of colors shows neither.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.chromium("Emulation.setEmulatedMedia", media).await;
    }

    async fn chromium(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.client.issue_cmd(Chromium { path: "goog/cdp/execute", body }).await.unwrap();
    }

    /// Waits for an element.
    pub(crate) async fn find(&self, selector: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE).every(POLL);
        let found = wait.for_element(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("there is no {selector}: {error}"))
    }

    pub(crate) async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        element.click().await.unwrap_or_else(|error| panic!("{selector} cannot be clicked: {error}"));
    }

    /// Types in place of what a field holds, and leaves it.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let (control, release, tab) = ('\u{e009}', '\u{e000}', '\u{e004}');
        let field = self.find(selector).await;
        field.send_keys(&format!("{control}a{release}{text}{tab}")).await.unwrap();
    }

    /// The value of an expression.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        self.client.execute(&format!("return {expression}"), Vec::new()).await.unwrap()
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&self, expression: &str) {
        let start = Instant::now();
        while self.value(&format!("Boolean({expression})")).await != json!(true) {
            if start.elapsed() > PATIENCE {
                self.shot("failed").await;
                let page = self.value("document.body.innerText").await;
                panic!(
                    "it never became true: {expression}\n{}\n{}",
                    page.as_str().unwrap_or(""),
                    self.console().await.join("\n")
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Moves the pointer to a place, in pixels from the middle of an element, and a little on, as a hand does.
    pub(crate) async fn point(&self, selector: &str, (x, y): (f64, f64)) {
        self.act(selector, |element| {
            MouseActions::new("mouse".into())
                .then(move_to(element, (x - 3.0, y)))
                .then(move_to(element, (x, y)))
        })
        .await;
    }

    /// Draws a line through points, in pixels from the middle of an element.
    pub(crate) async fn draw(&self, selector: &str, points: &[(f64, f64)]) {
        let button = fantoccini::actions::MOUSE_BUTTON_LEFT;
        self.act(selector, |element| {
            let mouse = MouseActions::new("mouse".into())
                .then(move_to(element, points[0]))
                .then(PointerAction::Down { button });
            let mouse = points[1..].iter().fold(mouse, |mouse, &point| mouse.then(move_to(element, point)));
            mouse.then(PointerAction::Up { button })
        })
        .await;
    }

    /// Has the mouse do something on an element. A chart that is painted meanwhile has other elements after it; then the
    /// mouse lets go and does it again on those.
    async fn act(&self, selector: &str, actions: impl Fn(&Element) -> MouseActions) {
        let start = Instant::now();
        loop {
            let element = self.find(selector).await;
            match self.client.perform_actions(actions(&element)).await {
                Err(error) if error.is_stale_element_reference() && start.elapsed() < PATIENCE => {
                    self.client.release_actions().await.unwrap();
                    tokio::time::sleep(POLL).await;
                }
                done => return done.unwrap(),
            }
        }
    }

    /// Keeps a picture of what the window shows.
    pub(crate) async fn shot(&self, name: &str) {
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(self.shots.join(format!("{name}.png")), picture).unwrap();
    }

    /// What the console holds besides plain words since it was last asked: errors, refusals, what could not be loaded.
    pub(crate) async fn console(&self) -> Vec<String> {
        let log =
            self.client.issue_cmd(Chromium { path: "se/log", body: json!({ "type": "browser" }) }).await;
        let entries = log.unwrap().as_array().cloned().unwrap_or_default();
        let bad = |entry: &&Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        entries.iter().filter(bad).map(|entry| entry["message"].to_string()).collect()
    }
}

/// To a place in pixels from the middle of an element.
fn move_to(element: &Element, (x, y): (f64, f64)) -> PointerAction {
    PointerAction::MoveToElement { element: element.clone(), duration: None, x, y }
}
