//! Resources for packaging that all integrations of a run share.

mod processes;
mod script_cache;
mod threads;

pub(crate) use processes::{BUNDLE_ARGUMENT, Processes};
pub(super) use processes::{ProcessEnd, ProcessReply};
pub(super) use script_cache::CachedScript;
pub(super) use threads::Threads;
pub(crate) use threads::processors;
pub(super) use threads::with_large_stack;

use std::path::PathBuf;

use script_cache::ScriptCache;

/// The bundler's threads and processes, and the bundled scripts.
#[derive(Debug)]
pub(crate) struct PackagingContext {
    pub(super) script_cache: ScriptCache,
    pub(super) threads: Threads,
    pub(crate) processes: Processes,
}

impl PackagingContext {
    /// Bundles in processes of `program`, or in this process if there is no program or it cannot be started.
    pub(crate) fn new(program: Option<PathBuf>) -> Self {
        Self {
            script_cache: ScriptCache::default(),
            threads: Threads::default(),
            processes: Processes::new(program),
        }
    }
}

impl Default for PackagingContext {
    fn default() -> Self {
        Self::new(None)
    }
}
