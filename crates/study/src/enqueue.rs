//! Values that somebody wants tried.

use std::collections::BTreeMap;

use search::{Dimension, Point};
use spec::{Param, ParamValue};

use crate::view::StudyView;
use crate::{StudyError, journal};

impl StudyView {
    /// Has values tried, of which the sampler chooses what is missing; returns the trial's number. Values that no network of
    /// a grammar has are refused, as far as all before them are given, and values of parameters that are not there with the
    /// others.
    pub fn enqueue(&mut self, params: &BTreeMap<String, Param>) -> Result<u64, StudyError> {
        self.check_conditions(params)?;
        self.check_allowed(params)?;
        let number = self.store.enqueue(self.id, params, &BTreeMap::new())?;
        self.sync()?;
        journal::write_first(self.folder(), self.trial(number)?)?;
        Ok(number)
    }

    fn check_allowed(&self, params: &BTreeMap<String, Param>) -> Result<(), StudyError> {
        let (space, mut prefix) = (self.space(), Vec::new());
        for (idx, dimension) in space.dimensions().iter().enumerate() {
            let value = params.get(&dimension.name).map(|param| param.value);
            let (name, domain) = (&dimension.name, &dimension.domain);
            match (space.is_active(idx, &prefix), value) {
                (true, None) => return Ok(()),
                (true, Some(ParamValue::Category(category))) => {
                    let allowed = space.allowed(idx, &prefix);
                    if allowed.is_some_and(|allowed| !allowed[category]) {
                        let value = domain.show(ParamValue::Category(category));
                        return Err(StudyError::NotAllowed { name: name.clone(), value });
                    }
                    prefix.push(value);
                }
                (true, value) => prefix.push(value),
                (false, _) => prefix.push(None),
            }
        }
        Ok(())
    }

    /// Whoever wants a value of a parameter with conditions wants the values on which these depend too.
    fn check_conditions(&self, params: &BTreeMap<String, Param>) -> Result<(), StudyError> {
        let dimensions = self.space().dimensions();
        let value = |dimension: &Dimension| params.get(&dimension.name).map(|param| param.value);
        let point: Point = dimensions.iter().map(value).collect();
        for dimension in dimensions.iter().filter(|dimension| params.contains_key(&dimension.name)) {
            if let Some(unmet) = dimension.conditions.iter().find(|condition| !condition.is_met(&point)) {
                let other = &dimensions[unmet.dimension];
                let show = |&category: &usize| other.domain.show(ParamValue::Category(category));
                let wanted = unmet.categories.iter().map(show).collect::<Vec<_>>().join(" or ");
                let (name, other) = (dimension.name.clone(), other.name.clone());
                return Err(StudyError::NotThere { name, other, wanted });
            }
        }
        Ok(())
    }
}
