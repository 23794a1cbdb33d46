//! The note on the merge request.

use std::time::Duration;

use super::{MARKER, assert_success, note_rows};
use crate::support::{GitLab, Note, OTHER_USER_ID, OWN_USER_ID, Sandbox, merge_request, repository};

async fn set_up() -> (Sandbox, GitLab) {
    let (gitbook, gitlab) = (Sandbox::start().await, GitLab::start().await);
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
    (gitbook, gitlab)
}

fn note_writes(gitlab: &GitLab) -> Vec<String> {
    gitlab.project().requests.iter().filter(|request| !request.starts_with("GET")).cloned().collect()
}

#[tokio::test]
async fn updates_the_row_of_a_preview_until_its_deletion() {
    let (gitbook, gitlab) = set_up().await;
    let folder = repository().integration("hello");
    let run = |commit, pipeline| gitlab.merge_request_job(commit, pipeline).with_endpoint(gitbook.endpoint());
    let finished = run('1', 100).folder(&folder).run().await;
    assert_success(&finished);
    assert!(finished.stderr.contains("merge request !12"), "{}", finished.log());
    assert_eq!(note_rows(&gitlab), ["hello-fix: ✅ published v1: 1111111"]);

    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '2'));
    let larger = folder.file("hello/main.ts", "export default {};\nconsole.log(1);\n");
    assert_success(&run('2', 101).folder(&larger).run().await);
    assert_eq!(note_rows(&gitlab), ["hello-fix: ✅ published v2: 2222222"]);

    gitlab.project().merge_requests.get_mut(&12).unwrap()["state"] = "merged".into();
    let stop = run('2', 101).variable("CI_ENVIRONMENT_ACTION", "stop").variable("GITBOOK_NAME", "hello");
    assert_success(&stop.run().await);
    assert_eq!(note_rows(&gitlab), ["hello-fix: 🗑️ deleted: 2222222"]);
    assert_eq!(gitbook.names(), [""; 0]);
    let notes = "projects/42/merge_requests/12/notes";
    let expected = [format!("POST {notes}"), format!("PUT {notes}/100"), format!("PUT {notes}/100")];
    assert_eq!(note_writes(&gitlab), expected);
}

#[tokio::test]
async fn concurrent_jobs_keep_all_note_rows() {
    let (gitbook, gitlab) = set_up().await;
    let names = ["a", "b", "c", "d", "e", "f"];
    let folder = names.iter().fold(repository(), |repository, name| repository.integration(name));
    gitlab.project().latency = Duration::from_millis(60);
    let jobs = names.map(|name| {
        let job = gitlab.merge_request_job('1', 100).with_endpoint(gitbook.endpoint());
        job.variable("GITBOOK_INTEGRATIONS", name).folder(&folder).run()
    });
    for finished in futures::future::join_all(jobs).await {
        assert_success(&finished);
    }
    assert_eq!(note_rows(&gitlab), names.map(|name| format!("{name}-fix: ✅ published v1: 1111111")));
}

/// Other users can write the marker, and GitLab's system notes can repeat it.
#[tokio::test]
async fn ignores_notes_of_others() {
    let (gitbook, gitlab) = set_up().await;
    let note = |id, author, system| Note {
        id,
        merge_request: 12,
        author,
        system,
        body: format!("{MARKER}\nmine, {id}"),
    };
    gitlab.project().notes =
        vec![note(1, OTHER_USER_ID, false), note(2, OWN_USER_ID, true), note(3, OTHER_USER_ID, false)];
    let folder = repository().integration("hello");
    for pipeline in [100, 101] {
        let job = gitlab.merge_request_job('1', pipeline).with_endpoint(gitbook.endpoint());
        assert_success(&job.folder(&folder).run().await);
    }
    assert_eq!(note_rows(&gitlab), ["hello-fix: ✅ published v1: 1111111"]);
    let project = gitlab.project();
    let others: Vec<_> =
        project.notes[..3].iter().map(|note| note.body.rsplit('\n').next().unwrap()).collect();
    assert_eq!((project.notes.len(), others), (4, vec!["mine, 1", "mine, 2", "mine, 3"]));
}

