//! Tests the detection of the CI system from the variables of one or more systems.

use crate::ci::test_support::{Variables, describe_event, detect_ci};
use crate::ci::{detect, read_commit, workspace};
use crate::environment::Environment;

/// The variables that identify each CI system.
const KNOWN_SYSTEMS: [(&str, &str, &str); 10] = [
    ("GITHUB_ACTIONS", "true", "GitHub Actions"),
    ("GITLAB_CI", "true", "GitLab CI"),
    ("BITBUCKET_BUILD_NUMBER", "7", "Bitbucket Pipelines"),
    ("CIRCLECI", "true", "CircleCI"),
    ("TF_BUILD", "True", "Azure Pipelines"),
    ("BUILDKITE", "true", "Buildkite"),
    ("CI", "woodpecker", "Woodpecker"),
    ("TRAVIS", "true", "Travis CI"),
    ("DRONE", "true", "Drone"),
    ("JENKINS_URL", "https://jenkins.example.com/", "Jenkins"),
];

#[test]
fn one_variable_identifies_each_system() {
    for (variable, value, system) in KNOWN_SYSTEMS {
        let ci = detect_ci(&[&[("CI", "true"), (variable, value)]]);
        assert_eq!((ci.system, ci.detected_by), (system, Some(variable)));
    }
}

#[test]
fn reads_the_folder_of_the_checkout() {
    let variables = [
        "GITHUB_WORKSPACE",
        "CI_PROJECT_DIR",
        "BITBUCKET_CLONE_DIR",
        "CIRCLE_WORKING_DIRECTORY",
        "BUILD_SOURCESDIRECTORY",
        "BUILDKITE_BUILD_CHECKOUT_PATH",
        "CI_WORKSPACE",
        "TRAVIS_BUILD_DIR",
        "DRONE_WORKSPACE",
        "WORKSPACE",
    ];
    for ((known_by, value, system), variable) in KNOWN_SYSTEMS.into_iter().zip(variables) {
        let found = |path| {
            let variables = [(known_by, value), (variable, path)];
            let found = detect_ci(&[&variables]).workspace;
            assert_eq!(workspace(&Environment::of(&variables)), found, "{system}");
            found
        };
        assert_eq!(found("/builds/hello"), Some("/builds/hello".into()), "{system}");
        assert_eq!(found(""), None, "{system}");
    }
    let found = |path| detect_ci(&[&[("CIRCLECI", "true"), ("CIRCLE_WORKING_DIRECTORY", path)]]).workspace;
    assert_eq!(found("~/repo"), Some("/repo".into()));
    assert_eq!(found("~/project"), None);
    assert_eq!(detect_ci(&[&[("CI_PROJECT_DIR", "/builds/hello")]]).workspace, None);
    // The workspace is known even if the event cannot be read.
    let unreadable = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", "/none"), ("GITHUB_WORKSPACE", "/a")];
    assert_eq!(workspace(&Environment::of(&unreadable)), Some("/a".into()));
}

#[test]
fn rejects_variables_of_two_systems() {
    for (index, (first, value, system)) in KNOWN_SYSTEMS.into_iter().enumerate() {
        for (second, other, _) in &KNOWN_SYSTEMS[index + 1..] {
            let both = [(*second, *other), (first, value)];
            let found = detect(&Environment::of(&both)).map(|ci| ci.system);
            match found {
                Ok(found) => {
                    assert_eq!(found, system);
                    assert!(matches!(*second, "DRONE" | "JENKINS_URL"), "{first} and {second}");
                }
                Err(error) => {
                    assert!(!matches!(*second, "DRONE" | "JENKINS_URL"), "{first} and {second}");
                    let expected =
                        format!("both `{first}` and `{second}` are set, so the CI system is ambiguous");
                    assert_eq!(error.to_string(), expected);
                    assert!(error.hint().starts_with(&format!("unset `{first}` or `{second}`, ")));
                    let overrides = [("GITBOOK_EVENT", "push"), ("GITBOOK_BRANCH", "x"), both[0], both[1]];
                    assert_eq!(describe_event(&detect_ci(&[&overrides]).event), "push to x");
                }
            }
        }
    }
}

