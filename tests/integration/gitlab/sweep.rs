//! Sweeps that check GitLab branches and merge requests.

use serde_json::{Value, json};
use sha2::Digest as _;
use wiremock::ResponseTemplate;

use super::{MARKER, assert_success, log_lines, note_rows};
use crate::support::{Deployment, GitLab, Note, OWN_USER_ID, Sandbox, gitlab_error, merge_request};

const REPOSITORY: &str = "gitlab.example.com/acme/docs/hello";

fn preview(name: &str, branch: &str, number: Option<u64>) -> Value {
    let number = number.map(|number| format!(" pull_request={number}")).unwrap_or_default();
    let marker = format!(
        "integration=hello repository={REPOSITORY} branch={branch}{number} commit=0123abcd run=7 hash=00"
    );
    json!({
        "object": "integration",
        "name": name,
        "version": 3,
        "title": "Hello",
        "summary": format!("Says hello.\n\n<!-- gitbook-deploy:preview {marker} -->"),
        "visibility": "private",
        "owner": {"object": "organization", "id": "acme"},
        "urls": {},
    })
}

/// Returns a scheduled job, which sweeps without a checkout.
fn sweep(gitbook: &Sandbox, gitlab: &GitLab) -> Deployment {
    let job = gitlab.job("main", 'a', 200).with_endpoint(gitbook.endpoint());
    job.variable("CI_PIPELINE_SOURCE", "schedule").variable("GITBOOK_ORGANIZATION", "acme")
}

/// Returns the preview name for a fork's branch, such as `mona:fix`.
fn fork_preview_name(branch: &str) -> String {
    let hash = sha2::Sha256::digest(branch);
    let hash: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("hello-{}-{hash}", branch.replace([':', '/'], "-"))
}

#[tokio::test]
async fn deletes_previews_and_updates_their_rows() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    for branch in ["gone", "fix"] {
        gitbook.set(&format!("hello-{branch}"), &preview(&format!("hello-{branch}"), branch, None));
    }
    let mut merged = merge_request(12, "gone", Some(42), '1');
    merged["state"] = "merged".into();
    {
        let mut project = gitlab.project();
        project.branches.insert("fix".to_owned(), "1".repeat(40));
        project.merge_requests.insert(12, merged);
        let row = "<!-- gitbook-deploy:row name=hello-gone state=published run=7 -->";
        let body = format!("{MARKER}\n| {row} |");
        project.notes.push(Note { id: 1, merge_request: 12, author: OWN_USER_ID, system: false, body });
    }
    let finished = sweep(&gitbook, &gitlab).run().await;
    assert_success(&finished);
    assert_eq!(finished.output("reason"), "scheduled run");
    assert_eq!(gitbook.names(), ["hello-fix"]);
    assert_eq!(note_rows(&gitlab), ["hello-gone: 🗑️ deleted: "]);
}

/// The token cannot see private or deleted forks, so any fork may own a preview whose branch name matches.
#[tokio::test]
async fn keeps_previews_that_may_belong_to_an_open_merge_request() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    let branches = [
        "mona:open",
        "mona:others",
        "mona:own",
        "mona:private",
        "mona:deleted",
        "mona:merging",
        "mona/docs:open",
        "unknown:open",
    ];
    for branch in branches {
        gitbook.set(&fork_preview_name(branch), &preview(&fork_preview_name(branch), branch, None));
    }
    {
        let mut project = gitlab.project();
        project.others = [(77, "Mona/hello".to_owned()), (78, "lisa/hello".to_owned())].into();
        let requests = [
            ("open", Some(77)),
            ("others", Some(78)),
            ("own", Some(42)),
            ("private", Some(79)),
            ("deleted", None),
        ];
        for (iid, (branch, source)) in (20..).zip(requests) {
            project.merge_requests.insert(iid, merge_request(iid, branch, source, '1'));
        }
        // GitLab locks a merge request while it merges the branch. The merge may still fail.
        let mut merging = merge_request(30, "merging", Some(77), '1');
        merging["state"] = "locked".into();
        project.merge_requests.insert(30, merging);
    }
    let finished = sweep(&gitbook, &gitlab).run().await;
    assert_success(&finished);
    let kept =
        ["mona:deleted", "mona:merging", "mona:open", "mona:private", "unknown:open"].map(fork_preview_name);
    assert_eq!(gitbook.names(), kept, "{}", finished.log());
}

