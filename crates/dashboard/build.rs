//! Packs the chart library that the crate `plotly` carries, so that the binary holds a third of its 4.6 MB and the
//! server sends it as it lies there.

use std::io::Write;
use std::path::Path;
use std::{env, fs};

use flate2::{Compression, write::GzEncoder};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=page");
    let scripts = plotly::Plot::offline_js_sources();
    // The first of two script elements; inside of one there is no `</script>`.
    let plotly = scripts.split_once('>').and_then(|(_, rest)| rest.split_once("</script>"));
    let (plotly, _) = plotly.expect("plotly's script element");
    assert!(plotly.contains("plotly.js v"), "the first script is another library");
    let path = Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("plotly.min.js.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(plotly.as_bytes()).expect("a vector takes everything");
    fs::write(path, packed.finish().expect("a vector takes everything"))
        .expect("the build folder can be written");
}