#[test]
fn ignores_identifying_variables_with_the_value_false() {
    for variable in ["GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "DRONE", "TRAVIS"] {
        let ci = detect_ci(&[&[(variable, "false")]]);
        assert_eq!((ci.system, ci.detected_by), ("no CI system", None), "{variable}");
    }
    assert_eq!(detect_ci(&[&[("CI", "true")]]).system, "an unknown CI system");
}

#[test]
fn detects_no_event_from_the_identifying_variable_alone() {
    for (variable, value, _) in &KNOWN_SYSTEMS[1..] {
        let text = describe_event(&detect_ci(&[&[(variable, value)]]).event);
        assert!(text == "no event" || text.starts_with("incomplete: "), "{variable}: {text}");
    }
}

#[test]
fn detects_gitea_and_forgejo() {
    let push: Variables<'_> = &[
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", "https://git.example.com/api/v1"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_REF", "refs/heads/feature/main"),
        ("GITHUB_REPOSITORY", "acme/hello"),
        ("GITHUB_SERVER_URL", "https://git.example.com"),
    ];
    let check = |own: Variables<'_>, system: &str| {
        let ci = detect_ci(&[push, own]);
        assert_eq!((ci.system, ci.detected_by), (system, Some("GITHUB_ACTIONS")));
        assert_eq!(describe_event(&ci.event), "push to feature/main");
        assert_eq!(ci.repository.as_deref(), Some("git.example.com/acme/hello"));
    };
    check(&[], "GitHub Actions");
    check(&[("GITEA_ACTIONS", "true")], "Gitea Actions");
    check(&[("FORGEJO_ACTIONS", "true"), ("GITEA_ACTIONS", "true")], "Forgejo Actions");
}

#[test]
fn every_event_has_a_name() {
    let check = |event: &str, expected: &str| {
        let number = if matches!(event, "pull_request" | "closed") { "12" } else { "" };
        let overrides =
            [("GITBOOK_EVENT", event), ("GITBOOK_BRANCH", "fix"), ("GITBOOK_PULL_REQUEST", number)];
        assert_eq!(detect_ci(&[&overrides]).event.name(), expected, "{event}");
    };
    check("push", "push");
    check("delete", "branch deleted");
    check("tag", "tag");
    check("pull_request", "pull request updated");
    check("closed", "pull request closed");
    check("merge_queue", "merge queue");
    check("schedule", "schedule");
    check("manual", "manual run");
    check("release", "release");
    assert_eq!(detect_ci(&[]).event.name(), "none");
}

#[test]
fn accepts_only_hexadecimal_commit_ids() {
    let check = |text: &str, is_commit_id: bool| {
        let found = read_commit(&Environment::of(&[("COMMIT", text)]), "COMMIT");
        assert_eq!(found.as_deref(), Some(text).filter(|_| is_commit_id), "{text}");
    };
    check("1ecfd275763eff1d6b4844ea3168962458c9f27a", true);
    check("1ecfd27", true);
    for other in ["HEAD", "main", "cafe", "feature/main", "release-1"] {
        check(other, false);
    }
}

#[test]
fn rejects_an_event_with_an_invalid_branch_name() {
    for name in ["a..b", "x.lock", "a b", ".a", "a\u{1}b", "a//b", "@"] {
        let variables = [("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "push"), ("CI_COMMIT_BRANCH", name)];
        let error = detect(&Environment::of(&variables)).unwrap_err();
        assert_eq!(error.to_string(), format!("`{name}` is not a valid branch name"));
        let by_hand = [&variables[..], &[("GITBOOK_BRANCH", "fix")]].concat();
        assert!(detect(&Environment::of(&by_hand)).is_ok(), "{name}");
    }
}