#[tokio::test]
async fn sweeps_numbered_previews_by_their_merge_request() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    for number in [12, 13, 14] {
        gitbook.set(&format!("hello-{number}"), &preview(&format!("hello-{number}"), "fix", Some(number)));
    }
    let mut closed = merge_request(13, "fix", Some(42), '1');
    closed["state"] = "closed".into();
    gitlab.project().merge_requests = [(12, merge_request(12, "fix", Some(42), '1')), (13, closed)].into();
    let run = || sweep(&gitbook, &gitlab).variable("GITBOOK_PREVIEW_NAME", "{name}-{pr}");
    // Merge request 14 was deleted. A token without permission to list merge requests cannot confirm that.
    gitlab.project().faults.push(("GET projects/42/merge_requests?", gitlab_error(403, "403 Forbidden")));
    let finished = run().run().await;
    assert_eq!((finished.code, gitbook.names().len()), (Some(1), 3));
    insta::assert_snapshot!(log_lines(&finished, &["error", "cause", "hint"]), @"
    error: `hello-12` was kept: could not check whether merge request !12 is still open: the token lacks the scope `api`, or its user lacks the role Reporter: 403 Forbidden
     hint: give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write
    error: `hello-13` was kept: could not check whether merge request !13 is still open: the token lacks the scope `api`, or its user lacks the role Reporter: 403 Forbidden
     hint: give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write
    error: `hello-14` was kept: could not check whether merge request !14 is still open: the token lacks the scope `api`, or its user lacks the role Reporter: 403 Forbidden
     hint: give the token the scope `api` and at least the role Reporter; `CI_JOB_TOKEN` cannot write
    error: 3 of 3 integrations failed
    ");
    gitlab.project().faults.clear();
    let finished = run().run().await;
    assert_success(&finished);
    assert_eq!(gitbook.names(), ["hello-12"]);
    assert_eq!(finished.integrations()[0]["note"], "kept: merge request !12 is open");
}

/// The request for the owner of one fork fails.
#[tokio::test]
async fn a_failed_check_of_a_fork_keeps_only_the_preview_of_that_fork() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitbook.set("hello-gone", &preview("hello-gone", "gone", None));
    for branch in ["lisa:gone", "mona:open"] {
        gitbook.set(&fork_preview_name(branch), &preview(&fork_preview_name(branch), branch, None));
    }
    gitlab.project().merge_requests.insert(20, merge_request(20, "open", Some(77), '1'));
    gitlab.project().faults.push(("GET projects/77", gitlab_error(500, "500 Internal Server Error")));
    let finished = sweep(&gitbook, &gitlab).run().await;
    assert_eq!(
        (finished.code, gitbook.names()),
        (Some(1), vec![fork_preview_name("mona:open")]),
        "{}",
        finished.log()
    );
    insta::assert_snapshot!(log_lines(&finished, &["error", "cause", "hint"]), @"
    error: `hello-mona-open-7f324478` was kept: could not check whether branch `mona:open` is still open: GitLab server error: 500 Internal Server Error
     hint: re-run the job later
    error: 1 of 3 integrations failed
    ");
}

/// GitLab returns an empty list to a token without access to branches.
#[tokio::test]
async fn deletes_no_preview_if_the_token_cannot_see_branches() {
    let not_found = || gitlab_error(404, "404 Project Not Found");
    let faults: [(&str, ResponseTemplate); 5] = [
        ("GET projects/42", not_found()),
        ("repository/branches", not_found()),
        ("repository/branches/main", gitlab_error(403, "403 Forbidden")),
        ("GET projects/42", gitlab_error(401, "401 Unauthorized")),
        ("GET projects/42", ResponseTemplate::new(200).set_body_string("<html>")),
    ];
    for (request_text, answer) in faults {
        let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
        gitbook.set("hello-gone", &preview("hello-gone", "gone", None));
        gitlab.project().faults.push((request_text, answer));
        let finished = sweep(&gitbook, &gitlab).run().await;
        assert_eq!(
            (finished.code, gitbook.names()),
            (Some(1), vec!["hello-gone".to_owned()]),
            "{}",
            finished.log()
        );
        assert!(finished.stderr.contains("error: "), "{}", finished.log());
    }
}

/// By default, Apache rejects paths that contain `%2F` with a 404.
#[tokio::test]
async fn deletes_no_preview_after_a_404_from_a_proxy() {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    let name = fork_preview_name("feature/x");
    gitbook.set(&name, &preview(&name, "feature/x", None));
    let page = ResponseTemplate::new(404).set_body_string("<title>404 Not Found</title>");
    gitlab.project().faults.push(("repository/branches/feature%2F", page));
    let finished = sweep(&gitbook, &gitlab).run().await;
    assert_eq!((finished.code, gitbook.names()), (Some(1), vec![name]), "{}", finished.log());
    insta::assert_snapshot!(log_lines(&finished, &["error", "cause", "hint"]), @"
    error: `hello-feature-x-217d2bf5` was kept: could not check whether branch `feature/x` is still open: GitLab sent an unexpected response: 404 Not Found (not a GitLab response)
     hint: check that `CI_API_V4_URL` is the URL of the API and that no proxy intercepts the requests
    ");
}
