//! Trials of processes that are gone.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use spec::TrialState;
use store::{Changes, Lease, RunningLease, StoreError};

use crate::ask::FAILURE;
use crate::worker::{death_of, is_gone};
use crate::{Study, StudyError};

/// The trial attribute that counts processes that died with it: after how many steps, and how many since.
const DEATHS: &str = "danlu:deaths";
/// A trial that so many processes died of in a row is given up. A memory that is too small does it every time; processes that
/// somebody kills at random hardly ever in the same epoch. Where all processes ended at once, as when the power fails, it
/// is not the trial's fault and does not count.
pub const MAX_DEATHS: u64 = 5;

impl Study {
    /// Trials of processes that are gone wait again, with what was done of them.
    pub(crate) fn take_back_lost(&mut self) -> Result<(), StudyError> {
        for RunningLease { number, lease, heartbeat_ms } in self.view.store.running_leases(self.view.id)? {
            if lease != self.lease && !lease.is_outside() && is_gone(self.view.folder(), &lease, heartbeat_ms)
            {
                match self.take_back(number, &lease) {
                    // Another process was quicker.
                    Err(StudyError::Store(StoreError::LeaseLost { .. })) => {}
                    taken => taken?,
                }
            }
        }
        Ok(())
    }

    /// A trial that one process after the other dies of, without an epoch in between, is given up.
    fn take_back(&mut self, number: u64, gone: &Lease) -> Result<(), StudyError> {
        self.view.sync()?;
        let Some(how) = death_of(self.view.folder(), gone) else {
            self.view.store.requeue(self.view.id, number, gone)?;
            return Ok(());
        };
        let trial = self.view.trial(number)?;
        let n_steps = trial.intermediate.len() as u64;
        let before = trial.user_attributes.get(DEATHS).and_then(Json::as_array);
        let same = before.filter(|before| before.first().and_then(Json::as_u64) == Some(n_steps));
        let n_deaths = 1 + same.and_then(|before| before.get(1)?.as_u64()).unwrap_or(0);
        let mut user_attributes = BTreeMap::from([(DEATHS.to_owned(), Json::from(vec![n_steps, n_deaths]))]);
        if n_deaths < MAX_DEATHS {
            let changes = Changes { user_attributes, ..Changes::default() };
            self.view.store.update(self.view.id, number, gone, &changes)?;
            self.view.store.requeue(self.view.id, number, gone)?;
            return Ok(());
        }
        let reason = format!("{n_deaths} processes ended while they tried it, the last by {how}");
        user_attributes.insert(FAILURE.into(), Json::from(reason));
        let changes = Changes { user_attributes, ..Changes::default() };
        self.view.store.finish(self.view.id, number, gone, &TrialState::Failed, &changes)?;
        self.put_down(number)
    }
}
