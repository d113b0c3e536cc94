//! Trains every point of a study's space of choices to its end: `nas_table STUDY.toml DATA OUT [PARTS]`, for `bench/nas_table.py`.
//!
//! A study never looks at the test samples, so a table that has a test accuracy for each network cannot be one. The points are
//! numbered, the first dimension changing first; a part is a stretch of them and a file `OUT/part-NNNN.jsonl`, written whole, with a
//! line for each training. A process has a part by a lock on `part-NNNN.lock`, which ends with the process however that ends. So any
//! number of processes share the work, and what is killed loses no more than its part. PARTS: only so many of the first parts.
#![expect(clippy::print_stdout, reason = "its lines are for who waits for it")]

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use data::{KNOWN_SETS, Normalization, Partition, Parts, Places, Source};
use lanes::Isa;
use nn::{Params, Plan};
use search::{Dimension, Space};
use serde_json::{Value, json};
use spec::{Assignment, Domain, ParamValue, Seed, StudySpec, Testing, TrainSpec};
use study::Template;
use train::{Checkpoint, Job, Setup, Silent, TrainError};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Trainings of a part: some 20 seconds of work.
const PART_LEN: usize = 32;
/// The accuracy of a training whose loss is no number any more.
const CHANCE: f64 = 0.1;

fn main() -> Fallible<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (study, data, out, n_parts) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [study, data, out] => (study, data, Path::new(out), usize::MAX),
        [study, data, out, n_parts] => (study, data, Path::new(out), n_parts.parse()?),
        _ => return Err("usage: nas_table STUDY.toml DATA OUT [PARTS]".into()),
    };
    fs::create_dir_all(out)?;
    let table = Table::open(study, data)?;
    for part in 0..n_parts.min(table.n_points().div_ceil(PART_LEN)) {
        let path = out.join(format!("part-{part:04}.jsonl"));
        let lock = File::create(path.with_extension("lock"))?;
        match lock.try_lock() {
            Ok(()) if !path.exists() => table.make_part(part, &path)?,
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What all trainings have in common.
struct Table {
    space: Space,
    template: Template,
    parts: Parts,
    first: TrainSpec,
}

impl Table {
    fn open(path: &str, data: &str) -> Fallible<Self> {
        let study = StudySpec::from_toml(&fs::read_to_string(path)?)?;
        let space = study::space(&study)?;
        let template = Template::new(&study, &no_network)?.ok_or("the study has no [run]")?;
        let first = run(&template, &space, 0)?;
        let plan = Plan::compile(&first.network)?;
        let partition =
            Partition { validation: first.validation, subset: first.subset, ..Partition::default() };
        let parts = source(data)?.read(plan.input(), &partition, None, &mut |_| {})?;
        Ok(Self { space, template, parts, first })
    }

    fn n_points(&self) -> usize {
        self.space.dimensions().iter().map(|dimension| n_choices(&dimension.domain)).product()
    }

    fn make_part(&self, part: usize, path: &PathBuf) -> Fallible<()> {
        let (start, first) = (Instant::now(), part * PART_LEN);
        let rows = (first..(first + PART_LEN).min(self.n_points())).map(|idx| self.row(idx));
        let rows = rows.collect::<Fallible<Vec<Value>>>()?;
        let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let fresh = path.with_extension("new");
        fs::write(&fresh, text)?;
        fs::rename(&fresh, path)?;
        println!("part {part}: {} trainings in {:.1} s", rows.len(), start.elapsed().as_secs_f64());
        Ok(())
    }

    /// One training. Its test samples are looked at once, after the last epoch, and nothing is chosen by them.
    fn row(&self, idx: usize) -> Fallible<Value> {
        let spec = TrainSpec { test: Testing::AtEnd, ..run(&self.template, &self.space, idx)? };
        let data = |spec: &TrainSpec| (spec.data.clone(), spec.validation, spec.subset);
        if data(&spec) != data(&self.first) {
            return Err("the data must be the same for all points".into());
        }
        let plan = Plan::compile(&spec.network)?;
        let normalization = Normalization::of(spec.normalization, &self.parts.train);
        let job = Job {
            spec: &spec,
            plan: &plan,
            train: &self.parts.train,
            validation: self.parts.validation.as_ref(),
            test: &self.parts.test,
            normalization: &normalization,
            setup: Setup { threads: 1, isa: Isa::detect() },
            stop: &AtomicBool::new(false),
        };
        let mut checkpoint = Checkpoint::start(&plan, &spec, Params::init(&plan, Seed(spec.seed)));
        match train::train(job, &mut checkpoint, &mut Silent) {
            Ok(_) | Err(TrainError::Diverged { .. } | TrainError::NotFinite { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let epochs = checkpoint.epochs();
        let mut validation: Vec<f64> =
            epochs.iter().map(|epoch| epoch.validation_accuracy.unwrap_or(CHANCE)).collect();
        validation.resize(spec.epochs, CHANCE);
        let test = epochs.get(spec.epochs - 1).map_or(CHANCE, |last| last.test_accuracy);
        let seconds: f64 = epochs.iter().map(|epoch| epoch.train_s + epoch.eval_s).sum();
        Ok(json!({
            "values": self.labels(idx),
            "validation": validation,
            "test": test,
            "seconds": seconds,
            "parameters": plan.n_parameters(),
            "multiply_adds": plan.multiply_adds(),
            "hash": checkpoint.model().hash(),
        }))
    }

    /// What was chosen, by name.
    fn labels(&self, idx: usize) -> Value {
        let values = values(&self.space, idx);
        let label = |dimension: &Dimension| {
            let &value = values.get(&dimension.name)?;
            Some((dimension.name.clone(), study::value_to_json(&dimension.domain, value)))
        };
        self.space.dimensions().iter().filter_map(label).collect::<serde_json::Map<_, _>>().into()
    }
}

/// The point of that number: digits of mixed bases, the first dimension's the lowest.
fn values(space: &Space, mut idx: usize) -> Assignment {
    let mut values = Assignment::new();
    for dimension in space.dimensions() {
        let n = n_choices(&dimension.domain);
        values.insert(dimension.name.clone(), ParamValue::Category(idx % n));
        idx /= n;
    }
    values
}

/// Numbers would have to be counted; a table is of choices.
fn n_choices(domain: &Domain) -> usize {
    match domain {
        Domain::Categorical(all) => all.len(),
        _ => 0,
    }
}

fn run(template: &Template, space: &Space, idx: usize) -> Fallible<TrainSpec> {
    let spec = template.run_file(&values(space, idx), &no_network)?.resolve(no_network)?;
    spec.validate()?;
    Ok(spec)
}

/// The study says its network itself.
fn no_network(name: &str) -> Fallible<spec::NetworkSpec> {
    Err(format!("the network `{name}` must stand in the study").into())
}

/// The data set in a folder.
fn source(dir: &str) -> Fallible<Source> {
    let none = PathBuf::new();
    let places = Places {
        known: &KNOWN_SETS[0],
        dir: Some(dir.into()),
        has_namesake: false,
        env: None,
        cache: None,
        system: none,
        url: None,
    };
    Ok(Source::open(&places, &mut |_| {})?)
}
