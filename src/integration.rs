//! Builds the body of a publish request from a manifest, its secrets, images and script.

mod bundle;
mod discovery;
mod envs;
mod file_kind;
mod files;
mod images;
mod manifest;
mod name;
mod packaging_context;
mod path_suggestion;
mod paths;
mod redact_manifest;
mod request_body;
mod root;
mod script;
mod script_entry;
mod secrets;
mod source_changed;
mod walk;
mod workload;

pub(crate) use bundle::{PackageSize, serve};
pub(crate) use discovery::{
    DiscoveryError, IntegrationSource, discover, is_at_repository_root, leaves_manifests_unselected,
    source_without_manifest,
};
pub(crate) use envs::{EnvsCheck, RequestedEnvs};
pub(crate) use manifest::split_list;
pub(crate) use manifest::{Override, ValueFormat};
use name::name_problem;
pub(crate) use packaging_context::{BUNDLE_ARGUMENT, PackagingContext, processor_count};
pub(crate) use root::Checkout;
pub(crate) use source_changed::SourceChanged;
pub(crate) use workload::{REQUEST_WEIGHT, integration_weights};

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::environment::Environment;
use crate::preview::{self, OwnershipMarker};
use crate::schema;
use crate::yaml::{YamlData, YamlMapping, YamlValue};
use bundle::Bundle;
use images::{ImagePurpose, ManifestImage};
use manifest::Manifest;
use request_body::{BodyContent, BodyFields};
use script::load_script;
use secrets::ManifestSecrets;

/// The options for packaging the integrations of a run.
#[derive(Debug)]
pub(crate) struct Packaging<'a> {
    /// The `envs` entries to apply.
    pub envs: &'a RequestedEnvs,
    /// Manifest fields set by variables.
    pub overrides: &'a [Override],
    /// True to bundle the script, false to send it unchanged.
    pub bundle: bool,
    /// True to resolve secrets, false to check only their syntax.
    pub resolve_secrets: bool,
    /// The time limit for one call of the 1Password CLI.
    pub timeout: Duration,
    /// The HMAC key for secrets in content hashes. Content hashes are public, so without a key, anyone could test guesses of
    /// a secret.
    pub hash_key: Option<&'a SecretString>,
    /// The environment variables, which can supply secrets, and the working directory.
    pub environment: &'a Environment,
    /// The folder of the checkout, if the CI system reports it.
    pub workspace: Option<&'a Path>,
    /// The resources that all integrations share, such as the bundler's processes.
    pub packaging_context: &'a PackagingContext,
}

impl Packaging<'_> {
    /// Returns the repository root, which must contain every file that the manifest in `folder` refers to.
    fn root(&self, folder: &Path) -> PathBuf {
        let working_directory = self.environment.current_folder();
        root::repository_root(folder, Checkout { working_directory, workspace: self.workspace })
    }
}

/// An integration that is ready to publish.
#[derive(Debug)]
pub(crate) struct Integration {
    /// The production name.
    pub name: String,
    /// The manifest file, or the variable that replaces the manifest.
    pub location: SourceLocation,
    fields: BodyFields,
    content: BodyContent,
    /// The packages in the script, with their sizes.
    packages: Vec<PackageSize>,
}

/// A request that publishes an integration. [`Self::body`] builds the body, which an unchanged integration does not need.
#[derive(Debug)]
pub(crate) struct PublishRequest<'a> {
    /// The content hash.
    pub hash: String,
    fields: Cow<'a, BodyFields>,
    content: &'a BodyContent,
}

/// The fields of a preview that differ from production.
#[derive(Clone, Debug)]
pub(crate) struct PreviewIdentity {
    pub name: String,
    pub title: String,
    /// `private` or `unlisted`.
    pub visibility: &'static str,
    /// The marker that identifies the owner of the preview.
    pub marker: OwnershipMarker,
}

