//! `model.safetensors`: the weights, and in the header's metadata all that is needed to use them.
//!
//! Metadata: `danlu` format version, `network` as a network file, `classes` as a JSON list of names,
//! `normalization` as a JSON object of `scale` and `shift`, each a list with a number for each channel, or with one
//! for all; a bare number is read as such a list of one.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use data::Normalization;
use nn::{Params, Plan};
use serde::{Deserialize, Deserializer, Serialize};
use spec::{FORMAT_VERSION, InitSpec, NetworkSpec};

use crate::run_folder::{MODEL, RECORD, RUN};
use crate::{RunsError, input_file};

/// A trained network, ready to use.
#[derive(Clone, Debug)]
pub struct Model {
    /// The file that it came from.
    pub path: PathBuf,
    /// What was asked for.
    pub network: NetworkSpec,
    /// The compiled network.
    pub plan: Plan,
    /// Its weights.
    pub params: Params<f32>,
    /// The classes' names, in the order of the logits.
    pub classes: Vec<String>,
    /// From bytes to the numbers that it learned from.
    pub normalization: Normalization,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NormalizationText {
    #[serde(deserialize_with = "numbers")]
    scale: Vec<f32>,
    #[serde(deserialize_with = "numbers")]
    shift: Vec<f32>,
}

/// A list of numbers, or one bare number.
fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    match &value {
        serde_json::Value::Array(_) => Vec::deserialize(value),
        _ => f32::deserialize(value).map(|number| vec![number]),
    }
    .map_err(serde::de::Error::custom)
}

/// The header's metadata of a model file.
pub fn metadata(
    network: &NetworkSpec,
    classes: &[String],
    normalization: &Normalization,
) -> Result<BTreeMap<String, String>, RunsError> {
    let Normalization { scale, shift } = normalization.clone();
    let entries = [
        ("danlu", FORMAT_VERSION.to_string()),
        ("network", network.to_toml()?),
        ("classes", serde_json::to_string(classes)?),
        ("normalization", serde_json::to_string(&NormalizationText { scale, shift })?),
    ];
    Ok(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

/// The model in a file or a run folder.
pub fn load(path: &Path) -> Result<Model, RunsError> {
    let path = locate(path)?;
    let bytes = input_file::read(&path)?;
    let metadata =
        nn::metadata(&bytes).map_err(|source| RunsError::Weights { path: path.clone(), source })?;
    let network = network(&path, &metadata)?;
    let plan = Plan::compile(&network).map_err(|error| no_model(&path, format!("its network: {error}")))?;
    let (classes, normalization) = reading(&path, &network, &metadata)?;
    let params = nn::from_safetensors(&plan, &bytes)
        .map_err(|source| RunsError::Weights { path: path.clone(), source })?;
    Ok(Model { path, network, plan, params, classes, normalization })
}

/// The network alone.
pub fn load_network(path: &Path, bytes: &[u8]) -> Result<NetworkSpec, RunsError> {
    let metadata =
        nn::metadata(bytes).map_err(|source| RunsError::Weights { path: path.to_owned(), source })?;
    network(path, &metadata)
}

/// Whether a file is called or begins as a safetensors file, with the length of its header; text would give a length
/// far beyond any file's.
pub fn is_model(path: &Path, bytes: &[u8]) -> bool {
    let header_len = bytes.first_chunk().map(|&bytes| u64::from_le_bytes(bytes));
    path.extension().is_some_and(|extension| extension == "safetensors")
        || header_len.is_some_and(|len| len <= bytes.len() as u64)
}

/// Weights to start from, and the file's hash put into `init`; one that is there already must be it.
pub fn load_init(plan: &Plan, init: &mut InitSpec) -> Result<Params<f32>, RunsError> {
    use sha2::{Digest, Sha256};
    let path = PathBuf::from(&init.file);
    let bytes = input_file::read(&path)?;
    let found = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if let Some(expected) = init.sha256.replace(found.clone()).filter(|expected| *expected != found) {
        return Err(RunsError::WeightsChanged { path, found, expected });
    }
    nn::from_safetensors(plan, &bytes).map_err(|source| RunsError::Weights { path, source })
}

fn locate(path: &Path) -> Result<PathBuf, RunsError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let model = path.join(MODEL);
    let is_run = [RUN, RECORD].iter().any(|file| path.join(file).exists());
    if is_run && !model.exists() {
        return Err(RunsError::NoEpoch { dir: path.to_owned() });
    }
    Ok(model)
}

fn network(path: &Path, metadata: &BTreeMap<String, String>) -> Result<NetworkSpec, RunsError> {
    let version = entry(path, metadata, "danlu")?;
    if version != FORMAT_VERSION.to_string() {
        let reason =
            format!("its format version is {version:?}, this program reads version {FORMAT_VERSION}");
        return Err(no_model(path, reason));
    }
    let text = entry(path, metadata, "network")?;
    NetworkSpec::from_toml(text).map_err(|error| no_model(path, format!("its network: {}", chain(&error))))
}

/// What the numbers that go in and come out mean.
fn reading(
    path: &Path,
    network: &NetworkSpec,
    metadata: &BTreeMap<String, String>,
) -> Result<(Vec<String>, Normalization), RunsError> {
    let wrong = |key: &str, reason: &dyn std::fmt::Display| no_model(path, format!("its `{key}`: {reason}"));
    let classes: Vec<String> =
        serde_json::from_str(entry(path, metadata, "classes")?).map_err(|error| wrong("classes", &error))?;
    if classes.len() != network.classes {
        let reason = format!("{} names for {} classes", classes.len(), network.classes);
        return Err(wrong("classes", &reason));
    }
    let NormalizationText { scale, shift } = serde_json::from_str(entry(path, metadata, "normalization")?)
        .map_err(|error| wrong("normalization", &error))?;
    let normalization = Normalization { scale, shift };
    normalization.validate(network.input[0]).map_err(|error| wrong("normalization", &error))?;
    Ok((classes, normalization))
}

fn entry<'a>(path: &Path, metadata: &'a BTreeMap<String, String>, key: &str) -> Result<&'a str, RunsError> {
    let missing = || no_model(path, format!("its header has no `{key}`"));
    metadata.get(key).map(String::as_str).ok_or_else(missing)
}

