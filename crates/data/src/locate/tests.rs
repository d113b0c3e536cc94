use std::fs;

use tempfile::TempDir;

use super::*;
use crate::testing::{Reply, Server, hasty, response, write_set};

/// A folder with a data set in each of the named subfolders, and places that point at four of them.
fn ground(with_data: &[&str]) -> (TempDir, Places) {
    let root = tempfile::tempdir().unwrap();
    for name in with_data {
        write_set(&root.path().join(name));
    }
    let at = |name: &str| root.path().join(name);
    let places = Places { cache: Some(at("cache")), system: at("system"), ..Places::default() };
    (root, places)
}

fn find_quietly(places: &Places) -> Result<Found, DataError> {
    find_files(places, &FILES, &hasty(), &mut |_| {})
}

#[test]
fn the_order_is_env_cache_system() {
    let (root, mut places) = ground(&["env", "cache", "system"]);
    let at = |name: &str| root.path().join(name);
    places.env = Some(at("env"));
    assert_eq!(find_quietly(&places).unwrap(), Found { dir: at("env"), place: Place::Env });
    places.env = None;
    assert_eq!(find_quietly(&places).unwrap(), Found { dir: at("cache"), place: Place::Cache });
    places.cache = None;
    assert_eq!(find_quietly(&places).unwrap(), Found { dir: at("system"), place: Place::System });
}

#[test]
fn the_environment_may_name_the_folder_above() {
    let (root, mut places) = ground(&["env/fashion-mnist"]);
    places.env = Some(root.path().join("env"));
    assert_eq!(find_quietly(&places).unwrap().dir, root.path().join("env/fashion-mnist"));
    fs::remove_file(root.path().join("env/fashion-mnist/t10k-labels-idx1-ubyte")).unwrap();
    let message = with_causes(&find_quietly(&places).unwrap_err());
    assert!(message.contains("fashion-mnist has neither t10k-labels-idx1-ubyte nor"), "{message}");
}

#[test]
fn a_named_place_is_not_passed_over() {
    let (root, mut places) = ground(&["cache", "system"]);
    let nowhere = root.path().join("nowhere");
    places.env = Some(nowhere.clone());
    let message = with_causes(&find_quietly(&places).unwrap_err());
    let at = nowhere.display();
    let named = format!("DANLU_DATA names {at}, where no data set is found: {at} does not exist");
    assert_eq!(message, format!("the environment variable {named}"));
    places.dir = Some(nowhere.clone());
    let message = with_causes(&crate::Source::open(&places, &mut |_| {}).unwrap_err());
    assert_eq!(message, format!("no data set is found in {at}: {at} does not exist"));
    fs::create_dir(root.path().join("nowhere")).unwrap();
    let message = with_causes(&find_quietly(&places).unwrap_err());
    assert!(message.contains("neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz"), "{message}");
}

#[test]
fn an_incomplete_cache_is_passed_over() {
    let (root, places) = ground(&["cache", "system"]);
    fs::remove_file(root.path().join("cache/train-labels-idx1-ubyte")).unwrap();
    assert_eq!(find_quietly(&places).unwrap().place, Place::System);
}

#[test]
fn when_all_fail_one_message_tells_every_place_and_the_ways() {
    let (root, mut places) = ground(&[]);
    fs::create_dir(root.path().join("system")).unwrap();
    let server = Server::start(|_, _| Reply::Send(response("404 Not Found", "", 0, b"")));
    places.url = Some(server.url.clone());
    let message = find_quietly(&places).unwrap_err().to_string();
    let at = |name: &str| root.path().join(name).display().to_string();
    for part in [
        format!("  cache: {} does not exist\n", at("cache")),
        format!("  system: {} has neither train-images-idx3-ubyte nor", at("system")),
        format!(
            "  download: {}train-images-idx3-ubyte.gz: the server answered with status 404\n",
            server.url
        ),
        "apt-get install dataset-fashion-mnist\n".into(),
        "give --data DIR or set DANLU_DATA=DIR\n".into(),
        "danlu data fetch fashion-mnist".into(),
    ] {
        assert!(message.contains(&part), "{part:?} is not in {message}");
    }
}

#[test]
fn without_a_cache_or_an_address_there_is_no_download() {
    let (_root, mut places) = ground(&[]);
    let message = find_quietly(&places).unwrap_err().to_string();
    assert!(
        message.contains("download: cannot download Fashion-MNIST: downloads are turned off"),
        "{message}"
    );
    (places.cache, places.url) = (None, Some("http://127.0.0.1:9/".into()));
    let message = find_quietly(&places).unwrap_err().to_string();
    assert!(message.contains("cache: there is no folder for it"), "{message}");
    assert!(message.contains("there is no cache to put it into"), "{message}");
    assert!(matches!(crate::fetch(&places, &mut |_| {}), Err(DataError::CannotFetch { .. })));
}

#[test]
fn what_the_user_named_need_only_be_well_formed() {
    assert_eq!([Place::Dir, Place::Env].map(Place::strictness), [Strictness::WellFormed; 2]);
    let others = [Place::Cache, Place::System, Place::Download];
    assert_eq!(others.map(Place::strictness), [Strictness::Exact; 3]);
}

#[test]
fn other_sets_are_not_downloaded_but_told_where_to_be_put() {
    let (root, mut places) = ground(&["cache"]);
    (places.known, places.url) =
        (crate::known_set("emnist-letters").unwrap(), Some("http://127.0.0.1:9/".into()));
    places.cache = Some(root.path().join("elsewhere"));
    let message = find_quietly(&places).unwrap_err().to_string();
    for part in
        ["EMNIST Letters is not to be found", "elsewhere does not exist", "DIR or DIR/emnist-letters has"]
    {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    // Any set of files without a prefix may be it: the user put it there.
    places.cache = Some(root.path().join("cache"));
    assert_eq!(find_quietly(&places).unwrap().place, Place::Cache);
    places.known = crate::known_set("cifar-10").unwrap();
    let message = find_quietly(&places).unwrap_err().to_string();
    assert!(message.contains("cache has no CIFAR-10: that is data_batch_1.bin to"), "{message}");
}
