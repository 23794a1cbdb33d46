//! Detects scripts in which the bundler would not evaluate all modules in import order.

use std::collections::{HashMap, HashSet};

use rolldown::plugin::PluginContext;

use super::module_facts::ModuleFacts;

/// Returns true if the script needs the bundler option `strict_execution_order`. The option makes a script larger, so it is off
/// by default.
pub(super) fn needs_strict_execution_order(ctx: &PluginContext, facts: &ModuleFacts) -> bool {
    let has_static_and_dynamic_importers = facts.non_entry_modules.iter().any(|module| {
        let info = ctx.get_module_info(module);
        // If some modules import a module statically and others call `import()`, the bundler evaluates the module when a static
        // importer runs. An earlier `import()` does not wait for this evaluation.
        info.is_some_and(|info| !info.importers.is_empty() && !info.dynamic_importers.is_empty())
    });
    let importers = facts.non_entry_modules.iter().map(|module| {
        let info = ctx.get_module_info(module);
        let importers = info.iter().flat_map(|info| &info.importers).map(|id| id.as_str().to_owned());
        (module.as_str(), importers.collect::<HashSet<_>>())
    });
    let importers: HashMap<_, _> = importers.collect();
    let has_only_some_importers_in = |module: &str, set: &HashSet<String>| {
        let in_set = importers[module].intersection(set).count();
        in_set > 0 && in_set < importers[module].len()
    };
    // For the same CommonJS module, importers that Node treats as ES modules read a different `default` export than other
    // importers.
    let has_two_default_exports = facts
        .transpiled_commonjs
        .iter()
        .any(|module| has_only_some_importers_in(module, &facts.node_es_modules));
    // If a module is loaded with both `import` and `require`, the bundler evaluates it at the `import`, which can be earlier than
    // the `require` call.
    let has_early_evaluation = facts
        .non_entry_modules
        .iter()
        .any(|module| has_only_some_importers_in(module, &facts.requiring_modules));
    let wrapped = wrapped_modules(facts, &importers);
    // If only some importers of a module are wrapped ES modules, the bundler evaluates the module too late: with the last
    // importer that is not wrapped.
    let has_late_evaluation =
        facts.non_entry_modules.iter().any(|module| has_only_some_importers_in(module, &wrapped));
    has_static_and_dynamic_importers || has_two_default_exports || has_early_evaluation || has_late_evaluation
}

/// Returns the ES modules that the bundler wraps in functions: all ES modules that a module loads with `require`, and all ES
/// modules that a wrapped module imports.
fn wrapped_modules(facts: &ModuleFacts, importers: &HashMap<&str, HashSet<String>>) -> HashSet<String> {
    let mut wrapped = HashSet::new();
    loop {
        let es_modules =
            facts.non_entry_modules.iter().filter(|module| !facts.commonjs_modules.contains(*module));
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
