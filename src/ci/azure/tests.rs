//! Tests the detection from Azure's variables. The values come from Azure's documentation of predefined variables and from
//! public logs.

use crate::ci::test_support::{Variables, check, check_run, detect_ci};

const HEAD_COMMIT: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";
const MERGE_COMMIT: &str = "5555555555555555555555555555555555555555";

/// The variables that Azure sets in every job.
const JOB: Variables<'_> = &[
    ("AGENT_JOBNAME", "Job"),
    ("BUILD_BUILDID", "1000"),
    ("BUILD_BUILDNUMBER", "20260102.3"),
    ("BUILD_DEFINITIONNAME", "gitbook"),
    ("BUILD_REPOSITORY_NAME", "acme/hello"),
    ("BUILD_REPOSITORY_PROVIDER", "GitHub"),
    ("BUILD_REPOSITORY_URI", "https://github.com/acme/hello"),
    ("BUILD_SOURCEVERSION", HEAD_COMMIT),
    ("GITBOOK_DEFAULT_BRANCH", "main"),
    ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/acme/"),
    ("SYSTEM_JOBATTEMPT", "1"),
    ("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "https://dev.azure.com/acme/"),
    ("SYSTEM_TEAMPROJECT", "Our Docs"),
    ("TF_BUILD", "True"),
];
const ON_MAIN: Variables<'_> =
    &[("BUILD_SOURCEBRANCH", "refs/heads/main"), ("BUILD_SOURCEBRANCHNAME", "main")];
const ON_FEATURE: Variables<'_> =
    &[("BUILD_SOURCEBRANCH", "refs/heads/feature/main"), ("BUILD_SOURCEBRANCHNAME", "main")];
const ON_TAG: Variables<'_> = &[("BUILD_SOURCEBRANCH", "refs/tags/v1"), ("BUILD_SOURCEBRANCHNAME", "v1")];

/// A pull request on GitHub, from the repository itself.
const PULL_REQUEST: Variables<'_> = &[
    ("BUILD_REASON", "PullRequest"),
    ("BUILD_SOURCEBRANCH", "refs/pull/12/merge"),
    ("BUILD_SOURCEBRANCHNAME", "merge"),
    ("BUILD_SOURCEVERSION", MERGE_COMMIT),
    ("SYSTEM_PULLREQUEST_ISFORK", "False"),
    ("SYSTEM_PULLREQUEST_PULLREQUESTID", "540266026"),
    ("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "12"),
    ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "fix"),
    ("SYSTEM_PULLREQUEST_SOURCECOMMITID", HEAD_COMMIT),
    ("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://github.com/acme/hello"),
    ("SYSTEM_PULLREQUEST_TARGETBRANCH", "main"),
];
const FROM_FORK: Variables<'_> = &[
    ("SYSTEM_PULLREQUEST_ISFORK", "True"),
    ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "main"),
    ("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://github.com/mona/hello"),
];
/// Variables that differ for a pull request in Azure Repos.
const IN_AZURE_REPOS: Variables<'_> = &[
    ("BUILD_REPOSITORY_PROVIDER", "TfsGit"),
    ("BUILD_REPOSITORY_URI", "https://acme@dev.azure.com/acme/docs/_git/hello"),
    ("SYSTEM_PULLREQUEST_PULLREQUESTID", "34"),
    ("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", ""),
    ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/fix"),
    ("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://dev.azure.com/acme/docs/_git/hello"),
    ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
];

fn with_reason(reason: &'static str) -> [(&'static str, &'static str); 1] {
    [("BUILD_REASON", reason)]
}

#[test]
fn detects_pushes_and_tags() {
    for reason in ["IndividualCI", "BatchedCI"] {
        let expected = "publish: push to `main`, the production branch";
        check(&[JOB, &with_reason(reason), ON_MAIN], "push to main", HEAD_COMMIT, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &with_reason(reason), ON_FEATURE], "push to feature/main", HEAD_COMMIT, expected);
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[JOB, &with_reason(reason), ON_TAG], "tag pushed", HEAD_COMMIT, expected);
    }
    let merge = &[("BUILD_SOURCEBRANCH", "refs/pull/12/merge")][..];
    let expected = "nothing: `push to refs/pull/12/merge` needs no action";
    check(&[JOB, &with_reason("IndividualCI"), merge], "other: push to refs/pull/12/merge", "", expected);
}

