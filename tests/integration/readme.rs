//! Compares README.md and the pages in `docs` with the program.

mod errors;
mod security;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_gitbook-deploy");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Reads a page by its path in the repository.
fn page(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// Returns the text below a heading of a page, up to the next heading of the same rank.
fn section(path: &str, heading: &str) -> String {
    let page = page(path);
    let (_, rest) =
        page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{path} has no {heading:?}"));
    let rank = heading.split_once(' ').unwrap().0;
    rest.split(&format!("\n{rank} ")).next().unwrap().to_owned()
}

/// Returns the shell commands of the only code block of a page that contains this text.
fn commands(path: &str, text: &str) -> String {
    let page = page(path);
    let blocks = page.split("```sh\n").skip(1).filter_map(|block| block.split_once("```"));
    let found: Vec<_> = blocks.map(|(block, _)| block).filter(|block| block.contains(text)).collect();
    assert_eq!(found.len(), 1, "{path} should have one block with {text:?}");
    found[0].to_owned()
}

/// Returns the names in code font in the first column of all tables, such as `` | `name` | ``.
fn names_in_rows(text: &str) -> BTreeSet<String> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

/// Runs commands of a page in a shell, with the binary built for this test.
#[expect(clippy::disallowed_methods, reason = "the shell finds programs through `PATH`")]
fn shell(commands: &str, folder: &Path, sandbox: &Path) -> Output {
    let program_under_test = format!(" {}\n", BINARY.replace('\\', "/"));
    let mut commands = commands.replace('…', "token");
    for program in [" gitbook-deploy\n", " ./gitbook-deploy\n", " cargo run --release --locked\n"] {
        commands = commands.replace(program, &program_under_test);
    }
    let path = std::env::var_os("PATH").unwrap();
    let run = Command::new("bash")
        .args(["-euc", &commands])
        .current_dir(folder)
        .env_clear()
        // On Windows, no program can open a connection without `SystemRoot`.
        .envs(std::env::var_os("SystemRoot").map(|folder| ("SystemRoot", folder)))
        .envs([("PATH", path.as_os_str()), ("GITBOOK_SANDBOX_DIR", sandbox.as_os_str())])
        .env("GITBOOK_INTEGRATIONS", "examples/hello")
        .env("GITBOOK_ENDPOINT", "sandbox")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    run
}

fn help() -> String {
    String::from_utf8(Command::new(BINARY).arg("--help").output().unwrap().stdout).unwrap()
}

#[test]
fn the_readme_and_its_workflow_are_short() {
    let readme = page("README.md");
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    assert!(readme.split_whitespace().count() <= 1300, "{} words", readme.split_whitespace().count());
    let steps = section("README.md", "## GitHub in three steps");
    let (_, workflow) = steps.split_once("```yaml\n").unwrap();
    let (workflow, _) = workflow.split_once("```").unwrap();
    assert!(workflow.lines().count() <= 12, "{workflow}");
}

#[test]
fn the_docs_list_each_variable_of_the_help() {
    let (help, page) = (help(), page("docs/variables.md"));
    let names = help.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let names: Vec<_> = names.filter(|name| name.starts_with("GITBOOK_") && !name.contains('=')).collect();
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_documented_preview_commands_publish_and_delete_a_preview() {
    let sandbox = tempfile::tempdir().unwrap();
    let block = commands("docs/previews.md", "GITBOOK_MODE=preview");
    let (preview, delete) = block.split_once("GITBOOK_MODE=delete").unwrap();
    shell(preview, Path::new(ROOT), sandbox.path());
    let published = std::fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(published.collect::<Vec<_>>(), ["hello-feature-x-217d2bf5"]);
    let export = preview.lines().next().unwrap();
    shell(&format!("{export}\nGITBOOK_MODE=delete{delete}"), Path::new(ROOT), sandbox.path());
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 0);
}

#[test]
fn the_documented_command_with_generic_variables_publishes() {
    let sandbox = tempfile::tempdir().unwrap();
    let command = commands("docs/other-ci.md", "GITBOOK_EVENT=push");
    shell(&command, Path::new(ROOT), sandbox.path());
    assert!(sandbox.path().join("hello/script.js").is_file());
}

#[test]
fn the_documented_command_with_a_downloaded_binary_publishes() {
    let sandbox = tempfile::tempdir().unwrap();
    shell(&commands("README.md", "./gitbook-deploy"), Path::new(ROOT), sandbox.path());
    assert!(sandbox.path().join("hello/script.js").is_file());
}

#[test]
fn the_docs_list_the_outputs_of_a_run() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("outputs.env");
    let command = format!("GITBOOK_OUTPUT_FILE='{}' gitbook-deploy\n", file.display());
    shell(&command, Path::new(ROOT), temp.path());
    let written = std::fs::read_to_string(file).unwrap();
    let written = written.lines().map(|line| line.split_once('=').unwrap().0.to_owned());
    assert_eq!(names_in_rows(&page("docs/outputs.md")), written.collect());
}

