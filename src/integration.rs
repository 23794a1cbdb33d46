//! An integration, packaged: manifest, secrets, images and script become the body of a publish request.

mod body;
mod bundle;
mod discovery;
mod entry;
mod files;
mod images;
mod manifest;
mod masked;
mod nearby;
mod paths;
mod root;
mod script;
mod secrets;
mod walk;
mod weight;
mod workshop;

pub(crate) use body::Stale;
pub(crate) use bundle::{Part, serve};
pub(crate) use discovery::{Incomplete, Source, discover, from_variables, is_whole_repository, leaves_out};
pub(crate) use manifest::list;
pub(crate) use manifest::{Form, Override};
pub(crate) use root::Checkout;
pub(crate) use weight::{REQUEST, weights};
pub(crate) use workshop::{ARGUMENT, Workshop, processors};

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;

use crate::diagnostic::{Diagnostic, Place};
use crate::environment::Environment;
use crate::node::{Map, Node, Value};
use crate::preview::{self, Mark};
use crate::schema;
use body::{Content, Fields};
use bundle::Bundle;
use images::{Image, Purpose};
use manifest::Manifest;
use script::script;
use secrets::Secrets;

/// How integrations are packaged in this run.
#[derive(Debug)]
pub(crate) struct Packaging<'a> {
    /// The entry of `envs` to apply.
    pub env: Option<&'a str>,
    /// Fields that variables give.
    pub overrides: &'a [Override],
    /// Whether the script is bundled, or sent as it is.
    pub bundle: bool,
    /// Whether secrets are resolved, or only looked at.
    pub resolve_secrets: bool,
    /// The time that a program may take which is asked for a secret.
    pub timeout: Duration,
    /// What makes secrets unrecognizable in a content hash, which others may see: only who has it can tell whether a
    /// guess is right.
    pub seal: Option<&'a SecretString>,
    /// What secrets are resolved from, and where relative paths start.
    pub environment: &'a Environment,
    /// The folder of the checkout, as the CI system gives it.
    pub workspace: Option<&'a Path>,
    /// Where it is done.
    pub workshop: &'a Workshop,
}

impl Packaging<'_> {
    /// Returns the folder that the paths of a manifest in `folder` must stay in.
    fn root(&self, folder: &Path) -> PathBuf {
        let checkout = Checkout { started_in: self.environment.folder(), workspace: self.workspace };
        root::repository_root(folder, checkout)
    }
}

/// An integration, complete.
#[derive(Debug)]
pub(crate) struct Integration {
    /// Its production name.
    pub name: String,
    /// What the CI system's checkout calls it: the manifest's path, or the variable.
    pub place: Place,
    fields: Fields,
    content: Content,
    /// Whose the script is.
    parts: Vec<Part>,
}

/// What publishes an integration. What stands already is known by the hash alone, without a body.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The content hash.
    pub hash: String,
    fields: Cow<'a, Fields>,
    content: &'a Content,
}

/// What is published under another name than production's.
#[derive(Clone, Debug)]
pub(crate) struct PreviewIdentity {
    /// The preview's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// `private` or `unlisted`.
    pub visibility: &'static str,
    /// Whose it is.
    pub mark: Mark,
}

/// What came of packaging one integration.
#[derive(Debug)]
pub(crate) struct Packaged {
    /// The integration, unless a problem is an error.
    pub integration: Option<Integration>,
    /// What it is known by, whatever its problems are.
    pub identity: Option<Identity>,
    /// All local problems.
    pub problems: Vec<Diagnostic>,
    /// What must not be seen, in the problems neither.
    pub hidden: Vec<SecretString>,
}

/// What an integration is known by.
#[derive(Debug)]
pub(crate) struct Identity {
    /// Its production name.
    pub name: String,
    /// Its organization's id or subdomain.
    pub organization: Option<String>,
    /// Where the manifest is.
    pub place: Place,
    /// Where its name is written.
    pub named: Place,
}

/// What an integration is known by, for its previews' names; reads nothing but the manifest.
///
/// # Errors
/// When the manifest can't be read or has no valid name.
pub(crate) fn identity(source: &Source, packaging: &Packaging<'_>) -> Result<Identity, Vec<Diagnostic>> {
    let mut manifest = load(source, packaging)?;
    // The manifest may be another branch's, which need not have the entry.
    drop(manifest.apply_env(packaging.env));
    manifest.apply_overrides(packaging.overrides)?;
    known_by(&manifest).map_err(|problem| vec![Diagnostic::error(manifest.place, problem)])
}

