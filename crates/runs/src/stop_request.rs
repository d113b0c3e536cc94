//! `stop`: somebody's wish that the run in this folder should end. The run looks for it now and then, obeys, and deletes
//! it.

use std::fs;
use std::path::Path;

use crate::{RunsError, atomic_file};

const FILE: &str = "stop";

/// When a run should end. It can be gone on with in both cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopRequest {
    /// Within a second; what was learned since the last whole epoch is lost.
    Now,
    /// After the epoch that it is in.
    AfterEpoch,
}

impl StopRequest {
    /// The file's text: `now` or `after-epoch`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::AfterEpoch => "after-epoch",
        }
    }

    /// Asks the run in `dir`.
    pub fn write(self, dir: &Path) -> Result<(), RunsError> {
        atomic_file::replace(&dir.join(FILE), self.word().as_bytes())
    }

    /// What the run in `dir` is asked for; words that are not known ask for nothing.
    pub fn read(dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(dir.join(FILE)).ok()?;
        [Self::Now, Self::AfterEpoch].into_iter().find(|request| text.trim() == request.word())
    }

    /// Takes the request back: nothing is asked for any longer.
    pub fn clear(dir: &Path) -> Result<(), RunsError> {
        atomic_file::remove(&dir.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_cleared() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(StopRequest::read(dir.path()), None);
        for request in [StopRequest::Now, StopRequest::AfterEpoch] {
            request.write(dir.path()).unwrap();
            assert_eq!(StopRequest::read(dir.path()), Some(request));
        }
        StopRequest::clear(dir.path()).unwrap();
        StopRequest::clear(dir.path()).unwrap();
        assert_eq!(StopRequest::read(dir.path()), None);
        fs::write(dir.path().join("stop"), "later").unwrap();
        assert_eq!(StopRequest::read(dir.path()), None);
    }
}
