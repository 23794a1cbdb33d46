//! Injections by servers: responses and headers of GitBook, error messages of the forge, and existing comments.

use fake_github::{FakeGitHub, Fault, Head};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::checks::{OutputFormat, Written};
use super::corpus::{Injection, corpus};
use super::{FORMATS, assert_nothing_injected, secrets};
use crate::support::{
    Deployment, GitLab, Note, OWN_USER_ID, Repository, api_error, deployment, merge_request, payloads,
    repository,
};

/// The number of integrations per run. A comment can list all of them.
const INTEGRATIONS_PER_RUN: usize = 8;

fn strings() -> Vec<Injection> {
    corpus().into_iter().chain(secrets::encoded_secrets()).collect()
}

fn sha() -> String {
    "1".repeat(40)
}

/// Starts a fake GitBook. `answer` creates the response to a publish from the number in the integration's name.
async fn gitbook(answer: impl Fn(usize, &Request) -> ResponseTemplate + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    let answers = move |request: &Request| {
        let name = request.url.path().rsplit('/').next().unwrap();
        let number = name.split('-').nth(1).and_then(|number| number.parse().ok());
        match (request.method.as_str(), number) {
            ("POST", Some(number)) => answer(number, request),
            ("GET", _) => api_error(404, "Integration not found"),
            _ => api_error(500, "unexpected request"),
        }
    };
    Mock::given(any()).respond_with(answers).mount(&server).await;
    server
}

/// Creates a repository with this number of integrations, each with secrets.
fn integrations(count: usize) -> Repository {
    let more = secrets::manifest_lines();
    (0..count).fold(repository(), |all, number| {
        all.manifest(&format!("i{number}"), &format!("hello-{number}"), &more)
    })
}

async fn github() -> FakeGitHub {
    let forge = FakeGitHub::unvalidated().await;
    forge.open_pull_request(12, Head::own("fix"), &sha());
    forge
}

fn on_github(forge: &FakeGitHub, gitbook: &str, format: &str) -> Deployment {
    let payload = payloads::pull_request("synchronize", 12, "fix", &sha());
    let run =
        deployment().on_github_event("pull_request", &payload, 100).with_endpoint(gitbook).with_forge(forge);
    secrets::set(run).variable("GITBOOK_LOG_FORMAT", format).variable("RUST_LOG", "gitbook_deploy=trace,info")
}

async fn run_on_github(attempt: &str, forge: &FakeGitHub, run: Deployment, format: &'static str) -> Written {
    let finished = run.run().await;
    assert!(finished.code.is_some_and(|code| code < 3), "{attempt}: {}", finished.log());
    let comments = forge.comments(12).into_iter().map(|comment| comment.body).collect();
    Written {
        comments,
        deployments: forge.deployments(),
        ..Written::new(attempt, format, OutputFormat::GitHub, finished)
    }
}

async fn run_on_gitlab(attempt: &str, gitlab: &GitLab, run: Deployment) -> Written {
    let finished = run.run().await;
    assert!(finished.code.is_some_and(|code| code < 3), "{attempt}: {}", finished.log());
    let project = gitlab.project();
    assert_eq!(project.quick_actions, [""; 0], "{attempt}");
    let comments = project.notes.iter().map(|note| note.body.clone()).collect();
    Written { comments, ..Written::new(attempt, "text", OutputFormat::GitLab, finished) }
}

/// Publishes a preview for each hostile string in all log formats and on both forges. `answer` creates GitBook's response from
/// the string.
async fn publish_with_responses(answer: fn(&str, &Request) -> ResponseTemplate) -> Vec<Written> {
    let all = strings();
    let mut written = Vec::new();
    for chunk in all.chunks(INTEGRATIONS_PER_RUN) {
        let texts: Vec<_> = chunk.iter().map(|injection| injection.text.clone()).collect();
        let gitbook = gitbook(move |number, request| answer(&texts[number], request)).await;
        let folder = integrations(chunk.len());
        let attempt = chunk.iter().map(|injection| injection.attempt).collect::<Vec<_>>().join(", ");
        for format in FORMATS {
            let forge = github().await;
            let run = on_github(&forge, &gitbook.uri(), format).folder(&folder);
            written.push(run_on_github(&attempt, &forge, run, format).await);
            assert_eq!(written.last().unwrap().comments.len(), 1, "expected one comment");
        }
        let gitlab = GitLab::start().await;
        gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
        let job =
            secrets::set(gitlab.merge_request_job('1', 100)).with_endpoint(&gitbook.uri()).folder(&folder);
        written.push(run_on_gitlab(&attempt, &gitlab, job).await);
        assert_eq!(written.last().unwrap().comments.len(), 1, "expected one note");
    }
    written
}

