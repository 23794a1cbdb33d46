//! The names of previews: a template gives each branch a distinct, valid name.

use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::hex;
use crate::repository::Branch;
use crate::schema::MAX_NAME_LENGTH;

/// The template of preview names: a text with the placeholders `{name}`, `{branch}`, `{pr}` and `{hash}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<TemplatePart>);

/// A part of a template: literal text or a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart {
    Text(String),
    Name,
    Branch,
    PullRequest,
    Hash,
}

/// The reason why a template is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameTemplateError {
    /// An unknown placeholder, or an unbalanced brace.
    #[error(
        "contains the unknown placeholder `{{{}}}`; the known ones are `{{name}}`, `{{branch}}`, `{{pr}}` and `{{hash}}`",
        .0.escape_debug()
    )]
    UnknownPlaceholder(String),
    /// A `{` without `}`, or a `}` without `{`. The value is the brace.
    #[error("contains an unmatched `{0}`")]
    UnmatchedBrace(char),
    /// A character that names must not contain.
    #[error("contains `{}`, which is not allowed in names", .0.escape_debug())]
    InvalidCharacter(char),
    /// A template that contains none of `{branch}`, `{pr}` and `{hash}`.
    #[error("gives all branches the same name; add `{{branch}}`, `{{pr}}` or `{{hash}}`")]
    NotDistinct,
    /// A template without `{name}`. A preview could get the name of another integration.
    #[error("does not contain `{{name}}`, so a preview could get the name of an integration")]
    WithoutName,
}

impl FromStr for Template {
    type Err = NameTemplateError;

    fn from_str(text: &str) -> Result<Self, NameTemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}').ok_or(NameTemplateError::UnmatchedBrace('{'))?;
            parts.push(TemplatePart::Text(literal.to_owned()));
            parts.push(match placeholder {
                "name" => TemplatePart::Name,
                "branch" => TemplatePart::Branch,
                "pr" => TemplatePart::PullRequest,
                "hash" => TemplatePart::Hash,
                unknown => return Err(NameTemplateError::UnknownPlaceholder(unknown.to_owned())),
            });
            rest = after;
        }
        parts.push(TemplatePart::Text(rest.to_owned()));
        parts.retain(|part| *part != TemplatePart::Text(String::new()));
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let texts = parts
            .iter()
            .filter_map(|part| if let TemplatePart::Text(text) = part { Some(text) } else { None });
        for text in texts {
            if text.contains('}') {
                return Err(NameTemplateError::UnmatchedBrace('}'));
            }
            if let Some(character) = text.chars().find(|character| !is_allowed(*character)) {
                return Err(NameTemplateError::InvalidCharacter(character));
            }
        }
        let template = Self(parts);
        let is_distinct = [TemplatePart::Branch, TemplatePart::PullRequest, TemplatePart::Hash]
            .iter()
            .any(|part| template.contains(part));
        match (is_distinct, template.contains(&TemplatePart::Name)) {
            (true, true) => Ok(template),
            (true, false) => Err(NameTemplateError::WithoutName),
            (false, _) => Err(NameTemplateError::NotDistinct),
        }
    }
}

impl Template {
    fn contains(&self, part: &TemplatePart) -> bool {
        self.0.contains(part)
    }

    /// Returns true if the template contains `{pr}`, so that only pull requests have previews.
    #[must_use]
    pub(crate) fn needs_pull_request(&self) -> bool {
        self.contains(&TemplatePart::PullRequest)
    }

