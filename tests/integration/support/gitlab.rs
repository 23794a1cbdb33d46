//! A fake of GitLab's REST API with one project: `acme/docs/hello`, number 42.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{Deployment, deployment};

/// The only token that the fake GitLab accepts.
pub(crate) const GITLAB_TOKEN: &str = "glpat-gItLaB0123456789";

/// The ids of the token's user and of another user.
pub(crate) const OWN_USER_ID: u64 = 7;
pub(crate) const OTHER_USER_ID: u64 = 8;

/// The number of entries per page of a list.
const PAGE_SIZE: usize = 2;

/// A note on a merge request.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) id: u64,
    pub(crate) merge_request: u64,
    pub(crate) author: u64,
    pub(crate) system: bool,
    pub(crate) body: String,
}

/// The state of the project.
#[derive(Default)]
pub(crate) struct Project {
    /// The commits of branches, by branch name.
    pub(crate) branches: BTreeMap<String, String>,
    /// Merge requests by number.
    pub(crate) merge_requests: BTreeMap<u64, Value>,
    /// The paths of other projects that the token can read, by number.
    pub(crate) others: BTreeMap<u64, String>,
    pub(crate) notes: Vec<Note>,
    /// Notes to add after the first page of notes has been sent.
    pub(crate) arriving: Vec<Note>,
    /// Pairs of a text and the response to every request line that contains the text.
    pub(crate) faults: Vec<(&'static str, ResponseTemplate)>,
    /// The delay of each response.
    pub(crate) latency: Duration,
    /// The request line of every request, such as `GET projects/42?page=1`.
    pub(crate) requests: Vec<String>,
    /// The quick actions that notes have executed, such as `/close`.
    pub(crate) quick_actions: Vec<String>,
}

/// A running fake GitLab.
pub(crate) struct GitLab {
    server: MockServer,
    project: Arc<Mutex<Project>>,
}

impl GitLab {
    /// Starts a fake GitLab. Its project has the default branch `main`.
    pub(crate) async fn start() -> Self {
        let branches = [("main".to_owned(), "a".repeat(40))].into();
        let project = Arc::new(Mutex::new(Project { branches, ..Project::default() }));
        let server = MockServer::start().await;
        let shared = Arc::clone(&project);
        let answer = move |request: &Request| {
            let mut project = shared.lock().unwrap();
            let latency = project.latency;
            project.answer(request).set_delay(latency)
        };
        Mock::given(any()).respond_with(answer).mount(&server).await;
        Self { server, project }
    }

    pub(crate) fn root(&self) -> String {
        format!("{}/api/v4", self.server.uri())
    }

    pub(crate) fn project(&self) -> MutexGuard<'_, Project> {
        self.project.lock().unwrap()
    }

    /// Returns a run of the program in a job of a branch pipeline.
    pub(crate) fn job(&self, branch: &str, commit: char, pipeline: u64) -> Deployment {
        let (commit, pipeline, root) = (commit.to_string().repeat(40), pipeline.to_string(), self.root());
        [
            ("CI", "true"),
            ("CI_API_V4_URL", &*root),
            ("CI_COMMIT_BRANCH", branch),
            ("CI_COMMIT_SHA", &commit),
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_PIPELINE_ID", &pipeline),
            ("CI_PIPELINE_SOURCE", "push"),
            ("CI_PROJECT_ID", "42"),
            ("CI_PROJECT_PATH", "acme/docs/hello"),
            ("CI_SERVER_HOST", "gitlab.example.com"),
            ("GITBOOK_LOG_FORMAT", "text"),
            ("GITLAB_CI", "true"),
            ("GITLAB_TOKEN", GITLAB_TOKEN),
        ]
        .into_iter()
        .fold(deployment(), |run, (name, value)| run.variable(name, value))
    }

    /// Returns a run of the program in a job of a pipeline for merge request 12 from the branch `fix`.
    pub(crate) fn merge_request_job(&self, commit: char, pipeline: u64) -> Deployment {
        [
            ("CI_COMMIT_BRANCH", ""),
            ("CI_MERGE_REQUEST_IID", "12"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
            ("CI_MERGE_REQUEST_PROJECT_PATH", "acme/docs/hello"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "fix"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "42"),
            ("CI_PIPELINE_SOURCE", "merge_request_event"),
        ]
        .into_iter()
        .fold(self.job("", commit, pipeline), |run, (name, value)| run.variable(name, value))
    }
}

/// Returns an open merge request.
pub(crate) fn merge_request(iid: u64, branch: &str, project: Option<u64>, commit: char) -> Value {
    json!({
        "id": 1000 + iid,
        "iid": iid,
        "state": "opened",
        "source_branch": branch,
        "source_project_id": project,
        "target_project_id": 42,
        "sha": commit.to_string().repeat(40),
    })
}

/// Returns an error in GitLab's format.
pub(crate) fn gitlab_error(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"message": message}))
}

