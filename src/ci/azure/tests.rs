//! Tests the detection from Azure's variables. The values come from Azure's documentation of predefined variables and from
//! public logs.

use crate::ci::test_support::{Variables, check, check_run, ci};

const HEAD: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";
const MERGE: &str = "5555555555555555555555555555555555555555";

/// The variables of every job.
const JOB: Variables<'_> = &[
    ("AGENT_JOBNAME", "Job"),
    ("BUILD_BUILDID", "1000"),
    ("BUILD_BUILDNUMBER", "20260102.3"),
    ("BUILD_DEFINITIONNAME", "gitbook"),
    ("BUILD_REPOSITORY_NAME", "acme/hello"),
    ("BUILD_REPOSITORY_PROVIDER", "GitHub"),
    ("BUILD_REPOSITORY_URI", "https://github.com/acme/hello"),
    ("BUILD_SOURCEVERSION", HEAD),
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
const REQUEST: Variables<'_> = &[
    ("BUILD_REASON", "PullRequest"),
    ("BUILD_SOURCEBRANCH", "refs/pull/12/merge"),
    ("BUILD_SOURCEBRANCHNAME", "merge"),
    ("BUILD_SOURCEVERSION", MERGE),
    ("SYSTEM_PULLREQUEST_ISFORK", "False"),
    ("SYSTEM_PULLREQUEST_PULLREQUESTID", "540266026"),
    ("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "12"),
    ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "fix"),
    ("SYSTEM_PULLREQUEST_SOURCECOMMITID", HEAD),
    ("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://github.com/acme/hello"),
    ("SYSTEM_PULLREQUEST_TARGETBRANCH", "main"),
];
const OF_FORK: Variables<'_> = &[
    ("SYSTEM_PULLREQUEST_ISFORK", "True"),
    ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "main"),
    ("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://github.com/mona/hello"),
];
/// Variables that differ for a pull request in Azure Repos.
const OF_AZURE: Variables<'_> = &[
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
        check(&[JOB, &with_reason(reason), ON_MAIN], "push to main", HEAD, expected);
        let expected = "preview: push to branch `feature/main`";
        check(&[JOB, &with_reason(reason), ON_FEATURE], "push to feature/main", HEAD, expected);
        let expected = "nothing: a tag was pushed; set `GITBOOK_MODE=publish` to publish from tags";
        check(&[JOB, &with_reason(reason), ON_TAG], "tag pushed", HEAD, expected);
    }
    let merge = &[("BUILD_SOURCEBRANCH", "refs/pull/12/merge")][..];
    let expected = "nothing: nothing to do for `push to refs/pull/12/merge`";
    check(&[JOB, &with_reason("IndividualCI"), merge], "other: push to refs/pull/12/merge", "", expected);
}

#[test]
fn detects_pull_requests() {
    let expected = "preview: pull request #12 from `fix` was updated";
    check(&[JOB, REQUEST], "#12 of fix updated", HEAD, expected);
    let expected = "preview: pull request #34 from `fix` was updated";
    check(&[JOB, REQUEST, OF_AZURE], "#34 of fix updated", HEAD, expected);
    let unknown = &[("SYSTEM_PULLREQUEST_ISFORK", ""), ("SYSTEM_PULLREQUEST_SOURCECOMMITID", "")][..];
    check(&[JOB, REQUEST, OF_AZURE, unknown], "#34 of fix updated", "", expected);
    let expected = "check: pull request #12 was updated; checked only, because `GITBOOK_TOKEN` is not set";
    check(&[JOB, REQUEST, &[("GITBOOK_TOKEN", "")]], "#12 of fix updated", HEAD, expected);
    let expected = "nothing: nothing to do for `pull request without number or branch`";
    let no_branch = &[("SYSTEM_PULLREQUEST_SOURCEBRANCH", "")][..];
    let event = "other: pull request without number or branch";
    check(&[JOB, REQUEST, no_branch], event, HEAD, expected);
}

#[test]
fn detects_pull_requests_from_forks() {
    let expected = "preview: pull request #12 from `mona:main` (fork) was updated";
    check(&[JOB, REQUEST, OF_FORK], "#12 of mona:main updated (fork)", HEAD, expected);
    let unknown = &[("SYSTEM_PULLREQUEST_ISFORK", "")][..];
    check(&[JOB, REQUEST, OF_FORK, unknown], "#12 of mona:main updated (fork)", HEAD, expected);
    let hidden = &[("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "***.git")][..];
    for parts in [&[JOB, REQUEST, OF_FORK, hidden][..], &[JOB, REQUEST, OF_FORK, hidden, unknown]] {
        let expected = "preview: pull request #12 from `unknown:main` (fork) was updated";
        check(parts, "#12 of unknown:main updated (fork)", HEAD, expected);
    }
    // Two forks in one project differ only by name.
    let same_project =
        &[("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://dev.azure.com/acme/docs/_git/mine")][..];
    let expected = "preview: pull request #34 from `acme/docs/mine:fix` (fork) was updated";
    let is_fork = &[("SYSTEM_PULLREQUEST_ISFORK", "True")][..];
    check(
        &[JOB, REQUEST, OF_AZURE, is_fork, same_project],
        "#34 of acme/docs/mine:fix updated (fork)",
        HEAD,
        expected,
    );
}

#[test]
fn detects_scheduled_and_manual_runs() {
    check(&[JOB, &with_reason("Schedule"), ON_MAIN], "schedule", HEAD, "sweep: scheduled run");
    let expected = "publish: manual run on `main`, the production branch";
    check(&[JOB, &with_reason("Manual"), ON_MAIN], "manual on main", HEAD, expected);
    let expected = "preview: manual run on branch `feature/main`";
    check(&[JOB, &with_reason("Manual"), ON_FEATURE], "manual on feature/main", HEAD, expected);
    let expected = "nothing: manual run without a branch; set `GITBOOK_MODE=publish` to publish from tags";
    check(&[JOB, &with_reason("Manual"), ON_TAG], "manual on no branch", HEAD, expected);
    for reason in ["ResourceTrigger", "BuildCompletion", "ValidateShelveset"] {
        let expected = format!("nothing: nothing to do for `{reason}`");
        check(&[JOB, &with_reason(reason), ON_MAIN], &format!("other: {reason}"), HEAD, &expected);
    }
}

#[test]
fn detects_the_repository_and_the_run() {
    let url = "https://dev.azure.com/acme/Our%20Docs/_build/results?buildId=1000";
    check_run(&[JOB, ON_MAIN], ["Azure Pipelines", "github.com/acme/hello", "main", url], 1000);
    assert_eq!(ci(&[JOB]).detected_by, Some("TF_BUILD"));
    let repository = "dev.azure.com/acme/docs/_git/hello";
    check_run(&[JOB, REQUEST, OF_AZURE], ["Azure Pipelines", repository, "main", url], 1000);
}
