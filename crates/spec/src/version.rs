//! The version that every written format carries.

use serde::Deserialize;

use crate::SpecError;

/// Version of the run file, the network file and the run record that this program writes, and the only one
/// that it reads.
pub const FORMAT_VERSION: u32 = 1;

/// The version alone, whatever else the text holds: it is looked at first, so that a newer file is called
/// newer and not blamed for keys that are unknown here.
#[derive(Deserialize)]
pub(crate) struct VersionProbe {
    version: Option<i64>,
}

impl VersionProbe {
    /// For files that people write: an absent version means this one.
    pub(crate) fn check_optional(&self, what: &'static str) -> Result<(), SpecError> {
        self.version.map_or(Ok(()), |found| check_version(what, found))
    }

    /// For files that programs write.
    pub(crate) fn check_required(&self, what: &'static str) -> Result<(), SpecError> {
        check_version(what, self.version.ok_or(SpecError::MissingVersion { what })?)
    }
}

fn check_version(what: &'static str, found: i64) -> Result<(), SpecError> {
    let supported = FORMAT_VERSION;
    match found.cmp(&i64::from(supported)) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(SpecError::NewerVersion { what, found, supported }),
        std::cmp::Ordering::Less => Err(SpecError::UnknownVersion { what, found, supported }),
    }
}
