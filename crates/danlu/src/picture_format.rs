//! What a picture's file name asks for.

use std::path::Path;

use crate::error::CliError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureFormat {
    Svg,
    Png,
}

impl PictureFormat {
    /// The one of `drawn` that the name ends in; the first where it has no ending.
    pub(crate) fn of(path: &Path, drawn: &[Self]) -> Result<Self, CliError> {
        let Some(ending) = path.extension() else { return Ok(drawn[0]) };
        let found = drawn.iter().find(|format| ending.eq_ignore_ascii_case(format.ending()));
        found.copied().ok_or_else(|| {
            let endings: Vec<String> = drawn.iter().map(|format| format!(".{}", format.ending())).collect();
            CliError::PictureName { path: path.to_owned(), endings: endings.join(" or ") }
        })
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PictureFormat::{self, Png, Svg};

    #[test]
    fn the_ending_decides() {
        let of = |name: &str| PictureFormat::of(name.as_ref(), &[Svg, Png]).ok();
        let cases = [("a.svg", Some(Svg)), ("a.PNG", Some(Png)), ("/dev/stdout", Some(Svg)), ("a.jpg", None)];
        for (name, expected) in cases {
            assert_eq!(of(name), expected, "{name}");
        }
        let error = PictureFormat::of("a.svg".as_ref(), &[Png]).unwrap_err();
        assert_eq!(error.to_string(), "a.svg: the picture's name must end in .png");
    }
}
