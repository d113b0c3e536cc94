//! A runs folder, small data, and a way to ask.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use dashboard::{Settings, TOKEN_HEADER, Usage, app};
use data::{Normalization, Partition, Places, Source};
use futures_util::StreamExt;
use lanes::Isa;
use metrics::Predictions;
use nn::{Params, Plan};
use serde_json::Value;
use spec::{
    DataRecord, EpochRecord, MachineRecord, NetworkSpec, RunRecord, RunState, Seed, StopReason, TrainSpec,
};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const HOST: &str = "127.0.0.1:8765";
pub(crate) const N_TEST: usize = 12;

/// A runs folder `runs` and a data set `data`, and the router over it.
pub(crate) struct Place {
    pub(crate) root: TempDir,
    pub(crate) router: Router,
    pub(crate) token: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Refused with that status and an error that says so.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, said: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        let error: Value = serde_json::from_slice(&self.bytes).expect("errors are JSON");
        let text = error["error"].as_str().expect("an error has a text");
        assert!(text.contains(said) && !text.contains('\n'), "{said:?} is not in {text:?}");
    }
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().build().unwrap().block_on(future)
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with_program("/nowhere/danlu")
    }

    pub(crate) fn with_program(program: impl Into<PathBuf>) -> Self {
        let root = tempfile::tempdir().unwrap();
        write_part(&root.path().join("data"), "train", 30);
        write_part(&root.path().join("data"), "t10k", N_TEST);
        let places = |data: &Path| {
            let found = match data::known_set(&data.display().to_string()) {
                Some(known) => {
                    Places { known, system: Path::new("/nowhere").join(known.name), ..Places::default() }
                }
                None => Places { dir: Some(data.to_owned()), ..Places::default() },
            };
            Ok(found)
        };
        let router = app(Settings {
            runs_dir: root.path().join("runs"),
            studies_dir: root.path().join("studies"),
            program: program.into(),
            version: "0.0.0",
            cpu: None,
            isa: Isa::detect(),
            n_cores: 2,
            places: Box::new(places),
            picture_cache: None,
            address: HOST.parse().unwrap(),
            host: None,
            usage: Arc::new(Usage::new()),
        });
        let mut place = Self { root, router: router.unwrap(), token: String::new() };
        let page = place.get("/").text();
        let token = page.split("name=\"danlu-token\" content=\"").nth(1).unwrap();
        place.token = token.split('"').next().unwrap().into();
        place
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.root.path().join("runs")
    }

    pub(crate) fn ask(&self, request: Request<Body>) -> Answer {
        wait(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
            Answer { status: parts.status, headers: parts.headers, bytes }
        })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).header("host", HOST).body(Body::empty()).unwrap())
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header("host", HOST).header(TOKEN_HEADER, &self.token);
        self.ask(request.body(body.into()).unwrap())
    }

    pub(crate) fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, body.to_string())
    }

    /// A finished run with a model and predictions; returns its record.
    pub(crate) fn add_run(&self, id: &str, n_epochs: usize) -> RunRecord {
        let dir = self.runs().join(id);
        fs::create_dir_all(&dir).unwrap();
        let record = record(&self.root.path().join("data"), n_epochs);
        let network = &record.spec.network;
        let plan = Plan::compile(network).unwrap();
        let metadata =
            runs::model_file::metadata(network, &record.data.classes, &Normalization::unit()).unwrap();
        let model = nn::to_safetensors(&plan, &Params::init(&plan, Seed(1)), &metadata).unwrap();
        fs::write(dir.join(runs::MODEL), model).unwrap();
        let bytes = runs::predictions_to_bytes(&predictions()).unwrap();
        fs::write(dir.join(runs::PREDICTIONS), bytes).unwrap();
        fs::write(dir.join(runs::RUN), record.spec.to_toml().unwrap()).unwrap();
        write_record(&dir, &record);
        record
    }
}

pub(crate) fn write_record(dir: &Path, record: &RunRecord) {
    runs::atomic_file::replace(&dir.join(runs::RECORD), record.to_json().unwrap().as_bytes()).unwrap();
}

/// All are taken for what they are, but 1 (a class 1) and 5 (a class 2) for class 0; 5 with the higher loss.
fn predictions() -> Predictions {
    let predicted = (0..N_TEST).map(|idx| if idx == 1 || idx == 5 { 0 } else { (idx % 3) as u8 }).collect();
    let loss = (0..N_TEST).map(|idx| if idx == 5 { 3.0 } else { 1.0 / (1 + idx) as f32 }).collect();
    Predictions { predicted, confidence: vec![0.5; N_TEST], loss }
}

