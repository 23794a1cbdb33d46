//! The script of an integration, bundled or as it is.

use std::path::{Path, PathBuf};

use super::bundle::{self, Bundle};
use super::manifest::Manifest;
use super::{Packaging, files, paths};
use crate::diagnostic::Diagnostic;

/// Returns the script to send. If the manifest names none, returns no diagnostics: the schema has reported it already.
pub(super) async fn script(
    manifest: &Manifest,
    packaging: &Packaging<'_>,
) -> Result<Bundle, Vec<Diagnostic>> {
    let named = manifest.fields.get("script").and_then(|node| Some((node.as_text()?, &node.place)));
    let (text, place) = named.filter(|(text, _)| !text.is_empty()).ok_or_else(Vec::new)?;
    let folder = packaging.environment.folder();
    let root = packaging.root(&manifest.folder);
    let kind = if packaging.bundle { &paths::ENTRY } else { &paths::BUILT_SCRIPT };
    let path = paths::inside(&root, &manifest.folder, text, kind, place);
    let path = path.map_err(|problem| vec![*problem])?;
    let bundle = if packaging.bundle {
        bundle::bundle(&path, &root, &shown_from(folder), packaging.packaging_context).await?
    } else {
        let script = files::read_text(&path, |path| files::is_content(path, &root)).map_err(|error| {
            let message = format!("the script `{text}` can't be read: {error}");
            let hint = "with `GITBOOK_BUNDLE=false` it must be the built script, as UTF-8 text".to_owned();
            vec![Diagnostic::error(place.clone(), message).hint(hint)]
        })?;
        bundle::check_built(&path, &script, &shown_from(folder), packaging.packaging_context).await?;
        // Nothing tells the packages in it.
        Bundle { script, ..Bundle::default() }
    };
    // A build that failed without a word must not empty an integration.
    if bundle.script.trim().is_empty() {
        let empty = Diagnostic::error(place.clone(), format!("the script `{text}` is empty"));
        return Err(bundle.warnings.into_iter().chain([empty]).collect());
    }
    Ok(bundle)
}

fn shown_from(folder: &Path) -> PathBuf {
    dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}
