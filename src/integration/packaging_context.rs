//! What all integrations of a run are packaged with.

mod processes;
mod script_cache;
mod threads;

pub(crate) use processes::{ARGUMENT, Processes};
pub(super) use processes::{Answer, End};
pub(super) use script_cache::CachedScript;
pub(super) use threads::Threads;
pub(crate) use threads::processors;
pub(super) use threads::with_large_stack;

use std::path::PathBuf;

use script_cache::ScriptCache;

/// Where scripts are bundled, and where they wait to be sent.
#[derive(Debug)]
pub(crate) struct PackagingContext {
    pub(super) script_cache: ScriptCache,
    pub(super) threads: Threads,
    pub(crate) processes: Processes,
}

impl PackagingContext {
    /// Bundles in processes of a program, or in this one if there is none or it cannot be started.
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
