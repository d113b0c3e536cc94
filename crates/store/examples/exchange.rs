//! The store's half of the comparison with Optuna (`tests/optuna/check.py`), in JSON.
//!
//! ```sh
//! exchange write STORE               # makes a store with a trial of every kind; says what is in it
//! exchange work STORE STUDY WORKER N # claims or begins N trials, one after the other; says their numbers
//! exchange read STORE                # says what is in it
//! ```

#![expect(clippy::print_stdout, reason = "it speaks to a script")]

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};
use spec::{Category, Direction, Domain, FloatDomain, Param, ParamValue, Scale, TrialRecord, TrialState};
use store::{Changes, Lease, Store, StoreError, StudyId, StudyRow, TrialCache};

#[path = "../tests/store/fixture.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod fixture;

/// How long a trial of `work` takes.
const TRAINING: Duration = Duration::from_millis(10);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["write", path] => {
            write(&Store::create_or_open(path)?)?;
            println!("{}", show_store(&Store::open_read_only(path)?)?);
        }
        ["work", path, study, worker, n] => {
            println!("{}", json!(work(&Store::open(path)?, study, worker, n.parse()?)?));
        }
        ["read", path] => println!("{}", show_store(&Store::open_read_only(path)?)?),
        _ => return Err("usage: exchange write STORE | work STORE STUDY WORKER N | read STORE".into()),
    }
    Ok(())
}

