//! Detects scripts with modules that the bundler would evaluate in a different order than their imports.

use std::collections::{HashMap, HashSet};

use rolldown::plugin::PluginContext;

use super::plugin::ModuleFacts;

/// Returns true if the script needs `strict_execution_order`. The option makes a script larger, so it is off by default.
pub(super) fn needs_import_order(ctx: &PluginContext, facts: &ModuleFacts) -> bool {
    let is_lazy = facts.modules.iter().any(|module| {
        let info = ctx.get_module_info(module);
        // The module starts with its static importer. The importers with `import()` do not wait for it.
        info.is_some_and(|info| !info.importers.is_empty() && !info.dynamic_importers.is_empty())
    });
    let importers = facts.modules.iter().map(|module| {
        let info = ctx.get_module_info(module);
        let importers = info.iter().flat_map(|info| &info.importers).map(|id| id.as_str().to_owned());
        (module.as_str(), importers.collect::<HashSet<_>>())
    });
    let importers: HashMap<_, _> = importers.collect();
    let has_some_importers_in = |module: &str, set: &HashSet<String>| {
        let in_set = importers[module].intersection(set).count();
        in_set > 0 && in_set < importers[module].len()
    };
    // Importers that Node treats as ES modules read a different `default`.
    let has_two_defaults =
        facts.transpiled_commonjs.iter().any(|module| has_some_importers_in(module, &facts.node_es_modules));
    // An import evaluates the module before a `require` would.
    let is_early = facts.modules.iter().any(|module| has_some_importers_in(module, &facts.requiring_modules));
    let wrapped = wrapped_modules(facts, &importers);
    // A module that is also imported by a wrapped ES module starts with the last of its other importers.
    let is_late = facts.modules.iter().any(|module| has_some_importers_in(module, &wrapped));
    is_lazy || has_two_defaults || is_early || is_late
}

/// Returns the ES modules that start only at a `require`, with the modules that they import.
fn wrapped_modules(facts: &ModuleFacts, importers: &HashMap<&str, HashSet<String>>) -> HashSet<String> {
    let mut wrapped = HashSet::new();
    loop {
        let es_modules = facts.modules.iter().filter(|module| !facts.commonjs.contains(*module));
        let more: Vec<_> = es_modules
            .filter(|module| !wrapped.contains(*module))
            .filter(|module| {
                let mut importers = importers[module.as_str()].iter();
                importers
                    .any(|importer| facts.requiring_modules.contains(importer) || wrapped.contains(importer))
            })
            .cloned()
            .collect();
        if more.is_empty() {
            return wrapped;
        }
        wrapped.extend(more);
    }
}
