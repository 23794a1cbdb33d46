//! The branches of a repository and the forge that hosts it, as plain data.

/// The owner of a deleted fork, or of a fork that the CI system does not name.
pub(crate) const UNKNOWN_OWNER: &str = "unknown";

/// Returns the first 7 characters of a commit's hash.
#[must_use]
pub(crate) fn short_commit(commit: &str) -> String {
    commit.chars().take(7).collect()
}

/// The API of a forge. Compatible forges have the same kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ForgeKind {
    /// The API of GitHub, GitHub Enterprise, Gitea and Forgejo.
    #[default]
    GitHub,
    /// The API of GitLab.
    GitLab,
}

impl ForgeKind {
    /// Returns the name of the variable with the token.
    #[must_use]
    pub(crate) fn token_variable(self) -> &'static str {
        match self {
            Self::GitHub => "GITHUB_TOKEN",
            Self::GitLab => "GITLAB_TOKEN",
        }
    }

    /// Returns the name of the variable with the API's root URL.
    #[must_use]
    pub(crate) fn api_variable(self) -> &'static str {
        match self {
            Self::GitHub => "GITHUB_API_URL",
            Self::GitLab => "CI_API_V4_URL",
        }
    }

    /// Returns a description of a pull request in the forge's own terms, such as `merge request !12`.
    #[must_use]
    pub(crate) fn describe_pull_request(self, number: u64) -> String {
        match self {
            Self::GitHub => format!("pull request #{number}"),
            Self::GitLab => format!("merge request !{number}"),
        }
    }
}

/// A branch. The name of a fork's branch includes the owner (`owner:branch`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Branch(String);

impl Branch {
    /// Creates a branch of the repository itself.
    #[must_use]
    pub(crate) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Creates a branch of a fork. The result never equals a branch of the repository itself, because Git allows no colon in
    /// branch names.
    #[must_use]
    pub(crate) fn of_fork(owner: &str, name: &str) -> Self {
        Self(format!("{owner}:{name}"))
    }

    /// Returns the owner of the fork and the name of the branch in it, or `None` for the repository's own branch.
    #[must_use]
    pub(crate) fn split_fork(&self) -> Option<(&str, &str)> {
        self.0.split_once(':')
    }

    /// Returns true if Git allows a branch of this name (`git check-ref-format`).
    #[must_use]
    pub(crate) fn is_valid(&self) -> bool {
        let name = self.split_fork().map_or(self.as_str(), |(_, name)| name);
        let is_segment =
            |segment: &str| !segment.is_empty() && !segment.starts_with('.') && !segment.ends_with(".lock");
        let contains_forbidden_char =
            name.contains(|c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c));
        !contains_forbidden_char
            && name != "@"
            && !name.ends_with('.')
            && !["..", "@{"].iter().any(|sequence| name.contains(sequence))
            && name.split('/').all(is_segment)
    }

    /// Returns the name, with the owner if the branch is in a fork.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Branch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Branch;

    #[test]
    fn splits_the_name_of_a_fork_branch() {
        let check = |branch: &Branch, expected| assert_eq!(branch.split_fork(), expected, "{branch}");
        check(&Branch::of_fork("mona", "feature/x"), Some(("mona", "feature/x")));
        check(&Branch::new("feature/x"), None);
    }
}