/// Two studies: one with every kind of everything, and one with a single objective, for those who compare values.
fn write(store: &Store) -> Result<(), Box<dyn Error>> {
    let every = store.create_study("every", &fixture::DIRECTIONS, &fixture::attributes())?;
    store.set_study_system_attribute(every, "danlu", &json!([1]))?;
    store.import(every, &fixture::trials())?;
    let lease = fixture::lease("worker");
    let numbers = [0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let intermediate = (1..).zip(numbers).collect();
    let changes = Changes { intermediate, params: fixture::params(), ..Changes::default() };
    store.begin_trial(every, &lease, fixture::trials().len() as u64, &changes)?;
    store.enqueue(every, &fixture::params(), &fixture::attributes())?;

    let single = store.create_study("single", &[Direction::Maximize], &BTreeMap::new())?;
    for (number, value) in (0..).zip([0.25, 0.75, 0.5]) {
        store.begin_trial(single, &lease, number, &Changes::default())?;
        finish(store, single, number, &lease, value)?;
    }
    Ok(())
}

/// Takes what waits, begins what does not; each has its number as its value.
fn work(store: &Store, study: &str, worker: &str, n: usize) -> Result<Vec<u64>, Box<dyn Error>> {
    let study = store.find_study(study)?.ok_or("no such study")?;
    let lease = fixture::lease(worker);
    let mut cache = TrialCache::new();
    let one = |_| {
        let number = match store.claim_waiting(study, &lease)? {
            Some(number) => number,
            None => begin(store, study, &lease, &mut cache)?,
        };
        thread::sleep(TRAINING);
        finish(store, study, number, &lease, number as f64)?;
        Ok(number)
    };
    (0..n).map(one).collect()
}

/// As who chooses parameters by all trials so far: again, where there is one more.
fn begin(store: &Store, study: StudyId, lease: &Lease, cache: &mut TrialCache) -> Result<u64, StoreError> {
    loop {
        store.sync(study, cache)?;
        let number = cache.trials().len() as u64;
        if store.begin_trial(study, lease, number, &Changes::default())? {
            return Ok(number);
        }
    }
}

/// The steps of a trial that trains: parameters, a value for each epoch, the end.
fn finish(
    store: &Store,
    study: StudyId,
    number: u64,
    lease: &Lease,
    value: f64,
) -> Result<(), Box<dyn Error>> {
    let domain = Domain::Float(FloatDomain { low: 0.0, high: 1.0, scale: Scale::Linear, step: None });
    let x = Param { domain, value: ParamValue::Float(0.5) };
    store.set_params(study, number, lease, &BTreeMap::from([("x".to_owned(), x)]))?;
    for step in 1..=3 {
        store.set_intermediate(study, number, lease, step, value / step as f64)?;
    }
    let user_attributes = BTreeMap::from([("worker".to_owned(), json!(lease.worker))]);
    let system_attributes = BTreeMap::from([("constraints".to_owned(), json!([-1.0, 0.0]))]);
    let changes = Changes { user_attributes, system_attributes, ..Changes::default() };
    store.finish(study, number, lease, &TrialState::Complete { values: vec![value] }, &changes)?;
    Ok(())
}

fn show_store(store: &Store) -> Result<Json, Box<dyn Error>> {
    let mut studies = Vec::new();
    for study in store.studies()? {
        let mut cache = TrialCache::new();
        store.sync(study.id, &mut cache)?;
        studies.push(show_study(&study, cache.trials()));
    }
    Ok(json!(studies))
}

fn show_study(study: &StudyRow, trials: &[TrialRecord]) -> Json {
    let word = |direction: &Direction| match direction {
        Direction::Minimize => "MINIMIZE",
        Direction::Maximize => "MAXIMIZE",
    };
    json!({
        "name": study.name,
        "directions": study.directions.iter().map(word).collect::<Vec<_>>(),
        "user_attributes": study.user_attributes,
        "system_attributes": study.system_attributes,
        "trials": trials.iter().map(show_trial).collect::<Vec<_>>(),
    })
}

fn show_trial(trial: &TrialRecord) -> Json {
    let (state, values): (_, &[f64]) = match &trial.state {
        TrialState::Waiting => ("WAITING", &[]),
        TrialState::Running => ("RUNNING", &[]),
        TrialState::Complete { values } => ("COMPLETE", values),
        TrialState::Pruned { values } => ("PRUNED", values),
        TrialState::Failed => ("FAIL", &[]),
    };
    let params = |show: fn(&Param) -> Json| -> BTreeMap<&String, Json> {
        trial.params.iter().map(|(name, param)| (name, show(param))).collect()
    };
    json!({
        "number": trial.number,
        "state": state,
        "values": values.iter().copied().map(show_number).collect::<Vec<_>>(),
        "params": params(show_value),
        "distributions": params(|param| show_domain(&param.domain)),
        "intermediate": trial.intermediate.iter().map(|(step, &x)| (step, show_number(x))).collect::<BTreeMap<_, _>>(),
        "user_attributes": trial.user_attributes,
        "system_attributes": trial.system_attributes,
        "started_ms": trial.started_ms,
        "completed_ms": trial.completed_ms,
    })
}

/// JSON has no others than finite numbers.
fn show_number(x: f64) -> Json {
    if x.is_finite() { json!(x) } else { json!(format!("{x}").to_lowercase()) }
}

fn show_value(param: &Param) -> Json {
    match (&param.domain, param.value) {
        (Domain::Categorical(categories), ParamValue::Category(idx)) => show_category(&categories[idx]),
        (_, ParamValue::Float(x)) => json!(x),
        (_, ParamValue::Int(x)) => json!(x),
        (_, ParamValue::Category(idx)) => json!(idx),
    }
}

fn show_domain(domain: &Domain) -> Json {
    match domain {
        Domain::Float(of) => {
            json!({"low": of.low, "high": of.high, "log": of.scale == Scale::Log, "step": of.step})
        }
        Domain::Int(of) => {
            json!({"low": of.low, "high": of.high, "log": of.scale == Scale::Log, "step": of.step})
        }
        Domain::Categorical(categories) => {
            json!({"choices": categories.iter().map(show_category).collect::<Vec<_>>()})
        }
    }
}

fn show_category(category: &Category) -> Json {
    match category {
        Category::None => Json::Null,
        Category::Bool(value) => json!(value),
        Category::Int(value) => json!(value),
        Category::Float(value) => json!(value),
        Category::Text(value) => json!(value),
    }
}
