//! Domains and values of parameters as Optuna writes them.
//!
//! `trial_params.param_value` is a float: the value, or the position of the category. `distribution_json` is
//! `{"name": "FloatDistribution", "attributes": {"low": …, "high": …, "log": …, "step": …}}`, the same with
//! `IntDistribution`, or `{"name": "CategoricalDistribution", "attributes": {"choices": [null, true, 1, 0.5, "text"]}}`.

use serde_json::{Value as Json, json};
use spec::{Category, Domain, FloatDomain, IntDomain, LARGEST_WHOLE, Param, ParamValue, Scale};

use crate::python_json;

/// `param_value` and `distribution_json`, or why the parameter has none.
pub(crate) fn write(param: &Param) -> Result<(f64, String), String> {
    let (name, attributes) = match &param.domain {
        Domain::Float(domain) => ("FloatDistribution", write_float(domain)?),
        Domain::Int(domain) => ("IntDistribution", write_int(domain)?),
        Domain::Categorical(categories) => ("CategoricalDistribution", write_choices(categories)?),
    };
    let value = match (&param.domain, param.value) {
        (Domain::Float(_), ParamValue::Float(x)) if x.is_finite() => x,
        (Domain::Int(_), ParamValue::Int(x)) => whole(x)? as f64,
        (Domain::Categorical(categories), ParamValue::Category(idx)) if idx < categories.len() => idx as f64,
        (_, value) => return Err(format!("{value:?} is no value of its domain")),
    };
    Ok((value, json!({"name": name, "attributes": attributes}).to_string()))
}

/// The value as Optuna's users see it, as in `fixed_params`.
pub(crate) fn external(param: &Param) -> Json {
    match (&param.domain, param.value) {
        (Domain::Categorical(categories), ParamValue::Category(idx)) => {
            categories.get(idx).map_or(Json::Null, choice)
        }
        (_, ParamValue::Float(x)) => json!(x),
        (_, ParamValue::Int(x)) => json!(x),
        (_, ParamValue::Category(idx)) => json!(idx),
    }
}

fn write_float(domain: &FloatDomain) -> Result<Json, String> {
    if ![domain.low, domain.high, domain.step.unwrap_or(1.0)].into_iter().all(f64::is_finite) {
        return Err(format!("{domain:?} has infinite bounds"));
    }
    let log = domain.scale == Scale::Log;
    Ok(json!({"step": domain.step, "low": domain.low, "high": domain.high, "log": log}))
}

fn write_int(domain: &IntDomain) -> Result<Json, String> {
    let (low, high, log) = (whole(domain.low)?, whole(domain.high)?, domain.scale == Scale::Log);
    Ok(json!({"log": log, "step": domain.step, "low": low, "high": high}))
}

fn write_choices(categories: &[Category]) -> Result<Json, String> {
    let is_infinite = |category: &Category| matches!(category, Category::Float(x) if !x.is_finite());
    if categories.iter().any(is_infinite) {
        return Err("a choice is NaN or infinite".to_owned());
    }
    Ok(json!({"choices": categories.iter().map(choice).collect::<Vec<_>>()}))
}

fn choice(category: &Category) -> Json {
    match category {
        Category::None => Json::Null,
        Category::Bool(value) => json!(value),
        Category::Int(value) => json!(value),
        Category::Float(value) => json!(value),
        Category::Text(value) => json!(value),
    }
}

fn whole(x: i64) -> Result<i64, String> {
    if x.unsigned_abs() <= LARGEST_WHOLE {
        return Ok(x);
    }
    Err(format!("{x} is not between -2^53 and 2^53"))
}

/// `distribution_json` as a domain.
pub(crate) fn read_domain(text: &str) -> Result<Domain, String> {
    let strange = || format!("the distribution {text}");
    let json = python_json::read(text);
    let attributes = &json["attributes"];
    let domain = match json["name"].as_str() {
        Some("FloatDistribution") => read_float(attributes).map(Domain::Float),
        Some("IntDistribution") => read_int(attributes).map(Domain::Int),
        Some("CategoricalDistribution") => read_choices(attributes).map(Domain::Categorical),
        _ => None,
    };
    domain.ok_or_else(strange)
}

