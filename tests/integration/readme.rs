//! What README.md says is what the program does.

mod security;
mod troubleshooting;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_gitbook-deploy");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn readme() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap()
}

/// The rows of the table below a heading (or text) of README.md, each as its cells.
fn table(below: &str) -> Vec<Vec<String>> {
    let readme = readme();
    let (_, rest) = readme.split_once(below).unwrap_or_else(|| panic!("README.md has no {below:?}"));
    let rows =
        rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    rows.skip(2).map(cells).collect()
}

/// The shell commands of README.md that hold a text, one block of them.
fn commands(with: &str) -> String {
    let readme = readme();
    let blocks = readme.split("```sh\n").skip(1).filter_map(|block| block.split_once("```"));
    let found: Vec<_> = blocks.map(|(block, _)| block).filter(|block| block.contains(with)).collect();
    assert_eq!(found.len(), 1, "README.md has not one block with {with:?}");
    found[0].to_owned()
}

/// Runs commands as a newcomer would, with the binary that was built for this test.
#[expect(clippy::disallowed_methods, reason = "a shell needs the PATH of the machine")]
fn shell(commands: &str, folder: &Path, sandbox: &Path) -> Output {
    let own = format!(" {}\n", BINARY.replace('\\', "/"));
    let commands =
        commands.replace(" gitbook-deploy\n", &own).replace(" cargo run --release --locked\n", &own);
    let commands = commands.replace('…', "token");
    let path = std::env::var_os("PATH").unwrap();
    let run = Command::new("bash")
        .args(["-euc", &commands])
        .current_dir(folder)
        .env_clear()
        // Without it, nothing can connect on Windows.
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

/// Name and meaning of each variable that `--help` tells.
fn variables_of_help() -> BTreeMap<String, String> {
    let help = help();
    let lines: Vec<_> = help.lines().collect();
    let told = lines.windows(2).filter(|pair| pair[0].starts_with("  ") && pair[1].starts_with("      "));
    told.map(|pair| (pair[0].trim().to_owned(), pair[1].trim().to_owned())).collect()
}

#[test]
fn the_tables_of_variables_are_those_of_help() {
    let mut told = BTreeMap::new();
    let input =
        |name: &str| name.trim_matches('`').trim_start_matches("GITBOOK_").to_lowercase().replace('_', "-");
    for row in table("## Variables") {
        assert_eq!(row[1], format!("`{}`", input(&row[0])));
        let default = row[2].replace('`', "");
        let default = if default == "–" { String::new() } else { format!(" [default: {default}]") };
        told.insert(format!("{}{default}", row[0].replace('`', "")), row[3].clone());
    }
    for row in table("These give a field of the manifest") {
        assert_eq!(row[1], format!("`{}`", input(&row[0])));
        told.insert(row[0].replace('`', ""), format!("{}, {}", row[2], row[3]));
    }
    assert_eq!(told, variables_of_help());
}

#[test]
fn a_preview_is_published_and_deleted_as_told() {
    let sandbox = tempfile::tempdir().unwrap();
    let block = commands("GITBOOK_MODE=preview");
    let (preview, delete) = block.split_once("GITBOOK_MODE=delete").unwrap();
    shell(preview, Path::new(ROOT), sandbox.path());
    let published = std::fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(published.collect::<Vec<_>>(), ["hello-feature-x-217d2bf5"]);
    let export = preview.lines().next().unwrap();
    shell(&format!("{export}\nGITBOOK_MODE=delete{delete}"), Path::new(ROOT), sandbox.path());
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 0);
}

#[test]
fn a_push_is_told_with_the_generic_variables() {
    let sandbox = tempfile::tempdir().unwrap();
    shell(&commands("GITBOOK_EVENT=push"), Path::new(ROOT), sandbox.path());
    assert!(sandbox.path().join("hello/script.js").is_file());
}

#[test]
fn the_outputs_are_those_of_a_run() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("outputs.env");
    let command = format!("GITBOOK_OUTPUT_FILE='{}' gitbook-deploy\n", file.display());
    shell(&command, Path::new(ROOT), temp.path());
    let written = std::fs::read_to_string(file).unwrap();
    let written: Vec<_> =
        written.lines().map(|line| format!("`{}`", line.split_once('=').unwrap().0)).collect();
    assert_eq!(table("## Outputs").into_iter().map(|row| row[0].clone()).collect::<Vec<_>>(), written);
}

#[test]
fn each_workflow_to_be_copied_is_told() {
    let told = table("which to copy").into_iter().map(|row| {
        let (name, _) = row[0].trim_start_matches("[`").split_once("`]").unwrap();
        name.to_owned()
    });
    let files = std::fs::read_dir(Path::new(ROOT).join("examples/workflows/github")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(told.collect::<BTreeSet<_>>(), files.collect::<BTreeSet<_>>());
}

#[test]
fn the_workflow_that_is_copied_first_covers_the_events_that_previews_need() {
    let block = commands("raw.githubusercontent.com");
    let path = block.split_whitespace().find_map(|word| word.split_once("/v1/")).unwrap().1;
    let workflow = std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    let token = "token: ${{ secrets.GITBOOK_TOKEN }}";
    let events =
        ["push:", "pull_request:", "closed", "merge_group:", "delete:", "schedule:", "workflow_dispatch:"];
    for text in events.into_iter().chain([token, "\"!dependabot/**\""]) {
        assert!(workflow.contains(text), "{text}");
    }
}

/// What README.md says below a heading, up to the next one of its rank.
fn section(heading: &str) -> String {
    let readme = readme();
    let (_, rest) = readme.split_once(&format!("\n{heading}\n")).unwrap();
    let rank = heading.split_once(' ').unwrap().0;
    rest.split(&format!("\n{rank} ")).next().unwrap().to_owned()
}

/// The code spans of a text.
fn spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn each_system_has_a_quick_start_of_ten_lines_that_its_template_bears_out() {
    let quick_start = section("## Quick start");
    let mut templates = BTreeSet::new();
    for system in quick_start.split("\n### ").skip(1) {
        let (name, text) = system.split_once('\n').unwrap();
        assert!(text.lines().filter(|line| !line.is_empty()).count() <= 15, "{name}");
        let Some((_, link)) = text.split_once("](examples/ci/") else { continue };
        let path = link.split_once(')').unwrap().0;
        assert!(text.lines().count() <= 10, "{name}");
        let template = std::fs::read_to_string(Path::new(ROOT).join("examples/ci").join(path)).unwrap();
        // Where a file goes is told, too.
        for word in spans(text).into_iter().filter(|word| !word.starts_with('.') && !path.ends_with(word)) {
            assert!(template.contains(word), "{name}: `{word}`");
        }
        templates.insert(path.split_once('/').unwrap().0.to_owned());
    }
    let folders = std::fs::read_dir(Path::new(ROOT).join("examples/ci")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    assert_eq!(templates, folders.collect());
}

#[test]
fn what_is_linked_to_is_there() {
    for page in
        ["README.md", "SECURITY.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "examples/docker/README.md"]
    {
        let page = Path::new(ROOT).join(page);
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0) {
            if let Some(heading) = link.strip_prefix('#') {
                let is_it = |line: &str| {
                    line.starts_with('#')
                        && line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-") == heading
                };
                assert!(text.lines().any(is_it), "{}: {link}", page.display());
            } else if !link.starts_with("https://") {
                assert!(page.parent().unwrap().join(link).exists(), "{}: {link}", page.display());
            }
        }
    }
}
