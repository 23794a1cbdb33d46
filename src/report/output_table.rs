//! The table of outputs. A test generates `docs/outputs.md` and the outputs of `action.yml` from this table.

/// One row of the table.
pub(crate) struct OutputRow {
    pub output: Output,
    pub name: &'static str,
    /// The meaning for users, in Markdown.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the generated files contain it"))]
    pub meaning: &'static str,
}

/// An output of a run.
#[derive(Clone, Copy)]
pub(crate) enum Output {
    Mode,
    Reason,
    Sha,
    Result,
    Name,
    Url,
    Version,
    Preview,
    Integrations,
    Matrix,
    Count,
}

const fn row(output: Output, name: &'static str, meaning: &'static str) -> OutputRow {
    OutputRow { output, name, meaning }
}

/// All outputs, in the order of the output file.
pub(crate) const OUTPUTS: [OutputRow; 11] = [
    row(
        Output::Mode,
        "mode",
        "Decision: `publish`, `preview`, `delete`, `sweep`, `check`, `plan`, `nothing` or `refuse`.",
    ),
    row(Output::Reason, "reason", "Reason for the decision, in one line."),
    row(Output::Sha, "sha", "Head commit."),
    row(Output::Result, "result", "`published`, `deleted`, `unchanged`, `checked`, `skipped` or `failed`."),
    row(Output::Name, "name", "Name of the published or deleted integration."),
    row(Output::Url, "url", "Page of the integration in the GitBook app."),
    row(Output::Version, "version", "Published version."),
    row(Output::Preview, "preview", "`true` if the run publishes or deletes a preview, else `false`."),
    row(Output::Integrations, "integrations", "JSON array with one object per integration."),
    row(
        Output::Matrix,
        "matrix",
        "Value for `strategy.matrix` with one `shard` per job, as JSON. Only with `GITBOOK_MODE=plan`.",
    ),
    row(Output::Count, "count", "Number of integrations in this run."),
];
