//! Who is refused: other hosts, other pages, whoever does not hold the token.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use dashboard::TOKEN_HEADER;

use crate::support::{HOST, Place, files};

#[test]
fn foreign_hosts_and_pages_are_refused_everywhere() {
    let place = Place::new();
    place.add_run("a", 1);
    let cases: [(&[(&str, &str)], bool); 13] = [
        (&[("host", HOST)], true),
        (&[("host", "localhost:8765")], true),
        (&[("host", HOST), ("origin", "http://127.0.0.1:8765")], true),
        (&[("host", HOST), ("sec-fetch-site", "same-origin")], true),
        (&[], false),
        (&[("host", "evil.example:8765")], false),
        (&[("host", "127.0.0.1:80")], false),
        (&[("host", HOST), ("host", HOST)], false),
        (&[("host", HOST), ("origin", "http://evil.example")], false),
        (&[("host", HOST), ("origin", "http://localhost:8765")], false),
        (&[("host", HOST), ("origin", "https://127.0.0.1:8765")], false),
        (&[("host", HOST), ("origin", "null")], false),
        (&[("host", HOST), ("sec-fetch-site", "cross-site")], false),
    ];
    for path in ["/api/runs", "/api/runs/a", "/api/runs/a/file/record.json", "/assets/plotly.min.js"] {
        for (headers, passes) in cases {
            let mut request = Request::get(path).header("accept-encoding", "gzip");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = place.ask(request.body(Body::empty()).unwrap());
            match passes {
                true => assert_eq!(answer.status, StatusCode::OK, "{path} {headers:?}"),
                false => answer.is_refused(403, "refused"),
            }
        }
    }
    let absolute = Request::get("http://evil.example/api/runs").header("host", HOST);
    place.ask(absolute.body(Body::empty()).unwrap()).is_refused(403, "Host");
}

#[test]
fn nothing_is_changed_without_the_token() {
    let place = Place::new();
    place.add_run("a", 1);
    let before = files(place.root.path());
    let other = "0".repeat(32);
    for path in ["/api/train", "/api/check", "/api/runs/a/stop", "/api/runs/a/resume", "/api/runs/a/try"] {
        for token in [None, Some(""), Some(other.as_str()), Some(&place.token[..31])] {
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                let mut request = Request::builder().method(method).uri(path).header("host", HOST);
                if let Some(token) = token {
                    request = request.header(TOKEN_HEADER, token);
                }
                place.ask(request.body("{}".into()).unwrap()).is_refused(403, "token");
            }
        }
        // The token of another start.
        let other = Place::new().token;
        let request = Request::post(path).header("host", HOST).header(TOKEN_HEADER, other);
        place.ask(request.body("{}".into()).unwrap()).is_refused(403, "token");
    }
    assert_eq!(files(place.root.path()), before);
}

#[test]
fn every_answer_tells_the_browser_what_it_may_do() {
    let place = Place::new();
    for path in ["/", "/api/runs", "/api/none", "/assets/plotly.min.js"] {
        let headers = place.get(path).headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("script-src"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
    }
    assert!(place.get("/").text().contains(&place.token));
    assert_eq!(place.get("/").headers["cache-control"], "no-store");
}

#[test]
fn the_chart_library_is_sent_once() {
    let place = Place::new();
    let request = |tag: Option<&str>| {
        let request = Request::get("/assets/plotly.min.js").header("host", HOST);
        let request = request.header("accept-encoding", "gzip, br");
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-none-match", tag));
        place.ask(request.body(Body::empty()).unwrap())
    };
    let first = request(None);
    assert_eq!(
        (first.status, &first.headers["content-encoding"]),
        (StatusCode::OK, &"gzip".parse().unwrap())
    );
    assert!(first.bytes.len() > 500_000 && first.bytes.starts_with(&[0x1f, 0x8b]));
    let tag = first.headers["etag"].to_str().unwrap();
    let second = request(Some(tag));
    assert_eq!((second.status, second.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
}
