//! Resolves a manifest's secrets: `${{ env.NAME }}` from the environment, `${{ op://… }}` from 1Password.

mod one_password;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::diagnostic::{Diagnostic, Place};
use crate::environment::{Environment, is_token};
use crate::node::Map;
use crate::preview;
use one_password::OnePassword;

/// The number of secrets of one integration that are asked for at once.
const AT_ONCE: usize = 8;

/// One stretch of a secret's text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part<'a> {
    Literal(&'a str),
    Variable(&'a str),
    OnePassword(&'a str),
}

/// Secrets, resolved.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// Their values, by key.
    pub(crate) values: BTreeMap<String, SecretString>,
    /// What was put into them, which is as secret where a value is no more than a part (`Bearer ${{ env.KEY }}`).
    pub(crate) parts: Vec<SecretString>,
}

impl Secrets {
    /// All that must not be seen.
    pub(crate) fn hidden(&self) -> Vec<SecretString> {
        self.values.values().chain(&self.parts).cloned().collect()
    }

    /// HMAC-SHA-256 of keys and values. A plain hash would tell everybody who sees it whether a guess is right.
    pub(super) fn sealed(&self, seal: Option<&SecretString>) -> String {
        let seal = seal.map(SecretString::expose_secret).unwrap_or_default();
        let hmac = Hmac::<Sha256>::new_from_slice(seal.as_bytes());
        let Ok(mut hmac) = hmac else { return String::new() };
        for (key, value) in &self.values {
            for text in [key, value.expose_secret()] {
                // With their lengths, so that where one ends and the next begins matters, too.
                hmac.update(&text.len().to_le_bytes());
                hmac.update(text.as_bytes());
            }
        }
        preview::hex(&hmac.finalize().into_bytes())
    }
}

/// Every secret that can be resolved, and all that is wrong with the others. Entries that are not text are the
/// schema's to report. `limit` is the time that one call of the 1Password CLI may take.
pub(crate) async fn resolve(
    secrets: &Map,
    environment: &Environment,
    limit: Duration,
) -> (Secrets, Vec<Diagnostic>) {
    let one_password = &OnePassword { environment, limit };
    let texts = secrets.0.iter().filter_map(|(key, node)| Some((key, node.as_text()?, &node.place)));
    let values = texts.map(async |(key, text, place)| {
        let mut parts = Vec::new();
        let value = value(&key.name, text, one_password, place, &mut parts).await;
        (&key.name, value, parts)
    });
    let values: Vec<_> = stream::iter(values).buffered(AT_ONCE).collect().await;
    let mut resolved = Secrets::default();
    let mut problems = Vec::new();
    for (key, value, parts) in values {
        resolved.parts.extend(parts);
        match value {
            Ok(value) => drop(resolved.values.insert(key.clone(), value)),
            Err(problem) => problems.push(*problem),
        }
    }
    (resolved, problems)
}

/// What can be said of the secrets without resolving them: mistakes in what they are made of are errors, a
/// variable that is not set here is a warning.
pub(crate) fn check(secrets: &Map, environment: &Environment) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (key, node) in &secrets.0 {
        let Some(text) = node.as_text() else { continue };
        match parts(text) {
            Err(problem) => found.push(malformed(&key.name, problem, &node.place)),
            Ok(parts) => found.extend(parts.iter().filter_map(|part| match part {
                Part::Variable(name) if is_token(name) || environment.token_in(name).is_some() => {
                    Some(taken(&key.name, name, environment.token_in(name), &node.place))
                }
                Part::Variable(name) if environment.get(name).is_none() => Some(Diagnostic::warning(
                    node.place.clone(),
                    format!("`secrets.{}` needs the variable `{name}`, which is not set here", key.name),
                )),
                _ => None,
            })),
        }
    }
    found
}

async fn value(
    key: &str,
    text: &str,
    one_password: &OnePassword<'_>,
    place: &Place,
    secret_parts: &mut Vec<SecretString>,
) -> Result<SecretString, Box<Diagnostic>> {
    let parts = parts(text).map_err(|problem| Box::new(malformed(key, problem, place)))?;
    let mut value = String::new();
    for part in parts {
        match part {
            Part::Literal(text) => value.push_str(text),
            Part::Variable(name) => {
                let text = variable(key, name, one_password.environment, place)?;
                secret_parts.push(text.into());
                value.push_str(text);
            }
            Part::OnePassword(reference) => {
                let read = one_password.read(reference).await.map_err(|failure| {
                    secret_parts.extend(failure.output);
                    Box::new(refused(key, reference, &failure.reason, place))
                })?;
                value.push_str(read.expose_secret());
                secret_parts.push(read);
            }
        }
    }
    if value.contains("${{") || value.contains("$ {{") {
        let message = format!("`secrets.{key}` still holds an expression after it was resolved");
        let hint = "the CI system did not replace it: check how the variable is set there";
        return Err(Box::new(Diagnostic::error(place.clone(), message).hint(Some(hint.to_owned()))));
    }
    Ok(value.into())
}

