//! The names of previews: a template in, one valid name for each branch out.

use std::str::FromStr;

use super::Branch;
use crate::schema::MAX_NAME;

/// What preview names are made from: text with `{name}`, `{branch}`, `{pr}` and `{hash}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name,
    Branch,
    PullRequest,
    Hash,
}

/// Why a text is no template.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// A placeholder that is not one of the four, or an unbalanced brace.
    #[error("holds a placeholder that is not one of `{{name}}`, `{{branch}}`, `{{pr}}`, `{{hash}}`")]
    UnknownPlaceholder,
    /// Text that a name may not have.
    #[error("holds a character that a name may not have")]
    Character,
    /// The same name for every branch.
    #[error("gives two branches one name")]
    NotDistinct,
    /// A name that needs not hold the integration's, and so may be another integration's own.
    #[error("can give an integration's own name, since `{{name}}` is not in it")]
    WithoutName,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}').ok_or(TemplateError::UnknownPlaceholder)?;
            parts.push(Part::Text(literal.to_owned()));
            parts.push(match placeholder {
                "name" => Part::Name,
                "branch" => Part::Branch,
                "pr" => Part::PullRequest,
                "hash" => Part::Hash,
                _ => return Err(TemplateError::UnknownPlaceholder),
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let texts =
            parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text) } else { None });
        for text in texts {
            if text.contains('}') {
                return Err(TemplateError::UnknownPlaceholder);
            }
            if !text.chars().all(allowed) {
                return Err(TemplateError::Character);
            }
        }
        let template = Self(parts);
        let distinct = [Part::Branch, Part::PullRequest, Part::Hash].iter().any(|part| template.has(part));
        match (distinct, template.has(&Part::Name)) {
            (true, true) => Ok(template),
            (true, false) => Err(TemplateError::WithoutName),
            (false, _) => Err(TemplateError::NotDistinct),
        }
    }
}

impl Template {
    fn has(&self, part: &Part) -> bool {
        self.0.contains(part)
    }

    /// Whether a name can only be given for a pull request.
    #[must_use]
    pub(crate) fn needs_pull_request(&self) -> bool {
        self.has(&Part::PullRequest)
    }

    /// The preview's name. Without a pull request `{pr}` is empty, see [`Self::needs_pull_request`].
    ///
    /// Two branches never share a name. A name that lost something of its branch ends with a hash, so does one that
    /// only looks as if it ended with a hash; hence a name with a hash never equals one without.
    #[must_use]
    pub(crate) fn name(&self, integration: &str, branch: &Branch, pull_request: Option<u64>) -> String {
        let safe = safe(branch.as_str());
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Name => name.push_str(integration),
                Part::Branch => name.push_str(&safe),
                Part::PullRequest => name.extend(pull_request.map(|number| number.to_string())),
                Part::Hash => name.push_str(&branch.hash()),
            }
        }
        let lost = self.has(&Part::Branch) && safe != branch.as_str();
        // Where a number ends and a branch begins can't be seen.
        let blurred = self.has(&Part::PullRequest) && self.has(&Part::Branch);
        let unsure = !self.has(&Part::Hash) && (lost || blurred || looks_hashed(&name));
        if unsure || name.len() > MAX_NAME {
            name = with_hash(&name, &branch.hash());
        }
        name
    }
}

impl Default for Template {
    fn default() -> Self {
        Self(vec![Part::Name, Part::Text("-".to_owned()), Part::Branch])
    }
}

/// Lower case, every run of other characters than `a-z` and `0-9` one dash, none at the ends.
fn safe(branch: &str) -> String {
    let mut safe = String::new();
    for character in branch.to_lowercase().chars() {
        if character.is_ascii_alphanumeric() {
            safe.push(character);
        } else if !safe.is_empty() && !safe.ends_with('-') {
            safe.push('-');
        }
    }
    safe.truncate(safe.trim_end_matches('-').len());
    safe
}

