//! `danlu dashboard` as a server that a page talks to.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use spec::RunState;

use crate::support::{Place, Ran, picture};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A dashboard over the folder `runs`, which ends with this.
struct Dashboard {
    child: Child,
    address: SocketAddr,
    token: String,
}

impl Dashboard {
    fn start(place: &Place) -> Self {
        let mut command = place.command("dashboard --port 0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("the page is at http://").and_then(|at| at.strip_suffix('/'));
        let address = address.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        let mut dashboard = Self { child, address, token: String::new() };
        let (status, page) = dashboard.get("/");
        assert_eq!(status, 200);
        let token = page.split("name=\"danlu-token\" content=\"").nth(1).unwrap();
        dashboard.token = token.split('"').next().unwrap().into();
        dashboard
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Status and body of an answer.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let mut stream = self.connect();
        let (address, len) = (self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {len}\r\n{headers}\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path, "", b"")
    }

    #[track_caller]
    fn get_json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    #[track_caller]
    fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Value {
        let token = format!("X-Danlu-Token: {}\r\n", self.token);
        let (status, answer) = self.ask("POST", path, &token, body.as_ref());
        assert_eq!(status, 200, "{path}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Waits until the run's row is as asked for.
    #[track_caller]
    fn await_row(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let row = self.get_json(&format!("/api/runs/{id}"))["row"].clone();
            if is_so(&row) {
                return row;
            }
            assert!(start.elapsed() < PATIENCE, "{row}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _is_gone = self.child.kill();
        let _is_gone = self.child.wait();
    }
}

/// A run without an end on the small data.
fn endless() -> String {
    "data = 'data'\nbatch_size = 64\nepochs = 1000000\nthreads = 1\n".into()
}

#[test]
fn a_run_is_started_paused_and_gone_on_with_and_comes_to_the_same_result() {
    let place = Place::new();
    let dashboard = Dashboard::start(&place);
    let asked = json!({ "toml": endless(), "name": "mine" }).to_string();
    assert_eq!(dashboard.post("/api/train", asked), json!({ "id": "mine" }));
    let has_epochs = |n: u64| move |row: &Value| row["n_epochs"].as_u64().unwrap() >= n;
    dashboard.await_row("mine", has_epochs(2));
    dashboard.post("/api/runs/mine/stop", "{\"when\":\"now\"}");
    let paused = dashboard.await_row("mine", |row| row["state"] == "interrupted");
    let n_epochs = paused["n_epochs"].as_u64().unwrap();
    // The process may not be gone yet.
    let start = Instant::now();
    let token = format!("X-Danlu-Token: {}\r\n", dashboard.token);
    while dashboard.ask("POST", "/api/runs/mine/resume", &token, b"{}").0 != 200 {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(20));
    }
    dashboard.await_row("mine", has_epochs(n_epochs + 2));
    dashboard.post("/api/runs/mine/stop", "{\"when\":\"after-epoch\"}");
    let paused = dashboard.await_row("mine", |row| row["state"] == "interrupted");
    let n_epochs = paused["n_epochs"].as_u64().unwrap();
    place.train(&format!("--epochs {n_epochs} --out whole --quiet")).succeeds();
    assert_eq!(place.hash("runs/mine"), place.hash("whole"));
    let log = place.read("runs/mine/log.txt");
    assert!(log.contains("epoch 1, ") && log.contains("goes on after epoch"), "{log}");
}

#[test]
fn a_training_outlives_the_server_and_the_next_one_sees_it() {
    let place = Place::new();
    let mut first = Dashboard::start(&place);
    let id = first.post("/api/train", json!({ "toml": endless() }).to_string())["id"].clone();
    assert_eq!(id, "lenet-1");
    first.await_row("lenet-1", |row| row["n_epochs"].as_u64().unwrap() >= 1);
    let mut stream = first.connect();
    write!(stream, "GET /api/runs/lenet-1/events HTTP/1.1\r\nHost: {}\r\n\r\n", first.address).unwrap();
    stream.read_exact(&mut [0; 64]).unwrap();
    let pid = first.child.id().to_string();
    let start = Instant::now();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(first.child.wait().unwrap().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // Its streams end with it.
    let _ended = stream.read_to_end(&mut Vec::new());
    let second = Dashboard::start(&place);
    let row = second.await_row("lenet-1", |row| row["n_epochs"].as_u64().unwrap() >= 2);
    assert_eq!(row["state"], "running");
    second.post("/api/runs/lenet-1/stop", "{\"when\":\"now\"}");
    second.await_row("lenet-1", |row| row["state"] == "interrupted");
}

#[test]
fn a_picture_is_seen_on_the_page_as_by_predict() {
    let place = Place::new();
    place.train("--epochs 1 --out runs/a --quiet").succeeds();
    let gray = image::GrayImage::from_raw(28, 28, picture(7)).unwrap();
    let large = image::imageops::resize(&gray, 100, 61, image::imageops::FilterType::Triangle);
    large.save(place.path("a.png")).unwrap();
    let predicted = place.run("predict runs/a a.png --json").succeeds();
    let predicted: Value = serde_json::from_str(&predicted.stdout).unwrap();
    let dashboard = Dashboard::start(&place);
    let tried = dashboard.post("/api/runs/a/try", fs::read(place.path("a.png")).unwrap());
    assert_eq!(tried["predictions"], predicted["predictions"]);
    let confusion = dashboard.get_json("/api/runs/a/confusion");
    let matrix = confusion["matrix"].as_array().unwrap();
    let n_right: u64 = (0..10).map(|class| matrix[class][class].as_u64().unwrap()).sum();
    assert_eq!(n_right as f64 / 64.0, place.record("runs/a").epochs[0].test_accuracy);
}

/// What is no request, or only a part of one; the connection is kept open until all were sent.
const MALFORMED: [&[u8]; 8] = [
    b"",
    b"\0\xff\xfe\x80",
    b"GET",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /api/runs HTTP/1.1\r\n",
    b"POST /api/check HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
    b"POST /api/check HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
    b"GET /%zz\\..\\ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
];

#[test]
fn two_hundred_requests_at_once_and_malformed_ones_leave_a_training_as_it_is() {
    let place = Place::new();
    let flags = "--epochs 60 --threads 2 --quiet";
    place.train(&format!("{flags} --out alone")).succeeds();
    let dashboard = Dashboard::start(&place);
    let arguments = format!("train --data data --batch-size 64 {flags} --out runs/a");
    let training = place.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let paths = [
        "/",
        "/api/runs",
        "/api/runs/a",
        "/api/runs/a/epochs",
        "/api/runs/a/filters",
        "/api/runs/a/image/3.png",
        "/api/runs/a/try/5",
        "/api/runs/a/confusion",
        "/assets/plotly.min.js",
        "/api/runs/..%2f/file/run.toml",
    ];
    let is_over = thread::scope(|scope| {
        let asked: Vec<_> = (0..200)
            .map(|idx| {
                let dashboard = &dashboard;
                scope.spawn(move || {
                    let mut odd = dashboard.connect();
                    let _refused = odd.write_all(MALFORMED[idx % MALFORMED.len()]);
                    let _refused = odd.write_all(&vec![b'a'; 1000 * (idx % 3)]);
                    // A tab that is closed, and one that never reads.
                    let mut tab = dashboard.connect();
                    let path = if idx % 2 == 0 { "/api/events" } else { "/api/runs/a/events" };
                    let sent = write!(tab, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", dashboard.address);
                    sent.unwrap();
                    let status = dashboard.get(paths[idx % paths.len()]).0;
                    (status, (idx % 4 == 0).then_some((odd, tab)))
                })
            })
            .collect();
        let open: Vec<_> = asked.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(open.iter().all(|(status, _)| [200, 404, 503, 409, 406].contains(status)));
        assert_eq!(dashboard.get("/api/about").0, 200);
        Ran::of(training.wait_with_output().unwrap()).succeeds()
    });
    assert_eq!(is_over.stderr, "");
    assert_eq!(place.record("runs/a").state, RunState::Finished);
    assert_eq!(place.hash("runs/a"), place.hash("alone"));
    let row = &dashboard.get_json("/api/runs/a")["row"];
    assert_eq!((&row["state"], &row["n_epochs"]), (&json!("finished"), &json!(60)));
}

#[test]
fn train_open_tells_the_address_where_there_is_no_browser() {
    let place = Place::new();
    let mut command = place.command("train --data data --epochs 1 --batch-size 64 --out runs/a --open");
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"] {
        command.env_remove(name);
    }
    let ran = Ran::of(command.output().unwrap()).succeeds();
    let sign = place.read("runs/.dashboard");
    let [address, process, _studies] = sign.lines().collect::<Vec<_>>()[..] else { panic!("{sign}") };
    let process = process.strip_prefix("process ").unwrap();
    let told = format!("the page is at {address}#/runs/a\n");
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    let address = address.strip_prefix("http://").and_then(|address| address.strip_suffix('/')).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /api/runs/a HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"id\":\"a\""), "{answer}");
    // The second asks nothing but where the first one is.
    let second = place.run("dashboard").succeeds();
    assert_eq!(second.stdout, format!("the page is at http://{address}/\n"));
    assert!(Command::new("kill").arg(process).status().unwrap().success());
}

#[test]
fn an_address_that_cannot_be_listened_on_is_an_error() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    place.run(&format!("dashboard --port {port}")).fails(1, &["cannot listen on 127.0.0.1", "in use"]);
    place.run("dashboard --host no.such.host.invalid").fails(1, &["no.such.host.invalid", "no address"]);
    fs::write(place.path("file"), "").unwrap();
    place.run("dashboard --runs file/x").fails(1, &["cannot make the folder file/x"]);
}
