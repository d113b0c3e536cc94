//! What the environment says: its variables and the user's folders.

use std::env;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use data::{KNOWN_SETS, Places, fashion_mnist, known_set};
use directories::BaseDirs;
use lanes::Isa;
use rayon::ThreadPoolBuilder;
use spec::{MAX_THREADS, MachineRecord};
use train::Setup;

use crate::error::CliError;

/// A variable's value; an empty one is as good as none.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Where Debian's packages put data sets, each in a folder of its own.
const SYSTEM_DIR: &str = "/usr/share/datasets";

/// The program's folder in the user's cache.
fn cache() -> Option<PathBuf> {
    BaseDirs::new().map(|dirs| dirs.cache_dir().join("danlu"))
}

/// Where the pictures of folders are kept decoded.
pub(crate) fn picture_cache() -> Option<PathBuf> {
    cache().map(|dir| dir.join("pictures"))
}

/// Where to look for `data`, the name of a data set or a folder.
pub(crate) fn places(data: &Path) -> Result<Places, CliError> {
    let named = data.to_str().and_then(known_set);
    let known = named.unwrap_or(&KNOWN_SETS[0]);
    let url = variable("DANLU_URL").map(|url| url.to_string_lossy().into_owned());
    if let Some(url) = url.as_ref().filter(|url| !url.starts_with("http://")) {
        return Err(CliError::Url { url: url.clone() });
    }
    Ok(Places {
        known,
        dir: named.is_none().then(|| data.to_owned()),
        has_namesake: named.is_some() && data.is_dir(),
        env: variable("DANLU_DATA").map(PathBuf::from),
        cache: cache().map(|dir| dir.join(known.name)),
        system: Path::new(SYSTEM_DIR).join(known.name),
        url: Some(url.unwrap_or_else(|| fashion_mnist::URL.into())),
    })
}

/// Threads and instruction set; without `threads` as many as there are cores.
pub(crate) fn setup(threads: Option<usize>) -> Result<Setup, CliError> {
    let isa = match variable("DANLU_ISA") {
        Some(name) => Isa::named(&name.to_string_lossy())?,
        None => Isa::detect(),
    };
    let threads = threads.unwrap_or_else(|| n_cores().min(MAX_THREADS));
    // Pictures are decoded by the threads of this pool, which can be made only once.
    let _made_before = ThreadPoolBuilder::new().num_threads(threads).build_global();
    Ok(Setup { threads, isa })
}

/// Logical cores that this program may use.
fn n_cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The machine, for a run's record.
pub(crate) fn machine(setup: Setup) -> MachineRecord {
    MachineRecord {
        os: env::consts::OS.into(),
        arch: env::consts::ARCH.into(),
        cpu: cpu_name(),
        isa: setup.isa.name().into(),
        threads: setup.threads,
        n_cores: n_cores(),
    }
}

/// The processor's own name; only Linux tells it in a file.
fn cpu_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
