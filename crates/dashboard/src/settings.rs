//! What the server is told at its start.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data::Places;
use lanes::Isa;

use crate::usage::Usage;

/// Says where to look for a data set, by its name or folder.
pub type FindPlaces = Box<dyn Fn(&Path) -> Result<Places, String> + Send + Sync>;

/// Everything that the server does not find out by itself: this crate reads no environment.
pub struct Settings {
    /// The folder whose runs are shown; it is made if need be.
    pub runs_dir: PathBuf,
    /// The folder whose studies are shown; it need not be there.
    pub studies_dir: PathBuf,
    /// `danlu`, with which trainings are started.
    pub program: PathBuf,
    /// Its version.
    pub version: &'static str,
    /// The processor's name.
    pub cpu: Option<String>,
    /// The instruction set for inference.
    pub isa: Isa,
    /// Logical cores.
    pub n_cores: usize,
    /// Where to look for a data set, by its name or folder. Nothing is downloaded.
    pub places: FindPlaces,
    /// Where decoded pictures of folders are kept.
    pub picture_cache: Option<PathBuf>,
    /// The address that is listened on.
    pub address: SocketAddr,
    /// How that address was asked for, if by name.
    pub host: Option<String>,
    /// Is told of requests.
    pub usage: Arc<Usage>,
}
