//! Maps a module name to its file, and a file name to the type of its content.

use std::path::{Path, PathBuf};

use rolldown::ModuleType;

/// The file name suffixes, without the leading dot, of files that are imported as text.
const TEXT_SUFFIXES: [&str; 2] = ["raw.js", "raw.css"];

/// The reason for a failure to read a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReadFailure {
    /// The file is neither in the repository nor in a package.
    Outside,
    /// Files with this extension cannot be imported.
    UnsupportedType(String),
    /// The error message of the operating system.
    Io(String),
}

/// Returns the path of a module's file. Removes a query or hash, such as `?raw`, from the module's name, unless a file has
/// the full name.
pub(super) fn source_path(module: &str) -> PathBuf {
    let path = Path::new(module);
    if !module.contains(['?', '#']) || path.is_file() {
        return path.to_owned();
    }
    let end = module.find(['?', '#']).unwrap_or(module.len());
    PathBuf::from(&module[..end])
}

/// Returns the type of a file's content. Like esbuild, determines the type by the file name.
///
/// # Errors
/// Returns [`ReadFailure::UnsupportedType`] if files with this extension cannot be imported.
pub(super) fn module_type(path: &Path) -> Result<ModuleType, ReadFailure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if TEXT_SUFFIXES.iter().any(|suffix| name.strip_suffix(suffix).is_some_and(|stem| stem.ends_with('.'))) {
        return Ok(ModuleType::Text);
    }
    Ok(match name.rsplit_once('.').map(|(_, extension)| extension) {
        None | Some("js" | "mjs" | "cjs") => ModuleType::Js,
        Some("jsx") => ModuleType::Jsx,
        Some("ts" | "mts" | "cts") => ModuleType::Ts,
        Some("tsx") => ModuleType::Tsx,
        Some("json") => ModuleType::Json,
        Some("txt") => ModuleType::Text,
        // Importing a style sheet has no effect in a script.
        Some("css") => ModuleType::Empty,
        Some(other) => return Err(ReadFailure::UnsupportedType(format!(".{other}"))),
    })
}
