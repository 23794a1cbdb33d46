//! The decision table: what to do about an event; pure, and it cannot fail.

use crate::ci::{Activity, Author, Ci, Event, ForgeKind, PullRequest};
use crate::config::{BranchPatterns, Config, Endpoint, Mode};
use crate::preview::Branch;

/// What will be done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What.
    pub decision: Decision,
    /// Why, in one line.
    pub reason: String,
}

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Publish to production.
    Publish,
    /// Publish a branch's preview.
    Preview(Target),
    /// Delete a branch's preview.
    Delete(Target),
    /// Delete the previews of all branches that are gone.
    Sweep,
    /// Build and validate, publish nothing.
    Check,
    /// Say what the decision on the event would be.
    Plan(Box<Plan>),
    /// Nothing.
    Nothing,
    /// Refuse to go on.
    Refuse(Refusal),
}

/// Whose preview it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// The branch.
    pub branch: Branch,
    /// The pull request, where the event is about one.
    pub pull_request: Option<u64>,
}

/// Why the program goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// There is no token.
    #[error("`GITBOOK_TOKEN` is unset or empty")]
    NoToken,
    /// A stranger's code would run with the base's secrets.
    #[error("a fork's change is not deployed by a run that has the base repository's secrets")]
    ForkAsBase,
    /// A comment does not tell whose code it is about.
    #[error("a comment on a pull request does not tell whether that comes from a fork")]
    CommentOnPullRequest,
    /// The end of a preview would publish something.
    #[error("a job that stops an environment does not publish")]
    StopJob,
    /// A pull request, on a system that does not tell whether it comes from a fork, is to be published as something else.
    #[error("this run is for a pull request that may come from a fork")]
    PossibleFork,
    /// Which branch is production's is not known.
    #[error("the production branch is not known")]
    NoProductionBranch,
    /// A mode needs a branch, and there is none.
    #[error("there is no branch whose preview this could be about")]
    NoBranch,
    /// Nothing says what happened, and production is not published to by accident.
    #[error("nothing says what happened")]
    NoEvent,
}

impl Refusal {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::NoToken => {
                "create an API token in GitBook's developer settings, store it as a secret of your CI system and pass it to this step as `GITBOOK_TOKEN`"
            }
            Self::ForkAsBase => {
                "it would publish a stranger's script with your secrets; run on `pull_request`, where a fork's changes are checked without them, as the workflow `examples/workflows/github/previews.yml` of gitbook-deploy does"
            }
            Self::CommentOnPullRequest => {
                "publish to production on `push`; for a preview, pass `GITHUB_TOKEN`, with which this step asks whether the branch is the repository's own"
            }
            Self::PossibleFork => {
                "publish to production on `push`, and leave `GITBOOK_BRANCH` to the CI system in runs for pull requests"
            }
            Self::StopJob => "set `GITBOOK_MODE` in the jobs that publish only, not for the whole pipeline",
            Self::NoProductionBranch => "set `GITBOOK_PRODUCTION_BRANCH` (or `GITBOOK_DEFAULT_BRANCH`)",
            Self::NoBranch => "set `GITBOOK_BRANCH`",
            Self::NoEvent => {
                "say what happened with `GITBOOK_EVENT`, `GITBOOK_BRANCH` and `GITBOOK_DEFAULT_BRANCH` (and `GITBOOK_PULL_REQUEST`, `GITBOOK_COMMIT`, `GITBOOK_REPOSITORY` where known), or what to do with `GITBOOK_MODE`; in a container, pass the CI system's own variables on with `docker run -e`; `GITBOOK_ENDPOINT=sandbox` tries it without an account"
            }
        }
    }
}

impl Decision {
    /// Its name, as the output `mode` has it.
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

    /// Whether there is something to ask the forge, or to tell it.
    #[must_use]
    pub(crate) fn concerns_forge(&self) -> bool {
        matches!(self, Self::Publish | Self::Preview(_) | Self::Delete(_) | Self::Sweep)
    }

    fn because(self, reason: impl Into<String>) -> Plan {
        // A branch of the payload may hold anything.
        let reason = reason.into().replace(char::is_control, " ");
        Plan { decision: self, reason }
    }
}

