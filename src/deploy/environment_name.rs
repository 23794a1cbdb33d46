//! The names of GitHub environments.

use sha2::{Digest as _, Sha256};

use crate::preview::{self, OwnershipMarker};
use crate::untrusted::is_unsafe_char;

/// GitHub's limit for environment names, in characters.
const MAX_ENVIRONMENT_NAME: usize = 255;

/// Returns the name of the GitHub environment for an integration in production, or for its preview. If the name of the preview
/// contains the pull request number, the name of the environment contains it, too.
pub(super) fn environment_name(integration: &str, preview: Option<&OwnershipMarker>) -> String {
    let name = match preview {
        None => format!("gitbook: {integration}"),
        Some(OwnershipMarker { branch, pull_request: None, .. }) => {
            format!("gitbook preview: {integration}/{branch}")
        }
        Some(OwnershipMarker { branch, pull_request: Some(number), .. }) => {
            format!("gitbook preview: {integration}/{branch} #{number}")
        }
    };
    if name.chars().count() <= MAX_ENVIRONMENT_NAME && !name.contains(is_unsafe_char) {
        return name;
    }
    let hash = preview::hex(&Sha256::digest(&name)[..4]);
    let safe = name.chars().map(|character| if is_unsafe_char(character) { ' ' } else { character });
    let kept: String = safe.take(MAX_ENVIRONMENT_NAME - hash.len() - 1).collect();
    format!("{kept}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::environment_name;
    use crate::preview::OwnershipMarker;

    fn preview_environment(branch: &str, pull_request: Option<u64>) -> String {
        environment_name(
            "hello",
            Some(&OwnershipMarker { branch: branch.to_owned(), pull_request, ..OwnershipMarker::default() }),
        )
    }

    #[test]
    fn integrations_and_previews_have_distinct_environments() {
        assert_eq!(environment_name("hello", None), "gitbook: hello");
        assert_eq!(preview_environment("feature/x", None), "gitbook preview: hello/feature/x");
        assert_eq!(preview_environment("feature/x", Some(12)), "gitbook preview: hello/feature/x #12");
    }

    #[test]
    fn shortens_long_names_and_keeps_them_distinct() {
        let [one, other] =
            ["a", "b"].map(|end| preview_environment(&format!("{}{end}", "é".repeat(250)), None));
        assert_eq!(one.chars().count(), 255);
        assert_ne!(one, other);
    }

    #[test]
    fn replaces_unsafe_characters_and_keeps_names_distinct() {
        assert_eq!(preview_environment("a\u{202e}b", None), "gitbook preview: hello/a b-2ce31a2d");
        assert_ne!(preview_environment("a\u{202e}b", None), preview_environment("a\u{200f}b", None));
    }
}
