//! Tells how a file is read, by its name and place.

use std::path::{Path, PathBuf};

use rolldown::ModuleType;

/// The start of the file names of the text files that the vendor's CLI knows, after the first dot.
const RAW: [&str; 2] = ["raw.js", "raw.css"];

/// The reason why a file is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is not in the repository.
    Outside,
    /// The extension stands for nothing that a script can import.
    Type(String),
    /// The system does not give it.
    Io(String),
}

/// Returns the file of a module, whose name may have a query or hash.
pub(super) fn file_of(module: &str) -> PathBuf {
    let path = Path::new(module);
    if !module.contains(['?', '#']) || path.is_file() {
        return path.to_owned();
    }
    let end = module.find(['?', '#']).unwrap_or(module.len());
    PathBuf::from(&module[..end])
}

/// Returns how a file is read, by its name, as esbuild reads it.
///
/// # Errors
/// The extension of a file that cannot be imported.
pub(super) fn module_type(path: &Path) -> Result<ModuleType, Unread> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if RAW.iter().any(|raw| name.strip_suffix(raw).is_some_and(|stem| stem.ends_with('.'))) {
        return Ok(ModuleType::Text);
    }
    Ok(match name.rsplit_once('.').map(|(_, extension)| extension) {
        None | Some("js" | "mjs" | "cjs") => ModuleType::Js,
        Some("jsx") => ModuleType::Jsx,
        Some("ts" | "mts" | "cts") => ModuleType::Ts,
        Some("tsx") => ModuleType::Tsx,
        Some("json") => ModuleType::Json,
        Some("txt") => ModuleType::Text,
        // A style sheet has no place in a script: an import of it has no effect.
        Some("css") => ModuleType::Empty,
        Some(other) => return Err(Unread::Type(format!(".{other}"))),
    })
}
