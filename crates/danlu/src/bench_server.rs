//! The server's side of `danlu bench --serve`: a command a line in, an answer a line out.
//!
//! `info`: a JSON object. `train`: one more epoch, its seconds. `eval`: the seconds of the test evaluation that
//! followed the last epoch. `peak`: GFLOP/s of multiply-adds over all threads. The end of the input ends it.

use std::io;
use std::ops::ControlFlow;

use metrics::Predictions;
use serde::Serialize;
use spec::EpochRecord;
use train::{Checkpoint, Observer};

use crate::bench_command::Bench;
use crate::error::CliError;
use crate::output;

#[derive(Serialize)]
struct InfoJson<'a> {
    version: &'a str,
    isa: &'a str,
    threads: usize,
    network: &'a str,
    multiply_adds: u64,
    training_multiply_adds: u64,
    n_train: usize,
    n_test: usize,
}

/// A command that waits for an epoch to end.
#[derive(Clone, Copy)]
enum Waiting {
    Train,
    Eval,
}

pub(crate) struct Server<'a> {
    bench: &'a Bench,
    waiting: Option<Waiting>,
    failure: Option<CliError>,
}

impl<'a> Server<'a> {
    pub(crate) fn new(bench: &'a Bench) -> Self {
        Self { bench, waiting: None, failure: None }
    }

    /// Obeys until a command needs an epoch (`Continue`), or until the end (`Break`). `last` is the last epoch.
    pub(crate) fn obey(&mut self, last: Option<&EpochRecord>) -> ControlFlow<()> {
        match self.next_epoch(last) {
            Ok(Some(waiting)) => {
                self.waiting = Some(waiting);
                ControlFlow::Continue(())
            }
            Ok(None) => ControlFlow::Break(()),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// What went wrong, if anything.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        self.failure.map_or(Ok(()), Err)
    }

    /// The command that needs an epoch; `None` at the end of the input.
    fn next_epoch(&mut self, last: Option<&EpochRecord>) -> Result<Option<Waiting>, CliError> {
        for line in io::stdin().lines() {
            match line.map_err(CliError::Stdin)?.trim() {
                "info" => output::json(&self.info())?,
                "peak" => output::line(&train::measure_peak(self.bench.setup)?.to_string())?,
                "train" => return Ok(Some(Waiting::Train)),
                "eval" => match last {
                    Some(last) => output::line(&last.eval_s.to_string())?,
                    None => return Ok(Some(Waiting::Eval)),
                },
                "" => {}
                command => return Err(CliError::BenchCommand { command: command.into() }),
            }
        }
        Ok(None)
    }

    fn info(&self) -> InfoJson<'a> {
        let Bench { spec, plan, setup, loaded } = self.bench;
        InfoJson {
            version: env!("CARGO_PKG_VERSION"),
            isa: setup.isa.name(),
            threads: setup.threads,
            network: &spec.network.name,
            multiply_adds: plan.multiply_adds(),
            training_multiply_adds: plan.training_multiply_adds(),
            n_train: loaded.train.len(),
            n_test: loaded.test.len(),
        }
    }

    fn answer(&mut self, record: &EpochRecord) -> Result<(), CliError> {
        match self.waiting.take() {
            Some(Waiting::Train) => output::line(&record.train_s.to_string()),
            Some(Waiting::Eval) => output::line(&record.eval_s.to_string()),
            None => Ok(()),
        }
    }
}

impl Observer for Server<'_> {
    fn epoch(&mut self, record: &EpochRecord, _: &Checkpoint, _: Option<&Predictions>) -> ControlFlow<()> {
        match self.answer(record) {
            Ok(()) => self.obey(Some(record)),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
