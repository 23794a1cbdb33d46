//! Parses workflow commands in a log like GitHub's runner (class `ActionCommand`).

use std::collections::BTreeMap;

/// The names of all workflow commands, in lower case. The runner ignores case.
const KNOWN: [&str; 16] = [
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "internal-set-repo-path",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
];

/// A workflow command that the runner would execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) data: String,
}

/// Returns all workflow commands in a log.
pub(super) fn commands(log: &str) -> Vec<Command> {
    // The runner also splits lines at a lone CR.
    log.split(['\n', '\r'])
        .filter_map(|line| parse_command(line).or_else(|| parse_legacy_command(line)))
        .collect()
}

fn parse_command(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (info, data) = rest.split_once("::")?;
    let unescape = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let property = |text: &str| unescape(&text.replace("%3A", ":").replace("%2C", ","));
    known_command(info, ',', property, unescape(data))
}

fn parse_legacy_command(line: &str) -> Option<Command> {
    let (_, rest) = line.split_once("##[")?;
    let (info, data) = rest.split_once(']')?;
    let unescape = |text: &str| {
        let text = text.replace("%3B", ";").replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%5D", "]").replace("%25", "%")
    };
    known_command(info, ';', unescape, unescape(data))
}

fn known_command(
    info: &str,
    separator: char,
    unescape: impl Fn(&str) -> String,
    data: String,
) -> Option<Command> {
    let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
    let name = name.to_lowercase();
    let pairs = properties.trim().split(separator).filter_map(|pair| pair.split_once('='));
    let properties = pairs.map(|(key, value)| (key.to_owned(), unescape(value))).collect();
    KNOWN.contains(&&*name).then_some(Command { name, properties, data })
}

#[test]
fn finds_workflow_commands() {
    let names = |log: &str| commands(log).into_iter().map(|command| command.name).collect::<Vec<_>>();
    assert_eq!(
        names("a\r \u{a0}::Error::x\n::unknown::x ##[warning]x\n::debug::##[error]x"),
        ["error", "warning", "debug"]
    );
    let all = commands("::error file=a%3Ab%2C,line=1::50%25%0Ax");
    assert_eq!((&*all[0].properties["file"], &*all[0].data), ("a:b,", "50%\nx"));
}
