//! Buildkite.

use super::{
    Ci, Event, ParallelJob, PullRequest, UNKNOWN_OWNER, commit, folder, number, pushed, repository, text,
};
use crate::environment::Environment;
use crate::preview::Branch;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    // Assumed, since it is not documented: with this setting the commit is that of the merge.
    let is_merge = environment.get("BUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC") == Some("true");
    Ci {
        repository: environment.get("BUILDKITE_REPO").and_then(repository::at),
        default_branch: text(environment, "BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        // It is `HEAD` in builds that were started without a commit.
        commit: commit(environment, "BUILDKITE_COMMIT").filter(|_| !is_merge),
        run: number(environment, "BUILDKITE_BUILD_NUMBER").unwrap_or(0),
        run_url: text(environment, "BUILDKITE_BUILD_URL"),
        node: ParallelJob::of(environment, ["BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT"], 0),
        workspace: folder(environment, "BUILDKITE_BUILD_CHECKOUT_PATH"),
        ..Ci::of("Buildkite", event(environment))
    }
}

/// The pull request comes before the branch, which may be a stranger's `main`; the tag, too, which stands in its place.
fn event(environment: &Environment) -> Event {
    let source = environment.get("BUILDKITE_SOURCE").unwrap_or("a build without a source");
    let branch = environment.get("BUILDKITE_BRANCH");
    let is_tag = environment.get("BUILDKITE_TAG").is_some();
    // Buildkite says `false` where there is none.
    let pull_request = environment.get("BUILDKITE_PULL_REQUEST").filter(|number| *number != "false");
    match (source, pull_request, branch) {
        ("schedule", ..) => Event::Schedule,
        (_, Some(number), Some(branch)) => of_pull_request(number, branch, environment),
        ("webhook", ..) if is_tag => Event::Tag { deleted: false },
        ("webhook", None, Some(branch)) => pushed(branch),
        ("ui" | "api" | "trigger_job", None, branch) if is_tag || branch.is_some() => {
            Event::Manual(branch.filter(|_| !is_tag).map(Branch::new))
        }
        (source, ..) => Event::Other(source.to_owned()),
    }
}

fn of_pull_request(number: &str, branch: &str, environment: &Environment) -> Event {
    let Ok(number) = number.parse() else {
        return Event::Other("a pull request without a number".to_owned());
    };
    let owner = fork(environment);
    // A setting puts the fork's owner before its branches.
    let unprefixed = owner.as_deref().and_then(|owner| branch.strip_prefix(owner)?.strip_prefix(':'));
    Event::PullRequest(PullRequest::updated(number, owner.as_deref(), unprefixed.unwrap_or(branch)))
}

/// The owner of the repository that the pull request comes from, unless it is this one.
fn fork(environment: &Environment) -> Option<String> {
    let at = |variable| environment.get(variable).and_then(repository::at);
    let source = at("BUILDKITE_PULL_REQUEST_REPO");
    let same = |here: String| source.as_ref().is_some_and(|source| source.eq_ignore_ascii_case(&here));
    if at("BUILDKITE_REPO").is_some_and(same) {
        return None;
    }
    let path = source.as_deref().and_then(|source| source.split_once('/')).map(|(_, path)| path);
    let owner = path.and_then(|path| path.rsplit_once('/')).map(|(owner, _)| owner);
    Some(owner.unwrap_or(UNKNOWN_OWNER).to_owned())
}

#[cfg(test)]
mod tests {
    use crate::ci::test_support::{Variables, check, check_run, ci};

    const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// What every job has, written from the documentation of variables.
    const JOB: Variables<'_> = &[
        ("BUILDKITE", "true"),
        ("BUILDKITE_BUILD_ID", "0d3b5dd6-cf0c-4c5b-9a5c-7c0c8d6f1c11"),
        ("BUILDKITE_BUILD_NUMBER", "7"),
        ("BUILDKITE_BUILD_URL", "https://buildkite.com/acme/hello/builds/7"),
        ("BUILDKITE_COMMIT", HEAD),
        ("BUILDKITE_ORGANIZATION_SLUG", "acme"),
        ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main"),
        ("BUILDKITE_PIPELINE_PROVIDER", "github"),
        ("BUILDKITE_PIPELINE_SLUG", "hello"),
        ("BUILDKITE_PULL_REQUEST", "false"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", ""),
        ("BUILDKITE_PULL_REQUEST_REPO", ""),
        ("BUILDKITE_REPO", "git@github.com:acme/hello.git"),
        ("BUILDKITE_RETRY_COUNT", "0"),
        ("BUILDKITE_SOURCE", "webhook"),
        ("BUILDKITE_TAG", ""),
        ("CI", "true"),
    ];
    const REQUEST: Variables<'_> = &[
        ("BUILDKITE_BRANCH", "fix"),
        ("BUILDKITE_PULL_REQUEST", "12"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
        ("BUILDKITE_PULL_REQUEST_DRAFT", "false"),
        ("BUILDKITE_PULL_REQUEST_REPO", "https://github.com/acme/hello.git"),
    ];
    const OF_FORK: Variables<'_> =
        &[("BUILDKITE_BRANCH", "main"), ("BUILDKITE_PULL_REQUEST_REPO", "git://github.com/mona/hello.git")];

