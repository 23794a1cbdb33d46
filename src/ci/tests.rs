//! Which system is found when several of their variables are there.

use crate::ci::told::{Variables, ci, told};
use crate::ci::{commit, detect, workspace};
use crate::environment::Environment;

/// The variables that systems are known by.
const KNOWN: [(&str, &str, &str); 10] = [
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
fn each_system_is_known_by_one_variable() {
    for (variable, value, system) in KNOWN {
        let ci = ci(&[&[("CI", "true"), (variable, value)]]);
        assert_eq!((ci.system, ci.detected_by), (system, Some(variable)));
    }
}

#[test]
fn each_system_has_a_variable_for_the_folder_of_the_checkout() {
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
    for ((known_by, value, system), variable) in KNOWN.into_iter().zip(variables) {
        let found = |path| {
            let variables = [(known_by, value), (variable, path)];
            let found = ci(&[&variables]).workspace;
            assert_eq!(workspace(&Environment::of(&variables)), found, "{system}");
            found
        };
        assert_eq!(found("/builds/hello"), Some("/builds/hello".into()), "{system}");
        assert_eq!(found(""), None, "{system}");
    }
    let found = |path| ci(&[&[("CIRCLECI", "true"), ("CIRCLE_WORKING_DIRECTORY", path)]]).workspace;
    assert_eq!(found("~/repo"), Some("/repo".into()));
    assert_eq!(found("~/project"), None);
    assert_eq!(ci(&[&[("CI_PROJECT_DIR", "/builds/hello")]]).workspace, None);
    // An event that cannot be read changes nothing about it.
    let unreadable = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", "/none"), ("GITHUB_WORKSPACE", "/a")];
    assert_eq!(workspace(&Environment::of(&unreadable)), Some("/a".into()));
}

#[test]
fn of_two_systems_none_is_guessed() {
    for (index, (first, value, system)) in KNOWN.into_iter().enumerate() {
        for (second, other, _) in &KNOWN[index + 1..] {
            let both = [(*second, *other), (first, value)];
            let found = detect(&Environment::of(&both)).map(|ci| ci.system);
            match found {
                Ok(found) => {
                    assert_eq!(found, system);
                    assert!(matches!(*second, "DRONE" | "JENKINS_URL"), "{first} and {second}");
                }
                Err(error) => {
                    assert!(!matches!(*second, "DRONE" | "JENKINS_URL"), "{first} and {second}");
                    let expected = format!(
                        "both `{first}` and `{second}` are set: which CI system this is can't be told"
                    );
                    assert_eq!(error.to_string(), expected);
                    assert!(error.hint().starts_with(&format!("unset `{first}` or `{second}`, ")));
                    let said = [("GITBOOK_EVENT", "push"), ("GITBOOK_BRANCH", "x"), both[0], both[1]];
                    assert_eq!(told(&ci(&[&said]).event), "push to x");
                }
            }
        }
    }
}

#[test]
fn what_another_value_says_is_no_system() {
    for variable in ["GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "DRONE", "TRAVIS"] {
        let ci = ci(&[&[(variable, "false")]]);
        assert_eq!((ci.system, ci.detected_by), ("no CI system", None), "{variable}");
    }
    assert_eq!(ci(&[&[("CI", "true")]]).system, "an unknown CI system");
}

#[test]
fn with_its_one_variable_alone_no_system_says_what_happened() {
    for (variable, value, _) in &KNOWN[1..] {
        let told = told(&ci(&[&[(variable, value)]]).event);
        assert!(told == "no event" || told.starts_with("other: "), "{variable}: {told}");
    }
}

#[test]
fn gitea_and_forgejo_speak_githubs_language() {
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
        let ci = ci(&[push, own]);
        assert_eq!((ci.system, ci.detected_by), (system, Some("GITHUB_ACTIONS")));
        assert_eq!(told(&ci.event), "push to feature/main");
        assert_eq!(ci.repository.as_deref(), Some("git.example.com/acme/hello"));
    };
    check(&[], "GitHub Actions");
    check(&[("GITEA_ACTIONS", "true")], "Gitea Actions");
    check(&[("FORGEJO_ACTIONS", "true"), ("GITEA_ACTIONS", "true")], "Forgejo Actions");
}

#[test]
fn an_event_has_a_name_for_the_log() {
    let check = |event: &str, expected: &str| {
        let number = if matches!(event, "pull_request" | "closed") { "12" } else { "" };
        let said = [("GITBOOK_EVENT", event), ("GITBOOK_BRANCH", "fix"), ("GITBOOK_PULL_REQUEST", number)];
        assert_eq!(ci(&[&said]).event.name(), expected, "{event}");
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
    assert_eq!(ci(&[]).event.name(), "none");
}

#[test]
fn a_commit_is_told_by_its_digits() {
    let check = |text: &str, is_commit: bool| {
        let found = commit(&Environment::of(&[("COMMIT", text)]), "COMMIT");
        assert_eq!(found.as_deref(), Some(text).filter(|_| is_commit), "{text}");
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
