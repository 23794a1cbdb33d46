//! Generates the files that repeat the tables of variables and outputs, and compares the result with the existing files. With
//! `UPDATE=1`, overwrites the existing files instead.

mod ci_variables;

use std::path::Path;

use crate::config::variables::{self, DefaultValue, FIELDS, FIELDS_PURPOSE, GROUPS, Variable};
use crate::report::output_table::OUTPUTS;
use ci_variables::SystemVariables;

/// Reads a file of the repository.
fn read_file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares a file with its generated text, or writes it if `UPDATE` is set.
#[expect(clippy::disallowed_methods, reason = "reads an option of the test run")]
#[track_caller]
fn check_file(path: &str, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), expected).unwrap();
    }
    assert!(
        read_file(path) == expected,
        "`{path}` is out of date: run `UPDATE=1 cargo test --locked --lib generated`"
    );
}

/// Replaces the text between two markers.
fn replace_between(text: &str, start: &str, end: &str, replacement: &str) -> String {
    let (before, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start:?} is missing"));
    let position = rest.find(end).unwrap_or_else(|| panic!("{end:?} is missing"));
    format!("{before}{start}{replacement}{}", &rest[position..])
}

/// Returns the name of the GitHub Action's input for a variable.
fn input_name(variable: &str) -> String {
    variable.trim_start_matches("GITBOOK_").to_lowercase().replace('_', "-")
}

/// Returns the default value of a variable in Markdown.
fn default_value(variable: &Variable) -> Option<String> {
    match variable.default {
        DefaultValue::Unset => None,
        DefaultValue::Literal(value) => Some(format!("`{value}`")),
        DefaultValue::Described(text) => Some(text.to_owned()),
    }
}

#[test]
fn variables_page_is_up_to_date() {
    let mut page = "# Variables

<!-- Generated from the tables in `src/config/variables.rs`. Do not edit. -->

Environment variables set all options; `gitbook-deploy --help` lists them too. An empty variable counts as unset. An invalid value is an
error (exit code 2). An unknown name that is similar to a known one is a warning. The inputs are those of the
[GitHub Action](github.md).
"
    .to_owned();
    for group in GROUPS {
        page += &format!("\n## {}\n\n", group.heading);
        page += "| variable | input | default | meaning |\n|---|---|---|---|\n";
        for variable in group.variables {
            let Variable { name, meaning, .. } = variable;
            let default = default_value(variable).unwrap_or_else(|| "–".to_owned());
            page += &format!("| `{name}` | `{}` | {default} | {meaning} |\n", input_name(name));
        }
    }
    page += &format!("\n## Manifest fields\n\n{FIELDS_PURPOSE}\n\n");
    page += "| variable | input | meaning |\n|---|---|---|\n";
    for field in FIELDS {
        let (name, meaning) = (field.name, field.meaning());
        page += &format!("| `{name}` | `{}` | {meaning} |\n", input_name(name));
    }
    page += "
## Variables of other programs

- `HTTPS_PROXY` and `NO_PROXY` select a proxy, and `SSL_CERT_FILE` names a file of trusted certificates.
- `GITHUB_API_URL` and `CI_API_V4_URL` are the API URLs of GitHub, Gitea or Forgejo, and of GitLab. Their CI systems set them. Set one on
  another CI system if the forge is self-hosted.
- The variables of the CI system describe the event: see [Other CI systems](other-ci.md).
";
    check_file("docs/variables.md", &page);
}

#[test]
fn outputs_page_is_up_to_date() {
    let mut page = "# Outputs

<!-- Generated from the table in `src/report/output_table.rs`. Do not edit. -->

On GitHub, these are the outputs of the action's step. On other CI systems, `GITBOOK_OUTPUT_FILE` names a file that receives one dotenv
line for each. A run also writes them if it fails or skips.

| output | meaning |
|---|---|
"
    .to_owned();
    for row in OUTPUTS {
        page += &format!("| `{}` | {} |\n", row.name, row.meaning);
    }
    page += "
- **Several integrations:** `result`, `name`, `url` and `version` are those of the first integration, and `integrations` has all.
- **Objects of `integrations`:** `name`, `result`, `preview`, `url`, `version`, `manifest`, `script_bytes`, `milliseconds`, `note`, `error`
  (with `message`, `cause` and `hint`), `mode`, `reason` and `sha`. Unknown values are `null`.
- **GitLab** limits a dotenv report to 5 KiB and 20 variables. If the outputs need more, `integrations`, `matrix` and `reason` are
  omitted, with a warning.
- **All results** are in the file of `GITBOOK_REPORT_FILE`, also for hundreds of integrations.
";
    check_file("docs/outputs.md", &page);
}

/// Quotes a YAML scalar.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn action_inputs() -> String {
    let binary = "Path of a binary to run instead of the released one, such as one built by an earlier step.";
    let mut text = format!("  binary:\n    description: {}\n", quote(binary));
    let mut add = |name: &str, description: &str| {
        text += &format!("  {}:\n    description: {}\n", input_name(name), quote(description));
    };
    for variable in GROUPS.iter().flat_map(|group| group.variables) {
        let default = default_value(variable).map(|text| format!(" Default: {text}.")).unwrap_or_default();
        add(variable.name, &format!("{}{default}", variable.meaning));
    }
    FIELDS.iter().for_each(|field| add(field.name, &field.meaning()));
    text
}

fn action_outputs() -> String {
    let output = |(name, meaning): (&str, &str)| {
        let value = format!("${{{{ steps.deploy.outputs.{name} }}}}");
        format!("  {name}:\n    description: {}\n    value: {value}\n", quote(meaning))
    };
    OUTPUTS.iter().map(|row| output((row.name, row.meaning))).collect()
}

fn action_environment() -> String {
    let variable = |name: &str| {
        let input = input_name(name);
        let fallback = if name == "GITHUB_TOKEN" { " || github.token" } else { "" };
        format!("        {name}: ${{{{ inputs.{input} || env.{name}{fallback} }}}}\n")
    };
    variables::names().map(variable).collect()
}

#[test]
fn action_yml_is_up_to_date() {
    let path = "action.yml";
    let generated = format!("{}\noutputs:\n{}", action_inputs(), action_outputs());
    let text = replace_between(&read_file(path), "\ninputs:\n", "\nruns:\n", &generated);
    // The variables are the last lines of the file.
    let (steps, _) = text.split_once("        GITBOOK_TOKEN: ").unwrap();
    check_file(path, &(steps.to_owned() + &action_environment()));
}

#[test]
fn docker_env_file_is_up_to_date() {
    let mut text = "\
# The variables that the program reads, for `docker run --env-file`. A name without a value passes the variable of the job, if it is
# set. Add the variables that your manifests name in `${{ env.… }}`.

# The program
"
    .to_owned();
    variables::names().for_each(|name| text += &format!("{name}\n"));
    for SystemVariables { name, variables } in ci_variables::by_system() {
        text += &format!("\n# {name}\n{}\n", variables.join("\n"));
    }
    check_file("examples/docker/gitbook.env", &text);
}

#[test]
fn fuzzing_dictionary_is_up_to_date() {
    let path = "fuzz/dictionaries/configuration.dict";
    let systems = ci_variables::by_system().into_iter().flat_map(|system| system.variables);
    let names = variables::names().map(str::to_owned).chain(systems);
    let generated: String = names.map(|name| format!("\"\\x0a{name}=\"\n")).collect();
    let start = "# Generated: the variables of `examples/docker/gitbook.env`.\n";
    check_file(path, &replace_between(&read_file(path), start, "\n# Other variables\n", &generated));
}
