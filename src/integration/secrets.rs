//! Resolves the secrets of a manifest: replaces `${{ env.NAME }}` with the value of a variable, and `${{ op://… }}` with a value
//! from 1Password.

mod one_password;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::environment::{Environment, is_token_variable};
use crate::preview;
use crate::yaml::YamlMapping;
use one_password::OnePassword;

/// The maximum number of secrets that one integration resolves at the same time.
const MAX_CONCURRENT: usize = 8;

/// A part of a secret's value in the manifest: text or a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SecretPart<'a> {
    Literal(&'a str),
    Variable(&'a str),
    OnePassword(&'a str),
}

/// The resolved secrets of a manifest.
#[derive(Debug, Default)]
pub(crate) struct ManifestSecrets {
    /// The values by key.
    pub(crate) values: BTreeMap<String, SecretString>,
    /// The values of the variables and 1Password items that the secrets refer to. They are also redacted on their own, such as
    /// the value of `KEY` in `Bearer ${{ env.KEY }}`.
    pub(crate) referenced: Vec<SecretString>,
}

impl ManifestSecrets {
    /// Returns the values to redact: all secrets, and the values that they refer to.
    pub(crate) fn values_to_redact(&self) -> Vec<SecretString> {
        self.values.values().chain(&self.referenced).cloned().collect()
    }

    /// Returns the HMAC-SHA-256 of the secrets' keys and values. With a plain hash, anyone could test guesses of a secret.
    pub(super) fn keyed_hash(&self, hash_key: Option<&SecretString>) -> String {
        let hash_key = hash_key.map(SecretString::expose_secret).unwrap_or_default();
        let hmac = Hmac::<Sha256>::new_from_slice(hash_key.as_bytes());
        let Ok(mut hmac) = hmac else { return String::new() };
        for (key, value) in &self.values {
            for text in [key, value.expose_secret()] {
                // The lengths make the boundaries between the texts unambiguous.
                hmac.update(&text.len().to_le_bytes());
                hmac.update(text.as_bytes());
            }
        }
        preview::hex(&hmac.finalize().into_bytes())
    }
}

/// Resolves secrets. Returns the resolved secrets, and a problem for each secret that could not be resolved. Skips entries that
/// are not text, because the schema check reports them. `timeout` is the limit for one call of the 1Password CLI.
pub(crate) async fn resolve(
    secrets: &YamlMapping,
    environment: &Environment,
    timeout: Duration,
) -> (ManifestSecrets, Vec<Diagnostic>) {
    let one_password = &OnePassword { environment, timeout };
    let texts = secrets.0.iter().filter_map(|(key, node)| Some((key, node.as_text()?, &node.location)));
    let values = texts.map(async |(key, text, location)| {
        let mut referenced = Vec::new();
        let value = resolve_value(&key.name, text, one_password, location, &mut referenced).await;
        (&key.name, value, referenced)
    });
    let values: Vec<_> = stream::iter(values).buffered(MAX_CONCURRENT).collect().await;
    let mut resolved = ManifestSecrets::default();
    let mut problems = Vec::new();
    for (key, value, referenced) in values {
        resolved.referenced.extend(referenced);
        match value {
            Ok(value) => drop(resolved.values.insert(key.clone(), value)),
            Err(problem) => problems.push(*problem),
        }
    }
    (resolved, problems)
}

/// Checks secrets without resolving them. Returns errors for invalid syntax and reserved variables, and warnings for missing
/// variables.
pub(crate) fn check(secrets: &YamlMapping, environment: &Environment) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (key, node) in &secrets.0 {
        let Some(text) = node.as_text() else { continue };
        match split_parts(text) {
            Err(problem) => problems.push(invalid_expression_problem(&key.name, problem, &node.location)),
            Ok(parts) => problems.extend(parts.iter().filter_map(|part| match part {
                SecretPart::Variable(name)
                    if is_token_variable(name) || environment.token_variable_in(name).is_some() =>
                {
                    Some(reserved_token_problem(
                        &key.name,
                        name,
                        environment.token_variable_in(name),
                        &node.location,
                    ))
                }
                SecretPart::Variable(name) if environment.get(name).is_none() => {
                    let reason = missing_reason(name, environment);
                    let message =
                        format!("`secrets.{}` uses `{name}`, which is {reason} in this job", key.name);
                    let hint = format!("set `{name}` in the jobs that publish");
                    Some(Diagnostic::warning(node.location.clone(), message).with_hint(hint))
                }
                _ => None,
            })),
        }
    }
    problems
}

async fn resolve_value(
    key: &str,
    text: &str,
    one_password: &OnePassword<'_>,
    location: &SourceLocation,
    referenced: &mut Vec<SecretString>,
) -> Result<SecretString, Box<Diagnostic>> {
    let parts =
        split_parts(text).map_err(|problem| Box::new(invalid_expression_problem(key, problem, location)))?;
    let mut value = String::new();
    for part in parts {
        match part {
            SecretPart::Literal(text) => value.push_str(text),
            SecretPart::Variable(name) => {
                let text = read_variable(key, name, one_password.environment, location)?;
                referenced.push(text.into());
                value.push_str(text);
            }
            SecretPart::OnePassword(reference) => {
                let read = one_password.read(reference).await.map_err(|error| {
                    referenced.extend(error.output);
                    let message = format!("`secrets.{key}`: `op read {reference}` failed: {}", error.reason);
                    let hint = error.cause.hint(reference);
                    Box::new(Diagnostic::error(location.clone(), message).with_hint(hint))
                })?;
                value.push_str(read.expose_secret());
                referenced.push(read);
            }
        }
    }
    if value.contains("${{") || value.contains("$ {{") {
        let message = format!("`secrets.{key}` contains an unresolved expression");
        let hint = "set the variable to the secret's value instead of a `${{ … }}` expression";
        return Err(Box::new(Diagnostic::error(location.clone(), message).with_hint(Some(hint.to_owned()))));
    }
    Ok(value.into())
}

fn read_variable<'a>(
    key: &str,
    name: &str,
    environment: &'a Environment,
    location: &SourceLocation,
) -> Result<&'a str, Box<Diagnostic>> {
    let token = environment.token_variable_in(name);
    if token.is_some() || is_token_variable(name) {
        return Err(Box::new(reserved_token_problem(key, name, token, location)));
    }
    environment.get(name).ok_or_else(|| {
        let reason = missing_reason(name, environment);
        let message = format!("`secrets.{key}` uses `{name}`, which is {reason}");
        let hint = format!("pass `{name}` from the secrets of the CI system to this step");
        Box::new(Diagnostic::error(location.clone(), message).with_hint(hint))
    })
}