#[tokio::test]
async fn gitbook_messages_inject_nothing() {
    let refused = |text: &str, _: &Request| api_error(400, text);
    assert_nothing_injected(&publish_with_responses(refused).await);
}

#[tokio::test]
async fn gitbook_integrations_inject_nothing() {
    let outcome = |text: &str, request: &Request| {
        let cut: String = text.chars().take(2000).collect();
        let url = if request.url.path().len().is_multiple_of(2) {
            cut.clone()
        } else {
            format!("https://app.gitbook.com/{cut}")
        };
        let marker = request.body_json::<Value>().ok();
        let marker = marker.and_then(|body| Some(body["summary"].as_str()?.lines().last()?.to_owned()));
        let summary = format!("{cut}\n\n{}", marker.unwrap_or_default());
        ResponseTemplate::new(200).set_body_json(json!({
            "object": "integration", "name": cut, "version": 1, "title": text, "summary": summary, "visibility": cut,
            "target": cut, "scopes": [cut], "urls": {"app": url, "publicEndpoint": cut}, "owner": {"id": cut},
        }))
    };
    let written = publish_with_responses(outcome).await;
    assert!(written.iter().all(|run| run.finished.output("result") == "published"));
    assert_nothing_injected(&written);
}

#[tokio::test]
async fn proxy_error_pages_inject_nothing() {
    let page = |text: &str, request: &Request| {
        let status = [200, 404, 502][request.body.len() % 3];
        let header: Vec<u8> =
            text.bytes().filter(|byte| matches!(byte, b' '..=b'~' | 0x80..)).take(1000).collect();
        let value = wiremock::http::HeaderValue::from_bytes(&header).unwrap();
        let answer = ResponseTemplate::new(status).set_body_string(format!("<html>{text}"));
        ["Retry-After", "X-RateLimit-Reset", "Location", "Link", "Content-Type", "Server"]
            .into_iter()
            .fold(answer, |answer, name| answer.insert_header(name, value.clone()))
    };
    assert_nothing_injected(&publish_with_responses(page).await);
}

/// The forge rejects requests for deployments, comments and pull requests with hostile messages.
#[tokio::test]
async fn forge_messages_inject_nothing() {
    let folder = integrations(1);
    let repeated = |_: usize, request: &Request| {
        let name = request.url.path().rsplit('/').next().unwrap();
        ResponseTemplate::new(200).set_body_json(crate::support::published(name))
    };
    let gitbook = gitbook(repeated).await;
    let mut written = Vec::new();
    for (number, Injection { attempt, text }) in strings().into_iter().enumerate() {
        let (format, status) = (FORMATS[number % 3], [403, 422, 500, 429][number / 3 % 4]);
        let forge = github().await;
        let message = json!({"message": text, "documentation_url": text, "errors": [{"message": text}]});
        // The program requests the pull request before it has resolved all secrets, so it could not redact them there. A real forge
        // never receives the secrets, so it cannot repeat them.
        let fault_count = if attempt == "a repeated secret" { 2 } else { 3 };
        let requests = [("POST", "/deployments$"), ("POST", "/comments$"), ("GET", "/pulls/12$")];
        for (method, path) in &requests[..fault_count] {
            forge.fail(Fault::on(method, path).always().status(status).json(message.clone()).unvalidated());
        }
        let run = on_github(&forge, &gitbook.uri(), format).folder(&folder);
        written.push(run_on_github(attempt, &forge, run, format).await);

        let gitlab = GitLab::start().await;
        gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
        let message = ResponseTemplate::new(status).set_body_json(json!({"message": text, "error": text}));
        gitlab.project().faults.push(("POST projects/42/merge_requests/12/notes", message));
        let job =
            secrets::set(gitlab.merge_request_job('1', 100)).with_endpoint(&gitbook.uri()).folder(&folder);
        written.push(run_on_gitlab(attempt, &gitlab, job).await);
    }
    assert_nothing_injected(&written);
}

