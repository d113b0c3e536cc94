//! How specs are laid out as TOML: one line a key, layers and optimizers' numbers as a person would type them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Table;
use toml::ser::ValueSerializer;

use crate::SpecError;
use crate::version::VersionProbe;

/// Reads a file that people write; its version, if there is one, comes before all other complaints.
pub(crate) fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, SpecError> {
    let toml_error = |source| SpecError::Toml { what, source };
    toml::from_str::<VersionProbe>(text).map_err(toml_error)?.check_optional(what)?;
    toml::from_str(text).map_err(toml_error)
}

/// Reads a table of a file, in which lines are not known; otherwise as [`read`].
pub(crate) fn read_table<T: DeserializeOwned>(what: &'static str, table: Table) -> Result<T, SpecError> {
    let toml_error = |source| SpecError::Toml { what, source };
    table.clone().try_into::<VersionProbe>().map_err(toml_error)?.check_optional(what)?;
    table.try_into().map_err(toml_error)
}

/// A TOML document that grows by a line at a time. `toml::to_string` would give every layer a table of its
/// own and write 1e-8 as 0.00000001.
pub(crate) struct TomlText(String);

impl TomlText {
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// An empty line and `header`, as in `[optimizer.adam]`.
    pub(crate) fn table(&mut self, header: &str) {
        self.0.push_str(&format!("\n{header}\n"));
    }

    /// `key = value`, on one line.
    pub(crate) fn key(&mut self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<(), SpecError> {
        let mut text = String::new();
        value
            .serialize(ValueSerializer::new(&mut text))
            .map_err(|source| SpecError::Write { key: key.into(), source })?;
        self.0.push_str(&format!("{key} = {text}\n"));
        Ok(())
    }

    /// `key = 1e-8`: the shortest digits that read back to the same bits. `value` is finite.
    pub(crate) fn float(&mut self, key: &str, value: f64) {
        self.0.push_str(&format!("{key} = {value:?}\n"));
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}