pub(crate) fn network() -> NetworkSpec {
    let text = r#"
        name = "small"
        input = [1, 6, 5]
        classes = 3
        node = [
            { name = "conv", layer = { conv2d = { out_channels = 2, kernel = 3 } } },
            { name = "cut", layer = "relu" },
            { name = "pool", layer = { max_pool2d = { kernel = 2 } } },
            { name = "flat", layer = "flatten" },
            { name = "out", layer = { linear = { out_features = 3 } } },
        ]"#;
    NetworkSpec::from_toml(text).unwrap()
}

fn record(data: &Path, n_epochs: usize) -> RunRecord {
    let places = Places { dir: Some(data.to_owned()), ..Places::default() };
    let source = Source::open(&places, &mut |_| {}).unwrap();
    let test = source.read_test([1, 6, 5], &Partition::default(), None, &mut |_| {}).unwrap();
    let epoch = |epoch: usize| EpochRecord {
        epoch,
        learning_rate: 0.001,
        loss: if epoch == 2 { f64::INFINITY } else { 1.0 / epoch as f64 },
        train_accuracy: 0.5,
        validation_loss: None,
        validation_accuracy: None,
        test_accuracy: 0.75,
        train_s: 1.5,
        eval_s: 0.5,
        images_per_s: 1000.0,
    };
    let spec = TrainSpec {
        data: data.display().to_string(),
        epochs: n_epochs.max(1),
        network: network(),
        ..TrainSpec::default()
    };
    let machine = MachineRecord {
        os: "linux".into(),
        arch: "x86_64".into(),
        cpu: None,
        isa: "plain".into(),
        threads: 1,
        n_cores: 1,
    };
    let data = DataRecord {
        name: "small".into(),
        dir: data.display().to_string(),
        classes: test.classes.clone(),
        train_sha256: "00".repeat(32),
        test_sha256: test.sha256.clone(),
        n_train: 30,
        n_test: test.len(),
        validation_sha256: None,
        n_validation: 0,
    };
    RunRecord {
        version: spec::FORMAT_VERSION,
        danlu: "0.1.0".into(),
        machine,
        data,
        state: RunState::Finished,
        spec,
        stop_reason: Some(StopReason::AllEpochs),
        epochs: (1..=n_epochs).map(epoch).collect(),
        best_epoch: (n_epochs > 0).then_some(n_epochs),
        parameters_hash: None,
    }
}

/// Pixel `at` of test image `idx`.
pub(crate) fn pixel(idx: usize, at: usize) -> u8 {
    ((idx * 37 + at * 11) % 256) as u8
}

/// IDX files of gray pictures of 6 rows and 5 columns, of three classes in turn.
fn write_part(dir: &Path, name: &str, n: usize) {
    fs::create_dir_all(dir).unwrap();
    let header = |magic: u32, sizes: &[usize]| -> Vec<u8> {
        let sizes = sizes.iter().map(|&size| size as u32);
        std::iter::once(magic).chain(sizes).flat_map(u32::to_be_bytes).collect()
    };
    let mut images = header(0x803, &[n, 6, 5]);
    images.extend((0..n).flat_map(|idx| (0..30).map(move |at| pixel(idx, at))));
    let mut labels = header(0x801, &[n]);
    labels.extend((0..n).map(|idx| (idx % 3) as u8));
    fs::write(dir.join(format!("{name}-images-idx3-ubyte")), images).unwrap();
    fs::write(dir.join(format!("{name}-labels-idx1-ubyte")), labels).unwrap();
}

/// The names and contents of all files below a folder.
pub(crate) fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// A stream that is read event by event.
pub(crate) struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    pub(crate) async fn open(place: &Place, path: &str) -> Self {
        Self::of(place, Request::get(path).header("host", HOST).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn of(place: &Place, request: Request<Body>) -> Self {
        let response = place.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event: its name and its value. Comments are passed over.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                let event = field("event: ")
                    .map(|name| (name.to_owned(), serde_json::from_str(field("data: ").unwrap()).unwrap()));
                self.text = rest.to_owned();
                if let Some(event) = event {
                    return event;
                }
            }
            let bytes = tokio::time::timeout(Duration::from_secs(20), self.body.next()).await;
            let bytes = bytes.expect("an event in time").expect("the stream goes on").unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    pub(crate) async fn until(&mut self, name: &str) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        loop {
            events.push(self.next().await);
            if events.last().unwrap().0 == name {
                return events;
            }
        }
    }
}
