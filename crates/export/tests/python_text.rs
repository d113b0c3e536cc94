//! The text of the PyTorch class, as far as it can be judged without Python.

#[path = "../examples/random_networks/hostile.rs"]
mod hostile;

use export::{Model, Normalization};
use nn::{Params, Plan};
use spec::{NetworkSpec, Seed, preset};

fn python(network: &NetworkSpec, class: &str) -> String {
    let plan = Plan::compile(network).unwrap();
    let params = Params::init(&plan, Seed(1));
    let numbers = vec![0.5; network.input[0]];
    let normalization = Normalization { scale: &numbers, shift: &numbers };
    let classes = vec![class.to_owned(); network.classes];
    let model = Model { network, plan: &plan, params: &params, normalization, classes: &classes };
    export::pytorch(&model).unwrap()
}

/// The code alone: without what stands in strings and comments.
fn code(python: &str) -> String {
    let (mut code, mut rest) = (String::new(), python);
    while let Some(at) = rest.find(['"', '#']) {
        code += &rest[..at];
        rest = &rest[at..];
        let end = match rest {
            comment if comment.starts_with('#') => comment.find('\n').unwrap_or(comment.len()),
            text if text.starts_with("\"\"\"") => 3 + end_of_string(&text[3..], "\"\"\""),
            text => {
                let end = 1 + end_of_string(&text[1..], "\"");
                assert!(!text[..end].contains('\n'), "a string over two lines: {}", &text[..end]);
                end
            }
        };
        code += "_";
        rest = &rest[end..];
    }
    code + rest
}

/// Behind the quotes that end the string; a backslash takes the next character with it.
fn end_of_string(text: &str, quotes: &str) -> usize {
    let mut at = 0;
    while !text[at..].starts_with(quotes) {
        let backslash = usize::from(text[at..].starts_with('\\'));
        at += backslash + text[at + backslash..].chars().next().expect("the string ends").len_utf8();
    }
    at + quotes.len()
}

#[test]
fn names_stay_in_their_strings() {
    let plain = code(&python(&preset("lenet").unwrap(), "shoe"));
    let known_lines: Vec<&str> = plain.lines().filter(|line| line.contains("import ")).collect();
    for network in hostile::networks() {
        let code = code(&python(&network, "\"]; import os #\\\n\"\"\"\u{202e}"));
        assert!(code.is_ascii(), "{code}");
        let lines: Vec<&str> = code.lines().filter(|line| line.contains("import ")).collect();
        assert_eq!(lines, known_lines);
        assert!(!code.contains(';'), "{code}");
    }
}

#[test]
fn lenet_reads_as_one_would_write_it() {
    let python = python(&preset("lenet").unwrap(), "shoe");
    let expected = "
        self.conv = nn.Sequential(
            nn.Conv2d(1, 6, 5),  # [6, 24, 24]
            nn.LeakyReLU(0.1),  # [6, 24, 24]
            nn.MaxPool2d(2),  # [6, 12, 12]
            nn.Conv2d(6, 16, 5),  # [16, 8, 8]
            nn.LeakyReLU(0.1),  # [16, 8, 8]
            nn.MaxPool2d(2),  # [16, 4, 4]
        )
        self.fc = nn.Sequential(
            nn.Linear(256, 120),  # [120]
            nn.LeakyReLU(0.1),  # [120]
            nn.Linear(120, 84),  # [84]
            nn.ReLU(),  # [84]
            nn.Linear(84, 10),  # [10]
        )
";
    assert!(python.contains(expected), "{python}");
    let expected = "
    def forward(self, x: Tensor) -> Tensor:
        x = self.normalize(x)
        x = self.conv(x)  # [16, 4, 4]
        x = x.flatten(1)  # [256]
        return self.fc(x)
";
    assert!(python.ends_with(expected), "{python}");
}