/// The result of packaging one integration.
#[derive(Debug)]
pub(crate) struct Packaged {
    /// The integration, or `None` if any of the problems is an error.
    pub integration: Option<Integration>,
    /// The name and organization, or `None` if the manifest cannot be read or has no valid name.
    pub identity: Option<Identity>,
    /// The problems with the manifest, secrets, images and script.
    pub problems: Vec<Diagnostic>,
    /// The secrets to redact from all output, including `problems`.
    pub secrets: Vec<SecretString>,
}

/// The name and organization of an integration.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The production name.
    pub name: String,
    /// The organization's ID or subdomain.
    pub organization: Option<String>,
    /// The location of the manifest.
    pub location: SourceLocation,
    /// The location of the `name` field.
    pub name_location: SourceLocation,
}

/// Returns the identity of an integration. Reads only the manifest.
///
/// # Errors
/// Returns the problems if the manifest cannot be read or has no valid name.
pub(crate) fn identity(
    source: &IntegrationSource,
    packaging: &Packaging<'_>,
) -> Result<Identity, Vec<Diagnostic>> {
    let mut manifest = load_manifest(source, packaging)?;
    // Ignore an invalid `envs` entry: packaging reports it, and a deletion may read the manifest of another branch.
    drop(manifest.apply_env(packaging.envs.names()));
    manifest.apply_overrides(packaging.overrides)?;
    manifest_identity(&manifest).map_err(|problem| vec![*problem])
}

fn manifest_identity(manifest: &Manifest) -> Result<Identity, Box<Diagnostic>> {
    let name = manifest.fields.get("name").and_then(|node| Some((node.as_text()?, &node.location)));
    let missing = || Diagnostic::error(manifest.location.clone(), "`name` is missing");
    let (name, name_location) = name.ok_or_else(missing)?;
    if let Some(problem) = name_problem(name, &manifest.location) {
        return Err(Box::new(problem));
    }
    let organization = manifest.fields.text("organization").map(str::to_owned);
    let location = manifest.location.clone();
    Ok(Identity { name: name.to_owned(), organization, location, name_location: name_location.clone() })
}

/// Packages one integration and collects all its problems.
pub(crate) async fn package(source: &IntegrationSource, packaging: &Packaging<'_>) -> Packaged {
    let (manifest, load_problems) = match load_with_overrides(source, packaging) {
        Ok(manifest) => manifest,
        Err(problems) => {
            return Packaged { integration: None, identity: None, problems, secrets: Vec::new() };
        }
    };
    let identity = manifest_identity(&manifest).ok();
    let mut problems = manifest_problems(&manifest);
    if !load_problems.is_empty() {
        // Ignore missing fields: the `envs` entry or override that could not be applied may set them.
        problems.retain(|problem| problem.location.as_ref() != Some(&manifest.location));
        problems.extend(load_problems);
    }
    let secrets = resolve_secrets(&manifest.fields, packaging);
    let images = async { read_images(&manifest, packaging) };
    // `join!` polls the bundler first, so that its threads are busy while this thread reads secrets and images.
    let (bundle, secrets, images) = futures::join!(load_script(&manifest, packaging), secrets, images);
    let ((secrets, secret_problems), ((icon, previews), image_problems)) = (secrets, images);
    let (bundle, script_problems) = match bundle {
        Ok(mut bundle) => {
            let warnings = std::mem::take(&mut bundle.warnings);
            (Some(bundle), warnings)
        }
        Err(problems) => (None, problems),
    };
    problems.extend([secret_problems, image_problems, script_problems].into_iter().flatten());
    let redacted = secrets.as_ref().map(ManifestSecrets::values_to_redact).unwrap_or_default();
    let name = manifest.fields.text("name").map(str::to_owned);
    let problems: Vec<_> =
        problems.into_iter().map(|problem| problem.for_integration(name.as_deref())).collect();
    let integration = match (name, bundle) {
        (Some(name), Some(Bundle { script, packages, .. })) if !problems.iter().any(Diagnostic::is_error) => {
            let keyed_hash = secrets.as_ref().map(|secrets| secrets.keyed_hash(packaging.hash_key));
            let script = packaging.packaging_context.script_cache.store(script);
            let content = BodyContent { icon, previews, secrets, keyed_hash, script };
            let (fields, location) = (body_fields(&manifest.fields), manifest.location);
            Some(Integration { name, location, fields, content, packages })
        }
        _ => None,
    };
    Packaged { integration, identity, problems, secrets: redacted }
}

