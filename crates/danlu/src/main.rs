//! The command line: wires the crates together. The only crate that prints, reads the environment and exits.

mod bench_command;
mod bench_layers;
mod bench_server;
mod browser;
mod cli;
mod contact_sheet;
mod dashboard_command;
mod data_command;
mod environment;
mod error;
mod eval_command;
mod event_log;
mod export_command;
mod interrupt;
mod live;
mod loading;
mod lr_find_command;
mod network_file;
mod output;
mod picture_files;
mod picture_format;
mod picture_paths;
mod predict_command;
mod progress;
mod request;
mod resume_command;
mod run;
mod run_observer;
mod screen;
mod search_command;
mod study_command;
mod summary_command;
mod table;
mod train_command;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::error::CliError;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match interrupt::install().and_then(|()| run(&cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_silent() {
                output::note(&error.report());
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Train(args) => train_command::run(args),
        Command::Resume(args) => resume_command::run(args),
        Command::LrFind(args) => lr_find_command::run(args),
        Command::Eval(args) => eval_command::run(args),
        Command::Predict(args) => predict_command::run(args),
        Command::Export(args) => export_command::run(args),
        Command::Summary(args) => summary_command::run(args),
        Command::Study(args) => study_command::run(args),
        Command::Search(args) => search_command::run(args),
        Command::Data(args) => data_command::run(args),
        Command::Dashboard(args) => dashboard_command::run(args),
        Command::Bench(args) => bench_command::run(args),
    }
}
