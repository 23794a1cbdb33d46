//! Bundles the script of an integration, or reads a script that was built elsewhere.

use std::path::{Path, PathBuf};

use super::bundle::{self, Bundle};
use super::manifest::Manifest;
use super::{Packaging, file_kind, files, paths};
use crate::diagnostic::Diagnostic;

/// Returns the script to send. If `script` is missing, the list of problems is empty, because the schema check reports the
/// missing field.
pub(super) async fn load_script(
    manifest: &Manifest,
    packaging: &Packaging<'_>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let script_field = manifest.fields.get("script").and_then(|node| Some((node.as_text()?, &node.location)));
    let (text, location) = script_field.filter(|(text, _)| !text.is_empty()).ok_or_else(Vec::new)?;
    let folder = packaging.environment.current_folder();
    let root = packaging.root(&manifest.folder);
    let kind = if packaging.bundle { &file_kind::SCRIPT_TO_BUNDLE } else { &file_kind::BUILT_SCRIPT };
    let path = paths::resolve(&root, &manifest.folder, text, kind, location);
    let path = path.map_err(|problem| vec![*problem])?;
    let bundle = if packaging.bundle {
        bundle::bundle(&path, &root, &display_base(folder), packaging.packaging_context).await?
    } else {
        let script =
            files::read_text(&path, |path| files::is_repository_file(path, &root)).map_err(|error| {
                let message = format!("could not read the script `{text}`: {error}");
                let hint =
                    "set `script` to the built script, as UTF-8 text, or remove `GITBOOK_BUNDLE=false`"
                        .to_owned();
                vec![Diagnostic::error(location.clone(), message).with_hint(hint)]
            })?;
        bundle::check_built_script(&path, &script, &display_base(folder), packaging.packaging_context)
            .await?;
        // The packages in a built script are unknown.
        Bundle { script, ..Bundle::default() }
    };
    // If a build failed silently, its empty script must not replace a published integration.
    if bundle.script.trim().is_empty() {
        let empty = Diagnostic::error(location.clone(), format!("the script `{text}` is empty"))
            .with_hint("check the build step, and set `script` to the script of the integration".to_owned());
        return Err(bundle.warnings.into_iter().chain([empty]).collect());
    }
    Ok(bundle)
}

/// Returns the base folder of relative paths in messages, with symbolic links resolved.
fn display_base(folder: &Path) -> PathBuf {
    dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}
