//! Detects scripts whose modules the bundler would not evaluate in import order.

use std::collections::{HashMap, HashSet};

use rolldown::plugin::PluginContext;

use super::module_facts::ModuleFacts;

/// Returns true if the script needs `strict_execution_order`. The option makes a script larger, so it is off by default.
pub(super) fn needs_strict_execution_order(ctx: &PluginContext, facts: &ModuleFacts) -> bool {
    let has_static_and_dynamic_importers = facts.modules.iter().any(|module| {
        let info = ctx.get_module_info(module);
        // The bundler evaluates a module with both kinds of importers when its static importer runs. An `import()` of the
        // module does not wait for this.
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
    // Importers that Node treats as ES modules read a different `default` than other importers.
    let has_two_defaults =
        facts.transpiled_commonjs.iter().any(|module| has_some_importers_in(module, &facts.node_es_modules));
    // An `import` evaluates the module earlier than a `require` would.
    let has_early_evaluation =
        facts.modules.iter().any(|module| has_some_importers_in(module, &facts.requiring_modules));
    let wrapped = wrapped_modules(facts, &importers);
    // If a wrapped ES module is among the importers, the bundler evaluates the module with the last other importer.
    let has_late_evaluation = facts.modules.iter().any(|module| has_some_importers_in(module, &wrapped));
    has_static_and_dynamic_importers || has_two_defaults || has_early_evaluation || has_late_evaluation
}

/// Returns the ES modules that the bundler wraps in functions: those that are loaded with `require`, and all ES modules
/// that these import.
fn wrapped_modules(facts: &ModuleFacts, importers: &HashMap<&str, HashSet<String>>) -> HashSet<String> {
    let mut wrapped = HashSet::new();
    loop {
        let es_modules = facts.modules.iter().filter(|module| !facts.commonjs.contains(*module));
        let newly_wrapped: Vec<_> = es_modules
            .filter(|module| !wrapped.contains(*module))
            .filter(|module| {
                let mut importers = importers[module.as_str()].iter();
                importers
                    .any(|importer| facts.requiring_modules.contains(importer) || wrapped.contains(importer))
            })
            .cloned()
            .collect();
        if newly_wrapped.is_empty() {
            return wrapped;
        }
        wrapped.extend(newly_wrapped);
    }
}
