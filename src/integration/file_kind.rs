//! The kinds of files that a manifest refers to.

/// A kind of file that a manifest refers to.
#[derive(Debug)]
pub(crate) struct FileKind {
    /// The label in messages, such as "the icon".
    pub label: &'static str,
    /// True to complete the path by the rules of the vendor's bundler.
    pub completes_extension: bool,
    /// The file extensions for suggestions.
    pub extensions: &'static [&'static str],
}

/// A script to bundle.
pub(crate) const ENTRY: FileKind =
    FileKind { label: "the script", completes_extension: true, extensions: &SCRIPT_EXTENSIONS };
/// A script that was built elsewhere.
pub(crate) const BUILT_SCRIPT: FileKind =
    FileKind { label: "the script", completes_extension: false, extensions: &SCRIPT_EXTENSIONS };

const SCRIPT_EXTENSIONS: [&str; 8] = ["ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "cts"];