fn known_by(manifest: &Manifest) -> Result<Identity, String> {
    let name = manifest.fields.get("name").and_then(|node| Some((node.as_text()?, &node.place)));
    let (name, named) = name.ok_or("`name` is missing")?;
    if let Some(problem) = invalid_name(name) {
        return Err(problem);
    }
    let (name, named, place) = (name.to_owned(), named.clone(), manifest.place.clone());
    Ok(Identity { name, organization: manifest.fields.text("organization").map(str::to_owned), place, named })
}

/// Packages one integration and tells all its problems together.
pub(crate) async fn package(source: &Source, packaging: &Packaging<'_>) -> Packaged {
    let (manifest, unread) = match manifest(source, packaging) {
        Ok(manifest) => manifest,
        Err(problems) => {
            return Packaged { integration: None, identity: None, problems, hidden: Vec::new() };
        }
    };
    let identity = known_by(&manifest).ok();
    let mut problems = check(&manifest);
    if !unread.is_empty() {
        // What is missing may stand in what could not be read.
        problems.retain(|problem| problem.place.as_ref() != Some(&manifest.place));
        problems.extend(unread);
    }
    let secrets = secrets(&manifest.fields, packaging);
    let images = async { images(&manifest, packaging) };
    // The bundler comes first: it has threads of its own, and all else is done meanwhile.
    let (bundle, secrets, images) = futures::join!(script(&manifest, packaging), secrets, images);
    let ((secrets, of_secrets), ((icon, previews), of_images)) = (secrets, images);
    let (bundle, of_script) = match bundle {
        Ok(mut bundle) => {
            let warnings = std::mem::take(&mut bundle.warnings);
            (Some(bundle), warnings)
        }
        Err(problems) => (None, problems),
    };
    problems.extend([of_secrets, of_images, of_script].into_iter().flatten());
    let hidden = secrets.as_ref().map(Secrets::hidden).unwrap_or_default();
    let name = manifest.fields.text("name").map(str::to_owned);
    let problems: Vec<_> = problems.into_iter().map(|problem| problem.of(name.as_deref())).collect();
    let integration = match (name, bundle) {
        (Some(name), Some(Bundle { script, parts, .. })) if !problems.iter().any(Diagnostic::is_error) => {
            let sealed = secrets.as_ref().map(|secrets| secrets.sealed(packaging.seal));
            let script = packaging.workshop.shelf.keep(script);
            let content = Content { icon, previews, secrets, sealed, script };
            let (fields, place) = (fields(&manifest.fields), manifest.place);
            Some(Integration { name, place, fields, content, parts })
        }
        _ => None,
    };
    Packaged { integration, identity, problems, hidden }
}

/// The manifest, as far as it can be read, and what can't of what is put into it.
fn manifest(
    source: &Source,
    packaging: &Packaging<'_>,
) -> Result<(Manifest, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut manifest = load(source, packaging)?;
    let mut unread: Vec<_> =
        manifest.apply_env(packaging.env).err().into_iter().map(|problem| *problem).collect();
    unread.extend(manifest.apply_overrides(packaging.overrides).err().unwrap_or_default());
    Ok((manifest, unread))
}

fn load(source: &Source, packaging: &Packaging<'_>) -> Result<Manifest, Vec<Diagnostic>> {
    let path = source.manifest.as_deref().map(|path| (path, source.shown.as_path()));
    let root = packaging.root(&source.folder);
    Manifest::load(path, &source.folder, &root).map_err(|problem| vec![*problem])
}

/// What is wrong with the manifest itself.
fn check(manifest: &Manifest) -> Vec<Diagnostic> {
    let node = Node { value: Value::Map(manifest.fields.clone()), place: manifest.place.clone() };
    let found = schema::check(&node, &schema::MANIFEST);
    let mut found: Vec<_> = found.into_iter().map(|finding| finding.diagnostic).collect();
    if let Some(node) = manifest.fields.get("name")
        && let Some(problem) = node.as_text().and_then(invalid_name)
    {
        found.push(Diagnostic::error(node.place.clone(), problem));
    }
    if let Some(node) = manifest.fields.get("summary")
        && node.as_text().is_some_and(Mark::is_in)
    {
        let message = "`summary` holds a mark of gitbook-deploy's own, which says whose a preview is";
        let hint = "remove the comment that starts with `<!-- gitbook-deploy:`".to_owned();
        found.push(Diagnostic::error(node.place.clone(), message).hint(hint));
    }
    found
}

/// What is wrong with a name: the vendor's CLI takes letters, digits and single dashes between them.
fn invalid_name(name: &str) -> Option<String> {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !name.split('-').all(word) {
        Some("`name` may have letters, digits and single dashes between them only".to_owned())
    } else if name.len() > schema::NAME_MAX {
        Some(format!("`name` has {} characters, {} are the most", name.len(), schema::NAME_MAX))
    } else {
        None
    }
}

