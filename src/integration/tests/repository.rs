//! A temporary repository with one integration.

use secrecy::SecretString;
use serde_json::Value;

use crate::environment::Environment;
use crate::integration::{
    Integration, IntegrationSource, Override, Packaged, Packaging, PackagingContext, RequestedEnvs,
    ValueFormat,
};
use crate::integration::{discover, package, source_without_manifest};

/// A manifest with the required fields.
pub(super) const HELLO: &str = "name: hello\ntitle: Hello\norganization: acme\nscript: main.js\nscopes: [space:git:sync, openapi:read]\n";
pub(super) const SCRIPT: &str = "export default 1;\n";

/// A repository and the options for packaging its integration.
pub(super) struct TestRepository {
    packaging_context: PackagingContext,
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, &'static str)>,
    overrides: Vec<Override>,
    envs: RequestedEnvs,
    hash_key: Option<SecretString>,
    resolve_secrets: bool,
    bundle: bool,
}

/// Returns a repository with this manifest and a built script.
pub(super) fn repository(manifest: impl AsRef<[u8]>) -> TestRepository {
    let repository = TestRepository {
        packaging_context: PackagingContext::default(),
        folder: tempfile::tempdir().unwrap(),
        variables: Vec::new(),
        overrides: Vec::new(),
        envs: RequestedEnvs::default(),
        hash_key: None,
        resolve_secrets: true,
        bundle: false,
    };
    repository.file("gitbook-manifest.yaml", manifest).file("main.js", SCRIPT)
}

/// Returns a repository with a manifest that has the required fields and the lines `more`.
pub(super) fn hello(more: &str) -> TestRepository {
    repository(format!("{HELLO}{more}"))
}

impl TestRepository {
    pub(super) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    pub(super) fn without_manifest(self) -> Self {
        std::fs::remove_file(self.folder.path().join("gitbook-manifest.yaml")).unwrap();
        self
    }

    pub(super) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    pub(super) fn field(
        mut self,
        key: &'static str,
        variable: &str,
        format: ValueFormat,
        value: &str,
    ) -> Self {
        self.overrides.push(Override { key, variable: variable.into(), format, value: value.into() });
        self
    }

    pub(super) fn env(self, env: &'static str) -> Self {
        Self { envs: RequestedEnvs::parse("GITBOOK_ENV", env), ..self }
    }

    pub(super) fn hash_key(self, hash_key: &str) -> Self {
        Self { hash_key: Some(hash_key.into()), ..self }
    }

    pub(super) fn without_resolving_secrets(self) -> Self {
        Self { resolve_secrets: false, ..self }
    }

    pub(super) fn bundled(self) -> Self {
        Self { bundle: true, ..self }
    }

    pub(super) fn environment(&self) -> Environment {
        let variables = self.variables.iter().map(|(name, value)| (name.into(), value.into()));
        Environment::new(variables, dunce::canonicalize(self.folder.path()).unwrap())
    }

    pub(super) fn source(&self, environment: &Environment) -> IntegrationSource {
        match discover(&[".".to_owned()], environment.current_folder()) {
            Ok(sources) => sources[0].clone(),
            Err(_) => source_without_manifest(environment.current_folder()),
        }
    }

    pub(super) fn packaging<'a>(&'a self, environment: &'a Environment) -> Packaging<'a> {
        Packaging {
            envs: &self.envs,
            overrides: &self.overrides,
            bundle: self.bundle,
            resolve_secrets: self.resolve_secrets,
            timeout: std::time::Duration::from_secs(60),
            hash_key: self.hash_key.as_ref(),
            environment,
            workspace: None,
            packaging_context: &self.packaging_context,
        }
    }

    pub(super) fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    pub(super) fn packaged(&self) -> Packaged {
        let environment = self.environment();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(package(&self.source(&environment), &self.packaging(&environment)))
    }

    pub(super) fn integration(&self) -> Integration {
        let packaged = self.packaged();
        packaged.integration.unwrap_or_else(|| panic!("{:?}", packaged.problems))
    }

    /// Returns the request's body.
    pub(super) fn body(&self) -> Value {
        serde_json::from_slice(&self.integration().request().unwrap().body().unwrap()).unwrap()
    }

    /// Returns the content hash.
    pub(super) fn hash(&self) -> String {
        self.integration().request().unwrap().hash
    }
}