impl Project {
    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let path = request.url.path().strip_prefix("/api/v4/").unwrap_or("?").to_owned();
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let request_line = format!("{} {path}{query}", request.method);
        self.requests.push(request_line.clone());
        if request.headers.get("private-token").map(|token| token.as_bytes()) != Some(GITLAB_TOKEN.as_bytes())
        {
            return gitlab_error(401, "401 Unauthorized");
        }
        if let Some((_, answer)) = self.faults.iter().find(|(part, _)| request_line.contains(part)) {
            return answer.clone();
        }
        let segments: Vec<_> =
            path.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), &segments[..]) {
            ("GET", ["user"]) => ok(&json!({"id": OWN_USER_ID, "username": "project_42_bot"})),
            (method, ["projects", "42" | "acme/docs/hello", rest @ ..]) => {
                self.project_response(method, rest, request)
            }
            ("GET", ["projects", number]) => match self.others.get(&number.parse().unwrap()) {
                Some(path) => ok(&json!({"path_with_namespace": path, "default_branch": "main"})),
                None => gitlab_error(404, "404 Project Not Found"),
            },
            _ => gitlab_error(404, "404 Project Not Found"),
        }
    }

    fn project_response(&mut self, method: &str, path: &[&str], request: &Request) -> ResponseTemplate {
        match (method, path) {
            ("GET", []) => ok(&json!({"path_with_namespace": "acme/docs/hello", "default_branch": "main"})),
            ("GET", ["repository", "branches"]) => {
                let branches = self.branches.iter();
                let branches = branches.map(|(name, tip)| json!({"name": name, "commit": {"id": tip}}));
                page(&branches.collect::<Vec<_>>(), request)
            }
            ("GET", ["repository", "branches", name]) => match self.branches.get(*name) {
                Some(tip) => ok(&json!({"name": name, "commit": {"id": tip}})),
                None => gitlab_error(404, "404 Branch Not Found"),
            },
            ("GET", ["merge_requests"]) => {
                let all = self.merge_requests.values().rev().filter(|one| matches_filters(one, request));
                ok(&Value::from(all.cloned().collect::<Vec<_>>()))
            }
            ("GET", ["merge_requests", number]) => match self.merge_requests.get(&number.parse().unwrap()) {
                Some(merge_request) => ok(merge_request),
                None => gitlab_error(404, "404 Not found"),
            },
            (method, ["merge_requests", number, "notes", rest @ ..]) => {
                self.notes_response(method, number.parse().unwrap(), rest, request)
            }
            _ => gitlab_error(404, "404 Not Found"),
        }
    }

    fn notes_response(
        &mut self,
        method: &str,
        merge_request: u64,
        path: &[&str],
        request: &Request,
    ) -> ResponseTemplate {
        let id = path.first().map(|id| id.parse::<u64>().unwrap());
        match (method, id) {
            ("GET", None) => {
                let notes =
                    self.notes.iter().rev().filter(|note| note.merge_request == merge_request).map(note_json);
                let answer = page(&notes.collect::<Vec<_>>(), request);
                self.notes.append(&mut self.arriving);
                answer
            }
            ("POST", None) => {
                let body = self.note_text(request);
                let id = 100 + u64::try_from(self.notes.len()).unwrap();
                let note = Note { id, merge_request, author: OWN_USER_ID, system: false, body };
                self.notes.push(note.clone());
                ResponseTemplate::new(201).set_body_json(note_json(&note))
            }
            ("PUT", Some(id)) => {
                let body = self.note_text(request);
                match self.notes.iter_mut().find(|note| (note.id, note.author) == (id, OWN_USER_ID)) {
                    Some(note) => {
                        note.body = body;
                        ok(&note_json(note))
                    }
                    None => gitlab_error(404, "404 Note Not Found"),
                }
            }
            ("DELETE", Some(id)) => {
                self.notes.retain(|note| (note.id, note.author) != (id, OWN_USER_ID));
                ResponseTemplate::new(204)
            }
            _ => gitlab_error(404, "404 Not Found"),
        }
    }

    /// Returns the text of a note, and records its quick actions.
    fn note_text(&mut self, request: &Request) -> String {
        let fields: BTreeMap<String, String> = request.body_json().unwrap();
        assert!(fields.len() == 1, "{fields:?}");
        let body = fields["body"].replace('\r', "");
        self.quick_actions.extend(body.lines().filter(|line| line.starts_with('/')).map(str::to_owned));
        body
    }
}

fn ok(answer: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(answer)
}

fn note_json(note: &Note) -> Value {
    json!({"id": note.id, "body": note.body, "author": {"id": note.author}, "system": note.system})
}

fn matches_filters(merge_request: &Value, request: &Request) -> bool {
    request.url.query_pairs().all(|(key, value)| match &*key {
        "state" => value == "all" || merge_request["state"] == *value,
        "source_branch" => merge_request["source_branch"] == *value,
        "iids[]" => merge_request["iid"] == value.parse::<u64>().unwrap(),
        "scope" => value == "all",
        "per_page" | "page" => true,
        other => panic!("GitLab has no filter `{other}`"),
    })
}

fn page(items: &[Value], request: &Request) -> ResponseTemplate {
    let page = request.url.query_pairs().find(|(key, _)| key == "page");
    let page: usize = page.map_or(1, |(_, value)| value.parse().unwrap());
    let shown: Vec<_> = items.iter().skip((page - 1) * PAGE_SIZE).take(PAGE_SIZE).collect();
    let answer = ResponseTemplate::new(200).set_body_json(shown);
    if page * PAGE_SIZE < items.len() {
        let link = format!("<https://gitlab.example.com/?page={}>; rel=\"next\"", page + 1);
        answer.insert_header("Link", link).insert_header("X-Next-Page", (page + 1).to_string())
    } else {
        answer.insert_header("X-Next-Page", "")
    }
}
