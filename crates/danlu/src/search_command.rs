//! `danlu search`: studies whose networks come from a grammar.

mod best;

use std::path::Path;

use serde_json::json;
use study::StudyView;

use crate::cli::{SearchArgs, SearchCommand, SearchEnqueueArgs, SearchRunArgs};
use crate::error::CliError;
use crate::study_command::{Work, outside, place, run as work, show};
use crate::{network_file, output};

pub(crate) fn run(args: &SearchArgs) -> Result<(), CliError> {
    match &args.command {
        None => go_on(&args.run),
        Some(SearchCommand::List(args)) => show::list(args, show::Which::Searches),
        Some(SearchCommand::Show(args)) => {
            check(&args.of.study, &args.of.studies)?;
            show::show(args)
        }
        Some(SearchCommand::Trials(args)) => {
            check(&args.of.study, &args.of.studies)?;
            show::trials(args)
        }
        Some(SearchCommand::Stop(args)) => {
            check(&args.of.study, &args.of.studies)?;
            outside::stop(args)
        }
        Some(SearchCommand::Enqueue(args)) => enqueue(args),
        Some(SearchCommand::Best(args)) => best::run(args),
    }
}

fn go_on(args: &SearchRunArgs) -> Result<(), CliError> {
    let place = place::to_begin(&args.search, &args.flags.studies)?;
    check_grammar(place.spec()?.grammar.is_some(), &args.search)?;
    work::run(&Work { named: &args.search, flags: &args.flags, command: "danlu search" })
}

/// The network's decisions become a child that waits.
fn enqueue(args: &SearchEnqueueArgs) -> Result<(), CliError> {
    let place = place::to_begin(&args.of.study, &args.of.studies)?;
    check_grammar(place.spec()?.grammar.is_some(), &args.of.study)?;
    let network = network_file::named(&args.network)?;
    let candidates = place.candidates()?.ok_or(CliError::StudyWithoutRun)?;
    let is_preset = network_file::is_preset(&args.network);
    let network = if is_preset { candidates.adapted(network)? } else { network };
    // A network that is none of the search's, or cannot be tried, begins none.
    let search = place.spec()?;
    let params = study::encode(&search, &network, candidates.frame()?)?;
    if search.parameters.is_empty() {
        let values = params.iter().map(|(name, param)| (name.clone(), param.value)).collect();
        if let Some(reason) = candidates.look(&values)?.refusal {
            return Err(CliError::CannotBeTried { network: network.name, reason });
        }
    }
    output::json(&json!({"trial": place.open()?.enqueue(&params)?}))
}

/// A study that is begun must be a search.
fn check(named: &Path, studies: &Path) -> Result<StudyView, CliError> {
    let view = place::view(named, studies)?;
    check_grammar(view.grammar().is_some(), named)?;
    Ok(view)
}

fn check_grammar(has_grammar: bool, named: &Path) -> Result<(), CliError> {
    match has_grammar {
        true => Ok(()),
        false => Err(CliError::NoSearch { study: named.to_owned() }),
    }
}
