//! Numbers on the wire that may be infinite or none: those go as text, which a reader wants to see.

use serde::{Serialize, Serializer};

/// As a JSON number, or as `"nan"`, `"inf"` or `"-inf"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_finite() => serializer.serialize_f64(x),
            x if x.is_nan() => serializer.serialize_str("nan"),
            x if x > 0.0 => serializer.serialize_str("inf"),
            _ => serializer.serialize_str("-inf"),
        }
    }
}

/// Each of them.
pub(crate) fn numbers(values: &[f64]) -> Vec<Number> {
    values.iter().copied().map(Number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_said_in_words() {
        let all = numbers(&[1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
        assert_eq!(serde_json::to_string(&all).unwrap(), r#"[1.5,"nan","inf","-inf"]"#);
    }
}
