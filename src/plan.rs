//! The decision table, which maps the configuration and the event to a decision. The functions are pure and cannot fail.

use crate::ci::{Activity, Ci, Event, PullRequest, PullRequestOrigin};
use crate::config::{BranchPatterns, Config, Endpoint, Mode};
use crate::repository::{Branch, ForgeKind};

/// A decision and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub decision: Decision,
    /// The reason, in one line.
    pub reason: String,
}

/// The action that a run takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Publish to production.
    Publish,
    /// Publish a branch's preview.
    Preview(PreviewRef),
    /// Delete a branch's preview.
    Delete(PreviewRef),
    /// Delete the previews of all deleted branches and closed pull requests.
    Sweep,
    /// Build and validate, but publish nothing.
    Check,
    /// Report the decision for the event, but do not carry it out.
    Plan(Box<Plan>),
    /// Do nothing.
    Nothing,
    /// Refuse to run.
    Refuse(Refusal),
}

/// The branch or pull request of a preview.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PreviewRef {
    /// The branch.
    pub branch: Branch,
    /// The number of the pull request, if the event is about a pull request.
    pub pull_request: Option<u64>,
}

/// The reason why a run is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The run has no token for GitBook.
    #[error("`GITBOOK_TOKEN` is unset or empty")]
    NoToken,
    /// A fork's change would be published with the base repository's secrets.
    #[error("this run has the base repository's secrets and must not deploy a fork's change")]
    ForkWithBaseSecrets,
    /// A comment on a pull request has started the run, and the pull request may come from a fork.
    #[error("a comment started this run, and its pull request may come from a fork")]
    UnverifiedComment,
    /// A job that stops a GitLab environment would publish.
    #[error("a job that stops an environment must not publish")]
    StopJob,
    /// The run would publish a pull request, which may come from a fork, to production or as the preview of another branch.
    #[error("this run is for a pull request that may come from a fork")]
    PossibleFork,
    /// The production branch is unknown.
    #[error("the production branch is unknown")]
    NoProductionBranch,
    /// The mode requires a branch, but the branch is unknown.
    #[error("the branch of the preview is unknown")]
    NoBranch,
    /// The event is unknown. Without this refusal, the run could publish to production by accident.
    #[error("no CI event detected")]
    NoEvent,
}

impl Refusal {
    /// Returns a hint for the user: the next step to take.
    #[must_use]
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::NoToken => {
                "create an API token in GitBook's developer settings, store it as a secret of your CI system and pass it to this step as `GITBOOK_TOKEN`"
            }
            Self::ForkWithBaseSecrets => {
                "run on `pull_request` instead, which checks changes from forks without your secrets; see `examples/workflows/github/previews.yml` of gitbook-deploy"
            }
            Self::UnverifiedComment => {
                "publish to production on `push`; for a preview, pass `GITHUB_TOKEN` so that this step can check the source branch of the pull request"
            }
            Self::PossibleFork => {
                "publish to production on `push`; in runs for pull requests, do not set `GITBOOK_BRANCH`"
            }
            Self::StopJob => "set `GITBOOK_MODE` only for the jobs that publish, not for the whole pipeline",
            Self::NoProductionBranch => "set `GITBOOK_PRODUCTION_BRANCH` or `GITBOOK_DEFAULT_BRANCH`",
            Self::NoBranch => "set `GITBOOK_BRANCH`",
            Self::NoEvent => {
                "set `GITBOOK_EVENT`, `GITBOOK_BRANCH` and `GITBOOK_DEFAULT_BRANCH` (and `GITBOOK_PULL_REQUEST`, `GITBOOK_COMMIT`, `GITBOOK_REPOSITORY` if known), or set `GITBOOK_MODE`; in a container, pass the CI system's variables with `docker run -e`; to try the program without an account, set `GITBOOK_ENDPOINT=sandbox`"
            }
        }
    }
}

impl Decision {
    /// Returns the name of the decision, which is also the value of the output `mode`.
    #[must_use]
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Preview(_) => "preview",
            Self::Delete(_) => "delete",
            Self::Sweep => "sweep",
            Self::Check => "check",
            Self::Plan(_) => "plan",
            Self::Nothing => "nothing",
            Self::Refuse(_) => "refuse",
        }
    }

    /// Returns true if the command for the decision sends requests to the forge.
    #[must_use]
    pub(crate) fn needs_forge(&self) -> bool {
        matches!(self, Self::Publish | Self::Preview(_) | Self::Delete(_) | Self::Sweep)
    }

    fn because(self, reason: impl Into<String>) -> Plan {
        // A branch name from an event may contain control characters.
        let reason = reason.into().replace(char::is_control, " ");
        Plan { decision: self, reason }
    }
}

