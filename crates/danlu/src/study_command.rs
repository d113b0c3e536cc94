//! `danlu study`.

mod candidate;
pub(crate) mod grid;
pub(crate) mod outside;
pub(crate) mod place;
mod progress;
pub(crate) mod report;
pub(crate) mod retrain;
pub(crate) mod run;
pub(crate) mod show;
mod trial;
mod work;

use crate::cli::{StudyArgs, StudyCommand};
use crate::error::CliError;

pub(crate) use candidate::Candidates;
pub(crate) use run::Work;

pub(crate) fn run(args: &StudyArgs) -> Result<(), CliError> {
    match &args.command {
        StudyCommand::Run(args) => {
            run::run(&Work { named: &args.study, flags: &args.flags, command: "danlu study run" })
        }
        StudyCommand::List(args) => show::list(args, show::Which::All),
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
