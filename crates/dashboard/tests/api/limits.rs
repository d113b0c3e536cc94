//! What is too large, malformed or nothing that is there.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use dashboard::TOKEN_HEADER;

use crate::support::{HOST, Place};

#[test]
fn bodies_beyond_their_limits_are_refused_whether_announced_or_not() {
    let place = Place::new();
    place.add_run("a", 1);
    for (path, max) in [("/api/check", 2 << 20), ("/api/train", 2 << 20), ("/api/runs/a/try", 10 << 20)] {
        place.post(path, vec![b' '; max + 1]).is_refused(413, "more than");
        let chunk = Ok::<_, std::convert::Infallible>(vec![b' '; 1 << 20]);
        let chunks = std::iter::repeat_n(chunk, (max >> 20) + 1);
        place.post(path, Body::from_stream(futures_util::stream::iter(chunks))).is_refused(413, "more than");
        // Nothing is read of what is announced to be too large.
        for len in ["99999999999999999999", "-1", "x", &(max + 1).to_string()] {
            let request = Request::post(path).header("host", HOST).header(TOKEN_HEADER, &place.token);
            let request = request.header("content-length", len).body(Body::empty()).unwrap();
            place.ask(request).is_refused(413, "more than");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let place = Place::new();
    place.add_run("a", 1);
    let gets = [
        ("/api/runs?sort=colour", 400, "unknown variant"),
        ("/api/runs?limit=-1", 400, "invalid digit"),
        ("/api/runs?offset=1e9", 400, "invalid digit"),
        ("/api/runs/a/epochs?points=x", 400, "invalid digit"),
        ("/api/runs/a/events?after=-1", 400, "invalid digit"),
        ("/api/runs/a/images?label=256", 400, "number too large"),
        ("/api/runs/a/images?order=random", 400, "unknown variant"),
        ("/api/runs/a/image/12.png", 404, "test image 12; there are 12"),
        ("/api/runs/a/image/-1.png", 404, "such image"),
        ("/api/runs/a/image/0", 404, "such image"),
        ("/api/runs/a/try/12", 404, "test image 12"),
        ("/api/runs/a/try/many", 400, "Cannot parse"),
        ("/api/runs/%FF", 400, "UTF-8"),
        ("/api/runs/none", 404, "such run"),
        ("/api/runs/none/events", 404, "such run"),
        ("/api/none", 404, "such page"),
        ("/index.html", 404, "such page"),
        ("/assets/none.js", 404, "such page file"),
    ];
    for (path, status, said) in gets {
        place.get(path).is_refused(status, said);
    }
    let posts = [
        ("/api/check", "", 400, "JSON"),
        ("/api/check", "{", 400, "JSON"),
        ("/api/check", "7", 400, "JSON"),
        ("/api/check", "{}", 400, "either `toml` or `run`"),
        ("/api/check", "{\"toml\": \"\", \"run\": {}}", 400, "either `toml` or `run`"),
        ("/api/check", "{\"tmol\": \"\"}", 400, "unknown field"),
        ("/api/check", "\u{0}\u{1}", 400, "JSON"),
        ("/api/train", "{}", 400, "missing field `toml`"),
        ("/api/train", "{\"toml\": \"epochs = 0\"}", 400, "`epochs` is 0"),
        ("/api/runs/a/stop", "{\"when\": \"soon\"}", 400, "unknown variant"),
        ("/api/runs/a/stop", "{\"when\": \"now\"}", 409, "a is not going on"),
        ("/api/runs/a/resume", "{}", 409, "a is finished"),
        ("/api/runs/none/resume", "{}", 404, "such run"),
        ("/api/runs/a/try", "", 422, "is empty"),
        ("/api/runs/a/try", "no picture", 422, "neither PNG, JPEG, BMP nor WebP"),
        ("/api/runs", "{}", 405, "method"),
    ];
    for (path, body, status, said) in posts {
        place.post(path, body).is_refused(status, said);
    }
    let request = Request::builder().method(Method::DELETE).uri("/api/runs/a").header("host", HOST);
    let request = request.header(TOKEN_HEADER, &place.token).body(Body::empty()).unwrap();
    place.ask(request).is_refused(405, "method");
    assert_eq!(place.get("/api/runs/a").status, StatusCode::OK);
}

#[test]
fn json_that_nests_too_deeply_is_an_error() {
    let place = Place::new();
    let deep = "[".repeat(100_000);
    place.post("/api/check", format!("{{\"run\": {deep}")).is_refused(400, "recursion limit");
    let text = format!("a = {}", "[".repeat(20_000));
    let checked = place.post_json("/api/check", &serde_json::json!({ "toml": text })).json();
    assert!(checked["error"]["message"].is_string());
}