#[test]
fn the_docs_list_each_example_workflow() {
    let section = section("docs/github.md", "## Workflows");
    let names = section.lines().filter_map(|line| line.strip_prefix("| [`")?.split_once("`]"));
    let names: BTreeSet<_> = names.map(|(name, _)| name.to_owned()).collect();
    let files = std::fs::read_dir(Path::new(ROOT).join("examples/workflows/github")).unwrap();
    assert_eq!(names, files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect());
}

#[test]
fn the_first_workflow_in_the_docs_handles_all_events_for_previews() {
    let block = commands("docs/github.md", "raw.githubusercontent.com");
    let path = block.split_whitespace().find_map(|word| word.split_once("/v1/")).unwrap().1;
    let workflow = page(path);
    let token = "token: ${{ secrets.GITBOOK_TOKEN }}";
    let events =
        ["push:", "pull_request:", "closed", "merge_group:", "delete:", "schedule:", "workflow_dispatch:"];
    for text in events.into_iter().chain([token, "\"!dependabot/**\""]) {
        assert!(workflow.contains(text), "{text}");
    }
}

/// Returns the code spans of a text.
fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Returns the anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept: String = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).collect();
    kept.replace(' ', "-")
}

/// Returns the guides of all CI systems with a template. A guide consists of its link in README.md and its text.
fn guides() -> Vec<(String, String)> {
    let others = page("docs/other-ci.md");
    let others = others.split("\n## ").skip(1).map(|section| {
        let (heading, text) = section.split_once('\n').unwrap();
        (format!("docs/other-ci.md#{}", anchor(heading)), text.to_owned())
    });
    let gitlab = ("docs/gitlab.md".to_owned(), section("docs/gitlab.md", "## Set up"));
    others.chain([gitlab]).filter(|(_, text)| text.contains("](../examples/ci/")).collect()
}

#[test]
fn each_ci_template_has_a_short_guide_and_a_readme_link() {
    let readme = page("README.md");
    let mut templates = BTreeSet::new();
    for (guide, text) in guides() {
        assert!(readme.contains(&format!("({guide})")), "{guide}");
        let lines = text.lines().filter(|line| !line.is_empty()).count();
        assert!(lines <= 10, "{guide}: {lines} lines");
        let (_, link) = text.split_once("](../examples/ci/").unwrap();
        let path = link.split_once(')').unwrap().0;
        let template = page(&format!("examples/ci/{path}"));
        // Skips the paths in the guide: the template's own path and the places to copy the template to.
        for word in
            code_spans(&text).into_iter().filter(|word| !word.starts_with('.') && !path.ends_with(word))
        {
            assert!(template.contains(word), "{guide}: `{word}`");
        }
        templates.insert(path.split_once('/').unwrap().0.to_owned());
    }
    let folders = std::fs::read_dir(Path::new(ROOT).join("examples/ci")).unwrap();
    assert_eq!(templates, folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect());
}

#[test]
fn relative_links_in_the_docs_have_targets() {
    let root = Path::new(ROOT);
    let mut pages = vec![root.join("examples/docker/README.md")];
    for folder in [root.to_owned(), root.join("docs")] {
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0);
        for link in links.filter(|link| !link.starts_with("https://")) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let target = std::fs::read_to_string(target).unwrap();
                let is_target = |line: &str| line.starts_with('#') && anchor(line) == heading;
                assert!(target.lines().any(is_target), "{}: {link}", page.display());
            }
        }
    }
}
