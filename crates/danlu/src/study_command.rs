//! `danlu study`.

mod candidate;
mod grid;
mod outside;
mod place;
mod progress;
mod report;
mod retrain;
mod run;
mod show;
mod trial;
mod work;

use crate::cli::{StudyArgs, StudyCommand};
use crate::error::CliError;

pub(crate) fn run(args: &StudyArgs) -> Result<(), CliError> {
    match &args.command {
        StudyCommand::Run(args) => run::run(args),
        StudyCommand::List(args) => show::list(args),
        StudyCommand::Show(args) => show::show(args),
        StudyCommand::Best(args) => show::best(args),
        StudyCommand::Trials(args) => show::trials(args),
        StudyCommand::Export(args) => show::export(args),
        StudyCommand::Importance(args) => show::importance(args),
        StudyCommand::Enqueue(args) => outside::enqueue(args),
        StudyCommand::Stop(args) => outside::stop(args),
        StudyCommand::Ask(args) => outside::ask(args),
        StudyCommand::Tell(args) => outside::tell(args),
        StudyCommand::Repair(args) => outside::repair(args),
        StudyCommand::Work(args) => work::run(args),
        StudyCommand::Again(args) => retrain::again(args),
    }
}
