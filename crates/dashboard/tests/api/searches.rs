//! Architecture searches: which studies are some, their charts and their networks.

use std::time::Instant;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::made_up_search::{How, MadeUp};
use crate::support::Place;

#[test]
fn dev_fixture() {
    let studies = std::path::Path::new("/tmp/dev-page/studies");
    let _ = std::fs::remove_dir_all(studies);
    MadeUp::begin(How::Learned, studies, "zoph", 500);
    MadeUp::begin(How::Evolved, studies, "evolved", 400);
    MadeUp::begin(How::Evolved, studies, "few", 3);
    MadeUp::begin(How::Learned, studies, "none", 0);
    MadeUp::begin(How::Evolved, studies, "big", 10_000);
}