#[test]
fn detects_pull_requests() {
    let expected = "preview: pull request #12 from `fix` was updated";
    check(&[JOB, PULL_REQUEST], "#12 of fix updated", HEAD_COMMIT, expected);
    let expected = "preview: pull request #34 from `fix` was updated";
    check(&[JOB, PULL_REQUEST, IN_AZURE_REPOS], "#34 of fix updated", HEAD_COMMIT, expected);
    let unknown = &[("SYSTEM_PULLREQUEST_ISFORK", ""), ("SYSTEM_PULLREQUEST_SOURCECOMMITID", "")][..];
    check(&[JOB, PULL_REQUEST, IN_AZURE_REPOS, unknown], "#34 of fix updated", "", expected);
    let expected = "check: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
    check(&[JOB, PULL_REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD_COMMIT, expected);
    let expected = "nothing: pull request, but `SYSTEM_PULLREQUEST_SOURCEBRANCH` is not set";
    let no_branch = &[("SYSTEM_PULLREQUEST_SOURCEBRANCH", "")][..];
    let event = "incomplete: pull request, but `SYSTEM_PULLREQUEST_SOURCEBRANCH` is not set";
    check(&[JOB, PULL_REQUEST, no_branch], event, HEAD_COMMIT, expected);
}

#[test]
fn detects_pull_requests_from_forks() {
    let expected = "preview: pull request #12 from `mona:main` (fork) was updated";
    check(&[JOB, PULL_REQUEST, FROM_FORK], "#12 of mona:main updated (fork)", HEAD_COMMIT, expected);
    let unknown = &[("SYSTEM_PULLREQUEST_ISFORK", "")][..];
    check(&[JOB, PULL_REQUEST, FROM_FORK, unknown], "#12 of mona:main updated (fork)", HEAD_COMMIT, expected);
    let hidden_source = &[("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "***.git")][..];
    for variable_sets in [
        &[JOB, PULL_REQUEST, FROM_FORK, hidden_source][..],
        &[JOB, PULL_REQUEST, FROM_FORK, hidden_source, unknown],
    ] {
        let expected = "preview: pull request #12 from `unknown:main` (fork) was updated";
        check(variable_sets, "#12 of unknown:main updated (fork)", HEAD_COMMIT, expected);
    }
    // Two forks in one project differ only by name.
    let same_project =
        &[("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://dev.azure.com/acme/docs/_git/mine")][..];
    let expected = "preview: pull request #34 from `acme/docs/mine:fix` (fork) was updated";
    let known_fork = &[("SYSTEM_PULLREQUEST_ISFORK", "True")][..];
    check(
        &[JOB, PULL_REQUEST, IN_AZURE_REPOS, known_fork, same_project],
        "#34 of acme/docs/mine:fix updated (fork)",
        HEAD_COMMIT,
        expected,
    );
}

#[test]
fn detects_scheduled_and_manual_runs() {
    check(&[JOB, &with_reason("Schedule"), ON_MAIN], "schedule", HEAD_COMMIT, "sweep: scheduled run");
    let expected = "publish: manual run on `main`, the production branch";
    check(&[JOB, &with_reason("Manual"), ON_MAIN], "manual on main", HEAD_COMMIT, expected);
    let expected = "preview: manual run on branch `feature/main`";
    check(&[JOB, &with_reason("Manual"), ON_FEATURE], "manual on feature/main", HEAD_COMMIT, expected);
    let expected = "nothing: manual run without a branch; set `GITBOOK_MODE=publish` to publish from tags";
    check(&[JOB, &with_reason("Manual"), ON_TAG], "manual on no branch", HEAD_COMMIT, expected);
    for reason in ["ResourceTrigger", "BuildCompletion", "ValidateShelveset"] {
        let expected = format!("nothing: `{reason}` needs no action");
        check(&[JOB, &with_reason(reason), ON_MAIN], &format!("other: {reason}"), HEAD_COMMIT, &expected);
    }
}

#[test]
fn detects_the_repository_and_the_run() {
    let url = "https://dev.azure.com/acme/Our%20Docs/_build/results?buildId=1000";
    check_run(&[JOB, ON_MAIN], ["Azure Pipelines", "github.com/acme/hello", "main", url], 1000);
    assert_eq!(detect_ci(&[JOB]).detected_by, Some("TF_BUILD"));
    let repository = "dev.azure.com/acme/docs/_git/hello";
    check_run(&[JOB, PULL_REQUEST, IN_AZURE_REPOS], ["Azure Pipelines", repository, "main", url], 1000);
}
