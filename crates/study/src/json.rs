//! Values of parameters in JSON, as people and other programs write them: a category is what it stands for.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use spec::{Category, Domain, Param, ParamValue, TrialRecord};

use crate::{StudyError, StudyView};

/// A trial's values by name.
pub fn params_to_json(trial: &TrialRecord) -> Map<String, Json> {
    trial
        .params
        .iter()
        .map(|(name, param)| (name.clone(), value_to_json(&param.domain, param.value)))
        .collect()
}

/// One value.
pub fn value_to_json(domain: &Domain, value: ParamValue) -> Json {
    match (domain, value) {
        (_, ParamValue::Float(x)) => Json::from(x),
        (_, ParamValue::Int(x)) => Json::from(x),
        (Domain::Categorical(all), ParamValue::Category(idx)) => {
            all.get(idx).map_or(Json::Null, category_to_json)
        }
        (_, ParamValue::Category(idx)) => Json::from(idx),
    }
}

fn category_to_json(category: &Category) -> Json {
    match category {
        Category::None => Json::Null,
        Category::Bool(value) => Json::from(*value),
        Category::Int(value) => Json::from(*value),
        Category::Float(value) => Json::from(*value),
        Category::Text(value) => Json::from(value.as_str()),
    }
}

/// Some or all values of a trial that somebody wants tried. A name or a value that the study does not have is an error.
pub fn params_from_json(
    view: &StudyView,
    values: &Map<String, Json>,
) -> Result<BTreeMap<String, Param>, StudyError> {
    let dimensions = view.space().dimensions();
    let param = |(name, json): (&String, &Json)| {
        let Some(dimension) = dimensions.iter().find(|dimension| dimension.name == *name) else {
            let known =
                dimensions.iter().map(|dimension| dimension.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(StudyError::NoParameter { name: name.clone(), known });
        };
        let value =
            value_from_json(&dimension.domain, json).filter(|&value| dimension.domain.contains(value));
        let value = value.ok_or_else(|| StudyError::NotInDomain {
            name: name.clone(),
            value: json.to_string(),
            allowed: allowed(&dimension.domain),
        })?;
        Ok((name.clone(), Param { domain: dimension.domain.clone(), value }))
    };
    values.iter().map(param).collect()
}

fn value_from_json(domain: &Domain, json: &Json) -> Option<ParamValue> {
    match domain {
        Domain::Float(_) => json.as_f64().map(ParamValue::Float),
        Domain::Int(_) => json.as_i64().map(ParamValue::Int),
        Domain::Categorical(all) => {
            let is_it = |category: &Category| match (category_to_json(category), json) {
                (Json::Number(ours), Json::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
                (ours, theirs) => ours == *theirs,
            };
            all.iter().position(is_it).map(ParamValue::Category)
        }
    }
}

/// What a parameter may be, for people.
fn allowed(domain: &Domain) -> String {
    let step = |step: Option<String>| step.map_or_else(String::new, |step| format!(" in steps of {step}"));
    match domain {
        Domain::Float(float) => {
            format!("from {} to {}{}", float.low, float.high, step(float.step.map(|step| step.to_string())))
        }
        Domain::Int(int) => {
            format!("from {} to {}{}", int.low, int.high, step((int.step != 1).then(|| int.step.to_string())))
        }
        Domain::Categorical(all) => {
            format!("one of {}", all.iter().map(Category::to_string).collect::<Vec<_>>().join(", "))
        }
    }
}
