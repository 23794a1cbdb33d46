//! Bitbucket Pipelines: which event it was, nothing says; it is told by what is there.

use super::{Ci, Event, Node, PullRequest, commit, folder, number, pushed, repository, text, untold_owner};
use crate::environment::Environment;

/// Reads the variables.
pub(super) fn detect(environment: &Environment) -> Ci {
    let name = environment.get("BITBUCKET_REPO_FULL_NAME");
    let origin = || repository::at(environment.get("BITBUCKET_GIT_HTTP_ORIGIN")?);
    let build = environment.get("BITBUCKET_BUILD_NUMBER");
    let run_url = name
        .zip(build)
        .map(|(name, build)| format!("https://bitbucket.org/{name}/pipelines/results/{build}"));
    let event = event(environment);
    Ci {
        repository: name.map(|name| format!("bitbucket.org/{name}")).or_else(origin),
        commit: commit(environment, "BITBUCKET_COMMIT"),
        run: number(environment, "BITBUCKET_BUILD_NUMBER").unwrap_or(0),
        run_url,
        node: node(environment),
        workspace: folder(environment, "BITBUCKET_CLONE_DIR"),
        possible_fork: event.pull_request().and(event.branch()).cloned(),
        ..Ci::of("Bitbucket Pipelines", event)
    }
}

/// Which step of its parallel group this is. Those that share the work are written out as equal steps, and look like any
/// other group's.
fn node(environment: &Environment) -> Option<Node> {
    let node = Node::of(environment, ["BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT"], 0)?;
    Some(Node { others_may_differ: true, ..node })
}

/// A pipeline that is scheduled or started by hand looks like one of a push to its branch.
fn event(environment: &Environment) -> Event {
    let branch = environment.get("BITBUCKET_BRANCH");
    match (text(environment, "BITBUCKET_PR_ID"), branch) {
        (Some(id), Some(branch)) => of_pull_request(&id, branch, environment),
        (Some(_), None) => Event::Other("a pull request without a branch".to_owned()),
        _ if environment.get("BITBUCKET_TAG").is_some() => Event::Tag { deleted: false },
        (None, Some(branch)) => pushed(branch),
        // A custom pipeline on a commit.
        (None, None) => Event::None,
    }
}

/// Assumed, since it is not documented: a fork's pull request runs in the fork, if anywhere, with the fork's variables.
fn of_pull_request(id: &str, branch: &str, environment: &Environment) -> Event {
    let Ok(number) = id.parse() else {
        return Event::Other("a pull request without a number".to_owned());
    };
    let target = environment.get("BITBUCKET_PR_DESTINATION_BRANCH");
    Event::PullRequest(PullRequest::updated(number, untold_owner(branch, [target, None]), branch))
}

#[cfg(test)]
mod tests {
    use crate::ci::told::{Variables, check, check_possible_fork, check_run, ci};

    const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

