//! A table of trainings that were made once, as a function to minimize. `bench/README.md` describes the file.

use std::collections::BTreeMap;

use search::{Dimension, Point, Space};
use serde_json::Value;
use spec::{Category, Domain, IntDomain, Scale};

use crate::{Fallible, Objective, numbers};

/// Reads an unpacked table. Parameters of numbers are whole numbers, positions among their values; others are categories.
pub(crate) fn read(path: &str) -> Fallible<Objective> {
    let table: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let dimensions = list(&table, "space")?.iter().map(|parameter| {
        let name = parameter["name"].as_str().ok_or("a parameter of the table has no `name`")?;
        let domain = domain(list(parameter, "values")?);
        Ok(Dimension::new(name, domain))
    });
    let space = Space::new(dimensions.collect::<Fallible<Vec<_>>>()?)?;
    let curves = list(&table, "rows")?.iter().map(row).collect::<Fallible<BTreeMap<_, _>>>()?;
    let sizes = list(&table, "space")?.iter().map(|parameter| list(parameter, "values").map_or(0, Vec::len));
    let n_points: usize = sizes.product();
    if curves.len() != n_points {
        return Err(format!("the table has {} rows for {n_points} points", curves.len()).into());
    }
    let curve = move |point: &Point| {
        let key: Vec<u64> = numbers(point).into_iter().flatten().map(|x| x as u64).collect();
        curves[&key].clone()
    };
    Ok(Objective { space, curve: Box::new(curve) })
}

fn domain(values: &[Value]) -> Domain {
    let n = values.len() as i64;
    if values.iter().all(Value::is_number) {
        Domain::Int(IntDomain { low: 0, high: n - 1, scale: Scale::Linear, step: 1 })
    } else {
        Domain::Categorical((0..n).map(Category::Int).collect())
    }
}

/// Positions, and costs: 1 - accuracy.
fn row(row: &Value) -> Fallible<(Vec<u64>, Vec<f64>)> {
    let params = list(row, "params")?.iter().map(|idx| idx.as_u64().ok_or("a position is no number"));
    let curve = list(row, "curve")?.iter().map(|accuracy| 1.0 - accuracy.as_f64().unwrap_or(f64::NAN));
    Ok((params.collect::<Result<_, _>>()?, curve.collect()))
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> Fallible<&'a Vec<Value>> {
    value[key].as_array().ok_or_else(|| format!("the table has no list `{key}` in {value:.80}").into())
}