/// Loads a manifest and applies its `envs` entry and the overrides. Returns the manifest, and the problems of the entry and the
/// overrides.
fn load_with_overrides(
    source: &IntegrationSource,
    packaging: &Packaging<'_>,
) -> Result<(Manifest, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut manifest = load_manifest(source, packaging)?;
    let mut problems: Vec<_> =
        manifest.apply_env(packaging.envs.names()).err().into_iter().map(|problem| *problem).collect();
    problems.extend(manifest.apply_overrides(packaging.overrides).err().unwrap_or_default());
    Ok((manifest, problems))
}

fn load_manifest(source: &IntegrationSource, packaging: &Packaging<'_>) -> Result<Manifest, Vec<Diagnostic>> {
    let load = || {
        let path = source.manifest.as_deref().map(|path| (path, source.display_path.as_path()));
        Manifest::load(path, &source.folder, &packaging.root(&source.folder))
    };
    packaging.packaging_context.manifest(source, load).map_err(|problem| vec![*problem])
}

/// Returns the problems with the fields of a manifest. Does not check its files and secrets.
fn manifest_problems(manifest: &Manifest) -> Vec<Diagnostic> {
    let node =
        YamlValue { value: YamlData::Mapping(manifest.fields.clone()), location: manifest.location.clone() };
    let findings = schema::check(&node, &schema::MANIFEST);
    let mut problems: Vec<_> = findings.into_iter().map(|finding| finding.diagnostic).collect();
    if let Some(node) = manifest.fields.get("name")
        && let Some(name) = node.as_text()
    {
        problems.extend(name_problem(name, &node.location));
    }
    if let Some(node) = manifest.fields.get("summary")
        && node.as_text().is_some_and(OwnershipMarker::resembles)
    {
        let message = "`summary` contains an ownership marker of gitbook-deploy";
        let hint = "remove the comment that starts with `<!-- gitbook-deploy:`".to_owned();
        problems.push(Diagnostic::error(node.location.clone(), message).with_hint(hint));
    }
    problems
}

async fn resolve_secrets(
    fields: &YamlMapping,
    packaging: &Packaging<'_>,
) -> (Option<ManifestSecrets>, Vec<Diagnostic>) {
    let Some(secrets) = fields.get("secrets").and_then(YamlValue::as_mapping) else {
        return (None, Vec::new());
    };
    if !packaging.resolve_secrets {
        return (Some(ManifestSecrets::default()), secrets::check(secrets, packaging.environment));
    }
    let (resolved, problems) = secrets::resolve(secrets, packaging.environment, packaging.timeout).await;
    (Some(resolved), problems)
}

/// Returns the fields of the request body except files and secrets. Adds the defaults of GitBook's CLI.
fn body_fields(manifest: &YamlMapping) -> BodyFields {
    let excluded = ["name", "script", "icon", "previewImages", "secrets"];
    let included = manifest.0.iter().filter(|(key, _)| !excluded.contains(&key.name.as_str()));
    let mut fields: BodyFields = included.map(|(key, node)| (key.name.clone(), node.to_json())).collect();
    fields.entry("description").or_insert(json!(""));
    fields.entry("runtime").or_insert(json!("v2"));
    fields
}

