//! Deployments as the forge records them: one for each publishing, ended whatever came of it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;
use tracing::instrument::WithSubscriber as _;
use url::Url;

use super::guard::GuardError;
use super::outcome::DeployError;
use crate::cancel::Cancel;
use crate::foreign::{acts, link};
use crate::forge::{Cost, ForgeError, GitHub, Intent, Reservation, State, Status, Success};
use crate::gitbook::{Published, Tried};
use crate::preview::{self, Mark};

/// How long a cancelled run may take to say so. GitHub's runner kills it 10 s after its first signal, of which requests
/// in flight may have taken 5.
const AFTER_A_SIGNAL: Duration = Duration::from_secs(2);

/// How long is waited for the word that something has begun.
const AT_MOST: Duration = Duration::from_secs(5);

/// A deployment and its two statuses.
const RECORD: Cost = Cost { requests: 3, writes: 3 };

/// GitHub takes no longer names.
const LONGEST_ENVIRONMENT: usize = 255;

/// Where deployments are recorded.
pub(crate) struct Records<'a> {
    forge: GitHub,
    /// The client that asks. Where it was given up, nothing is told either; what can't be told keeps nobody from asking.
    asking: &'a GitHub,
    cancel: &'a Cancel,
    commit: Option<&'a str>,
    log_url: Option<&'a str>,
    /// Whether a text holds a secret: who can read the repository can read what is recorded.
    holds_secret: &'a (dyn Fn(&str) -> bool + Sync),
    /// Why something could not be recorded. After the first failure nothing more is.
    failure: Mutex<Option<ForgeError>>,
    /// How many deployments are not recorded, or leave those before them active, since a rate limit is near.
    dropped: AtomicUsize,
    /// What has ended, and is being told meanwhile: `false` if those before it stay active.
    endings: Mutex<Vec<JoinHandle<Result<bool, ForgeError>>>>,
}

/// What is about to be published.
#[derive(Debug)]
pub(super) struct Publishing<'a> {
    pub(super) integration: &'a str,
    pub(super) name: &'a str,
    pub(super) hash: &'a str,
    pub(super) script_bytes: usize,
    /// Of a preview.
    pub(super) mark: Option<&'a Mark>,
}

/// What was published to production last, as the deployment on record tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The content hash.
    pub(super) hash: String,
    /// The version that GitBook has given it.
    pub(super) version: String,
    /// How long the script is; earlier versions of this program have not recorded it.
    pub(super) script_bytes: Option<u32>,
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("commit", &self.commit).finish_non_exhaustive()
    }
}

impl<'a> Records<'a> {
    /// Records deployments of a commit. Without one only ends can be recorded.
    pub(crate) fn new(
        asking: &'a GitHub,
        cancel: &'a Cancel,
        commit: Option<&'a str>,
        log_url: Option<&'a str>,
        holds_secret: &'a (dyn Fn(&str) -> bool + Sync),
    ) -> Self {
        let forge = asking.apart();
        let (failure, dropped, endings) = <_>::default();
        Self { forge, asking, cancel, commit, log_url, holds_secret, failure, dropped, endings }
    }

    /// Waits until everything is recorded, and says why something could not be.
    pub(crate) async fn finish(&self) -> Option<ForgeError> {
        let endings = std::mem::take(&mut *self.endings.lock().unwrap_or_else(PoisonError::into_inner));
        // GitHub's runner waits for nobody.
        let ended = self.cancel.or_after(AFTER_A_SIGNAL, join_all(endings)).await.unwrap_or_default();
        ended.into_iter().flatten().for_each(|ended| self.ended(ended));
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns how many deployments are not recorded, or leave those before them active, since a rate limit is near.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }

