//! The state of the repository.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, UNIX_EPOCH};

use crate::model::{Deployment, Head};

pub(crate) const OWNER: &str = "acme";
pub(crate) const REPOSITORY: &str = "integrations";
pub(crate) const DEFAULT_BRANCH: &str = "main";
/// The repository's number in GitHub's links.
pub(crate) const REPOSITORY_ID: u64 = 1_296_269;
/// GitHub's ids exceed 32 bits, so these do as well.
const FIRST_ID: u64 = 5_000_000_001;
/// The start of the clock, the same in each run.
const BEGINNING: u64 = 1_767_225_600;

pub(crate) struct State {
    /// The URL of the server, without a path.
    pub(crate) url: String,
    /// The base URL of the current request, which may be that of GitHub Enterprise.
    pub(crate) base: String,
    pub(crate) branches: BTreeMap<String, String>,
    /// The new names of renamed branches.
    pub(crate) renamed: HashMap<String, String>,
    /// Every former tip of a branch or head of a pull request.
    pub(crate) commits: BTreeSet<String>,
    pub(crate) pulls: BTreeMap<u64, Pull>,
    pub(crate) comments: BTreeMap<u64, StoredComment>,
    pub(crate) deployments: BTreeMap<u64, Record>,
    /// The logins of tokens.
    pub(crate) logins: HashMap<String, String>,
    pub(crate) required_token: Option<String>,
    pub(crate) page_size: Option<usize>,
    last_id: u64,
    seconds: u64,
}

/// A pull request.
#[derive(Clone)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) head: Head,
    pub(crate) sha: String,
    pub(crate) fork_is_gone: bool,
    pub(crate) open: bool,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) closed_at: Option<String>,
    pub(crate) merged_at: Option<String>,
}

/// A comment, with its private fields.
#[derive(Clone)]
pub(crate) struct StoredComment {
    pub(crate) id: u64,
    pub(crate) pull: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

/// A deployment, with its private fields.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) deployment: Deployment,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    /// The author, the environment and the time of each status.
    pub(crate) marks: Vec<Mark>,
}

#[derive(Clone)]
pub(crate) struct Mark {
    pub(crate) creator: String,
    pub(crate) environment: String,
    pub(crate) created_at: String,
}

impl State {
    pub(crate) fn new(url: String) -> Self {
        let tip = "a".repeat(40);
        Self {
            base: url.clone(),
            url,
            branches: BTreeMap::from([(DEFAULT_BRANCH.to_owned(), tip.clone())]),
            renamed: HashMap::new(),
            commits: BTreeSet::from([tip]),
            pulls: BTreeMap::new(),
            comments: BTreeMap::new(),
            deployments: BTreeMap::new(),
            logins: HashMap::new(),
            required_token: None,
            page_size: None,
            last_id: FIRST_ID - 1,
            seconds: BEGINNING,
        }
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Advances the clock by one second, so that no two events have the same time.
    pub(crate) fn now(&mut self) -> String {
        self.seconds += 1;
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(self.seconds)).to_string()
    }

    pub(crate) fn login_of(&self, token: &str) -> String {
        if is_of_actions(token) {
            return "github-actions[bot]".to_owned();
        }
        self.logins.get(token).cloned().unwrap_or_else(|| "octocat".to_owned())
    }

    /// Resolves a branch or a commit.
    pub(crate) fn commit_of(&self, reference: &str) -> Option<String> {
        let branch = reference.strip_prefix("refs/").unwrap_or(reference);
        let branch = branch.strip_prefix("heads/").unwrap_or(branch);
        let commit = || self.commits.get(reference).cloned();
        self.branches.get(branch).cloned().or_else(commit)
    }
}

/// Returns true for the prefix of GitHub Actions' tokens.
pub(crate) fn is_of_actions(token: &str) -> bool {
    token.starts_with("ghs_")
}
