//! `danlu train`.

use std::path::Path;

use data::{Normalization, Partition};
use nn::{Params, Plan};
use spec::{FORMAT_VERSION, RunRecord, RunState, Seed, TrainSpec};
use train::Job;

use crate::cli::TrainArgs;
use crate::error::CliError;
use crate::loading::{self, Loaded, Wanted};
use crate::request::{self, Request};
use crate::run_folder::RunFolder;
use crate::run_observer::{RunObserver, Screen, StepsLog};
use crate::{environment, interrupt, model_file, network_file, output};

/// What is cheap to check comes first: the network before the folder, the folder before the data.
pub(crate) fn run(args: &TrainArgs) -> Result<(), CliError> {
    let mut request = request::resolve(args)?;
    let mut plan = network_file::compile(&request.spec.network)?;
    let wanted = Wanted::new(Path::new(&request.spec.data))?;
    if request.is_preset {
        request.spec.network = wanted.adapt(request.spec.network);
        plan = network_file::compile(&request.spec.network)?;
    }
    wanted.check_fit(&plan)?;
    let params = initial_params(&mut request.spec, &plan)?;
    interrupt::tidy_up();
    let folder = match &request.out {
        Some(dir) => RunFolder::named(dir, args.force)?,
        None => RunFolder::numbered(&request.spec.network.name)?,
    };
    match begin(&request, &plan, wanted, &folder, args.steps_log.as_deref()) {
        Ok((loaded, steps_log)) => train(&request, &plan, params, &folder, &loaded, steps_log),
        Err(error) => {
            folder.discard();
            Err(error)
        }
    }
}

/// The given weights, or random ones.
fn initial_params(spec: &mut TrainSpec, plan: &Plan) -> Result<Params<f32>, CliError> {
    match &mut spec.init {
        Some(init) => model_file::load_init(plan, init),
        None => Ok(Params::init(plan, Seed(spec.seed))),
    }
}

/// All that can go wrong before the first step.
fn begin(
    request: &Request,
    plan: &Plan,
    wanted: Wanted,
    folder: &RunFolder,
    steps_log: Option<&Path>,
) -> Result<(Loaded, Option<StepsLog>), CliError> {
    if let Some(init) = &request.spec.init {
        folder.check_apart(Path::new(&init.file))?;
    }
    folder.prepare(&request.spec.to_toml()?)?;
    let quiet = request.quiet || request.json;
    let shape = plan.input();
    let load = move || wanted.load(shape, &Partition::default(), quiet);
    let loaded = interrupt::abandon_on_signal(load)?;
    loading::rejected_text(&loaded).iter().for_each(|text| output::note(&format!("note: {text}")));
    // The training checks it too, but only when the folder is taken.
    train::check_fit(plan, &loaded.train)?;
    let steps_log = steps_log.map(|path| StepsLog::create(path.to_owned())).transpose()?;
    folder.begin()?;
    Ok((loaded, steps_log))
}

fn train(
    request: &Request,
    plan: &Plan,
    mut params: Params<f32>,
    folder: &RunFolder,
    loaded: &Loaded,
    steps_log: Option<StepsLog>,
) -> Result<(), CliError> {
    let normalization = Normalization::unit();
    let mut observer = RunObserver {
        folder,
        plan,
        metadata: model_file::metadata(&request.spec.network, &loaded.train.classes, &normalization)?,
        record: first_record(request, loaded),
        screen: Screen::new(request),
        steps_log,
        failure: None,
    };
    observer.write_record()?;
    let job = Job {
        spec: &request.spec,
        plan,
        train: &loaded.train,
        test: &loaded.test,
        normalization: &normalization,
        setup: request.setup,
        stop: interrupt::stop_flag(),
    };
    let outcome = train::train(job, &mut params, &mut observer);
    observer.finish(outcome)
}

fn first_record(request: &Request, loaded: &Loaded) -> RunRecord {
    RunRecord {
        version: FORMAT_VERSION,
        danlu: env!("CARGO_PKG_VERSION").into(),
        machine: environment::machine(request.setup),
        data: loaded.record(),
        state: RunState::Running,
        stop_reason: None,
        spec: request.spec.clone(),
        epochs: Vec::new(),
        best_epoch: None,
        parameters_hash: None,
    }
}
