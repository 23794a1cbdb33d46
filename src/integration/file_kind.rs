//! The kinds of files that a manifest refers to.

/// A kind of file that a manifest refers to.
#[derive(Debug)]
pub(crate) struct FileKind {
    /// The label in messages, such as "the icon".
    pub label: &'static str,
    /// True to complete the path as the bundler of GitBook's CLI does, such as with a missing extension.
    pub completes_path: bool,
    /// The file extensions for suggestions.
    pub extensions: &'static [&'static str],
}

/// A script to bundle.
pub(crate) const SCRIPT_TO_BUNDLE: FileKind =
    FileKind { label: "the script", completes_path: true, extensions: &SCRIPT_EXTENSIONS };
/// A script that is already built and is not bundled.
pub(crate) const BUILT_SCRIPT: FileKind =
    FileKind { label: "the script", completes_path: false, extensions: &SCRIPT_EXTENSIONS };

const SCRIPT_EXTENSIONS: [&str; 8] = ["ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "cts"];
