//! Pieces of Python's text.

use spec::Pair;

/// Words of Python that cannot be names.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Names that mean something else in the file that is written.
const OWN_NAMES: [&str; 13] = [
    "CLASSES",
    "F",
    "GroupNorm",
    "PartialConv2d",
    "Path",
    "Rbf",
    "ScaledTanh",
    "SqueezeExcite",
    "Subsample",
    "Tensor",
    "nn",
    "self",
    "torch",
];

/// Whether it can be a name as it is: an ASCII identifier without a leading `_`, and no keyword.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name)
}

/// A class's name for a network's: `lenet-3x3` becomes `Lenet3x3`.
pub(super) fn class_name(network: &str) -> String {
    let words = network.split(|c: char| !c.is_ascii_alphanumeric());
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let name: String = words.filter(|word| !word.is_empty()).map(capital).collect();
    match is_identifier(&name) && !OWN_NAMES.contains(&name.as_str()) {
        true => name,
        false => format!("Network{name}"),
    }
}

/// A variable's name for a node's: `conv.0` becomes `conv_0`, `3` becomes `x3`.
pub(super) fn variable_name(node: &str) -> String {
    let name: String = node.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    match is_identifier(&name) && !OWN_NAMES.contains(&name.as_str()) {
        true => name,
        false => format!("x{name}"),
    }
}

/// A string literal.
pub(super) fn literal(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// As it may stand inside of `"…"` and `"""…"""`: letters and digits of any script and ASCII's signs as they are, all
/// else as an escape, so that nothing ends the string and no character that turns the direction of writing hides.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            ' ' => escaped.push(c),
            c if c.is_ascii_graphic() || c.is_alphanumeric() => escaped.push(c),
            c => escaped += &format!("\\U{:08x}", c as u32),
        }
    }
    escaped
}

/// A number for both, or `(rows, columns)`.
pub(super) fn pair(pair: Pair) -> String {
    if pair.h == pair.w { pair.h.to_string() } else { format!("({}, {})", pair.h, pair.w) }
}

/// Items between brackets, on lines of their own.
pub(super) fn list(items: &[String], open: char, close: char) -> String {
    let lines: String = items.iter().map(|item| format!("    {},\n", indented(item, 4))).collect();
    format!("{open}\n{lines}{close}")
}

/// All lines but the first moved to the right.
pub(super) fn indented(text: &str, columns: usize) -> String {
    text.replace('\n', &format!("\n{:columns$}", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        let cases = [
            ("lenet", "Lenet", "lenet"),
            ("lenet-3x3", "Lenet3x3", "lenet_3x3"),
            ("3 x", "Network3X", "x3_x"),
            ("", "Network", "x"),
            ("网络", "Network", "x__"),
            ("none", "NetworkNone", "none"),
            ("class", "Class", "xclass"),
            ("path", "NetworkPath", "path"),
            ("F", "NetworkF", "xF"),
            ("_a", "A", "x_a"),
            ("x);import os", "XImportOs", "x__import_os"),
        ];
        for (name, class, variable) in cases {
            assert_eq!(class_name(name), class);
            assert_eq!(variable_name(name), variable);
        }
    }

    #[test]
    fn literals_hold_anything() {
        let cases = [
            ("T-shirt/top", "\"T-shirt/top\""),
            ("鞋", "\"鞋\""),
            ("\"\"\" + x", "\"\\\"\\\"\\\" + x\""),
            ("\\", "\"\\\\\""),
            ("a\nb\u{202e}\u{2028}", "\"a\\U0000000ab\\U0000202e\\U00002028\""),
        ];
        for (text, expected) in cases {
            assert_eq!(literal(text), expected);
        }
    }
}
