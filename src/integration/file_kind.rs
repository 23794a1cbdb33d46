//! The kinds of files that a manifest refers to.

/// A kind of file that a manifest refers to.
#[derive(Debug)]
pub(crate) struct FileKind {
    /// The label in messages, such as "the icon".
    pub label: &'static str,
    /// True if the path may be incomplete, for example without the file extension. GitBook's CLI accepts such paths, too.
    pub completes_path: bool,
    /// The extensions of files to suggest for a misspelled path.
    pub extensions: &'static [&'static str],
}

/// A source file, from which the bundler builds the published script.
pub(crate) const SCRIPT_TO_BUNDLE: FileKind =
    FileKind { label: "the script", completes_path: true, extensions: &SCRIPT_EXTENSIONS };
/// A script that is published without bundling.
pub(crate) const BUILT_SCRIPT: FileKind =
    FileKind { label: "the script", completes_path: false, extensions: &SCRIPT_EXTENSIONS };

const SCRIPT_EXTENSIONS: [&str; 8] = ["ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "cts"];
