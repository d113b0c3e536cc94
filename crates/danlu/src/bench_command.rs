//! `danlu bench`: how fast training and evaluation are, alone or on a driver's command.

use std::ops::ControlFlow;

use data::{Normalization, Partition};
use metrics::Predictions;
use nn::{Params, Plan};
use spec::{EpochRecord, MAX_COUNT, Seed, TrainSpec};
use train::{Checkpoint, Job, Observer, Setup};

use crate::bench_server::Server;
use crate::cli::BenchArgs;
use crate::error::CliError;
use crate::loading::{Loaded, Wanted};
use crate::{bench_layers, environment, interrupt, network_file, output};

const N_EPOCHS: usize = 5;

/// What is measured.
pub(crate) struct Bench {
    pub(crate) spec: TrainSpec,
    pub(crate) plan: Plan,
    pub(crate) setup: Setup,
    pub(crate) loaded: Loaded,
}

pub(crate) fn run(args: &BenchArgs) -> Result<(), CliError> {
    let setup = environment::setup(args.threads)?;
    if args.layers {
        return bench_layers::all(setup, args.json);
    }
    let wanted = Wanted::new(&args.data)?;
    let network = network_file::named(&args.network)?;
    let network = if network_file::is_preset(&args.network) { wanted.adapt(network) } else { network };
    let plan = network_file::compile(&network)?;
    wanted.check_fit(&plan)?;
    let mut loaded = wanted.load(plan.input(), &Partition::default(), false)?;
    if let Some(n) = args.images {
        loaded.train.truncate(n);
        loaded.test.truncate(n);
    }
    let epochs = if args.serve { MAX_COUNT } else { N_EPOCHS };
    // All but the network is the tutorial's: shuffled batches of 256, Adam at 0.001.
    let bench = Bench { spec: TrainSpec { network, epochs, ..TrainSpec::default() }, plan, setup, loaded };
    if args.serve { serve(&bench) } else { bench.measure() }
}

fn serve(bench: &Bench) -> Result<(), CliError> {
    let mut server = Server::new(bench);
    // The first command that needs an epoch starts the training, whose epochs then ask for the next commands.
    if server.obey(None).is_continue() {
        bench.train(&mut server)?;
    }
    server.finish()
}

impl Bench {
    pub(crate) fn train(&self, observer: &mut dyn Observer) -> Result<(), CliError> {
        let params = Params::init(&self.plan, Seed(self.spec.seed));
        let mut checkpoint = Checkpoint::start(&self.plan, &self.spec, params);
        let job = Job {
            spec: &self.spec,
            plan: &self.plan,
            train: &self.loaded.train,
            validation: None,
            test: &self.loaded.test,
            normalization: &Normalization::unit(),
            setup: self.setup,
            stop: interrupt::stop_flag(),
        };
        train::train(job, &mut checkpoint, observer)?;
        Ok(())
    }

    /// Giga floating-point operations of training in one second; a multiply-add is two.
    fn gflops(&self, train_s: f64) -> f64 {
        2e-9 * (self.plan.training_multiply_adds() * self.loaded.train.len() as u64) as f64 / train_s
    }

    fn measure(&self) -> Result<(), CliError> {
        let mut times = Times::default();
        self.train(&mut times)?;
        let peak = train::measure_peak(self.setup)?;
        let (train_s, eval_s) = (median(times.train_s), median(times.eval_s));
        let gflops = self.gflops(train_s);
        let Setup { threads, isa } = self.setup;
        output::line(&format!(
            "{}, {threads} threads, {isa}, medians of {N_EPOCHS} epochs\n\
             train  {train_s:.3} s  {:.0} images/s  {gflops:.1} GFLOP/s, {:.0} % of the peak of {peak:.1}\n\
             eval   {eval_s:.3} s  {:.0} images/s",
            self.spec.network.name,
            self.loaded.train.len() as f64 / train_s,
            100.0 * gflops / peak,
            self.loaded.test.len() as f64 / eval_s,
        ))?;
        bench_layers::of_network(&self.spec.network, self.setup)
    }
}

/// The times of all epochs.
#[derive(Default)]
struct Times {
    train_s: Vec<f64>,
    eval_s: Vec<f64>,
}

impl Observer for Times {
    fn epoch(&mut self, record: &EpochRecord, _: &Checkpoint, _: Option<&Predictions>) -> ControlFlow<()> {
        self.train_s.push(record.train_s);
        self.eval_s.push(record.eval_s);
        ControlFlow::Continue(())
    }
}

/// The middle value, the upper one of two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
