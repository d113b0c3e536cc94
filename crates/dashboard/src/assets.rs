//! The page and what it loads, all of it in the binary.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

use crate::answer;
use crate::error::DashboardError;
use crate::request::Path;
use crate::state::Shared;

static PAGE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/page");

/// The crate plotly's plotly.min.js, packed by `build.rs`.
static PLOTLY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plotly.min.js.gz"));
const PLOTLY_NAME: &str = "plotly.min.js";

/// What stands in index.html where the token goes.
const TOKEN_PLACE: &str = "__DANLU_TOKEN__";

/// `GET /`
pub(crate) async fn index(State(shared): State<Shared>) -> Response {
    let html = PAGE.get_file("index.html").and_then(|file| file.contents_utf8()).unwrap_or_default();
    answer::bytes_of("text/html; charset=utf-8", html.replace(TOKEN_PLACE, &shared.token))
}

/// `GET /assets/NAME`: a name of the list that is in the binary, so that no path leads elsewhere.
pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let is_packed = name == PLOTLY_NAME;
    let file = PAGE.get_file(&name).filter(|_| name != "index.html").map(|file| file.contents());
    let found = if is_packed { Some(PLOTLY) } else { file };
    let Some(bytes) = found else {
        return DashboardError::no("such page file").into_response();
    };
    if is_packed && !accepts_gzip(&headers) {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    // Files change with the program only; the browser asks each time and gets them once.
    let tag = tag(bytes);
    let is_kept = headers.get(IF_NONE_MATCH).is_some_and(|kept| kept.as_bytes() == tag.as_bytes());
    let mut response = Response::new(if is_kept { Default::default() } else { bytes.into() });
    if is_kept {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(&name)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.extend(HeaderValue::from_str(&tag).map(|tag| (ETAG, tag)));
    if is_packed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let encodings = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    encodings.flat_map(|value| value.split(',')).any(|encoding| encoding.trim().starts_with("gzip"))
}

fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
