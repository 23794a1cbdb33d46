//! What scripts are made of, as pies that GitHub draws with Mermaid.

use super::super::{Printer, escape};
use super::{markdown, script};
use crate::deploy::{Outcome, PackageSize, Success};
use crate::error::count;

/// Only the largest scripts have a pie: a page of hundreds would not be looked at.
const MOST_PIES: usize = 20;

/// What is measured before the whole is minified is no more than about right, and says so.
const HEADING: &str =
    "What scripts are made of, in bytes, estimated by what each part has before the whole is minified:\n\n";

/// Packages that have a slice of their own.
const MOST_PACKAGES: usize = 6;

/// One pie a script, the largest first; nothing where nothing is known. Several are folded.
pub(super) fn pies(outcomes: &[Outcome], printer: &Printer) -> String {
    let done = outcomes.iter().filter_map(|outcome| Some((&*outcome.name, outcome.result.as_ref().ok()?)));
    let mut scripts: Vec<_> = done.filter(|(_, done)| !done.parts.is_empty()).collect();
    scripts.sort_by_key(|(_, done)| std::cmp::Reverse(done.script_bytes));
    if scripts.is_empty() {
        return String::new();
    }
    let mut text = HEADING.to_owned();
    for (name, done) in scripts.iter().take(MOST_PIES) {
        text.push_str(&pie(name, done, scripts.len() == 1, printer));
    }
    if let Some(more @ 1..) = scripts.len().checked_sub(MOST_PIES) {
        let scripts = count(more, "smaller script");
        text.push_str(&format!("What {scripts} are made of is in the report file.\n\n"));
    }
    text
}

/// One pie, below a line that can be folded.
fn pie(name: &str, done: &Success, is_open: bool, printer: &Printer) -> String {
    let open = if is_open { " open" } else { "" };
    let (name, size) = (markdown(name, printer), script(done).unwrap_or_default());
    let mut text = format!("<details{open}><summary>{name}, {size}</summary>\n\n```mermaid\npie showData\n");
    for (label, bytes) in slices(&done.parts, printer) {
        text.push_str(&format!("    \"{label}\" : {bytes}\n"));
    }
    text + "```\n\n</details>\n\n"
}

/// The own source, the largest packages and the rest. Mermaid shows the first only of two of one label, and what was
/// made harmless may well be called as another: they are added up. No package's label has a blank in it.
fn slices(parts: &[PackageSize], printer: &Printer) -> Vec<(String, usize)> {
    let (mut slices, mut others, mut rest) = (Vec::<(String, usize)>::new(), 0, 0);
    for part in parts.iter().filter(|part| part.bytes > 0) {
        let package = part.package.as_deref();
        let label = package.map(|package| escape::pie_label(&printer.redacted(package)));
        let label = label.unwrap_or_else(|| "own source".to_owned());
        let packages = slices.iter().filter(|(label, _)| label != "own source").count();
        match slices.iter_mut().find(|(known, _)| *known == label) {
            Some((_, bytes)) => *bytes += part.bytes,
            None if package.is_none() || packages < MOST_PACKAGES => slices.push((label, part.bytes)),
            None => (others, rest) = (others + 1, rest + part.bytes),
        }
    }
    if others > 0 {
        slices.push((count(others, "other package"), rest));
    }
    slices
}
