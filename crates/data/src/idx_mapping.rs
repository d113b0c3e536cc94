//! The names of the classes that an IDX file's labels count.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::error::DataError;
use crate::known::KnownSet;

/// No list of classes is longer than this.
const MAX_MAPPING_LEN: u64 = 64 << 10;

/// The classes' names, and the label of the first, where it is known.
pub(crate) struct Mapping {
    pub(crate) first: Option<u8>,
    pub(crate) classes: Vec<String>,
}

impl Mapping {
    /// Of a set that has no such file.
    pub(crate) fn of(known: &KnownSet) -> Self {
        // The letters are counted from 1 by their authors and from 0 by some who pass them on.
        let first = (known.name != "emnist-letters").then_some(0);
        Self { first, classes: known.classes() }
    }
}

/// EMNIST's list of classes, `PREFIX-mapping.txt`: on each line a label, counted up, and the code points of the
/// character, upper case first where the lower case is of the same class.
pub(crate) fn mapping(dir: &Path, prefix: &str) -> Result<Option<Mapping>, DataError> {
    let names = [format!("{prefix}-mapping.txt"), "mapping.txt".into()];
    let Some(file) = names.map(|name| dir.join(name)).into_iter().find(|file| file.is_file()) else {
        return Ok(None);
    };
    let mut text = String::new();
    let opened = fs::File::open(&file).map_err(DataError::io("open", &file))?;
    opened.take(MAX_MAPPING_LEN).read_to_string(&mut text).map_err(DataError::io("read", &file))?;
    let (mut first, mut classes) = (None, vec![]);
    for (idx, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = || DataError::Mapping { file: file.clone(), line: idx + 1, text: line.into() };
        let numbers = line.split_whitespace().map(str::parse::<u32>).collect::<Result<Vec<_>, _>>();
        let [label, code, ..] = numbers.map_err(|_| wrong())?[..] else { return Err(wrong()) };
        let label = u8::try_from(label).map_err(|_| wrong())?;
        let expected = usize::from(*first.get_or_insert(label)) + classes.len();
        let character = char::from_u32(code).filter(|character| !character.is_control());
        match character {
            Some(character) if usize::from(label) == expected => classes.push(character.to_string()),
            _ => return Err(wrong()),
        }
    }
    match classes.len() {
        2..=256 => Ok(Some(Mapping { first, classes })),
        n_classes => Err(DataError::ClassCount { dir: file, n_classes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Mapping>, DataError> {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a-mapping.txt"), text).unwrap();
        mapping(dir.path(), "a")
    }

    #[test]
    fn labels_are_given_their_characters() {
        let mapping = read("1 65 97\n2 66 98\n\n").unwrap().unwrap();
        assert_eq!((mapping.first, mapping.classes), (Some(1), vec!["A".to_owned(), "B".into()]));
        assert!(super::mapping(Path::new("/nowhere"), "a").unwrap().is_none());
    }

    #[test]
    fn one_class_is_too_few() {
        for text in ["", "\n", "0 65\n"] {
            assert!(
                read(text).err().unwrap().to_string().contains("there must be from 2 to 256"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_line_that_is_no_class_is_named() {
        let cases =
            [("0 65\n2 66", 2), ("0 65\n1", 2), ("a b", 1), ("0 7", 1), ("300 65", 1), ("0 1114112", 1)];
        for (text, line) in cases {
            let message = read(text).err().unwrap().to_string();
            assert!(message.contains(&format!("a-mapping.txt: line {line} is `")), "{text}: {message}");
        }
    }
}