    fn on(name: &'static str) -> [(&'static str, &'static str); 1] {
        [("BUILDKITE_BRANCH", name)]
    }

    fn by(source: &'static str) -> [(&'static str, &'static str); 1] {
        [("BUILDKITE_SOURCE", source)]
    }

    const TAG: Variables<'_> = &[("BUILDKITE_BRANCH", "main"), ("BUILDKITE_TAG", "main")];

    #[test]
    fn pushes_and_tags() {
        let expected = "publish: push to the production branch `main`";
        check(&[JOB, &on("main")], "push to main", HEAD, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &on("feature/main")], "push to feature/main", HEAD, expected);
        let expected = "nothing: a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag";
        check(&[JOB, TAG], "tag pushed", HEAD, expected);
        let expected = "check: a merge queue's candidate is checked, not published";
        check(&[JOB, &on("gh-readonly-queue/main/pr-12-abc")], "merge queue", HEAD, expected);
    }

    #[test]
    fn pull_requests() {
        let expected = "preview: pull request #12 from `fix` was updated";
        for source in ["webhook", "ui", "api", "trigger_job"] {
            check(&[JOB, REQUEST, &by(source)], "#12 of fix updated", HEAD, expected);
        }
        let merge = &[("BUILDKITE_PULL_REQUEST_USING_MERGE_REFSPEC", "true")][..];
        check(&[JOB, REQUEST, merge], "#12 of fix updated", "", expected);
        let expected = "check: pull request #12 was updated, but there is no token: checked, not published";
        check(&[JOB, REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD, expected);
        let expected = "nothing: nothing is to be done on `a pull request without a number`";
        let odd = &[("BUILDKITE_PULL_REQUEST", "true")][..];
        check(&[JOB, REQUEST, odd], "other: a pull request without a number", HEAD, expected);
    }

    #[test]
    fn pull_requests_of_forks() {
        let expected = "preview: pull request #12 of a fork from `mona:main` was updated";
        check(&[JOB, REQUEST, OF_FORK], "#12 of mona:main updated (fork)", HEAD, expected);
        check(&[JOB, REQUEST, OF_FORK, &on("mona:main")], "#12 of mona:main updated (fork)", HEAD, expected);
        let untold = &[("BUILDKITE_PULL_REQUEST_REPO", "")][..];
        let expected = "preview: pull request #12 of a fork from `unknown:main` was updated";
        check(&[JOB, REQUEST, OF_FORK, untold], "#12 of unknown:main updated (fork)", HEAD, expected);
    }

    #[test]
    fn builds_that_no_commit_started() {
        check(&[JOB, &by("schedule"), &on("main")], "schedule", HEAD, "sweep: scheduled run");
        // Started without a commit: what `HEAD` was is not known.
        let head = &[("BUILDKITE_COMMIT", "HEAD")][..];
        for source in ["ui", "api", "trigger_job"] {
            let expected = "publish: manual run on the production branch `main`";
            check(&[JOB, &by(source), &on("main"), head], "manual on main", "", expected);
            let expected = "preview: manual run on branch `fix`";
            check(&[JOB, &by(source), &on("fix")], "manual on fix", HEAD, expected);
            let expected = "nothing: manual run on no branch; `GITBOOK_MODE=publish` publishes from a tag";
            check(&[JOB, &by(source), TAG], "manual on no branch", HEAD, expected);
        }
        let expected = "nothing: nothing is to be done on `webhook`";
        check(&[JOB], "other: webhook", HEAD, expected);
        let expected = "nothing: nothing is to be done on `ui`";
        check(&[JOB, &by("ui")], "other: ui", HEAD, expected);
        let expected = "nothing: nothing is to be done on `local`";
        check(&[JOB, &by("local"), &on("main")], "other: local", HEAD, expected);
    }

    #[test]
    fn the_repository_and_the_build() {
        let url = "https://buildkite.com/acme/hello/builds/7";
        check_run(&[JOB, &on("main")], ["Buildkite", "github.com/acme/hello", "main", url], 7);
        assert_eq!(ci(&[JOB]).detected_by, Some("BUILDKITE"));
    }

    #[test]
    fn parallel_jobs() {
        let job = ci(&[JOB, &[("BUILDKITE_PARALLEL_JOB", "1"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")]]);
        assert_eq!(job.node.map(|node| (node.index, node.total)), Some((2, 4)));
        assert_eq!(ci(&[JOB]).node, None);
    }
}