/// The error and its causes on one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn no_model(path: &Path, reason: String) -> RunsError {
    RunsError::NoModel { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, change: impl FnOnce(&mut BTreeMap<String, String>)) -> PathBuf {
        let network = spec::preset("lenet").unwrap();
        let plan = Plan::compile(&network).unwrap();
        let classes = data::fashion_mnist::CLASSES.map(String::from);
        let mut metadata = metadata(&network, &classes, &Normalization::default()).unwrap();
        change(&mut metadata);
        let params = Params::init(&plan, spec::Seed(1));
        let path = dir.join("m.safetensors");
        std::fs::write(&path, nn::to_safetensors(&plan, &params, &metadata).unwrap()).unwrap();
        path
    }

    #[test]
    fn a_model_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let model = load(&write(dir.path(), |_| {})).unwrap();
        assert_eq!(model.network, spec::preset("lenet").unwrap());
        assert_eq!(model.params, Params::init(&model.plan, spec::Seed(1)));
        assert_eq!(model.normalization, Normalization::default());
        assert_eq!(model.classes[9], "Ankle boot");
    }

    #[test]
    fn a_normalization_of_two_bare_numbers_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let text = "{\"scale\": 0.5, \"shift\": -1.0}";
        let path = write(dir.path(), |metadata| drop(metadata.insert("normalization".into(), text.into())));
        let expected = Normalization { scale: vec![0.5], shift: vec![-1.0] };
        assert_eq!(load(&path).unwrap().normalization, expected);
    }

    #[test]
    fn a_spoiled_header_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let cases = [
            ("danlu", "2", "format version is \"2\""),
            ("network", "name = 1", "its network: cannot read the network file"),
            ("classes", "[\"a\"]", "its `classes`: 1 names for 10 classes"),
            ("classes", "a", "its `classes`: expected value"),
            ("normalization", "{}", "its `normalization`: missing field `scale`"),
            ("normalization", "{\"scale\": 1e99, \"shift\": 0}", "its `normalization`"),
            ("normalization", "{\"scale\": [1, 2], \"shift\": [0, 0]}", "2 entries for 1 channels"),
            ("normalization", "{\"scale\": [\"a\"], \"shift\": 0}", "its `normalization`: invalid type"),
        ];
        for (key, value, expected) in cases {
            let path = write(dir.path(), |metadata| drop(metadata.insert(key.into(), value.into())));
            let message = load(&path).err().unwrap().to_string();
            assert!(message.contains(expected), "{key}: {message}");
        }
        let path = write(dir.path(), BTreeMap::clear);
        assert!(load(&path).err().unwrap().to_string().contains("its header has no `danlu`"));
    }

    #[test]
    fn text_is_no_model() {
        let path = Path::new("a");
        assert!(!is_model(path, b"name = \"lenet\"\ninput = [1, 28, 28]\n"));
        assert!(!is_model(path, b""));
        assert!(is_model(path, &[&2u64.to_le_bytes()[..], b"{}"].concat()));
        assert!(is_model(Path::new("cut.safetensors"), b""));
    }
}