    /// Returns the name of a preview. Without a pull request, `{pr}` is empty (see [`Self::needs_pull_request`]).
    ///
    /// Different branches get different names. If the template does not contain `{hash}`, the name ends with a hash of the branch
    /// in three cases: if `{branch}` had to be changed, if the template contains both `{pr}` and `{branch}`, and if the name
    /// looks as if it already ended with a hash. Therefore, a name with a hash never equals a name without one. A name that is
    /// too long is shortened and also ends with the hash.
    #[must_use]
    pub(crate) fn name(&self, integration: &str, branch: &Branch, pull_request: Option<u64>) -> String {
        let slug = slugify(branch.as_str());
        let mut name = String::new();
        for part in &self.0 {
            match part {
                TemplatePart::Text(text) => name.push_str(text),
                TemplatePart::Name => name.push_str(integration),
                TemplatePart::Branch => name.push_str(&slug),
                TemplatePart::PullRequest => name.extend(pull_request.map(|number| number.to_string())),
                TemplatePart::Hash => name.push_str(&branch_hash(branch)),
            }
        }
        let is_inexact = self.contains(&TemplatePart::Branch) && slug != branch.as_str();
        // In a name with both a pull request number and a branch, the boundary between them is ambiguous.
        let is_ambiguous = self.contains(&TemplatePart::PullRequest) && self.contains(&TemplatePart::Branch);
        let needs_hash =
            !self.contains(&TemplatePart::Hash) && (is_inexact || is_ambiguous || ends_like_hash(&name));
        if needs_hash || name.len() > MAX_NAME_LENGTH {
            name = append_hash(&name, &branch_hash(branch));
        }
        name
    }
}