fn variable<'a>(
    key: &str,
    name: &str,
    environment: &'a Environment,
    place: &Place,
) -> Result<&'a str, Box<Diagnostic>> {
    let token = environment.token_in(name);
    if token.is_some() || is_token(name) {
        return Err(Box::new(taken(key, name, token, place)));
    }
    environment.get(name).ok_or_else(|| {
        let why = if environment.is_unreadable(name) { "not Unicode" } else { "not set, or empty" };
        let message = format!("`secrets.{key}` needs the variable `{name}`, which is {why}");
        let hint = format!("pass `{name}` to this step, from the secrets of your CI system");
        Box::new(Diagnostic::error(place.clone(), message).hint(hint))
    })
}

/// Returns the error for a variable that is a token, or contains the value of the variable `token`.
fn taken(key: &str, name: &str, token: Option<&str>, place: &Place) -> Diagnostic {
    let contained = token.filter(|token| *token != name).map(|token| format!(", which contains `{token}`"));
    let contained = contained.unwrap_or_default();
    let message =
        format!("`secrets.{key}` uses `{name}`{contained}, a token of this program or of the CI system");
    let hint = "give the integration a token of its own, in a variable of another name".to_owned();
    Diagnostic::error(place.clone(), message).hint(hint)
}

fn malformed(key: &str, problem: &str, place: &Place) -> Diagnostic {
    let hint = "accepted: `${{ env.NAME }}` and `${{ op://vault/item/field }}`".to_owned();
    Diagnostic::error(place.clone(), format!("`secrets.{key}` {problem}")).hint(hint)
}

fn refused(key: &str, reference: &str, problem: &str, place: &Place) -> Diagnostic {
    let message = format!("`secrets.{key}`: `op read {reference}` failed: {problem}");
    let hint = "the 1Password CLI `op` must be installed and signed in (`OP_SERVICE_ACCOUNT_TOKEN` in CI)";
    Diagnostic::error(place.clone(), message).hint(Some(hint.to_owned()))
}

