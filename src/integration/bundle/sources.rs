//! Maps a module to its file, and a file name to the type of the file.

use std::path::{Path, PathBuf};

use rolldown::ModuleType;

/// The ends of the names of files that are imported as text, without the dot in front.
const TEXT_SUFFIXES: [&str; 2] = ["raw.js", "raw.css"];

/// The reason for not reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReadFailure {
    /// The file is not in the repository.
    Outside,
    /// The extension, of a type that cannot be imported.
    Type(String),
    /// The error of the operating system.
    Io(String),
}

/// Returns the file of a module. A query or hash at the end of the module's name is removed.
pub(super) fn file_of(module: &str) -> PathBuf {
    let path = Path::new(module);
    if !module.contains(['?', '#']) || path.is_file() {
        return path.to_owned();
    }
    let end = module.find(['?', '#']).unwrap_or(module.len());
    PathBuf::from(&module[..end])
}

/// Returns the type of a file by its name, with the rules of esbuild.
///
/// # Errors
/// A file type that cannot be imported.
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
        Some(other) => return Err(ReadFailure::Type(format!(".{other}"))),
    })
}
