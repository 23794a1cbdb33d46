//! Finds programs whose modules the bundler would evaluate in another order than that of their imports.

use std::collections::{HashMap, HashSet};

use rolldown::plugin::PluginContext;

use super::plugin::Found;

/// Returns whether the script needs an option that keeps the order, with which it is larger.
pub(super) fn keeps_order(ctx: &PluginContext, found: &Found) -> bool {
    let is_lazy = found.modules.iter().any(|module| {
        let info = ctx.get_module_info(module);
        // It starts where its importer does, but the other importers do not wait.
        info.is_some_and(|info| !info.importers.is_empty() && !info.dynamic_importers.is_empty())
    });
    let importers = found.modules.iter().map(|module| {
        let info = ctx.get_module_info(module);
        let importers = info.iter().flat_map(|info| &info.importers).map(|id| id.as_str().to_owned());
        (module.as_str(), importers.collect::<HashSet<_>>())
    });
    let importers: HashMap<_, _> = importers.collect();
    let are_mixed = |module: &str, kind: &HashSet<String>| {
        let of_kind = importers[module].intersection(kind).count();
        of_kind > 0 && of_kind < importers[module].len()
    };
    // One that Node takes for an ES module reads another `default`.
    let has_two_defaults = found.transpiled.iter().any(|module| are_mixed(module, &found.node_modules));
    // One that is imported is evaluated before another that requires it.
    let is_early = found.modules.iter().any(|module| are_mixed(module, &found.requiring));
    let wrapped = wrapped(found, &importers);
    // One that a wrapped ES module imports, too, is evaluated where the last of the other modules starts.
    let is_late = found.modules.iter().any(|module| are_mixed(module, &wrapped));
    is_lazy || has_two_defaults || is_early || is_late
}

/// Returns the ES modules that start only when they are required, and those that they import.
fn wrapped(found: &Found, importers: &HashMap<&str, HashSet<String>>) -> HashSet<String> {
    let mut wrapped = HashSet::new();
    loop {
        let es_modules = found.modules.iter().filter(|module| !found.commonjs.contains(*module));
        let more: Vec<_> = es_modules
            .filter(|module| !wrapped.contains(*module))
            .filter(|module| {
                let mut importers = importers[module.as_str()].iter();
                importers.any(|importer| found.requiring.contains(importer) || wrapped.contains(importer))
            })
            .cloned()
            .collect();
        if more.is_empty() {
            return wrapped;
        }
        wrapped.extend(more);
    }
}