/// Takes a secret's text apart; the error says what is wrong with it.
fn parts(text: &str) -> Result<Vec<Part<'_>>, &'static str> {
    if text.contains("$ {{") {
        return Err("holds `$ {{`, which nothing replaces");
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once("${{") {
        let (inner, after) = after.split_once("}}").ok_or("holds a `${{` without its `}}`")?;
        parts.push(Part::Literal(literal));
        parts.push(expression(inner.trim())?);
        rest = after;
    }
    parts.push(Part::Literal(rest));
    parts.retain(|part| *part != Part::Literal(""));
    Ok(parts)
}

fn expression(inner: &str) -> Result<Part<'_>, &'static str> {
    let unquoted = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(inner);
    let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    if let Some(name) = inner.strip_prefix("env.").filter(|name| is_word(name)) {
        Ok(Part::Variable(name))
    } else if unquoted.strip_prefix("op://").is_some_and(is_word) {
        Ok(Part::OnePassword(unquoted))
    } else {
        Err("holds an expression that nothing replaces")
    }
}

#[cfg(test)]
mod tests {
    use super::Part::{self, Literal, OnePassword, Variable};
    use super::{check, parts, resolve};
    use crate::diagnostic::Place;
    use crate::environment::Environment;
    use crate::node::{Map, Node};
    use secrecy::ExposeSecret as _;
    use std::time::Duration;

    const LIMIT: Duration = Duration::from_secs(1);

    fn check_parts(text: &str, expected: Result<&[Part<'_>], &str>) {
        assert_eq!(parts(text).as_deref().map_err(|problem| *problem), expected);
    }

    #[test]
    fn an_expression_stands_anywhere_in_the_text() {
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
    fn what_nothing_replaces_is_refused() {
        check_parts("${{ secrets.X }}", Err("holds an expression that nothing replaces"));
        check_parts("${{ env. }}", Err("holds an expression that nothing replaces"));
        check_parts("${{ env.A B }}", Err("holds an expression that nothing replaces"));
        check_parts("$ {{ env.X }}", Err("holds `$ {{`, which nothing replaces"));
        check_parts("${{ env.X", Err("holds a `${{` without its `}}`"));
    }

    fn secrets(yaml: &str) -> Map {
        Node::parse(yaml, &Place::file("m")).unwrap().as_map().unwrap().clone()
    }

    async fn resolved(yaml: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, Vec<String>> {
        let (resolved, problems) = resolve(&secrets(yaml), &Environment::of(variables), LIMIT).await;
        if problems.is_empty() {
            Ok(resolved.values.values().map(|value| value.expose_secret().to_owned()).collect())
        } else {
            Err(problems.iter().map(ToString::to_string).collect())
        }
    }

    #[tokio::test]
    async fn variables_are_put_in_once() {
        let variables = [("X", "$& ${1}"), ("Y", "${{ env.X }}")];
        assert_eq!(resolved("k: 'a-${{ env.X }}'", &variables).await.unwrap(), ["a-$& ${1}"]);
        assert_eq!(
            resolved("k: '${{ env.Y }}'", &variables).await.unwrap_err(),
            ["m:1:4: `secrets.k` still holds an expression after it was resolved"]
        );
    }

    #[tokio::test]
    async fn all_problems_are_told_at_once_and_no_value_is_shown() {
        assert_eq!(
            resolved(
                "a: '${{ env.NONE }}'\nb: 'hush ${{ secrets.B }}'\nc: '${{ env.EMPTY }}'",
                &[("EMPTY", "")]
            )
            .await
            .unwrap_err(),
            [
                "m:1:4: `secrets.a` needs the variable `NONE`, which is not set, or empty",
                "m:2:4: `secrets.b` holds an expression that nothing replaces",
                "m:3:4: `secrets.c` needs the variable `EMPTY`, which is not set, or empty",
            ]
        );
    }

    /// A secret of 1Password's, where its CLI is this script of the shell.
    #[cfg(unix)]
    async fn check_one_password(script: Option<&str>, expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        if let Some(script) = script {
            // Written by another process: what is open for writing here, a child of another test may hold open.
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
        let problem = |why| vec![format!("m:1:4: `secrets.k`: `op read op://v/i/f` failed: {why}")];
        assert_eq!(found, expected.map_err(problem), "{script:?}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_password_manager_is_asked_without_our_own_tokens() {
        let said = r#"echo " $* ($OP_SERVICE_ACCOUNT_TOKEN$GITBOOK_TOKEN$GITHUB_TOKEN) ""#;
        check_one_password(Some(said), Ok("x read op://v/i/f (its own)")).await;
        check_one_password(Some("echo hush; echo 'not signed in' >&2; exit 1"), Err("not signed in")).await;
        check_one_password(Some("exit 3"), Err("exit status: 3")).await;
        check_one_password(Some("echo"), Err("its answer is empty")).await;
        check_one_password(Some("printf '\\377'"), Err("its answer is not Unicode")).await;
        check_one_password(None, Err("`op` is not on `PATH`")).await;
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_password_manager_has_a_time_limit_and_leaves_nothing_behind() {
        check_one_password(Some("exec /bin/sleep 60"), Err("no answer within 1s (`GITBOOK_TIMEOUT`)")).await;
        check_one_password(Some("echo value; /bin/sleep 60 & exit 0"), Ok("x value")).await;
        check_one_password(
            Some("/bin/sleep 60 & /bin/sleep 60"),
            Err("no answer within 1s (`GITBOOK_TIMEOUT`)"),
        )
        .await;
    }

    #[tokio::test]
    async fn no_token_of_ours_or_of_the_ci_system_is_a_secret() {
        let variables = [("GITBOOK_TOKEN", "hush"), ("CI_JOB_TOKEN", "hush")];
        let yaml = "a: 'x ${{ env.GITBOOK_TOKEN }}'\nb: '${{ env.CI_JOB_TOKEN }}'\nc: '${{ env.NPM_TOKEN }}'";
        let uses = |line: u8, key, name| {
            format!("m:{line}:4: `secrets.{key}` uses `{name}`, a token of this program or of the CI system")
        };
        let expected =
            [uses(1, "a", "GITBOOK_TOKEN"), uses(2, "b", "CI_JOB_TOKEN"), uses(3, "c", "NPM_TOKEN")];
        assert_eq!(resolved(yaml, &variables).await.unwrap_err(), expected);
        let found = check(&secrets(yaml), &Environment::of(&variables));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_check_resolves_nothing() {
        let found = check(
            &secrets("a: '${{ env.NONE }}'\nb: '${{ op://v/i/f }}'\nc: '${{ x }}'"),
            &Environment::of(&[]),
        );
        let found: Vec<_> = found.iter().map(|d| format!("{}: {d}", d.severity)).collect();
        assert_eq!(
            found,
            [
                "warning: m:1:4: `secrets.a` needs the variable `NONE`, which is not set here",
                "error: m:3:4: `secrets.c` holds an expression that nothing replaces",
            ]
        );
    }
}
