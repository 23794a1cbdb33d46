//! Generates the text of `--help` from the table of variables.

use super::variables::{DefaultValue, FIELDS, FIELDS_PURPOSE, GROUPS};

/// The maximum width of a line.
const MAX_WIDTH: usize = 100;

const EXAMPLES: &str = "\
Examples:

  Publish to a local folder, without an account:
    GITBOOK_ENDPOINT=sandbox gitbook-deploy

  Validate the integrations below `packages`:
    GITBOOK_MODE=check GITBOOK_INTEGRATIONS='packages/*' gitbook-deploy
";

const EXIT_CODES: &str = "\
Exit codes:

  0              success, or nothing to do
  1              the deployment failed
  2              invalid configuration or integration
  129, 130, 143  cancelled by a signal
";

/// Returns the text of `--help`.
#[must_use]
pub(crate) fn help() -> String {
    let (name, description) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION"));
    let mut text = format!("{description}.\n\n{EXAMPLES}\n");
    text += &format!("Usage: {name} [--help | --version]\n\n");
    text += &wrap("Environment variables set all options. An empty variable counts as unset.", 0);
    for group in GROUPS {
        text += &format!("\n{}:\n\n", group.heading);
        for variable in group.variables {
            let default = match variable.default {
                DefaultValue::Unset => String::new(),
                DefaultValue::Literal(text) | DefaultValue::Described(text) => format!(" [default: {text}]"),
            };
            text += &format!("  {}{default}\n{}", variable.name, wrap(variable.meaning, 6));
        }
    }
    text += &format!("\nManifest fields:\n\n{}\n", wrap(FIELDS_PURPOSE, 2));
    for field in FIELDS {
        text += &format!("  {}\n{}", field.name, wrap(&field.meaning(), 6));
    }
    text + "\n" + EXIT_CODES
}

/// Breaks a paragraph into indented lines of at most `MAX_WIDTH` characters.
fn wrap(paragraph: &str, indent: usize) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length <= MAX_WIDTH {
            text += " ";
            width += 1 + length;
        } else {
            text += if text.is_empty() { "" } else { "\n" };
            text += &" ".repeat(indent);
            width = indent + length;
        }
        text += word;
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::{MAX_WIDTH, help, wrap};
    use crate::config::variables;

    #[test]
    fn every_variable_has_a_meaning() {
        let help = help();
        for name in variables::names() {
            let entry = help.split(&format!("\n  {name}")).find(|rest| rest.starts_with(['\n', ' ']));
            let meaning = entry.and_then(|entry| entry.lines().nth(1));
            assert!(meaning.is_some_and(|line| line.starts_with("      ")), "{name}: {help}");
        }
        assert!(help.contains("\n  GITBOOK_RETRIES [default: 4]\n      Number of retries"), "{help}");
        assert!(help.contains("\n  GITBOOK_SCOPES\n      Manifest field `scopes`: a list"), "{help}");
    }

    #[test]
    fn begins_with_an_example_and_fits_the_width() {
        let help = help();
        let example =
            help.lines().position(|line| line.trim_start().starts_with("GITBOOK_ENDPOINT=sandbox "));
        assert!(example.is_some_and(|line| line < 6), "{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= MAX_WIDTH && line.trim_end() == line, "{line:?}");
        }
    }

    #[test]
    fn wraps_at_the_last_word_that_fits() {
        let words = ["a".repeat(47), "b".repeat(47), "c".to_owned()].join(" ");
        let expected = format!("    {} {}\n    c\n", "a".repeat(47), "b".repeat(47));
        assert_eq!(wrap(&words, 4), expected);
        assert_eq!(wrap("a b", 2), "  a b\n");
    }
}