/// The program keeps the older of its two notes. The notes can be on different list pages.
#[tokio::test]
async fn merges_two_notes_of_the_program() {
    let (gitbook, gitlab) = set_up().await;
    let note = |id, author, body: &str| {
        let body = body.to_owned();
        Note { id, merge_request: 12, author, system: false, body }
    };
    let others = (2..6).map(|id| note(id, OTHER_USER_ID, "looks good"));
    let ours = [note(1, OWN_USER_ID, &format!("{MARKER}\n")), note(9, OWN_USER_ID, &format!("{MARKER}\n"))];
    gitlab.project().notes = ours.into_iter().chain(others).collect();
    let job = gitlab.merge_request_job('1', 100).with_endpoint(gitbook.endpoint());
    let folder = repository().integration("hello");
    assert_success(&job.folder(&folder).run().await);
    assert_eq!(note_rows(&gitlab), ["hello-fix: ✅ published v1: 1111111"]);
    let project = gitlab.project();
    assert_eq!(project.notes.iter().map(|note| note.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

/// GitLab lists the newest notes first. While the program reads the list, a new note moves the program's note to the next page.
#[tokio::test]
async fn keeps_all_rows_while_others_write_notes() {
    let (gitbook, gitlab) = set_up().await;
    let note = |id, author, body: &str| {
        let body = body.to_owned();
        Note { id, merge_request: 12, author, system: false, body }
    };
    let row = "<!-- gitbook-deploy:row name=other-fix state=published run=7 -->";
    let ours = note(2, OWN_USER_ID, &format!("{MARKER}\n| {row} |"));
    gitlab.project().notes = vec![note(1, OTHER_USER_ID, "first"), ours, note(3, OTHER_USER_ID, "second")];
    gitlab.project().arriving = vec![note(4, OTHER_USER_ID, "third")];
    let job = gitlab.merge_request_job('1', 100).with_endpoint(gitbook.endpoint());
    let folder = repository().integration("hello");
    assert_success(&job.folder(&folder).run().await);
    assert_eq!(note_writes(&gitlab), ["PUT projects/42/merge_requests/12/notes/2"]);
    let expected = ["hello-fix: ✅ published v1: 1111111", "other-fix: ✅ published: "];
    assert_eq!(note_rows(&gitlab), expected);
}

/// GitLab runs quick actions at the beginning of a line, and finds mentions in decoded entities.
#[tokio::test]
async fn error_messages_run_no_quick_action_and_mention_nobody() {
    let gitlab = GitLab::start().await;
    gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
    let injection = "@all !1 #1 </code>@all <b>`\r/close\u{2028}/label ~x\n/merge\r\n/approve";
    let server = wiremock::MockServer::start().await;
    let answer = crate::support::api_error(400, injection);
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&server).await;
    let job = gitlab.merge_request_job('1', 100).with_endpoint(&server.uri());
    let folder = repository().integration("hello");
    let finished = job.folder(&folder).run().await;
    assert_eq!(finished.code, Some(1));
    let rows = note_rows(&gitlab);
    assert!(rows[0].starts_with("hello-fix: ❌ failed: <code>"), "{rows:?}");
    let project = gitlab.project();
    assert_eq!(project.quick_actions, [""; 0]);
    let body = &project.notes[0].body;
    // GitBook's text appears only inside `<code>`.
    let outside: String = body.split("<code>").map(|part| part.rsplit("</code>").next().unwrap()).collect();
    let visible: String = outside.split("<!--").map(|part| part.split("-->").last().unwrap()).collect();
    assert!(!visible.contains('@') && !visible.contains("&#64;") && !visible.contains("close"), "{visible}");
    assert!(body.contains("&#64;all"), "{body}");
}
