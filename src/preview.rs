//! What a preview is called and how it is known as ours: name, title and the ownership mark; pure.

mod mark;
mod name;

pub(crate) use mark::Mark;
pub(crate) use name::{Template, TemplateError};

use sha2::{Digest as _, Sha256};

use crate::schema::{SUMMARY_MAX, TITLE_MAX};

/// The owner of a fork that is gone, or that the CI system does not name.
pub(crate) const UNKNOWN_OWNER: &str = "unknown";

/// A branch as previews know it: a fork's carries its owner (`owner:branch`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Branch(String);

impl Branch {
    /// A branch of the repository itself.
    #[must_use]
    pub(crate) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// A branch of the fork that `owner` has. A branch of the repository itself can never be equal to it, since
    /// Git allows no colon in a branch's name.
    #[must_use]
    pub(crate) fn of_fork(owner: &str, name: &str) -> Self {
        Self(format!("{owner}:{name}"))
    }

    /// The owner of the fork that it is of, and its name there.
    #[must_use]
    pub(crate) fn of_which_fork(&self) -> Option<(&str, &str)> {
        self.0.split_once(':')
    }

    /// Returns whether Git allows a branch of this name (`git check-ref-format`).
    #[must_use]
    pub(crate) fn is_valid(&self) -> bool {
        let name = self.of_which_fork().map_or(self.as_str(), |(_, name)| name);
        let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
        let has_bad = name.contains(|c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c));
        !has_bad
            && name != "@"
            && !name.ends_with('.')
            && !["..", "@{"].iter().any(|text| name.contains(text))
            && name.split('/').all(is_part)
    }

    /// The true name.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
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
pub(crate) fn title(production: &str, branch: &Branch) -> String {
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
pub(crate) fn summary(production: &str, mark: &Mark) -> Option<String> {
    let mark = mark.to_string();
    let room = SUMMARY_MAX.checked_sub(units(&mark))?;
    // The empty line keeps the comment out of the last paragraph.
    if production.trim().is_empty() || room <= 2 {
        return Some(mark);
    }
    Some(format!("{}\n\n{mark}", cut(production.trim_end(), room - 2)))
}

/// Returns the summary of a preview without its mark.
#[must_use]
pub(crate) fn unmarked_summary(production: &str, mark: &Mark) -> Option<String> {
    Some(summary(production, mark)?.strip_suffix(&mark.to_string())?.trim_end().to_owned())
}

/// The text, or as much of it as fits with an ellipsis behind it, for which there must be room.
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
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Branch, Mark, summary, title};

    /// Text of all kinds: plain, of characters that are two UTF-16 units, with control characters, very long.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z /_-]{0,40}",
            "[😀a]{0,40}",
            "\\PC{0,40}",
            "(?s).{0,40}",
            "[ \n\t]{0,10}",
            "[a-zé ]{0,300}",
        ]
    }

    /// A production summary: short, or about as long as one may be.
    fn production_summary() -> impl Strategy<Value = String> {
        prop_oneof![text(), "(?s).{1700,2048}", "[😀a\n]{900,2048}", "x{1800,2048}[ \n]{0,5}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn any_title_fits(production in text(), branch in text()) {
            let title = title(&production, &Branch::new(&branch));
            let units = |text: &str| text.encode_utf16().count();
            prop_assert!(units(&title) <= 30, "{title:?} has {}", units(&title));
            // The API wants two characters, and a log one line.
            prop_assert!(title.chars().count() >= 2);
            prop_assert!(title.ends_with(')') && title.contains(" ("), "{title:?}");
            let kept: String = production.chars().take(5).collect();
            prop_assert!(units(&production) > 12 || title.starts_with(&production), "{title:?}");
            prop_assert!(title.starts_with(kept.trim_end()), "{title:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn any_summary_fits_and_keeps_its_mark(production in production_summary(), branch in text(), run: u64) {
            let names = ["hello", "github.com/acme/docs"].map(str::to_owned);
            let [integration, repository] = names;
            let mark = Mark { integration, repository, branch, run, ..Mark::default() };
            let summary = summary(&production, &mark);
            // A branch of a few hundred bytes fits, encoded; longer ones than forges allow need not.
            prop_assert!(summary.is_some() || mark.to_string().len() > 2048);
            if let Some(summary) = summary {
                prop_assert!(summary.encode_utf16().count() <= 2048);
                prop_assert_eq!(Mark::find(&summary), Some(mark));
                let kept: String = production.chars().take(100).collect();
                prop_assert!(production.trim().is_empty() || summary.starts_with(kept.trim_end()), "{summary}");
            }
        }
    }

    #[test]
    fn a_fork_s_branch_carries_its_owner() {
        let check = |branch: &Branch, expected| assert_eq!(branch.of_which_fork(), expected, "{branch}");
        check(&Branch::of_fork("mona", "feature/x"), Some(("mona", "feature/x")));
        check(&Branch::new("feature/x"), None);
    }

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