/// Decides what to do.
#[must_use]
pub(crate) fn decide(config: &Config, ci: &Ci) -> Plan {
    let production = config.production_branch.clone();
    let production = production.or_else(|| BranchPatterns::exactly(ci.default_branch.as_deref()?));
    let table = Table {
        forge: ci.forge,
        stops: ci.stops,
        production,
        has_token: config.has_token(),
        in_sandbox: config.endpoint == Endpoint::Sandbox,
        needs_pull_request: config.preview_name.needs_pull_request(),
    };
    let has_forge_token = match ci.forge {
        ForgeKind::GitHub => config.github_token.is_some(),
        ForgeKind::GitLab => config.gitlab_token.is_some(),
    };
    match config.mode {
        Mode::Auto => safely(table.of_event(ci), ci, has_forge_token),
        Mode::Plan => {
            let plan = match table.of_event(ci) {
                // The token is the later job's.
                Plan { decision: Decision::Refuse(Refusal::NoToken), .. } => {
                    Table { has_token: true, ..table }.of_event(ci)
                }
                plan => plan,
            };
            let plan = safely(plan, ci, has_forge_token);
            let (name, why) = (plan.decision.name(), &plan.reason);
            let reason = format!("`GITBOOK_MODE=plan`; on its own this event means `{name}`: {why}");
            Decision::Plan(Box::new(plan)).because(reason)
        }
        mode => safely(table.forced(mode, ci), ci, has_forge_token),
    }
}

/// The plan, unless it would publish what nobody means to, whatever it was called: a stranger's script with the base's
/// secrets, or a branch where its preview is to end.
fn safely(plan: Plan, ci: &Ci, has_forge_token: bool) -> Plan {
    if ci.commented_on.is_some() && !may_be_of_comment(&plan.decision, has_forge_token) {
        return Decision::Refuse(Refusal::CommentOnPullRequest).because(plan.reason);
    }
    if let Some(branch) = &ci.possible_fork
        && publishes_as_another(&plan.decision, branch)
    {
        return Decision::Refuse(Refusal::PossibleFork).because(plan.reason);
    }
    let is_refused = match &plan.decision {
        Decision::Publish => ci.fork_as_base || ci.is_of_fork,
        // A fork's branch must not pass for one of the base's.
        Decision::Preview(target) => {
            ci.fork_as_base || ci.is_of_fork && target.branch.of_which_fork().is_none()
        }
        _ => false,
    };
    if is_refused {
        return Decision::Refuse(Refusal::ForkAsBase).because(plan.reason);
    }
    match plan.decision {
        Decision::Publish | Decision::Preview(_) if ci.stops => {
            Decision::Refuse(Refusal::StopJob).because(plan.reason)
        }
        _ => plan,
    }
}

/// Returns whether a decision publishes under another name than that of the pull request's own branch.
fn publishes_as_another(decision: &Decision, branch: &Branch) -> bool {
    match decision {
        Decision::Publish => true,
        Decision::Preview(target) => target.branch != *branch && target.branch.of_which_fork().is_none(),
        _ => false,
    }
}

/// Returns whether a run on a comment may do something. The preview of a branch of the repository itself is checked again
/// before it is published.
fn may_be_of_comment(decision: &Decision, has_forge_token: bool) -> bool {
    match decision {
        Decision::Publish => false,
        Decision::Preview(target) => has_forge_token || target.branch.of_which_fork().is_some(),
        _ => true,
    }
}

struct Table {
    forge: ForgeKind,
    /// Whether an environment is stopped.
    stops: bool,
    production: Option<BranchPatterns>,
    has_token: bool,
    in_sandbox: bool,
    needs_pull_request: bool,
}

impl Table {
    fn of_event(&self, ci: &Ci) -> Plan {
        match &ci.event {
            // Production is published whether or not the branch has a pull request.
            Event::Push(branch) => self.of_branch(branch, ci.pull_request, "push to"),
            Event::BranchDeleted(branch) => {
                let reason = if self.stops {
                    format!("the environment of branch `{branch}` was stopped")
                } else {
                    format!("branch `{branch}` was deleted")
                };
                self.delete(branch, None, reason)
            }
            Event::Tag { deleted: false } => {
                Decision::Nothing.because("a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag")
            }
            Event::Tag { deleted: true } => Decision::Nothing.because("a tag was deleted"),
            Event::PullRequest(pull_request) => self.of_pull_request(pull_request),
            Event::MergeQueue => {
                Decision::Check.because("a merge queue's candidate is checked, not published")
            }
            Event::Schedule => self.with_token(Decision::Sweep, "scheduled run"),
            Event::Manual(Some(branch)) => self.of_branch(branch, None, "manual run on"),
            Event::Manual(None) => Decision::Nothing
                .because("manual run on no branch; `GITBOOK_MODE=publish` publishes from a tag"),
            Event::Release => self.with_token(Decision::Publish, "a release was published"),
            Event::None if self.in_sandbox => {
                Decision::Publish.because("no event is known; this is the sandbox")
            }
            Event::None => Decision::Refuse(Refusal::NoEvent).because("no event is known"),
            Event::Other(name) => Decision::Nothing.because(format!("nothing is to be done on `{name}`")),
        }
    }