/// Returns the decision for an event, and its reason.
#[must_use]
pub(crate) fn decide(config: &Config, ci: &Ci) -> Plan {
    let production = config.production_branch.clone();
    let production = production.or_else(|| BranchPatterns::for_branch(ci.default_branch.as_deref()?));
    let table = DecisionTable {
        forge: ci.forge,
        stops_environment: ci.stops_environment,
        production,
        has_token: config.has_token_or_sandbox(),
        uses_sandbox: config.endpoint == Endpoint::Sandbox,
        preview_name_needs_pull_request: config.preview_name.needs_pull_request(),
    };
    let has_forge_token = match ci.forge {
        ForgeKind::GitHub => config.github_token.is_some(),
        ForgeKind::GitLab => config.gitlab_token.is_some(),
    };
    match config.mode {
        Mode::Auto => refuse_unsafe(table.decide_for_event(ci), ci, has_forge_token),
        Mode::Plan => {
            let plan = match table.decide_for_event(ci) {
                // This job only plans and needs no token. A later job, which carries out the plan, needs it.
                Plan { decision: Decision::Refuse(Refusal::NoToken), .. } => {
                    DecisionTable { has_token: true, ..table }.decide_for_event(ci)
                }
                plan => plan,
            };
            let plan = refuse_unsafe(plan, ci, has_forge_token);
            let (name, cause) = (plan.decision.name(), &plan.reason);
            let reason = format!("`GITBOOK_MODE=plan`; the decision for this event is `{name}`: {cause}");
            Decision::Plan(Box::new(plan)).because(reason)
        }
        mode => refuse_unsafe(table.decide_for_mode(mode, ci), ci, has_forge_token),
    }
}

/// Refuses a plan that would publish a fork's script with the base repository's secrets, or publish from a job that stops an
/// environment. The rules apply to every mode and event.
fn refuse_unsafe(plan: Plan, ci: &Ci, has_forge_token: bool) -> Plan {
    if ci.commented_pull_request.is_some() && !is_allowed_on_comment(&plan.decision, has_forge_token) {
        return Decision::Refuse(Refusal::UnverifiedComment).because(plan.reason);
    }
    if let Some(branch) = &ci.possible_fork_branch
        && publishes_under_another_name(&plan.decision, branch)
    {
        return Decision::Refuse(Refusal::PossibleFork).because(plan.reason);
    }
    let is_refused = match &plan.decision {
        Decision::Publish => ci.is_fork_with_base_secrets || ci.is_from_fork,
        // A fork's branch must not be published under the name of a branch of the repository itself.
        Decision::Preview(target) => {
            ci.is_fork_with_base_secrets || ci.is_from_fork && target.branch.split_fork().is_none()
        }
        _ => false,
    };
    if is_refused {
        return Decision::Refuse(Refusal::ForkWithBaseSecrets).because(plan.reason);
    }
    match plan.decision {
        Decision::Publish | Decision::Preview(_) if ci.stops_environment => {
            Decision::Refuse(Refusal::StopJob).because(plan.reason)
        }
        _ => plan,
    }
}

/// Returns true if a decision publishes to production, or as the preview of a branch of this repository other than `branch`.
fn publishes_under_another_name(decision: &Decision, branch: &Branch) -> bool {
    match decision {
        Decision::Publish => true,
        Decision::Preview(target) => target.branch != *branch && target.branch.split_fork().is_none(),
        _ => false,
    }
}

/// Returns true if the decision is allowed in a run that a comment has started. Such a run needs a forge token to publish the
/// preview of a branch of this repository: it asks the forge if the pull request comes from that branch.
fn is_allowed_on_comment(decision: &Decision, has_forge_token: bool) -> bool {
    match decision {
        Decision::Publish => false,
        Decision::Preview(target) => has_forge_token || target.branch.split_fork().is_some(),
        _ => true,
    }
}

/// The facts that determine a decision, apart from the event.
struct DecisionTable {
    forge: ForgeKind,
    /// True if the job stops a GitLab environment.
    stops_environment: bool,
    production: Option<BranchPatterns>,
    has_token: bool,
    uses_sandbox: bool,
    preview_name_needs_pull_request: bool,
}

impl DecisionTable {
    fn decide_for_event(&self, ci: &Ci) -> Plan {
        match &ci.event {
            // A push to the production branch publishes to production even if the branch has a pull request.
            Event::Push(branch) => self.decide_for_branch(branch, ci.pull_request, "push to"),
            Event::BranchDeleted(branch) => {
                let reason = if self.stops_environment {
                    format!("the environment of branch `{branch}` was stopped")
                } else {
                    format!("branch `{branch}` was deleted")
                };
                self.plan_deletion(branch, None, reason)
            }
            Event::Tag { deleted: false } => {
                Decision::Nothing.because("a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags")
            }
            Event::Tag { deleted: true } => Decision::Nothing.because("a tag was deleted"),
            Event::PullRequest(pull_request) => self.decide_for_pull_request(pull_request),
            Event::MergeQueue => Decision::Check.because("merge queue candidates are checked, not published"),
            Event::Schedule => self.require_token(Decision::Sweep, "scheduled run"),
            Event::Manual(Some(branch)) => self.decide_for_branch(branch, None, "manual run on"),
            Event::Manual(None) => Decision::Nothing
                .because("manual run without a branch; set `GITBOOK_MODE=publish` to publish from tags"),
            Event::Release => self.require_token(Decision::Publish, "a release was published"),
            Event::Unknown if self.uses_sandbox => {
                Decision::Publish.because("no CI event detected; publishing to the sandbox")
            }
            Event::Unknown => Decision::Refuse(Refusal::NoEvent).because("no CI event detected"),
            Event::Incomplete(description) => Decision::Nothing.because(description),
            Event::Other(name) => Decision::Nothing.because(format!("`{name}` needs no action")),
        }
    }

