//! Aligned columns and readable numbers.

use unicode_width::UnicodeWidthStr;

/// Which side of a column its text keeps to.
#[derive(Clone, Copy)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows of as many cells as there are `aligns`, each column as wide as its widest cell, two blanks between. A row stays one
/// line: names come from files of others.
pub(crate) fn table(aligns: &[Align], rows: &[Vec<String>]) -> String {
    let printable =
        |row: &Vec<String>| row.iter().map(|cell| cell.replace(char::is_control, "\u{fffd}")).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(printable).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..aligns.len()).map(width).collect();
    let lines: Vec<String> = rows.iter().map(|row| line(aligns, &widths, row)).collect();
    lines.join("\n")
}

fn line(aligns: &[Align], widths: &[usize], row: &[String]) -> String {
    let cells = row.iter().zip(aligns).zip(widths).map(|((cell, &align), &width)| filled(cell, width, align));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// The text, cut and filled up with blanks to `width` columns of a terminal.
pub(crate) fn fitted(text: &str, width: usize, align: Align) -> String {
    let mut cut = String::new();
    for c in text.chars() {
        cut.push(c);
        if cut.width() > width {
            cut.pop();
            break;
        }
    }
    filled(&cut, width, align)
}

/// The text, of at most `width` columns, filled up with blanks.
fn filled(text: &str, width: usize, align: Align) -> String {
    let blanks = " ".repeat(width - text.width());
    match align {
        Align::Left => format!("{text}{blanks}"),
        Align::Right => format!("{blanks}{text}"),
    }
}

/// `44426` as `44,426`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Five figures that count.
pub(crate) fn short(x: f64) -> String {
    let text = format!("{x:.4e}");
    match text.parse::<f64>() {
        Ok(rounded) => format!("{rounded}"),
        Err(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let row = |cells: [&str; 2]| cells.map(String::from).to_vec();
        let rows = [row(["name", "n"]), row(["é", "100"])];
        assert_eq!(table(&[Align::Left, Align::Right], &rows), "name    n\né     100");
        assert_eq!(table(&[Align::Left, Align::Left], &[row(["a\nb", "c"])]), "a\u{fffd}b  c");
        // A Chinese character is two columns wide.
        let rows = [row(["横条", "1"]), row(["abcde", "2"])];
        assert_eq!(table(&[Align::Left, Align::Right], &rows), "横条   1\nabcde  2");
    }

    #[test]
    fn texts_are_cut_and_filled_up_by_columns() {
        let cases = [("T恤衫", 4, "T恤 "), ("abc", 2, "ab"), ("", 2, "  "), ("恤", 1, " ")];
        for (text, width, expected) in cases {
            assert_eq!(fitted(text, width, Align::Left), expected);
        }
        assert_eq!(fitted("恤", 4, Align::Right), "  恤");
    }

    #[test]
    fn thousands_are_separated() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (44_426, "44,426"), (1_234_567, "1,234,567")];
        for (n, text) in cases {
            assert_eq!(thousands(n), text);
        }
    }
}