    /// What is on record as published to production last. Nothing where that is not known, or did not end well.
    pub(super) async fn recorded(&self, integration: &str) -> Option<Recorded> {
        if !self.may_go_on() || (self.holds_secret)(integration) {
            return None;
        }
        let environment = environment(integration, None);
        match self.cancel.or_at_once(self.forge.newest_success(&environment)).await.ok()? {
            Ok(success) => Recorded::of(&success?),
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }

    /// Publishes, with a deployment on record that is in progress meanwhile and then tells what came of it.
    pub(super) async fn of(
        &self,
        publishing: &Publishing<'_>,
        request: impl Future<Output = Result<Tried<Published>, DeployError>>,
    ) -> Result<Tried<Published>, DeployError> {
        let Some((deployment, reservation)) = self.begin(publishing).await else { return request.await };
        let status = self.status(State::InProgress, None, "Publishing");
        // Nobody waits for this, and it is worth one try. After a signal nothing begins.
        let forge = self.forge.hurried(AT_MOST);
        let begins = self.cancel.signal().is_none();
        let begin = async move { if begins { forge.set_status(deployment, &status).await } else { Ok(()) } };
        let begun = tokio::spawn(begin.with_current_subscriber());
        let result = request.await;
        let cancelled = self.cancel.signal().is_some();
        let forge = if cancelled { self.forge.hurried(AFTER_A_SIGNAL / 2) } else { self.forge.patient() };
        let end = match &result {
            Ok(published) => {
                let url = published.last.urls.app.as_deref();
                self.status(State::Success, url, said_of(published.last.version.as_ref()))
            }
            Err(_) if cancelled => self.status(State::Failure, None, "Cancelled"),
            Err(DeployError::Guard { error: GuardError::Newer(_), .. }) => {
                self.status(State::Inactive, None, "A newer run has published it meanwhile")
            }
            Err(_) => self.status(State::Failure, None, "Failed; the log says why"),
        };
        // Whoever waits for the result need not wait for this.
        let environment = environment(publishing.integration, publishing.mark);
        let is_new = result.is_ok() && publishing.mark.is_some() && !cancelled;
        let replaced = self.status(State::Inactive, None, "Replaced by a newer one");
        let ending = async move {
            // The end has the last word, so what is on its way is waited for, after a signal not as long.
            let longest = if cancelled { AFTER_A_SIGNAL / 2 } else { AT_MOST };
            let begun = tokio::time::timeout(longest, begun).await;
            forge.set_status(deployment, &end).await?;
            if let Ok(Ok(Err(error))) = begun {
                return Err(error);
            }
            drop(reservation);
            // GitHub does that for environments that stay, only.
            if is_new { forge.deactivate_before(deployment, &environment, &replaced).await } else { Ok(true) }
        };
        let ending = tokio::spawn(ending.with_current_subscriber());
        self.endings.lock().unwrap_or_else(PoisonError::into_inner).push(ending);
        result
    }

    /// Records that a preview is there no more.
    pub(super) async fn gone(&self, mark: &Mark) {
        // A success that is told late would stand as the last word.
        if let Some(error) = self.finish().await {
            self.failed(error);
        }
        if self.may_go_on() {
            let environment = environment(&mark.integration, Some(mark));
            let status = self.status(State::Inactive, None, "The preview was deleted");
            let work = self.forge.deactivate(&environment, &status);
            if let Ok(ended) = self.cancel.or_after_grace(work).await {
                self.ended(ended);
            }
        }
    }

    async fn begin(&self, publishing: &Publishing<'_>) -> Option<(u64, Reservation)> {
        let commit = self.commit.filter(|_| self.may_go_on())?;
        let Publishing { integration, name, hash, script_bytes, mark } = *publishing;
        let branch = mark.map(|mark| &mark.branch);
        // With something else in its place two integrations could have one environment.
        if [Some(integration), Some(name), branch.map(String::as_str)]
            .into_iter()
            .flatten()
            .any(self.holds_secret)
        {
            tracing::info!("no deployment of `{name}` is recorded: its name or branch holds a secret");
            return None;
        }
        let Some(reservation) = self.forge.reserve(RECORD) else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let intent = Intent {
            environment: &environment(integration, mark),
            transient: mark.is_some(),
            commit,
            description: &format!("`{name}`, by gitbook-deploy"),
            payload: json!({
                "integration": integration, "name": name, "branch": branch, "hash": hash,
                "script_bytes": script_bytes,
            }),
        };
        match self.cancel.or_after_grace(self.forge.create_deployment(&intent)).await.ok()? {
            Ok(deployment) => Some((deployment, reservation)),
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }

    fn status(&self, state: State, url: Option<&str>, description: impl Into<String>) -> Status {
        let shown = |url: Option<&str>| url.filter(|url| !(self.holds_secret)(url)).and_then(link);
        Status { state, url: shown(url), log_url: shown(self.log_url), description: description.into() }
    }

    fn may_go_on(&self) -> bool {
        if let Some(why) = self.asking.why_given_up() {
            self.failed(ForgeError::GivenUp(why));
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.is_none() && self.cancel.signal().is_none()
    }

    fn ended(&self, ended: Result<bool, ForgeError>) {
        match ended {
            Ok(true) => {}
            Ok(false) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => self.failed(error),
        }
    }

    fn failed(&self, error: ForgeError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }
}

/// A payload can't be changed once its deployment is there, so the version stands in the status.
const WITH_VERSION: &str = "Published, version ";

fn said_of(version: Option<&serde_json::Number>) -> String {
    version.map_or_else(|| "Published".to_owned(), |version| format!("{WITH_VERSION}{version}"))
}

impl Recorded {
    fn of(success: &Success) -> Option<Self> {
        let hash = success.payload.get("hash")?.as_str()?.to_owned();
        let version = success.description.strip_prefix(WITH_VERSION)?.to_owned();
        // Whoever may create deployments may have written anything. Nothing depends on it.
        let script_bytes = success.payload.get("script_bytes").and_then(Value::as_u64);
        let script_bytes = script_bytes.and_then(|bytes| u32::try_from(bytes).ok());
        Some(Self { hash, version, script_bytes })
    }
}

/// The content hash of what is published at an endpoint.
pub(super) fn hash_at(endpoint: &Url, content: &str) -> String {
    preview::hex(
        &Sha256::new().chain_update(endpoint.as_str()).chain_update([0]).chain_update(content).finalize(),
    )
}

/// The environment of an integration, or of its preview: of a branch, or of a pull request where two of one branch have
/// each their own.
fn environment(integration: &str, preview: Option<&Mark>) -> String {
    let name = match preview {
        None => format!("gitbook: {integration}"),
        Some(Mark { branch, pull_request: None, .. }) => format!("gitbook preview: {integration}/{branch}"),
        Some(Mark { branch, pull_request: Some(number), .. }) => {
            format!("gitbook preview: {integration}/{branch} #{number}")
        }
    };
    if name.chars().count() <= LONGEST_ENVIRONMENT && !name.contains(acts) {
        return name;
    }
    let hash = preview::hex(&Sha256::digest(&name)[..4]);
    let shown = name.chars().map(|character| if acts(character) { ' ' } else { character });
    let kept: String = shown.take(LONGEST_ENVIRONMENT - hash.len() - 1).collect();
    format!("{kept}-{hash}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Recorded, environment};
    use crate::forge::Success;
    use crate::preview::Mark;

    fn of(branch: &str, pull_request: Option<u64>) -> String {
        environment("hello", Some(&Mark { branch: branch.to_owned(), pull_request, ..Mark::default() }))
    }

    #[test]
    fn each_integration_and_each_preview_has_an_environment() {
        assert_eq!(environment("hello", None), "gitbook: hello");
        assert_eq!(of("feature/x", None), "gitbook preview: hello/feature/x");
        assert_eq!(of("feature/x", Some(12)), "gitbook preview: hello/feature/x #12");
    }

    fn recorded(payload: Value) -> Option<Recorded> {
        Recorded::of(&Success { payload, description: "Published, version 3".to_owned() })
    }

    #[test]
    fn what_is_recorded_is_read_as_it_was_written() {
        let (hash, version) = ("00ff".to_owned(), "3".to_owned());
        let expected = Recorded { hash, version, script_bytes: Some(73_152) };
        assert_eq!(recorded(json!({"hash": "00ff", "script_bytes": 73_152})), Some(expected));
    }

    #[test]
    fn a_length_that_can_not_be_is_none_and_harms_nothing() {
        let lengths = [
            Value::Null,
            json!("73152"),
            json!(-1),
            json!(1.5),
            json!(4_294_967_296_u64),
            json!(1e300),
            json!(true),
            json!([73_152]),
            json!({"bytes": 73_152}),
        ];
        let payloads = lengths.into_iter().map(|length| json!({"hash": "00ff", "script_bytes": length}));
        for payload in payloads.chain([json!({"hash": "00ff"})]) {
            let found = recorded(payload.clone()).unwrap_or_else(|| panic!("{payload}"));
            assert_eq!((&*found.hash, found.script_bytes), ("00ff", None), "{payload}");
        }
        for payload in [Value::Null, json!("script_bytes"), json!([1]), json!({"script_bytes": 1})] {
            assert_eq!(recorded(payload.clone()), None, "{payload}");
        }
    }

    #[test]
    fn a_long_name_is_cut_and_stays_one_of_its_own() {
        let [one, other] = ["a", "b"].map(|end| of(&format!("{}{end}", "é".repeat(250)), None));
        assert_eq!(one.chars().count(), 255);
        assert_ne!(one, other);
    }

    #[test]
    fn a_name_that_is_shown_in_another_way_stays_one_of_its_own() {
        assert_eq!(of("a\u{202e}b", None), "gitbook preview: hello/a b-2ce31a2d");
        assert_ne!(of("a\u{202e}b", None), of("a\u{200f}b", None));
    }
}
