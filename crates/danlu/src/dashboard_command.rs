//! `danlu dashboard`.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dashboard::{DashboardError, Settings, Usage};

use crate::cli::DashboardArgs;
use crate::error::CliError;
use crate::{browser, environment, interrupt, output};

/// The first port that is tried where none is asked for, and how many.
const PORT: u16 = 8765;
const N_PORTS: u16 = 20;

/// After so long without a look `--while-used` ends.
const MAX_IDLE: Duration = Duration::from_secs(30 * 60);

/// In the runs folder: the address of the dashboard that shows it, which holds a lock on the file, its process, and the
/// studies folder that it shows beside.
const ADDRESS_FILE: &str = ".dashboard";

pub(crate) fn run(args: &DashboardArgs) -> Result<(), CliError> {
    interrupt::tidy_up();
    let runs = &args.runs;
    fs::create_dir_all(runs).map_err(CliError::io("make the folder", runs))?;
    let sign = runs.join(ADDRESS_FILE);
    let is_default = args.port.is_none() && args.host == "127.0.0.1";
    if is_default && let Some(address) = address_of_other(&sign, &args.studies) {
        return show(args, &address);
    }
    let listener = listen(args)?;
    let address = listener.local_addr().map_err(CliError::io("find the address of", runs))?;
    let usage = Arc::new(Usage::new());
    let app = dashboard::app(settings(args, address, usage.clone())?)?;
    let shown = format!("http://{}/", shown_host(args, address));
    // Held until the end.
    let _lock = put_down(&sign, &shown, &args.studies);
    if !address.ip().is_loopback() {
        output::note("note: whoever reaches this address can read the runs and start trainings");
    }
    show(args, &shown)?;
    let is_over = || interrupt::is_signaled() || (args.while_used && usage.idle() > MAX_IDLE);
    dashboard::serve(listener, app, is_over)?;
    Ok(())
}

fn settings(args: &DashboardArgs, address: SocketAddr, usage: Arc<Usage>) -> Result<Settings, CliError> {
    let setup = environment::setup(None)?;
    let machine = environment::machine(setup);
    let program = std::env::current_exe().map_err(CliError::io("find", "this program"))?;
    Ok(Settings {
        runs_dir: args.runs.clone(),
        studies_dir: args.studies.clone(),
        program,
        version: env!("CARGO_PKG_VERSION"),
        cpu: machine.cpu,
        isa: setup.isa,
        n_cores: machine.n_cores,
        places: Box::new(|data| environment::places(data).map_err(|error| error.one_line())),
        picture_cache: environment::picture_cache(),
        address,
        host: Some(args.host.clone()),
        usage,
    })
}

/// The port that was asked for, or the first of a few that is free.
fn listen(args: &DashboardArgs) -> Result<TcpListener, CliError> {
    let host = &args.host;
    let unknown = |source| CliError::Host { host: host.clone(), source };
    let ports = match args.port {
        Some(port) => port..=port,
        None => PORT..=PORT + N_PORTS - 1,
    };
    let mut last = None;
    for port in ports {
        let mut addresses = (host.as_str(), port).to_socket_addrs().map_err(unknown)?;
        let address = addresses.next().ok_or_else(|| unknown(ErrorKind::NotFound.into()))?;
        match dashboard::listen(address) {
            Err(DashboardError::Listen { address, source }) if source.kind() == ErrorKind::AddrInUse => {
                last = Some(DashboardError::Listen { address, source });
            }
            listened => return Ok(listened?),
        }
    }
    Err(last.map_or_else(|| unknown(ErrorKind::NotFound.into()), CliError::from))
}

/// What a browser on this machine calls it.
fn shown_host(args: &DashboardArgs, address: SocketAddr) -> String {
    match args.host.parse() {
        Ok(std::net::IpAddr::V4(ip)) if ip.is_unspecified() => format!("127.0.0.1:{}", address.port()),
        Ok(std::net::IpAddr::V6(ip)) if ip.is_unspecified() => format!("[::1]:{}", address.port()),
        Ok(_) => address.to_string(),
        Err(_) => format!("{}:{}", args.host, address.port()),
    }
}

/// Tells the address, and opens it in the browser if that is asked for.
fn show(args: &DashboardArgs, address: &str) -> Result<(), CliError> {
    let address = match &args.run {
        Some(run) => format!("{address}#/runs/{}", encoded(run)),
        None => address.to_owned(),
    };
    output::line(&format!("the page is at {address}"))?;
    if args.open && !browser::open(&address) {
        output::note("there is no browser here to open it with");
    }
    Ok(())
}

/// A folder's name as a part of an address.
fn encoded(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let encode = |byte: u8| if is_plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    name.bytes().map(encode).collect()
}

/// The address of a living dashboard of the same folders.
fn address_of_other(sign: &Path, studies: &Path) -> Option<String> {
    let file = File::open(sign).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            let text = fs::read_to_string(sign).ok()?;
            let mut lines = text.lines();
            let (address, _process) = (lines.next()?, lines.next()?);
            let is_same = lines.next() == Some(&canonical(studies));
            (address.starts_with("http://") && is_same).then(|| address.to_owned())
        }
        _ => None,
    }
}

/// Lets others find this dashboard; where another one has done so already, that one stays.
fn put_down(sign: &Path, address: &str, studies: &Path) -> Option<File> {
    let mut file = File::options().create(true).truncate(false).write(true).open(sign).ok()?;
    file.try_lock().ok()?;
    let text = format!("{address}\nprocess {}\n{}\n", std::process::id(), canonical(studies));
    file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).ok()?;
    Some(file)
}

/// A folder, which need not be there yet, in words that are the same from everywhere.
fn canonical(dir: &Path) -> String {
    let found = fs::canonicalize(dir).or_else(|_| std::path::absolute(dir));
    found.unwrap_or_else(|_| dir.to_owned()).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashboard_is_found_as_long_as_it_lives() {
        let dir = tempfile::tempdir().unwrap();
        let sign = dir.path().join(ADDRESS_FILE);
        let (studies, others) = (dir.path().join("studies"), dir.path().join("others"));
        let other = || address_of_other(&sign, &studies);
        assert_eq!(other(), None);
        let first = put_down(&sign, "http://127.0.0.1:1/", &studies).unwrap();
        assert!(put_down(&sign, "http://127.0.0.1:2/", &studies).is_none());
        assert_eq!(other().as_deref(), Some("http://127.0.0.1:1/"));
        assert_eq!(address_of_other(&sign, &others), None, "it does not show these studies");
        drop(first);
        assert_eq!(other(), None);
        let second = put_down(&sign, "http://a:3/", &studies).unwrap();
        assert_eq!(other().as_deref(), Some("http://a:3/"));
        drop(second);
    }

    #[test]
    fn names_are_parts_of_addresses() {
        assert_eq!(encoded("lenet-3x3_1.b"), "lenet-3x3_1.b");
        assert_eq!(encoded("a b/丹"), "a%20b%2F%E4%B8%B9");
    }
}
