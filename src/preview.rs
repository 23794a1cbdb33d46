//! The name, title and ownership marker of a preview. All functions are pure.

mod marker;
mod name;

pub(crate) use marker::OwnershipMarker;
pub(crate) use name::{NameTemplateError, Template};

use crate::repository::Branch;
pub(crate) use crate::schema::MAX_SUMMARY_LENGTH;
use crate::schema::MAX_TITLE_LENGTH;

/// Formats bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the title of a preview: the production title and ` (branch)`, both shortened to fit the API's limit of 30
/// characters.
#[must_use]
pub(crate) fn title(production: &str, branch: &Branch) -> String {
    /// The minimum length of a shortened production title.
    const MIN_PRODUCTION_LENGTH: usize = 12;
    let max_branch = MAX_TITLE_LENGTH - MIN_PRODUCTION_LENGTH.min(utf16_length(production)) - " ()".len();
    let branch: String = branch.as_str().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let suffix = format!(" ({})", truncate(&branch, max_branch));
    format!("{}{suffix}", truncate(production, MAX_TITLE_LENGTH - utf16_length(&suffix)))
}

/// Returns the summary of a preview: the production summary, shortened if necessary, and the marker on a separate line.
///
/// Returns `None` if the marker alone exceeds the maximum length of a summary.
#[must_use]
pub(crate) fn summary(production: &str, marker: &OwnershipMarker) -> Option<String> {
    let marker = marker.to_string();
    let available = MAX_SUMMARY_LENGTH.checked_sub(utf16_length(&marker))?;
    // An empty line separates the marker from the last paragraph.
    if production.trim().is_empty() || available <= 2 {
        return Some(marker);
    }
    Some(format!("{}\n\n{marker}", truncate(production.trim_end(), available - 2)))
}

/// Returns the text before the marker in a preview's summary, or `None` if the marker is too long.
#[must_use]
pub(crate) fn unmarked_summary(production: &str, marker: &OwnershipMarker) -> Option<String> {
    Some(summary(production, marker)?.strip_suffix(&marker.to_string())?.trim_end().to_owned())
}

/// Shortens a text to `max` UTF-16 units, including a final ellipsis.
///
/// The API may count characters or UTF-16 units. A text never has more characters than units, so the result is short enough in
/// both cases.
fn truncate(text: &str, max: usize) -> String {
    if utf16_length(text) <= max {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut length = 0;
    for character in text.chars() {
        length += character.len_utf16();
        if length >= max {
            break;
        }
        kept.push(character);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

fn utf16_length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{OwnershipMarker, summary, title};
    use crate::repository::Branch;

    /// Generates text: plain or very long, with characters of two UTF-16 units, or with control characters.
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

    /// Generates production summaries: short ones, and long ones near the limit.
    fn production_summary() -> impl Strategy<Value = String> {
        prop_oneof![text(), "(?s).{1700,2048}", "[😀a\n]{900,2048}", "x{1800,2048}[ \n]{0,5}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn every_title_has_at_most_30_units(production in text(), branch in text()) {
            let title = title(&production, &Branch::new(&branch));
            let utf16_length = |text: &str| text.encode_utf16().count();
            prop_assert!(utf16_length(&title) <= 30, "{title:?} has {}", utf16_length(&title));
            // The API requires at least two characters, and the log requires a single line.
            prop_assert!(title.chars().count() >= 2);
            prop_assert!(title.ends_with(')') && title.contains(" ("), "{title:?}");
            let kept: String = production.chars().take(5).collect();
            prop_assert!(utf16_length(&production) > 12 || title.starts_with(&production), "{title:?}");
            prop_assert!(title.starts_with(kept.trim_end()), "{title:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn every_summary_fits_and_includes_its_marker(production in production_summary(), branch in text(), run: u64) {
            let names = ["hello", "github.com/acme/docs"].map(str::to_owned);
            let [integration, repository] = names;
            let marker = OwnershipMarker { integration, repository, branch, run, ..OwnershipMarker::default() };
            let summary = summary(&production, &marker);
            // A marker with an encoded branch name of a few hundred bytes fits. A name above the limits of forges may not
            // fit.
            prop_assert!(summary.is_some() || marker.to_string().len() > 2048);
            if let Some(summary) = summary {
                prop_assert!(summary.encode_utf16().count() <= 2048);
                prop_assert_eq!(OwnershipMarker::parse(&summary), Some(marker));
                let kept: String = production.chars().take(100).collect();
                prop_assert!(production.trim().is_empty() || summary.starts_with(kept.trim_end()), "{summary}");
            }
        }
    }

    #[test]
    fn a_preview_title_includes_the_production_title_and_the_branch() {
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
    fn a_summary_ends_with_the_marker() {
        let marker =
            OwnershipMarker { integration: "hello".into(), branch: "x".into(), ..OwnershipMarker::default() };
        let check = |production: &str| {
            let summary = summary(production, &marker).unwrap();
            assert!(summary.chars().count() <= 2048);
            assert_eq!(OwnershipMarker::parse(&summary).as_ref(), Some(&marker));
            summary
        };
        assert_eq!(check(""), marker.to_string());
        assert_eq!(check("Hi.\n"), format!("Hi.\n\n{marker}"));
        assert!(check(&"x".repeat(2048)).starts_with("xxx"));
        let too_long = OwnershipMarker { branch: "ö".repeat(400), ..OwnershipMarker::default() };
        assert_eq!(summary("", &too_long), None);
    }
}
