//! Packaging resources that all integrations of a run share.

mod processes;
mod script_cache;
mod threads;

pub(crate) use processes::{BUNDLE_ARGUMENT, ProcessPool};
pub(super) use processes::{ProcessEnd, ProcessReply};
pub(super) use script_cache::CachedScript;
pub(super) use threads::Threads;
pub(crate) use threads::processor_count;
pub(super) use threads::run_with_large_stack;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use script_cache::ScriptCache;

use super::discovery::IntegrationSource;
use super::manifest::Manifest;
use crate::diagnostic::Diagnostic;

type LoadedManifest = Result<Manifest, Box<Diagnostic>>;

/// The resources that all integrations of a run share: the manifests as read from files, the bundled scripts, and the bundler's
/// threads and processes.
#[derive(Debug)]
pub(crate) struct PackagingContext {
    manifests: Mutex<HashMap<Option<PathBuf>, LoadedManifest>>,
    pub(super) script_cache: ScriptCache,
    pub(super) threads: Threads,
    pub(crate) processes: ProcessPool,
}

impl PackagingContext {
    /// Creates a context that bundles in child processes, which run `program`. Without a program, or if it cannot be started,
    /// this process bundles the scripts itself.
    pub(crate) fn new(program: Option<PathBuf>) -> Self {
        Self {
            manifests: Mutex::default(),
            script_cache: ScriptCache::default(),
            threads: Threads::default(),
            processes: ProcessPool::new(program),
        }
    }

    /// Returns the manifest of an integration. Calls `load` only once for each manifest in a run.
    pub(super) fn manifest(
        &self,
        source: &IntegrationSource,
        load: impl FnOnce() -> LoadedManifest,
    ) -> LoadedManifest {
        let mut manifests = self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        manifests.entry(source.manifest.clone()).or_insert_with(load).clone()
    }
}

impl Default for PackagingContext {
    fn default() -> Self {
        Self::new(None)
    }
}
