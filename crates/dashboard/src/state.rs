//! What all requests share.

use std::path::PathBuf;
use std::sync::Arc;

use data::Dataset;
use lanes::Isa;
use tokio::sync::Semaphore;

use crate::children::Children;
use crate::error::DashboardError;
use crate::kept::Kept;
use crate::listing::{Listing, Sources};
use crate::model::Model;
use crate::records::Records;
use crate::row::Sizes;
use crate::run_dir::RunDir;
use crate::security::{Hosts, random_token};
use crate::settings::{FindPlaces, Settings};
use crate::studies::{Shelf, TrialRun, trial_of_run};
use crate::usage::Usage;
use crate::work::Worker;

/// Event streams at a time.
const MAX_STREAMS: usize = 64;

pub(crate) type Shared = Arc<State>;

pub(crate) struct State {
    pub(crate) version: &'static str,
    pub(crate) cpu: Option<String>,
    pub(crate) isa: Isa,
    pub(crate) n_cores: usize,
    pub(crate) program: PathBuf,
    pub(crate) places: FindPlaces,
    pub(crate) picture_cache: Option<PathBuf>,
    pub(crate) hosts: Hosts,
    pub(crate) token: String,
    pub(crate) usage: Arc<Usage>,
    pub(crate) worker: Worker,
    pub(crate) listing: Listing,
    pub(crate) sources: Sources,
    pub(crate) streams: Arc<Semaphore>,
    /// Models by their files; two, as people compare.
    pub(crate) models: Kept<Model>,
    /// Test parts by the records of the runs that they belong to.
    pub(crate) test_parts: Kept<Dataset>,
    pub(crate) shelf: Shelf,
}

impl State {
    /// Makes the runs folder if need be.
    pub(crate) fn new(settings: Settings) -> Result<Self, DashboardError> {
        let Settings { runs_dir, studies_dir, program, version, cpu, isa, n_cores, .. } = settings;
        std::fs::create_dir_all(&runs_dir).map_err(DashboardError::io("make the folder", &runs_dir))?;
        let root = runs_dir.canonicalize().map_err(DashboardError::io("find the folder", &runs_dir))?;
        Ok(Self {
            version,
            cpu,
            isa,
            n_cores,
            program,
            places: settings.places,
            picture_cache: settings.picture_cache,
            hosts: Hosts::new(settings.address, settings.host.as_deref()),
            token: random_token()?,
            usage: settings.usage,
            worker: Worker::new()?,
            listing: Listing::new(),
            sources: Sources {
                root: root.into(),
                records: Arc::new(Records::new()),
                sizes: Arc::new(Sizes::default()),
                children: Arc::new(Children::default()),
            },
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            models: Kept::new(2),
            test_parts: Kept::new(2),
            shelf: Shelf::new(studies_dir),
        })
    }

    /// A run of the runs folder, or that of a study's trial.
    pub(crate) fn run(&self, id: &str) -> Result<RunDir, DashboardError> {
        let of_trial = |error| match trial_of_run(id) {
            Some((study, run)) => self.shelf.find(study).ok().and_then(|study| study.run(run)).ok_or(error),
            None => Err(error),
        };
        RunDir::find(&self.sources.root, id).or_else(of_trial)
    }

    /// The study's trial that a run of that name is of.
    pub(crate) fn trial_of<'a>(&self, id: &'a str) -> Option<(&'a str, TrialRun)> {
        trial_of_run(id).filter(|_| RunDir::find(&self.sources.root, id).is_err())
    }

    /// A run that may be stopped and gone on with by itself.
    pub(crate) fn own_run(&self, id: &str) -> Result<RunDir, DashboardError> {
        match self.trial_of(id) {
            None => self.run(id),
            Some((study, _)) => Err(DashboardError::conflict(format!(
                "{id} is a trial of the study {study}, which stops it and goes on with it"
            ))),
        }
    }
}