    fn decide_for_branch(&self, branch: &Branch, pull_request: Option<u64>, trigger: &str) -> Plan {
        match &self.production {
            None => {
                Decision::Refuse(Refusal::NoProductionBranch).because(format!("{trigger} branch `{branch}`"))
            }
            Some(production) if production.matches(branch.as_str()) => {
                self.require_token(Decision::Publish, format!("{trigger} `{branch}`, the production branch"))
            }
            Some(_) => self.plan_preview(branch, pull_request, format!("{trigger} branch `{branch}`")),
        }
    }

    fn decide_for_pull_request(&self, pull_request: &PullRequest) -> Plan {
        let PullRequest { number, branch, activity, origin, has_base_secrets } = pull_request;
        let origin_note = match origin {
            PullRequestOrigin::SameRepository => "",
            PullRequestOrigin::Fork => " (fork)",
            PullRequestOrigin::Dependabot => " (Dependabot)",
        };
        let request = self.forge.describe_pull_request(*number);
        if *has_base_secrets && *origin == PullRequestOrigin::Fork {
            return Decision::Refuse(Refusal::ForkWithBaseSecrets).because(format!("{request}{origin_note}"));
        }
        match activity {
            Activity::Updated if !self.has_token => Decision::Check.because(format!(
                "{request}{origin_note} was updated; checked only, because `GITBOOK_TOKEN` is not set"
            )),
            Activity::Updated => {
                let reason = format!("{request} from `{branch}`{origin_note} was updated");
                self.plan_preview(branch, Some(*number), reason)
            }
            Activity::Closed if !self.has_token && *origin != PullRequestOrigin::SameRepository => {
                Decision::Nothing.because(format!(
                    "{request}{origin_note} was closed; no preview to delete, because `GITBOOK_TOKEN` is not set"
                ))
            }
            Activity::Closed => self.plan_deletion(
                branch,
                Some(*number),
                if self.stops_environment {
                    format!("the environment of {request} from `{branch}`{origin_note} was stopped")
                } else {
                    format!("{request} from `{branch}`{origin_note} was closed")
                },
            ),
            Activity::Other(activity) => {
                Decision::Nothing.because(format!("`{activity}` of {request} needs no action"))
            }
            Activity::Unnamed => {
                Decision::Nothing.because(format!("the event file for {request} has no `action`"))
            }
        }
    }

    /// Returns the plan for a mode other than `auto` and `plan`. The branch may come from a variable instead of the event.
    fn decide_for_mode(&self, mode: Mode, ci: &Ci) -> Plan {
        let reason = |mode: &str| format!("`GITBOOK_MODE={mode}`");
        let with_branch = |mode: &str, branch: &Branch| format!("{}, branch `{branch}`", reason(mode));
        match (mode, &ci.branch) {
            (Mode::Check, _) => Decision::Check.because(reason("check")),
            (Mode::Sweep, _) => self.require_token(Decision::Sweep, reason("sweep")),
            (Mode::Preview, Some(branch)) => {
                self.plan_preview(branch, ci.pull_request, with_branch("preview", branch))
            }
            (Mode::Delete, Some(branch)) => {
                self.plan_deletion(branch, ci.pull_request, with_branch("delete", branch))
            }
            (Mode::Preview | Mode::Delete, None) => {
                Decision::Refuse(Refusal::NoBranch).because("this mode requires a branch")
            }
            (Mode::Publish | Mode::Auto | Mode::Plan, _) => {
                self.require_token(Decision::Publish, reason("publish"))
            }
        }
    }

    fn plan_preview(&self, branch: &Branch, pull_request: Option<u64>, reason: String) -> Plan {
        self.plan_for_branch(Decision::Preview, branch, pull_request, reason)
    }

    fn plan_deletion(&self, branch: &Branch, pull_request: Option<u64>, reason: String) -> Plan {
        self.plan_for_branch(Decision::Delete, branch, pull_request, reason)
    }

    fn plan_for_branch(
        &self,
        decision: fn(PreviewRef) -> Decision,
        branch: &Branch,
        pull_request: Option<u64>,
        reason: String,
    ) -> Plan {
        if self.preview_name_needs_pull_request && pull_request.is_none() {
            let cause = "only pull requests have previews, because `GITBOOK_PREVIEW_NAME` contains `{pr}`";
            return Decision::Nothing.because(format!("{reason}; {cause}"));
        }
        self.require_token(decision(PreviewRef { branch: branch.clone(), pull_request }), reason)
    }

    fn require_token(&self, decision: Decision, reason: impl Into<String>) -> Plan {
        if self.has_token { decision } else { Decision::Refuse(Refusal::NoToken) }.because(reason)
    }
}

#[cfg(test)]
mod mode_tests;
#[cfg(test)]
mod tests;