/// `param_value` as a value of the domain. Values outside of the bounds are kept: Optuna allows `fixed_params` to have them. So are
/// whole numbers that a float holds only about, as of a seed up to 2^63.
pub(crate) fn read_value(domain: &Domain, stored: f64) -> Result<ParamValue, String> {
    let strange = || format!("the value {stored}");
    let is_whole = stored.fract() == 0.0;
    match domain {
        Domain::Float(_) => Ok(ParamValue::Float(stored)),
        Domain::Int(_) if is_whole => Ok(ParamValue::Int(stored as i64)),
        Domain::Categorical(categories) if is_whole && stored >= 0.0 => {
            let idx = stored as usize;
            if idx < categories.len() { Ok(ParamValue::Category(idx)) } else { Err(strange()) }
        }
        Domain::Int(_) | Domain::Categorical(_) => Err(strange()),
    }
}

fn read_float(json: &Json) -> Option<FloatDomain> {
    let (low, high) = (json["low"].as_f64()?, json["high"].as_f64()?);
    let step = if json["step"].is_null() { None } else { Some(json["step"].as_f64()?) };
    let is_domain = low <= high && step.is_none_or(|step| step > 0.0);
    is_domain.then_some(FloatDomain { low, high, scale: read_scale(json)?, step })
}

fn read_int(json: &Json) -> Option<IntDomain> {
    let (low, high, step) = (json["low"].as_i64()?, json["high"].as_i64()?, json["step"].as_i64()?);
    let is_domain = low <= high && step >= 1;
    is_domain.then_some(IntDomain { low, high, scale: read_scale(json)?, step })
}

fn read_scale(json: &Json) -> Option<Scale> {
    Some(if json["log"].as_bool()? { Scale::Log } else { Scale::Linear })
}

fn read_choices(json: &Json) -> Option<Vec<Category>> {
    let categories: Vec<_> = json["choices"].as_array()?.iter().map(read_choice).collect();
    (!categories.is_empty()).then_some(categories)
}

/// Choices that are no single values, which Optuna warns of but takes, become their text.
fn read_choice(json: &Json) -> Category {
    match json {
        Json::Null => Category::None,
        Json::Bool(value) => Category::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Category::Int(value),
            None => Category::Float(number.as_f64().unwrap_or(f64::MAX)),
        },
        Json::String(value) => Category::Text(value.clone()),
        Json::Array(_) | Json::Object(_) => Category::Text(json.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_domain_is_an_error() {
        let cases = [
            "",
            "NaN",
            r#"{"name": "UniformDistribution", "attributes": {"low": 0.0, "high": 1.0}}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 2.0, "high": 1.0, "log": false, "step": null}}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0, "log": false, "step": 0.0}}"#,
            r#"{"name": "IntDistribution", "attributes": {"low": 0, "high": 1, "log": false, "step": 0}}"#,
            r#"{"name": "CategoricalDistribution", "attributes": {"choices": []}}"#,
        ];
        for text in cases {
            read_domain(text).expect_err(text);
        }
    }

    #[test]
    fn whole_numbers_of_other_programs_may_be_too_large_for_a_float() {
        let text = r#"{"name": "IntDistribution", "attributes": {"low": 0, "high": 9223372036854775807, "log": false, "step": 1}}"#;
        let domain = read_domain(text).expect("a domain");
        assert_eq!(read_value(&domain, 2f64.powi(62)), Ok(ParamValue::Int(1 << 62)));
        for stored in [0.5, f64::NAN, f64::INFINITY] {
            read_value(&domain, stored).expect_err("no whole number");
        }
    }

    #[test]
    fn a_position_that_does_not_exist_is_an_error() {
        let domain = Domain::Categorical(vec![Category::None, Category::Int(1)]);
        assert_eq!(read_value(&domain, 1.0), Ok(ParamValue::Category(1)));
        for stored in [-1.0, 0.5, 2.0, f64::NAN, f64::INFINITY] {
            read_value(&domain, stored).expect_err("no position");
        }
    }

    #[test]
    fn what_a_float_column_cannot_hold_is_refused() {
        let int = |low, high| Domain::Int(IntDomain { low, high, scale: Scale::Linear, step: 1 });
        let cases = [
            (int(0, i64::MAX), ParamValue::Int(1)),
            (int(0, 9), ParamValue::Float(1.0)),
            (Domain::Categorical(vec![Category::Float(f64::INFINITY)]), ParamValue::Category(0)),
            (Domain::Categorical(vec![Category::None]), ParamValue::Category(1)),
        ];
        for (domain, value) in cases {
            write(&Param { domain, value }).expect_err("no such parameter");
        }
    }
}