/// Returns the reason why a variable has no value.
fn missing_reason(name: &str, environment: &Environment) -> &'static str {
    if environment.is_not_unicode(name) { "not UTF-8" } else { "unset or empty" }
}

/// Returns the error for a secret that uses a token through the variable `name`. Either the name is reserved for a token, or the
/// value contains the token in the variable `token`.
fn reserved_token_problem(
    key: &str,
    name: &str,
    token: Option<&str>,
    location: &SourceLocation,
) -> Diagnostic {
    let value = match token.filter(|token| *token != name) {
        Some(token) => format!(", which contains the value of `{token}`"),
        None => String::new(),
    };
    let message = format!(
        "`secrets.{key}` uses `{name}`{value}; tokens of gitbook-deploy and the CI system are not allowed"
    );
    let hint = "create a separate token for the integration and pass it in another variable".to_owned();
    Diagnostic::error(location.clone(), message).with_hint(hint)
}

fn invalid_expression_problem(key: &str, problem: &str, location: &SourceLocation) -> Diagnostic {
    let hint = "use `${{ env.NAME }}` or `${{ op://vault/item/field }}`".to_owned();
    Diagnostic::error(location.clone(), format!("`secrets.{key}` {problem}")).with_hint(hint)
}

/// Splits the value of a secret into literals and references. On error, returns a description of the problem.
fn split_parts(text: &str) -> Result<Vec<SecretPart<'_>>, &'static str> {
    if text.contains("$ {{") {
        return Err("contains `$ {{`, which is not an expression");
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once("${{") {
        let (inner, after) = after.split_once("}}").ok_or("contains `${{` without `}}`")?;
        parts.push(SecretPart::Literal(literal));
        parts.push(parse_expression(inner.trim())?);
        rest = after;
    }
    parts.push(SecretPart::Literal(rest));
    parts.retain(|part| *part != SecretPart::Literal(""));
    Ok(parts)
}

fn parse_expression(inner: &str) -> Result<SecretPart<'_>, &'static str> {
    let unquoted = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(inner);
    let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    if let Some(name) = inner.strip_prefix("env.").filter(|name| is_word(name)) {
        Ok(SecretPart::Variable(name))
    } else if unquoted.strip_prefix("op://").is_some_and(is_word) {
        Ok(SecretPart::OnePassword(unquoted))
    } else {
        Err("contains an unsupported expression")
    }
}

#[cfg(test)]
mod tests {
    use super::SecretPart::{self, Literal, OnePassword, Variable};
    use super::{check, resolve, split_parts};
    use crate::diagnostic::SourceLocation;
    use crate::environment::Environment;
    use crate::yaml::{YamlMapping, YamlValue};
    use secrecy::ExposeSecret as _;
    use std::time::Duration;

    const TIMEOUT: Duration = Duration::from_secs(1);

    fn check_parts(text: &str, expected: Result<&[SecretPart<'_>], &str>) {
        assert_eq!(split_parts(text).as_deref().map_err(|problem| *problem), expected);
    }

    #[test]
    fn splits_a_value_into_literals_and_references() {
        check_parts("plain", Ok(&[Literal("plain")]));
        check_parts("", Ok(&[]));
        check_parts(
            "a${{ env.X }}b${{env.Y}}",
            Ok(&[Literal("a"), Variable("X"), Literal("b"), Variable("Y")]),
        );
        check_parts("${{ op://v/i/f }}", Ok(&[OnePassword("op://v/i/f")]));
        check_parts("${{ \"op://v/i/f\" }}", Ok(&[OnePassword("op://v/i/f")]));
        check_parts("{{ env.X }}", Ok(&[Literal("{{ env.X }}")]));
    }

    #[test]
    fn unsupported_expressions_are_rejected() {
        check_parts("${{ secrets.X }}", Err("contains an unsupported expression"));
        check_parts("${{ env. }}", Err("contains an unsupported expression"));
        check_parts("${{ env.A B }}", Err("contains an unsupported expression"));
        check_parts("$ {{ env.X }}", Err("contains `$ {{`, which is not an expression"));
        check_parts("${{ env.X", Err("contains `${{` without `}}`"));
    }

    fn secrets(yaml: &str) -> YamlMapping {
        YamlValue::parse(yaml, &SourceLocation::file("m")).unwrap().as_mapping().unwrap().clone()
    }

    async fn resolved(yaml: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, Vec<String>> {
        let (resolved, problems) = resolve(&secrets(yaml), &Environment::of(variables), TIMEOUT).await;
        if problems.is_empty() {
            Ok(resolved.values.values().map(|value| value.expose_secret().to_owned()).collect())
        } else {
            Err(problems.iter().map(ToString::to_string).collect())
        }
    }

    #[tokio::test]
    async fn variables_are_not_expanded_recursively() {
        let variables = [("X", "$& ${1}"), ("Y", "${{ env.X }}")];
        assert_eq!(resolved("k: 'a-${{ env.X }}'", &variables).await.unwrap(), ["a-$& ${1}"]);
        assert_eq!(
            resolved("k: '${{ env.Y }}'", &variables).await.unwrap_err(),
            ["m:1:4: `secrets.k` contains an unresolved expression"]
        );
    }

    #[tokio::test]
    async fn all_problems_are_reported_without_secret_values() {
        assert_eq!(
            resolved(
                "a: '${{ env.NONE }}'\nb: 'hush ${{ secrets.B }}'\nc: '${{ env.EMPTY }}'",
                &[("EMPTY", "")]
            )
            .await
            .unwrap_err(),
            [
                "m:1:4: `secrets.a` uses `NONE`, which is unset or empty",
                "m:2:4: `secrets.b` contains an unsupported expression",
                "m:3:4: `secrets.c` uses `EMPTY`, which is unset or empty",
            ]
        );
    }

    /// Checks a secret from 1Password, with a shell script in place of the 1Password CLI.
    #[cfg(unix)]
    async fn check_one_password(script: Option<&str>, expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        if let Some(script) = script {
            // A shell writes the file. If this process opened the file for writing, child processes of other tests could
            // inherit the open file, and running it would fail with `text file busy`.
            let text = format!("#!/bin/sh\n{script}\n");
            let written = std::process::Command::new("/bin/sh")
                .args(["-c", "printf %s \"$1\" > op && chmod +x op", "sh", &text])
                .current_dir(folder.path())
                .status();
            assert!(written.unwrap().success());
        }
        let variables = [
            ("PATH", folder.path().to_str().unwrap()),
            ("GITBOOK_TOKEN", "ours"),
            ("GITHUB_TOKEN", "ours"),
            ("OP_SERVICE_ACCOUNT_TOKEN", "its own"),
        ];
        let found = resolved("k: 'x ${{ op://v/i/f }}'", &variables).await;
        let expected = expected.map(|value| vec![value.to_owned()]);
        let problem = |reason| vec![format!("m:1:4: `secrets.k`: `op read op://v/i/f` failed: {reason}")];
        assert_eq!(found, expected.map_err(problem), "{script:?}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn one_password_receives_only_its_own_token() {
        let script = r#"echo " $* ($OP_SERVICE_ACCOUNT_TOKEN$GITBOOK_TOKEN$GITHUB_TOKEN) ""#;
        check_one_password(Some(script), Ok("x read op://v/i/f (its own)")).await;
        check_one_password(Some("echo hush; echo 'not signed in' >&2; exit 1"), Err("not signed in")).await;
        check_one_password(Some("exit 3"), Err("exit status: 3")).await;
        check_one_password(Some("echo"), Err("the output is empty")).await;
        check_one_password(Some("printf '\\377'"), Err("the output is not UTF-8")).await;
        check_one_password(None, Err("`op` is not on `PATH`")).await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_timeout_ends_one_password_and_its_child_processes() {
        check_one_password(Some("exec /bin/sleep 60"), Err("no response within 1s (`GITBOOK_TIMEOUT`)"))
            .await;
        check_one_password(Some("echo value; /bin/sleep 60 & exit 0"), Ok("x value")).await;
        check_one_password(
            Some("/bin/sleep 60 & /bin/sleep 60"),
            Err("no response within 1s (`GITBOOK_TIMEOUT`)"),
        )
        .await;
    }

    #[tokio::test]
    async fn reserved_tokens_cannot_be_secrets() {
        let variables = [("GITBOOK_TOKEN", "hush"), ("CI_JOB_TOKEN", "hush")];
        let yaml = "a: 'x ${{ env.GITBOOK_TOKEN }}'\nb: '${{ env.CI_JOB_TOKEN }}'\nc: '${{ env.NPM_TOKEN }}'";
        let uses = |line: u8, key, name| {
            format!(
                "m:{line}:4: `secrets.{key}` uses `{name}`; tokens of gitbook-deploy and the CI system are not allowed"
            )
        };
        let expected =
            [uses(1, "a", "GITBOOK_TOKEN"), uses(2, "b", "CI_JOB_TOKEN"), uses(3, "c", "NPM_TOKEN")];
        assert_eq!(resolved(yaml, &variables).await.unwrap_err(), expected);
        let found = check(&secrets(yaml), &Environment::of(&variables));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_check_reports_problems_without_resolving_secrets() {
        let found = check(
            &secrets("a: '${{ env.NONE }}'\nb: '${{ op://v/i/f }}'\nc: '${{ x }}'"),
            &Environment::of(&[]),
        );
        let found: Vec<_> = found.iter().map(|d| format!("{}: {d}", d.severity)).collect();
        assert_eq!(
            found,
            [
                "warning: m:1:4: `secrets.a` uses `NONE`, which is unset or empty in this job",
                "error: m:3:4: `secrets.c` contains an unsupported expression",
            ]
        );
    }
}
