//! What a preview is called and how it is known as ours: name, title and the ownership mark; pure.

mod mark;
mod name;

pub use mark::Mark;
pub use name::{Template, TemplateError};

use sha2::{Digest as _, Sha256};

use crate::schema::{SUMMARY_MAX, TITLE_MAX};

/// A branch as previews know it: a fork's carries its owner (`owner:branch`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Branch(String);

impl Branch {
    /// A branch of the repository itself.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// A branch of the fork that `owner` has. A branch of the repository itself can never be equal to it, since
    /// Git allows no colon in a branch's name.
    #[must_use]
    pub fn of_fork(owner: &str, name: &str) -> Self {
        Self(format!("{owner}:{name}"))
    }

    /// The true name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight hexadecimal digits of the SHA-256 of the true name.
    fn hash(&self) -> String {
        hex(&Sha256::digest(&self.0)[..4])
    }
}

impl std::fmt::Display for Branch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The title of a preview: the production title and ` (branch)`, each cut so that both fit the API's 30
/// characters.
#[must_use]
pub fn title(production: &str, branch: &Branch) -> String {
    /// At least this much of the title is left, where it is that long.
    const TITLE_KEPT: usize = 12;
    let room = TITLE_MAX - TITLE_KEPT.min(units(production)) - " ()".len();
    let branch: String = branch.as_str().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let suffix = format!(" ({})", cut(&branch, room));
    format!("{}{suffix}", cut(production, TITLE_MAX - units(&suffix)))
}

/// The summary of a preview: the production summary, cut where it must be, and the mark on a line of its own.
///
/// `None` when the mark alone is longer than a summary may be.
#[must_use]
pub fn summary(production: &str, mark: &Mark) -> Option<String> {
    let mark = mark.to_string();
    let room = SUMMARY_MAX.checked_sub(units(&mark))?;
    // Two line breaks keep the comment out of the last paragraph; one is enough for an empty summary.
    if production.trim().is_empty() || room <= 2 {
        return Some(mark);
    }
    Some(format!("{}\n\n{mark}", cut(production.trim_end(), room - 2)))
}

/// The text, or as much of it as fits with an ellipsis behind it.
///
/// Length is in UTF-16 units, the largest of the measures that a server may have in mind.
fn cut(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut length = 0;
    for character in text.chars() {
        length += character.len_utf16();
        if length >= most {
            break;
        }
        kept.push(character);
    }
    if most > 0 {
        kept.truncate(kept.trim_end().len());
        kept.push('…');
    }
    kept
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::{Branch, Mark, summary, title};

    #[test]
    fn a_title_keeps_some_of_both() {
        let check = |production: &str, branch: &str, expected: &str| {
            let title = title(production, &Branch::new(branch));
            assert_eq!(title, expected);
            assert!(title.encode_utf16().count() <= 30);
        };
        check("Hello", "fix", "Hello (fix)");
        check("Hello", "feature/a-very-long-branch-name", "Hello (feature/a-very-long-b…)");
        check("A title of exactly thirty char", "fix", "A title of exactly thir… (fix)");
        check("A title of exactly thirty char", "feature/long-enough", "A title of… (feature/long-e…)");
        check("😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", "x", "😀😀😀😀😀😀😀😀😀😀😀😀… (x)");
    }

    #[test]
    fn a_summary_ends_with_the_mark_and_fits() {
        let mark = Mark { integration: "hello".into(), branch: "x".into(), ..Mark::default() };
        let check = |production: &str| {
            let summary = summary(production, &mark).unwrap();
            assert!(summary.chars().count() <= 2048);
            assert_eq!(Mark::find(&summary).as_ref(), Some(&mark));
            summary
        };
        assert_eq!(check(""), mark.to_string());
        assert_eq!(check("Hi.\n"), format!("Hi.\n\n{mark}"));
        assert!(check(&"x".repeat(2048)).starts_with("xxx"));
        let endless = Mark { branch: "ö".repeat(400), ..Mark::default() };
        assert_eq!(summary("", &endless), None);
    }
}