fn looks_hashed(name: &str) -> bool {
    let last = name.rsplit('-').next().unwrap_or(name);
    last.len() == 8 && last.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn with_hash(name: &str, hash: &str) -> String {
    let room = MAX_NAME - hash.len() - 1;
    let kept = &name[..name.len().min(room)];
    format!("{}-{hash}", kept.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{Template, TemplateError};
    use crate::preview::Branch;

    fn name(template: &str, integration: &str, branch: &str) -> String {
        template.parse::<Template>().unwrap().name(integration, &Branch::new(branch), Some(7))
    }

    fn check(branch: &str, expected: &str) {
        assert_eq!(name("{name}-{branch}", "hello", branch), expected, "{branch}");
    }

    #[test]
    fn a_plain_branch_stands_in_the_name_as_it_is() {
        check("fix", "hello-fix");
        check("fix-12-bugs", "hello-fix-12-bugs");
        // Neither a word of eight letters nor one of a hash's letters looks like a hash.
        check("security", "hello-security");
        check("facade", "hello-facade");
        assert_eq!(name("{name}-{hash}", "hello", "feature/x"), "hello-217d2bf5");
    }

    #[test]
    fn a_name_has_as_many_characters_as_it_may() {
        let long = "x".repeat(94);
        check(&long, &format!("hello-{long}"));
        let cut = name("{name}-{branch}", "hello", &format!("{long}x"));
        let expected = format!("hello-{}-", "x".repeat(85));
        assert!(cut.len() == 100 && cut.starts_with(&expected), "{cut}");
    }

    #[test]
    fn what_is_lost_is_replaced_by_a_hash() {
        // printf feature/x | sha256sum
        check("feature/x", "hello-feature-x-217d2bf5");
        // printf /Feature//x. | sha256sum
        check("/Feature//x.", "hello-feature-x-92e30ea1");
        assert_ne!(name("{name}{branch}", "", "Feature/x"), name("{name}{branch}", "", "feature/x"));
        assert!(name("{name}-{branch}", "hello", "日本").starts_with("hello-"));
    }

    #[test]
    fn a_branch_that_imitates_a_hash_gets_one_of_its_own() {
        let imitated = name("{name}-{branch}", "hello", "feature/x");
        let imitator = imitated.strip_prefix("hello-").unwrap();
        assert_ne!(name("{name}-{branch}", "hello", imitator), imitated);
    }

    #[test]
    fn a_long_name_is_cut_and_never_ends_with_two_dashes() {
        let long = format!("{}-{}", "x".repeat(84), "y".repeat(40));
        let name = name("{name}-{branch}", "hello", &long);
        assert_eq!(name.len(), 6 + 84 + 9);
        assert!(!name.contains("--"), "{name}");
    }

    #[test]
    fn a_template_must_tell_branches_apart() {
        let check =
            |template: &str, expected| assert_eq!(template.parse::<Template>().unwrap_err(), expected);
        check("{name}", TemplateError::NotDistinct);
        check("preview", TemplateError::NotDistinct);
        check("preview-{branch}", TemplateError::WithoutName);
        check("{name}-{brnach}", TemplateError::UnknownPlaceholder);
        check("{name", TemplateError::UnknownPlaceholder);
        check("name}-{branch}", TemplateError::UnknownPlaceholder);
        check("{name}/{branch}", TemplateError::Character);
        assert_eq!("{name}-{branch}".parse(), Ok(Template::default()));
    }

    #[test]
    fn where_a_number_ends_and_a_branch_begins_is_no_matter() {
        for template in ["{name}-{pr}{branch}", "{pr}{branch}-{name}", "{name}{branch}{pr}"] {
            let template: Template = template.parse().unwrap();
            let name = |branch, number| template.name("hello", &Branch::new(branch), Some(number));
            assert_ne!(name("2x", 1), name("x", 12));
            assert_ne!(name("x1", 2), name("x", 12));
        }
    }

    #[test]
    fn a_pull_request_number_needs_a_pull_request() {
        let template: Template = "{name}-pr-{pr}".parse().unwrap();
        assert!(template.needs_pull_request());
        assert_eq!(template.name("hello", &Branch::new("a/b"), Some(12)), "hello-pr-12");
    }

    /// Branches of all kinds, among them pairs that differ in what is lost only.
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
                let mut seen: HashMap<String, &String> = HashMap::new();
                for branch in &branches {
                    let name = name(template, "hello", branch);
                    if let Some(other) = seen.insert(name.clone(), branch) {
                        prop_assert!(false, "{template}: {other:?} and {branch:?} are both {name}");
                    }
                }
            }
        }

        #[test]
        fn a_name_that_was_given_is_given_to_no_other_branch(branch in branch()) {
            // The worst branch there is: one that is called as another's preview.
            let given = name("{name}{branch}", "", &branch);
            prop_assume!(given != branch);
            prop_assert_ne!(name("{name}{branch}", "", &given), given);
        }
    }
}
