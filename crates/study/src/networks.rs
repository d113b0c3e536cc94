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

/// The network files that a study's runs name.
pub fn network_files(study: &StudySpec) -> BTreeSet<String> {
    let of_run = study.run.iter().filter_map(|run| run.get(KEY));
    let choices = study.parameters.iter().flat_map(|parameter| {
        let is_network = parameter.key.iter().any(|key| key == KEY);
        let values = parameter.choices.iter().flatten();
        values.flat_map(move |choice| {
            let own = choice.value.iter().filter(move |_| is_network);
            own.chain(choice.set.iter().filter(|(key, _)| key == KEY).map(|(_, value)| value))
        })
    });
    let names = of_run.chain(choices).filter_map(Value::as_str);
    names.filter(|name| spec::preset(name).is_none()).map(str::to_owned).collect()
}

impl StudyView {
    /// Fails where a network file of the study is not as it was when trials of it were first made: some of its trials would be of
    /// another network than the rest.
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
        let kept = self.row()?.and_then(|mut study| study.user_attributes.remove(NETWORKS));
        Ok(kept.and_then(|kept| kept.as_object().cloned()).unwrap_or_default())
    }
}