fn read_images(
    manifest: &Manifest,
    packaging: &Packaging<'_>,
) -> ((Option<ManifestImage>, Vec<ManifestImage>), Vec<Diagnostic>) {
    let root = packaging.root(&manifest.folder);
    let mut problems = Vec::new();
    let mut read = |node: &YamlValue, purpose| {
        let text = node.as_text()?;
        match images::read(&root, &manifest.folder, text, purpose, &node.location) {
            Ok((image, warnings)) => {
                problems.extend(warnings);
                Some(image)
            }
            Err(problem) => {
                problems.push(*problem);
                None
            }
        }
    };
    // GitBook's CLI treats an empty `icon` as missing.
    let icon = manifest.fields.get("icon").filter(|node| node.as_text() != Some(""));
    let icon = icon.and_then(|node| read(node, ImagePurpose::Icon));
    let previews = manifest.fields.get("previewImages").and_then(|node| node.as_list()).unwrap_or_default();
    let previews = previews.iter().filter_map(|node| read(node, ImagePurpose::Preview)).collect();
    ((icon, previews), problems)
}

impl Integration {
    /// Returns the size of the script in bytes.
    #[must_use]
    pub(crate) fn script_bytes(&self) -> usize {
        self.content.script.len()
    }

    /// Returns the packages in the script, the largest first. The list is empty for a script that was built elsewhere.
    #[must_use]
    pub(crate) fn packages(&self) -> &[PackageSize] {
        &self.packages
    }

    /// Returns the production title.
    #[must_use]
    pub(crate) fn title(&self) -> &str {
        self.text("title")
    }

    /// Returns a text field of the request, or an empty string if the field is missing.
    #[must_use]
    pub(crate) fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(serde_json::Value::as_str).unwrap_or_default()
    }

    /// Returns a field of the request.
    #[must_use]
    pub(crate) fn field(&self, field: &str) -> Option<&serde_json::Value> {
        self.fields.get(field)
    }

    /// Returns the scopes in alphabetical order.
    #[must_use]
    pub(crate) fn scopes(&self) -> BTreeSet<&str> {
        let scopes = self.fields.get("scopes").and_then(serde_json::Value::as_array);
        scopes.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
    }

    /// Returns the request that publishes to production.
    ///
    /// # Errors
    /// Returns an error if the script can no longer be read.
    pub(crate) fn request(&self) -> Result<PublishRequest<'_>, SourceChanged> {
        let hash = self.content.content_hash(&self.name, &self.fields)?;
        Ok(PublishRequest { hash, fields: Cow::Borrowed(&self.fields), content: &self.content })
    }

    /// Returns the request that publishes a preview. Also returns the preview's marker, completed with the hash and the script
    /// size. The request is `None` if the marker does not fit into the summary.
    ///
    /// # Errors
    /// Returns an error if the script can no longer be read.
    pub(crate) fn preview_request(
        &self,
        identity: &PreviewIdentity,
    ) -> Result<(Option<PublishRequest<'_>>, OwnershipMarker), SourceChanged> {
        let mut fields = self.fields.clone();
        fields.insert("title".to_owned(), identity.title.clone().into());
        fields.insert("visibility".to_owned(), identity.visibility.into());
        let hash = self.content.content_hash(&identity.name, &fields)?;
        let script_bytes = u32::try_from(self.script_bytes()).ok();
        let marker = OwnershipMarker { hash: hash.clone(), script_bytes, ..identity.marker.clone() };
        let request = preview::summary(self.text("summary"), &marker).map(|summary| {
            fields.insert("summary".to_owned(), summary.into());
            PublishRequest { hash, fields: Cow::Owned(fields), content: &self.content }
        });
        Ok((request, marker))
    }
}

impl PublishRequest<'_> {
    /// Returns the JSON body of the request.
    ///
    /// # Errors
    /// Returns an error if a file has changed since it was checked.
    pub(crate) fn body(&self) -> Result<Vec<u8>, SourceChanged> {
        self.content.body(&self.fields)
    }
}

#[cfg(test)]
mod tests;
