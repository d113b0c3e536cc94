//! Standard output and standard error, which may be closed or full at any time.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::CliError;

/// The text without what would move a terminal's cursor or change its colors: names come from files of others. Lines that end as on
/// Windows, in a file that is quoted, end as all others.
pub(crate) fn printable(text: &str) -> String {
    text.replace("\r\n", "\n").replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}")
}

/// One or more lines for people on standard output, at once.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    exact(&printable(text))
}

/// One or more lines for programs, whose format does with control characters what it has to.
pub(crate) fn exact(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(CliError::Stdout)
}

/// A path as it can be typed again.
pub(crate) fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "-_./+,:=@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// A JSON object on a line of its own.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    exact(&serde_json::to_string(value)?)
}

/// A message on standard error. When that is closed there is nobody left to tell.
pub(crate) fn note(text: &str) {
    let _closed = writeln!(io::stderr().lock(), "{}", printable(text));
}

#[cfg(test)]
mod tests {
    use super::{printable, typed};

    #[test]
    fn a_path_can_be_typed_again() {
        let cases =
            [("runs/a-1", "runs/a-1"), ("我的/a", "我的/a"), ("my run", "'my run'"), ("it's", r"'it'\''s'")];
        for (path, expected) in cases {
            assert_eq!(typed(path.as_ref()), expected);
        }
    }

    #[test]
    fn what_would_move_the_cursor_does_not_pass() {
        assert_eq!(
            printable("a\u{1b}[31mred\r\r\n\tb\r \u{7}丹炉\r\n"),
            "a\u{fffd}[31mred\u{fffd}\n\tb\u{fffd} \u{fffd}丹炉\n"
        );
    }
}