    fn of_branch(&self, branch: &Branch, pull_request: Option<u64>, what: &str) -> Plan {
        match &self.production {
            None => {
                Decision::Refuse(Refusal::NoProductionBranch).because(format!("{what} branch `{branch}`"))
            }
            Some(production) if production.matches(branch.as_str()) => {
                self.with_token(Decision::Publish, format!("{what} the production branch `{branch}`"))
            }
            Some(_) => self.preview(branch, pull_request, format!("{what} branch `{branch}`")),
        }
    }

    fn of_pull_request(&self, pull_request: &PullRequest) -> Plan {
        let PullRequest { number, branch, activity, author, runs_as_base } = pull_request;
        let whose = match author {
            Author::Own => "",
            Author::Fork => " of a fork",
            Author::Dependabot => " of Dependabot",
        };
        let request = self.forge.pull_request(*number);
        if *runs_as_base && *author == Author::Fork {
            return Decision::Refuse(Refusal::ForkAsBase).because(format!("{request}{whose}"));
        }
        match activity {
            Activity::Updated if !self.has_token => Decision::Check.because(format!(
                "{request}{whose} was updated, but there is no token: checked, not published"
            )),
            Activity::Updated => {
                self.preview(branch, Some(*number), format!("{request}{whose} from `{branch}` was updated"))
            }
            Activity::Closed if !self.has_token && *author != Author::Own => Decision::Nothing.because(
                format!("{request}{whose} was closed, but there is no token, so no preview was made"),
            ),
            Activity::Closed => self.delete(
                branch,
                Some(*number),
                if self.stops {
                    format!("the environment of {request}{whose} from `{branch}` was stopped")
                } else {
                    format!("{request}{whose} from `{branch}` was closed")
                },
            ),
            Activity::Other(activity) => {
                Decision::Nothing.because(format!("nothing is to be done on `{activity}` of {request}"))
            }
        }
    }

    /// The branch may be given by hand, on an event that has none.
    fn forced(&self, mode: Mode, ci: &Ci) -> Plan {
        let reason = |mode: &str| format!("`GITBOOK_MODE={mode}`");
        match (mode, &ci.branch) {
            (Mode::Check, _) => Decision::Check.because(reason("check")),
            (Mode::Sweep, _) => self.with_token(Decision::Sweep, reason("sweep")),
            (Mode::Preview, Some(branch)) => self.preview(branch, ci.pull_request, reason("preview")),
            (Mode::Delete, Some(branch)) => self.delete(branch, ci.pull_request, reason("delete")),
            (Mode::Preview | Mode::Delete, None) => {
                Decision::Refuse(Refusal::NoBranch).because("the mode is about a branch's preview")
            }
            (Mode::Publish | Mode::Auto | Mode::Plan, _) => {
                self.with_token(Decision::Publish, reason("publish"))
            }
        }
    }

    fn preview(&self, branch: &Branch, pull_request: Option<u64>, reason: String) -> Plan {
        self.about_preview(Decision::Preview, branch, pull_request, reason)
    }

    fn delete(&self, branch: &Branch, pull_request: Option<u64>, reason: String) -> Plan {
        self.about_preview(Decision::Delete, branch, pull_request, reason)
    }

    fn about_preview(
        &self,
        decision: fn(Target) -> Decision,
        branch: &Branch,
        pull_request: Option<u64>,
        reason: String,
    ) -> Plan {
        if self.needs_pull_request && pull_request.is_none() {
            let why = "only pull requests have previews, since `GITBOOK_PREVIEW_NAME` holds `{pr}`";
            return Decision::Nothing.because(format!("{reason}; {why}"));
        }
        self.with_token(decision(Target { branch: branch.clone(), pull_request }), reason)
    }

    fn with_token(&self, decision: Decision, reason: impl Into<String>) -> Plan {
        if self.has_token { decision } else { Decision::Refuse(Refusal::NoToken) }.because(reason)
    }
}

#[cfg(test)]
mod mode_tests;
#[cfg(test)]
mod tests;