async fn secrets(fields: &Map, packaging: &Packaging<'_>) -> (Option<Secrets>, Vec<Diagnostic>) {
    let Some(secrets) = fields.get("secrets").and_then(Node::as_map) else { return (None, Vec::new()) };
    if !packaging.resolve_secrets {
        return (Some(Secrets::default()), secrets::check(secrets, packaging.environment));
    }
    let (resolved, problems) = secrets::resolve(secrets, packaging.environment, packaging.timeout).await;
    (Some(resolved), problems)
}

/// The manifest's fields as the request has them, with the values that the vendor's CLI puts where there are none.
fn fields(manifest: &Map) -> Fields {
    let elsewhere = ["name", "script", "icon", "previewImages", "secrets"];
    let own = manifest.0.iter().filter(|(key, _)| !elsewhere.contains(&key.name.as_str()));
    let mut fields: Fields = own.map(|(key, node)| (key.name.clone(), node.to_json())).collect();
    fields.entry("description").or_insert(json!(""));
    fields.entry("runtime").or_insert(json!("v2"));
    fields
}

fn images(manifest: &Manifest, packaging: &Packaging<'_>) -> ((Option<Image>, Vec<Image>), Vec<Diagnostic>) {
    let root = packaging.root(&manifest.folder);
    let mut problems = Vec::new();
    let mut read = |node: &Node, purpose| {
        let text = node.as_text()?;
        match images::read(&root, &manifest.folder, text, purpose, &node.place) {
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
    // The CLI takes an empty icon for none.
    let icon = manifest.fields.get("icon").filter(|node| node.as_text() != Some(""));
    let icon = icon.and_then(|node| read(node, Purpose::Icon));
    let previews = manifest.fields.get("previewImages").and_then(|node| node.as_list()).unwrap_or_default();
    let previews = previews.iter().filter_map(|node| read(node, Purpose::Preview)).collect();
    ((icon, previews), problems)
}

impl Integration {
    /// The length of its script in bytes.
    #[must_use]
    pub(crate) fn script_bytes(&self) -> usize {
        self.content.script.len()
    }

    /// Whose the script is, the largest part first; nothing where that is not known.
    #[must_use]
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The production title.
    #[must_use]
    pub(crate) fn title(&self) -> &str {
        self.text("title")
    }

    /// A text field of the request; empty when it has none.
    #[must_use]
    pub(crate) fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(serde_json::Value::as_str).unwrap_or_default()
    }

    /// A field of the request.
    #[must_use]
    pub(crate) fn field(&self, field: &str) -> Option<&serde_json::Value> {
        self.fields.get(field)
    }

    /// Its scopes, in alphabetical order.
    #[must_use]
    pub(crate) fn scopes(&self) -> BTreeSet<&str> {
        let scopes = self.fields.get("scopes").and_then(serde_json::Value::as_array);
        scopes.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
    }

    /// The request that publishes to production.
    ///
    /// # Errors
    /// When the script can't be read any more.
    pub(crate) fn request(&self) -> Result<Request<'_>, Stale> {
        let hash = self.content.content_hash(&self.name, &self.fields)?;
        Ok(Request { hash, fields: Cow::Borrowed(&self.fields), content: &self.content })
    }

    /// The request that publishes a preview, and its mark with what is known only now; `None` when that does not fit.
    ///
    /// # Errors
    /// When the script can't be read any more.
    pub(crate) fn preview_request(
        &self,
        identity: &PreviewIdentity,
    ) -> Result<Option<(Request<'_>, Mark)>, Stale> {
        let mut fields = self.fields.clone();
        fields.insert("title".to_owned(), identity.title.clone().into());
        fields.insert("visibility".to_owned(), identity.visibility.into());
        let hash = self.content.content_hash(&identity.name, &fields)?;
        let script_bytes = u32::try_from(self.script_bytes()).ok();
        let mark = Mark { hash: hash.clone(), script_bytes, ..identity.mark.clone() };
        let Some(summary) = preview::summary(self.text("summary"), &mark) else { return Ok(None) };
        fields.insert("summary".to_owned(), summary.into());
        Ok(Some((Request { hash, fields: Cow::Owned(fields), content: &self.content }, mark)))
    }
}

impl Request<'_> {
    /// Its body, put together now.
    ///
    /// # Errors
    /// When the checkout was written to meanwhile.
    pub(crate) fn body(&self) -> Result<Vec<u8>, Stale> {
        self.content.body(&self.fields)
    }
}

#[cfg(test)]
mod tests;