/// Converts a branch to lower case and replaces each group of characters other than `a-z` and `0-9` with one dash.
fn slugify(branch: &str) -> String {
    let mut slug = String::new();
    for character in branch.to_lowercase().chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Returns the first eight hexadecimal digits of the SHA-256 of the branch's full name.
fn branch_hash(branch: &Branch) -> String {
    hex(&Sha256::digest(branch.as_str())[..4])
}

fn ends_like_hash(name: &str) -> bool {
    let last = name.rsplit('-').next().unwrap_or(name);
    last.len() == 8 && last.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn append_hash(name: &str, hash: &str) -> String {
    let available = MAX_NAME_LENGTH - hash.len() - 1;
    let kept = &name[..name.len().min(available)];
    format!("{}-{hash}", kept.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{NameTemplateError, Template};
    use crate::repository::Branch;

    fn name(template: &str, integration: &str, branch: &str) -> String {
        template.parse::<Template>().unwrap().name(integration, &Branch::new(branch), Some(7))
    }

    fn check(branch: &str, expected: &str) {
        assert_eq!(name("{name}-{branch}", "hello", branch), expected, "{branch}");
    }

    #[test]
    fn includes_a_plain_branch_unchanged() {
        check("fix", "hello-fix");
        check("fix-12-bugs", "hello-fix-12-bugs");
        // Only a last word of exactly eight hexadecimal digits looks like a hash.
        check("security", "hello-security");
        check("facade", "hello-facade");
        assert_eq!(name("{name}-{hash}", "hello", "feature/x"), "hello-217d2bf5");
    }

    #[test]
    fn shortens_names_to_100_characters() {
        let long = "x".repeat(94);
        check(&long, &format!("hello-{long}"));
        let cut = name("{name}-{branch}", "hello", &format!("{long}x"));
        let expected = format!("hello-{}-", "x".repeat(85));
        assert!(cut.len() == 100 && cut.starts_with(&expected), "{cut}");
    }

    #[test]
    fn adds_a_hash_for_replaced_characters() {
        // The hash is the start of the output of `printf feature/x | sha256sum`.
        check("feature/x", "hello-feature-x-217d2bf5");
        // The hash is the start of the output of `printf /Feature//x. | sha256sum`.
        check("/Feature//x.", "hello-feature-x-92e30ea1");
        assert_ne!(name("{name}{branch}", "", "Feature/x"), name("{name}{branch}", "", "feature/x"));
        assert!(name("{name}-{branch}", "hello", "日本").starts_with("hello-"));
    }

    #[test]
    fn adds_a_hash_to_a_branch_that_seems_to_end_with_one() {
        let preview_name = name("{name}-{branch}", "hello", "feature/x");
        let branch_like_name = preview_name.strip_prefix("hello-").unwrap();
        assert_ne!(name("{name}-{branch}", "hello", branch_like_name), preview_name);
    }

    #[test]
    fn shortens_a_long_name_without_two_dashes() {
        let long = format!("{}-{}", "x".repeat(84), "y".repeat(40));
        let name = name("{name}-{branch}", "hello", &long);
        assert_eq!(name.len(), 6 + 84 + 9);
        assert!(!name.contains("--"), "{name}");
    }

    #[test]
    fn rejects_invalid_templates() {
        let check =
            |template: &str, expected| assert_eq!(template.parse::<Template>().unwrap_err(), expected);
        check("{name}", NameTemplateError::NotDistinct);
        check("preview", NameTemplateError::NotDistinct);
        check("preview-{branch}", NameTemplateError::WithoutName);
        check("{name}-{brnach}", NameTemplateError::UnknownPlaceholder("brnach".to_owned()));
        check("{name", NameTemplateError::UnmatchedBrace('{'));
        check("name}-{branch}", NameTemplateError::UnmatchedBrace('}'));
        check("{name}/{branch}", NameTemplateError::InvalidCharacter('/'));
        assert!("{name}-{branch}".parse::<Template>().is_ok());
    }

    #[test]
    fn names_differ_if_number_and_branch_have_the_same_concatenation() {
        for template in ["{name}-{pr}{branch}", "{pr}{branch}-{name}", "{name}{branch}{pr}"] {
            let template: Template = template.parse().unwrap();
            let name = |branch, number| template.name("hello", &Branch::new(branch), Some(number));
            assert_ne!(name("2x", 1), name("x", 12));
            assert_ne!(name("x1", 2), name("x", 12));
        }
    }

    #[test]
    fn a_template_with_a_number_needs_a_pull_request() {
        let template: Template = "{name}-pr-{pr}".parse().unwrap();
        assert!(template.needs_pull_request());
        assert_eq!(template.name("hello", &Branch::new("a/b"), Some(12)), "hello-pr-12");
    }

    /// Generates branch names, including pairs that differ only in characters that the slug replaces.
    fn branch() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,3}([-/_.A-Z][a-z0-9]{0,3}){0,3}",
            "[ab/_-]{1,6}",
            "\\PC{1,40}",
            "[a-z]{90,120}",
            "([a-z]{1,4}-)?[0-9a-f]{8}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn names_are_stable_valid_and_short(integration in "[a-z0-9]{1,100}", branch in branch()) {
            let once = name("{name}-{branch}", &integration, &branch);
            prop_assert_eq!(&once, &name("{name}-{branch}", &integration, &branch));
            prop_assert!(!once.is_empty() && once.len() <= 100);
            prop_assert!(once.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{}", once);
            prop_assert!(!once.starts_with('-') && !once.ends_with('-'));
            prop_assert_ne!(once, integration);
        }

        #[test]
        fn two_branches_never_share_a_name(branches in prop::collection::hash_set(branch(), 2..20)) {
            for template in ["{name}-{branch}", "{branch}-{name}", "{name}{branch}", "{name}-{hash}", "{name}.{branch}.{hash}"] {
                let mut branch_by_name: HashMap<String, &String> = HashMap::new();
                for branch in &branches {
                    let name = name(template, "hello", branch);
                    if let Some(other) = branch_by_name.insert(name.clone(), branch) {
                        prop_assert!(false, "{template}: {other:?} and {branch:?} are both {name}");
                    }
                }
            }
        }

        #[test]
        fn a_branch_with_the_name_of_a_preview_gets_another_name(branch in branch()) {
            // The worst case: a branch with the name of another branch's preview.
            let preview_name = name("{name}{branch}", "", &branch);
            prop_assume!(preview_name != branch);
            prop_assert_ne!(name("{name}{branch}", "", &preview_name), preview_name);
        }
    }
}
