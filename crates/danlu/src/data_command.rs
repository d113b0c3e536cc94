//! `danlu data fetch` and `danlu data info`.

use std::io::{self, Cursor, IsTerminal};
use std::path::Path;

use data::{Dataset, Partition, fashion_mnist};
use image::ImageFormat;
use runs::atomic_file;
use serde::Serialize;

use crate::cli::{DataArgs, DataCommand, DataInfoArgs};
use crate::error::CliError;
use crate::loading::{self, Loaded, Wanted};
use crate::picture_format::PictureFormat;
use crate::progress::DownloadBar;
use crate::table::{Align, table};
use crate::{contact_sheet, environment, output};

/// What pictures of a folder are fitted to where nothing else is asked: enough to be looked at.
const PICTURE_SHAPE: [usize; 3] = [3, 32, 32];

pub(crate) fn run(args: &DataArgs) -> Result<(), CliError> {
    match &args.command {
        DataCommand::Fetch { name } => fetch(name),
        DataCommand::Info(args) => info(args),
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

fn info(args: &DataInfoArgs) -> Result<(), CliError> {
    if let Some(sheet) = &args.sheet {
        runs::check_no_run_file(sheet)?;
        atomic_file::check_place(sheet)?;
        PictureFormat::of(sheet, &[PictureFormat::Png])?;
    }
    let wanted = Wanted::new(&args.name)?;
    args.sheet.as_ref().map_or(Ok(()), |sheet| wanted.check_no_input(sheet))?;
    let source = wanted.open(args.json)?;
    let format = source.format();
    let shape = args.input.or(source.shape()).unwrap_or(PICTURE_SHAPE);
    let loaded = Wanted::Found(Box::new(source)).load(shape, &Partition::default(), args.json)?;
    if let Some(path) = &args.sheet {
        write_sheet(path, &loaded.train)?;
    }
    match args.json {
        true => output::json(&info_json(format, &loaded)),
        false => output::line(&info_text(format, &loaded, args.sheet.as_deref())),
    }
}

fn write_sheet(path: &Path, dataset: &Dataset) -> Result<(), CliError> {
    let (sheet, step) = contact_sheet::draw(dataset);
    let mut bytes = Cursor::new(vec![]);
    sheet.write_to(&mut bytes, ImageFormat::Png).map_err(CliError::Sheet)?;
    atomic_file::replace(path, bytes.get_ref())?;
    if step > 1 {
        let sheet = path.display();
        output::note(&format!(
            "{sheet} shows 1 of {step} rows and columns of the pictures; with all of them it would be too large"
        ));
    }
    Ok(())
}

#[derive(Serialize)]
struct InfoJson<'a> {
    name: &'a str,
    format: &'a str,
    dir: String,
    place: String,
    classes: &'a [String],
    train: SplitJson<'a>,
    validation: Option<SplitJson<'a>>,
    test: SplitJson<'a>,
    original_sizes: Option<SizesJson>,
    n_skipped: usize,
    rejected: Vec<RejectedJson<'a>>,
}

#[derive(Serialize)]
struct SplitJson<'a> {
    n: usize,
    shape: [usize; 3],
    class_counts: Vec<usize>,
    sha256: &'a str,
}

#[derive(Serialize)]
struct SizesJson {
    width: Spread,
    height: Spread,
}

/// Of numbers: the least, the middle one (the upper of two) and the greatest.
#[derive(Serialize)]
struct Spread {
    min: u32,
    median: u32,
    max: u32,
}

#[derive(Serialize)]
struct RejectedJson<'a> {
    path: String,
    reason: &'a str,
}

fn info_json<'a>(format: &'a str, loaded: &'a Loaded) -> InfoJson<'a> {
    let rejected = loaded.rejected.iter();
    InfoJson {
        name: &loaded.train.name,
        format,
        dir: loaded.dir.display().to_string(),
        place: loaded.place.to_string(),
        classes: &loaded.train.classes,
        train: split_json(&loaded.train),
        validation: loaded.validation.as_ref().map(split_json),
        test: split_json(&loaded.test),
        original_sizes: sizes(loaded),
        n_skipped: loaded.n_skipped,
        rejected: rejected
            .map(|one| RejectedJson { path: one.path.display().to_string(), reason: &one.reason })
            .collect(),
    }
}

fn split_json(dataset: &Dataset) -> SplitJson<'_> {
    let Dataset { shape, sha256, .. } = dataset;
    SplitJson { n: dataset.len(), shape: *shape, class_counts: dataset.class_counts(), sha256 }
}

fn sizes(loaded: &Loaded) -> Option<SizesJson> {
    let spread = |side: usize| {
        let mut sizes: Vec<_> = loaded.original_sizes.iter().map(|size| size[side]).collect();
        sizes.sort_unstable();
        Some(Spread { min: *sizes.first()?, median: sizes[sizes.len() / 2], max: *sizes.last()? })
    };
    Some(SizesJson { width: spread(0)?, height: spread(1)? })
}

fn info_text(format: &str, loaded: &Loaded, sheet: Option<&Path>) -> String {
    let Loaded { dir, place, train, .. } = loaded;
    let mut text = format!("{} in {} ({place})\n{format}", train.name, dir.display());
    match sizes(loaded) {
        Some(SizesJson { width, height }) => {
            text += &format!(
                "\npictures of {} to {} columns (median {}) and {} to {} rows (median {}), fitted to {:?} (channels, rows, \
             columns)",
                width.min, width.max, width.median, height.min, height.max, height.median, train.shape
            )
        }
        None => text += &format!("\nimages of {:?} (channels, rows, columns)", train.shape),
    }
    text += &format!("\n\n{}\n\nsha256 of images and labels", counts_table(loaded));
    for (name, part) in parts(loaded) {
        text += &format!("\n{name:<10}  {}", part.sha256);
    }
    if loaded.n_skipped > 0 {
        text += &match loaded.n_skipped {
            1 => "\n\n1 file that is no picture is passed over".to_owned(),
            n => format!("\n\n{n} files that are no pictures are passed over"),
        };
    }
    if let Some(rejected) = loading::rejected_text(loaded) {
        text += &format!("\n\n{rejected}");
    }
    if let Some(sheet) = sheet {
        text += &format!("\n\n{} has a row for each class, in the order of the table", sheet.display());
    }
    text
}

fn parts(loaded: &Loaded) -> Vec<(&'static str, &Dataset)> {
    let parts = [
        ("train", Some(&loaded.train)),
        ("validation", loaded.validation.as_ref()),
        ("test", Some(&loaded.test)),
    ];
    parts.into_iter().filter_map(|(name, part)| part.map(|part| (name, part))).collect()
}

fn counts_table(loaded: &Loaded) -> String {
    let parts = parts(loaded);
    let counts: Vec<_> = parts.iter().map(|(_, part)| part.class_counts()).collect();
    let first = std::iter::once("class".to_owned()).chain(parts.iter().map(|(name, _)| name.to_string()));
    let mut rows = vec![first.collect::<Vec<_>>()];
    for (label, class) in loaded.train.classes.iter().enumerate() {
        let counts = counts.iter().map(|counts| counts[label].to_string());
        rows.push(std::iter::once(class.clone()).chain(counts).collect());
    }
    let totals = parts.iter().map(|(_, part)| part.len().to_string());
    rows.push(std::iter::once("total".to_owned()).chain(totals).collect());
    let mut aligns = vec![Align::Left];
    aligns.resize(parts.len() + 1, Align::Right);
    table(&aligns, &rows)
}
