//! Network files that a study's runs name: all of its trials are to be of the same ones.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use spec::{NetworkSpec, StudySpec};
use toml::Value;

use crate::{StudyError, StudyView};

/// The study attribute with what its network files held when they were first read, by name.
const NETWORKS: &str = "danlu:networks";

/// What a run's key for its network is called.
const KEY: &str = "network";

/// The names under which a study's runs may ask for their network, presets among them.
pub fn network_names(study: &StudySpec) -> BTreeSet<String> {
    let of_run = study.run.iter().filter_map(|run| run.get(KEY));
    let choices = study.parameters.iter().flat_map(|parameter| {
        let is_network = parameter.key.iter().any(|key| key == KEY);
        let values = parameter.choices.iter().flatten();
        values.flat_map(move |choice| {
            let own = choice.value.iter().filter(move |_| is_network);
            own.chain(choice.set.iter().filter(|(key, _)| key == KEY).map(|(_, value)| value))
        })
    });
    of_run.chain(choices).filter_map(Value::as_str).map(str::to_owned).collect()
}

impl StudyView {
    /// Finds that the study's network files are as they were when trials of them were first made: else some of its trials would be
    /// of other networks than the rest.
    pub fn check_networks(&self, networks: &BTreeMap<String, NetworkSpec>) -> Result<(), StudyError> {
        self.with_kept(networks).map(drop)
    }

    /// The same, and keeps what those hold that were not seen before.
    pub fn keep_networks(&self, networks: &BTreeMap<String, NetworkSpec>) -> Result<(), StudyError> {
        match self.with_kept(networks)? {
            (all, true) => Ok(self.store.set_study_user_attribute(self.id, NETWORKS, &Json::Object(all))?),
            (_, false) => Ok(()),
        }
    }

    /// All networks that were ever seen, and whether there are new ones among them.
    fn with_kept(
        &self,
        networks: &BTreeMap<String, NetworkSpec>,
    ) -> Result<(Map<String, Json>, bool), StudyError> {
        let (mut all, mut has_new) = (self.kept_networks()?, false);
        for (name, network) in networks {
            let now = Json::from(network.to_toml()?);
            match all.get(name) {
                None => {
                    all.insert(name.clone(), now);
                    has_new = true;
                }
                Some(before) if *before == now => {}
                Some(_) => {
                    let (dir, name) = (self.folder().dir().to_owned(), name.clone());
                    return Err(StudyError::NetworkChanged { dir, name, study: self.spec().name.clone() });
                }
            }
        }
        Ok((all, has_new))
    }

    fn kept_networks(&self) -> Result<Map<String, Json>, StudyError> {
        let studies = self.store.studies()?;
        let attributes = studies.into_iter().find(|study| study.id == self.id);
        let kept = attributes.and_then(|mut study| study.user_attributes.remove(NETWORKS));
        Ok(kept.and_then(|kept| kept.as_object().cloned()).unwrap_or_default())
    }
}
