//! `danlu data fetch` and `danlu data info`.

use std::io::{self, IsTerminal};
use std::path::Path;

use data::{Dataset, fashion_mnist};
use serde::Serialize;

use crate::cli::{DataArgs, DataCommand};
use crate::error::CliError;
use crate::loading::{self, Loaded};
use crate::progress::DownloadBar;
use crate::table::{Align, table};
use crate::{environment, output};

pub(crate) fn run(args: &DataArgs) -> Result<(), CliError> {
    match &args.command {
        DataCommand::Fetch { name } => fetch(name),
        DataCommand::Info { name, json } => info(name, *json),
    }
}

fn fetch(name: &str) -> Result<(), CliError> {
    if name != fashion_mnist::NAME {
        return Err(CliError::UnknownData { name: name.into() });
    }
    let places = environment::places(Path::new(name))?;
    let mut bar = DownloadBar::new(!io::stderr().is_terminal());
    let found = data::fetch(&places, &mut |progress| bar.show(progress))?;
    drop(bar);
    output::line(&found.dir.display().to_string())
}

#[derive(Serialize)]
struct InfoJson<'a> {
    name: &'a str,
    dir: String,
    place: String,
    classes: &'a [String],
    train: SplitJson<'a>,
    test: SplitJson<'a>,
}

#[derive(Serialize)]
struct SplitJson<'a> {
    n: usize,
    shape: [usize; 3],
    class_counts: Vec<usize>,
    sha256: &'a str,
}

fn info(name: &Path, json: bool) -> Result<(), CliError> {
    let loaded = loading::load(&environment::places(name)?, json)?;
    match json {
        true => output::json(&info_json(&loaded)),
        false => output::line(&info_text(&loaded)),
    }
}

fn info_json(loaded: &Loaded) -> InfoJson<'_> {
    let Loaded { found, train, test } = loaded;
    InfoJson {
        name: &train.name,
        dir: found.dir.display().to_string(),
        place: found.place.to_string(),
        classes: &train.classes,
        train: split_json(train),
        test: split_json(test),
    }
}

fn split_json(dataset: &Dataset) -> SplitJson<'_> {
    let Dataset { shape, sha256, .. } = dataset;
    SplitJson { n: dataset.len(), shape: *shape, class_counts: dataset.class_counts(), sha256 }
}

fn info_text(loaded: &Loaded) -> String {
    let Loaded { found, train, test } = loaded;
    let row = |cells: [String; 3]| cells.to_vec();
    let mut rows = vec![row(["class".into(), "train".into(), "test".into()])];
    let counts = train.class_counts().into_iter().zip(test.class_counts());
    rows.extend(
        train
            .classes
            .iter()
            .zip(counts)
            .map(|(class, (train, test))| row([class.clone(), train.to_string(), test.to_string()])),
    );
    rows.push(row(["total".into(), train.len().to_string(), test.len().to_string()]));
    format!(
        "{} in {} ({})\nimages of {:?} (channels, rows, columns)\n\n{}\n\nsha256 of images and labels\ntrain  {}\ntest   {}",
        train.name,
        found.dir.display(),
        found.place,
        train.shape,
        table(&[Align::Left, Align::Right, Align::Right], &rows),
        train.sha256,
        test.sha256,
    )
}
