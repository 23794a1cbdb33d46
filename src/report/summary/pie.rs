//! Pie charts of the packages in each script. The charts are Mermaid code, which GitHub renders.

use super::super::{Printer, escape};
use super::{markdown, script_size};
use crate::deploy::{Outcome, PackageSize, Success};
use crate::error::pluralize;

/// The maximum number of charts. If there are more scripts, the largest ones have charts.
const MAX_CHARTS: usize = 20;

const HEADING: &str = "Script composition in bytes, estimated from the sizes before minification:\n\n";

/// The maximum number of packages that have their own slice in a chart.
const MAX_PACKAGE_SLICES: usize = 6;

/// Returns a chart for each script with known package sizes, the largest script first. Collapses the charts if there is more than
/// one.
pub(super) fn pie_charts(outcomes: &[Outcome], printer: &Printer) -> String {
    let succeeded =
        outcomes.iter().filter_map(|outcome| Some((&*outcome.name, outcome.result.as_ref().ok()?)));
    let mut scripts: Vec<_> = succeeded.filter(|(_, success)| !success.packages.is_empty()).collect();
    scripts.sort_by_key(|(_, success)| std::cmp::Reverse(success.script_bytes));
    if scripts.is_empty() {
        return String::new();
    }
    let mut text = HEADING.to_owned();
    for (name, success) in scripts.iter().take(MAX_CHARTS) {
        text.push_str(&pie_chart(name, success, scripts.len() == 1, printer));
    }
    if let Some(more @ 1..) = scripts.len().checked_sub(MAX_CHARTS) {
        let scripts = pluralize(more, "smaller script");
        text.push_str(&format!("The report file contains the composition of {scripts}.\n\n"));
    }
    text
}

/// Returns a chart in a collapsible section. `is_open` is true if the section is expanded at first.
fn pie_chart(name: &str, success: &Success, is_open: bool, printer: &Printer) -> String {
    let open = if is_open { " open" } else { "" };
    let (name, size) = (markdown(name, printer), script_size(success).unwrap_or_default());
    let mut text = format!("<details{open}><summary>{name}, {size}</summary>\n\n```mermaid\npie showData\n");
    for (label, bytes) in slices(&success.packages, printer) {
        text.push_str(&format!("    \"{label}\" : {bytes}\n"));
    }
    text + "```\n\n</details>\n\n"
}

/// Returns the labels and sizes of the slices: the integration's own source, the largest packages, and all other packages.
///
/// Mermaid shows only the first of two slices with the same label. Different packages may have the same label after escaping, so
/// such packages share a slice. Package labels contain no spaces, so they differ from labels such as `own source`.
fn slices(sizes: &[PackageSize], printer: &Printer) -> Vec<(String, usize)> {
    let (mut slices, mut other_packages, mut other_bytes) = (Vec::<(String, usize)>::new(), 0, 0);
    for size in sizes.iter().filter(|size| size.bytes > 0) {
        let package = size.package.as_deref();
        let label = package.map(|package| escape::pie_label(&printer.redact(package)));
        let label = label.unwrap_or_else(|| "own source".to_owned());
        let packages = slices.iter().filter(|(label, _)| label != "own source").count();
        match slices.iter_mut().find(|(known, _)| *known == label) {
            Some((_, bytes)) => *bytes += size.bytes,
            None if package.is_none() || packages < MAX_PACKAGE_SLICES => slices.push((label, size.bytes)),
            None => (other_packages, other_bytes) = (other_packages + 1, other_bytes + size.bytes),
        }
    }
    if other_packages > 0 {
        slices.push((pluralize(other_packages, "other package"), other_bytes));
    }
    slices
}