/// Returns a comment of the program in which somebody has inserted hostile values.
fn edited_comment(chunk: &[Injection]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let row = |(number, injection): (usize, &Injection)| {
        let value = encoded(&injection.text.chars().take(400).collect::<String>());
        let state = ["published", "failed", "removed", "unchanged"][number % 4];
        format!(
            "| {0} | <!-- gitbook-deploy:row name={value} state={state} run=1 commit={value} shows={value} at={value} bytes=1 before=2 version={value} url=https://x.example/{value} note={value} log=https://x.example/{value} --> |",
            injection.text.replace('\n', " ").chars().take(100).collect::<String>()
        )
    };
    let rows: Vec<_> = chunk.iter().enumerate().map(row).collect();
    format!("<!-- gitbook-deploy:comment -->\n{}\n", rows.join("\n"))
}

#[tokio::test]
async fn existing_comments_inject_nothing() {
    let folder = integrations(1);
    let repeated = |_: usize, request: &Request| {
        let name = request.url.path().rsplit('/').next().unwrap();
        ResponseTemplate::new(200).set_body_json(crate::support::published(name))
    };
    let gitbook = gitbook(repeated).await;
    let mut written = Vec::new();
    // An editor of comments does not know the secrets of the run, so only the corpus is tested.
    for chunk in corpus().chunks(INTEGRATIONS_PER_RUN) {
        for rotation in 0..4 {
            let mut chunk: Vec<_> = chunk
                .iter()
                .map(|Injection { attempt, text }| Injection { attempt, text: text.clone() })
                .collect();
            let rotation = rotation % chunk.len();
            chunk.rotate_left(rotation);
            let attempt = chunk.iter().map(|injection| injection.attempt).collect::<Vec<_>>().join(", ");
            let gitlab = GitLab::start().await;
            gitlab.project().merge_requests.insert(12, merge_request(12, "fix", Some(42), '1'));
            let note = Note {
                id: 1,
                merge_request: 12,
                author: OWN_USER_ID,
                system: false,
                body: edited_comment(&chunk),
            };
            gitlab.project().notes.push(note);
            let job = secrets::set(gitlab.merge_request_job('1', 100))
                .with_endpoint(&gitbook.uri())
                .folder(&folder);
            written.push(run_on_gitlab(&attempt, &gitlab, job).await);
            let comment = &written.last().unwrap().comments[0];
            let rows = comment.lines().filter(|line| line.starts_with("| ")).count();
            assert!(rows > chunk.len().min(4), "{comment}");
        }
    }
    assert_nothing_injected(&written);
}

/// A sweep lists integrations of the organization, which contain hostile strings.
#[tokio::test]
async fn integrations_in_a_sweep_inject_nothing() {
    // A sweep does not resolve secrets, so only the tokens are redacted.
    let items: Vec<Value> = corpus()
        .into_iter()
        .chain(secrets::encoded_tokens())
        .map(|injection| {
            let text: String = injection.text.chars().take(1000).collect();
            let encoded = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
            let marker = format!("<!-- gitbook-deploy:preview integration={encoded} repository=github.com/acme/integrations branch={encoded} commit={encoded} run=1 hash={encoded} -->");
            json!({"object": "integration", "name": text, "version": 1, "title": text, "visibility": "private",
                "summary": format!("{text}\n\n{marker}"), "owner": {"id": "acme"}, "urls": {"app": text}})
        })
        .collect();
    let server = MockServer::start().await;
    let page = json!({"items": items, "count": items.len()});
    let answer = move |request: &Request| match request.url.path() {
        "/v1/orgs/acme/integrations" => ResponseTemplate::new(200).set_body_json(&page),
        "/v1/orgs" => ResponseTemplate::new(200).set_body_json(json!({"items": [{"id": "acme"}]})),
        _ => api_error(404, "not there"),
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let mut written = Vec::new();
    for format in FORMATS {
        let forge = github().await;
        let run = on_github(&forge, &server.uri(), format)
            .variable("GITBOOK_MODE", "sweep")
            .variable("GITBOOK_ORGANIZATION", "acme");
        written.push(run_on_github("a sweep", &forge, run, format).await);
        assert!(
            written.last().unwrap().finished.stderr.contains("pwned"),
            "{}",
            written.last().unwrap().finished.log()
        );
    }
    assert_nothing_injected(&written);
}