    /// What every step has, written from the documentation of variables.
    const STEP: Variables<'_> = &[
        ("BITBUCKET_BUILD_NUMBER", "7"),
        ("BITBUCKET_CLONE_DIR", "/opt/atlassian/pipelines/agent/build"),
        ("BITBUCKET_COMMIT", HEAD),
        ("BITBUCKET_GIT_HTTP_ORIGIN", "http://bitbucket.org/acme/hello"),
        ("BITBUCKET_GIT_SSH_ORIGIN", "git@bitbucket.org:acme/hello.git"),
        ("BITBUCKET_PIPELINE_UUID", "{0d3b5dd6-cf0c-4c5b-9a5c-7c0c8d6f1c11}"),
        ("BITBUCKET_PROJECT_KEY", "DOCS"),
        ("BITBUCKET_REPO_FULL_NAME", "acme/hello"),
        ("BITBUCKET_REPO_IS_PRIVATE", "true"),
        ("BITBUCKET_REPO_OWNER", "acme"),
        ("BITBUCKET_REPO_SLUG", "hello"),
        ("BITBUCKET_STEP_TRIGGERER_UUID", "{5c4e5b5d-8a1f-4a70-8c7a-1a5f6d2a9f22}"),
        ("BITBUCKET_WORKSPACE", "acme"),
        ("CI", "true"),
        ("GITBOOK_DEFAULT_BRANCH", "main"),
    ];
    const REQUEST: Variables<'_> = &[
        ("BITBUCKET_BRANCH", "fix"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
        ("BITBUCKET_PR_DESTINATION_COMMIT", "3333333"),
        ("BITBUCKET_PR_ID", "12"),
    ];

    #[test]
    fn pushes_and_tags() {
        let on = |name: &'static str| [("BITBUCKET_BRANCH", name)];
        let expected = "publish: push to the production branch `main`";
        check(&[STEP, &on("main")], "push to main", HEAD, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[STEP, &on("feature/main")], "push to feature/main", HEAD, expected);
        let expected = "nothing: a tag was pushed; `GITBOOK_MODE=publish` publishes from a tag";
        check(&[STEP, &[("BITBUCKET_TAG", "v1")]], "tag pushed", HEAD, expected);
        check(&[STEP], "no event", HEAD, "refuse: no event is known");
        // Which branch is the default one, the system does not tell.
        let untold = &[("GITBOOK_DEFAULT_BRANCH", "")][..];
        check(&[STEP, &on("main"), untold], "push to main", HEAD, "refuse: push to branch `main`");
    }

    #[test]
    fn pull_requests() {
        let expected = "preview: pull request #12 from `fix` was updated";
        check(&[STEP, REQUEST], "#12 of fix updated", HEAD, expected);
        let expected = "check: pull request #12 was updated, but there is no token: checked, not published";
        check(&[STEP, REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD, expected);
        // Were it to run here.
        let expected = "preview: pull request #12 of a fork from `unknown:main` was updated";
        let main = &[("BITBUCKET_BRANCH", "main")][..];
        check(&[STEP, REQUEST, main], "#12 of unknown:main updated (fork)", HEAD, expected);
        let expected = "nothing: nothing is to be done on `a pull request without a branch`";
        let no_branch = &[("BITBUCKET_BRANCH", "")][..];
        check(&[STEP, REQUEST, no_branch], "other: a pull request without a branch", HEAD, expected);
        let expected = "nothing: nothing is to be done on `a pull request without a number`";
        let no_number = &[("BITBUCKET_PR_ID", "x")][..];
        check(&[STEP, REQUEST, no_number], "other: a pull request without a number", HEAD, expected);
    }

    #[test]
    fn the_repository_and_the_build() {
        let url = "https://bitbucket.org/acme/hello/pipelines/results/7";
        let expected = ["Bitbucket Pipelines", "bitbucket.org/acme/hello", "main", url];
        check_run(&[STEP, REQUEST], expected, 7);
        assert_eq!(ci(&[STEP]).detected_by, Some("BITBUCKET_BUILD_NUMBER"));
        let no_name = &[("BITBUCKET_REPO_FULL_NAME", "")][..];
        check_run(&[STEP, no_name], ["Bitbucket Pipelines", "bitbucket.org/acme/hello", "main", ""], 7);
    }

    #[test]
    fn parallel_steps() {
        let node = |index, count| {
            let step = [("BITBUCKET_PARALLEL_STEP", index), ("BITBUCKET_PARALLEL_STEP_COUNT", count)];
            let node = ci(&[STEP, &step]).node;
            node.map(|node| (node.index, node.total, node.others_may_differ))
        };
        assert_eq!(node("0", "3"), Some((1, 3, true)));
        assert_eq!(node("2", "3"), Some((3, 3, true)));
        assert_eq!(node("3", "3"), None);
        assert_eq!(node("0", "1"), None);
        assert_eq!(ci(&[STEP]).node, None);
    }

    #[test]
    fn publishes_a_possible_fork_under_no_other_name() {
        check_possible_fork(&[STEP, REQUEST]);
    }
}
