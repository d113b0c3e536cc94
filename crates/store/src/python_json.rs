//! JSON as Python writes it: also `NaN` and `Infinity`, which JSON does not have.

use serde_json::Value as Json;

/// The largest finite number: what stands for infinity, as JSON values cannot hold it.
const LARGEST: &str = "1.7976931348623157e308";

/// Reads what Python's `json.dumps` wrote. NaN becomes null, infinity the largest finite number of its sign; what cannot be
/// read at all (half a surrogate pair, 129 levels) is given as a string of itself, as a single strange attribute must not
/// make a study unreadable.
pub(crate) fn read(text: &str) -> Json {
    serde_json::from_str(text)
        .or_else(|_| serde_json::from_str(&as_json(text)))
        .unwrap_or_else(|_| Json::String(text.to_owned()))
}

/// What Python's `json.dumps` wrote as JSON in which numbers that are not finite are the texts "NaN", "inf" and "-inf".
pub fn with_number_texts(text: &str) -> String {
    replaced(text, &[("NaN", r#""NaN""#), ("-Infinity", r#""-inf""#), ("Infinity", r#""inf""#)])
}

fn as_json(text: &str) -> String {
    replaced(text, &[("NaN", "null"), ("Infinity", LARGEST)])
}

/// Replaces tokens outside of strings.
fn replaced(text: &str, tokens: &[(&str, &str)]) -> String {
    let mut json = String::with_capacity(text.len());
    let mut rest = text;
    let (mut in_string, mut is_escaped) = (false, false);
    while let Some(first) = rest.chars().next() {
        let token = tokens.iter().find(|(token, _)| !in_string && rest.starts_with(token));
        in_string ^= first == '"' && !is_escaped;
        is_escaped = in_string && first == '\\' && !is_escaped;
        let (len, written) = match token {
            Some((token, replacement)) => (token.len(), *replacement),
            None => (first.len_utf8(), &rest[..first.len_utf8()]),
        };
        json.push_str(written);
        rest = &rest[len..];
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_python_writes_is_read() {
        let cases = [
            ("1.5", json!(1.5)),
            (r#""v\u00fc""#, json!("vü")),
            ("NaN", json!(null)),
            (
                r#"[1, {"NaN": NaN, "b": "a \"NaN\\", "c": Infinity}]"#,
                json!([1, {"NaN": null, "b": "a \"NaN\\", "c": f64::MAX}]),
            ),
            ("[-Infinity, Infinity]", json!([-f64::MAX, f64::MAX])),
            (r#""\ud800""#, json!(r#""\ud800""#)),
            ("", json!("")),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_are_not_finite_may_be_texts() {
        let text = r#"{"values": [NaN, -Infinity, 1.5], "NaN": Infinity}"#;
        assert_eq!(with_number_texts(text), r#"{"values": ["NaN", "-inf", 1.5], "NaN": "inf"}"#);
    }
}
