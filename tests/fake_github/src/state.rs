//! The state of the repository.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, UNIX_EPOCH};

use crate::model::{Deployment, Head};

pub(crate) const OWNER: &str = "acme";
pub(crate) const REPOSITORY: &str = "integrations";
pub(crate) const DEFAULT_BRANCH: &str = "main";
/// The repository's number in GitHub's links.
pub(crate) const REPOSITORY_ID: u64 = 1_296_269;
/// The first id, larger than 32 bits like GitHub's ids.
const FIRST_ID: u64 = 5_000_000_001;
/// The start of the fake clock, in seconds since 1970. It is the same in each run.
const CLOCK_START: u64 = 1_767_225_600;

pub(crate) struct State {
    /// The URL of the server, without a path.
    pub(crate) url: String,
    /// The base URL for links in the response to the current request; on GitHub Enterprise, it ends with `/api/v3`.
    pub(crate) base: String,
    pub(crate) branches: BTreeMap<String, String>,
    /// The new names of renamed branches, by old name.
    pub(crate) renamed: HashMap<String, String>,
    /// All commits that were ever the tip of a branch or the head of a pull request.
    pub(crate) commits: BTreeSet<String>,
    pub(crate) pulls: BTreeMap<u64, Pull>,
    pub(crate) comments: BTreeMap<u64, StoredComment>,
    pub(crate) deployments: BTreeMap<u64, StoredDeployment>,
    /// The logins of users, by token.
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

/// A comment, with fields that tests do not see.
#[derive(Clone)]
pub(crate) struct StoredComment {
    pub(crate) id: u64,
    pub(crate) pull: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

/// A deployment, with fields that tests do not see.
#[derive(Clone)]
pub(crate) struct StoredDeployment {
    pub(crate) deployment: Deployment,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    /// The metadata of each status, in the order of `deployment.statuses`.
    pub(crate) status_metadata: Vec<StatusMetadata>,
}

/// The fields of a status that tests do not see.
#[derive(Clone)]
pub(crate) struct StatusMetadata {
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
            seconds: CLOCK_START,
        }
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Advances the fake clock by one second and returns its time, so that no two events have the same time.
    pub(crate) fn now(&mut self) -> String {
        self.seconds += 1;
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(self.seconds)).to_string()
    }

    pub(crate) fn login_of(&self, token: &str) -> String {
        if is_actions_token(token) {
            return "github-actions[bot]".to_owned();
        }
        self.logins.get(token).cloned().unwrap_or_else(|| "octocat".to_owned())
    }

    /// Returns the commit of a branch or commit reference.
    pub(crate) fn commit_of(&self, reference: &str) -> Option<String> {
        let branch = reference.strip_prefix("refs/").unwrap_or(reference);
        let branch = branch.strip_prefix("heads/").unwrap_or(branch);
        let commit = || self.commits.get(reference).cloned();
        self.branches.get(branch).cloned().or_else(commit)
    }
}

/// Returns true for a token of GitHub Actions.
pub(crate) fn is_actions_token(token: &str) -> bool {
    token.starts_with("ghs_")
}
