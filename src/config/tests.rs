//! Tests the configuration that variables produce.

use secrecy::ExposeSecret;

use super::variables::{DefaultValue, GROUPS};
use super::{Config, Endpoint, Mode};
use crate::environment::Environment;
use crate::integration::RequestedEnvs;

fn read_config(variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    Config::from_environment(&Environment::of(variables)).map(|(config, _)| config).map_err(|problems| {
        problems.iter().map(|d| format!("{d} ({})", d.hint.clone().unwrap_or_default())).collect()
    })
}

#[test]
fn returns_defaults_for_unset_variables() {
    let config = read_config(&[]).unwrap();
    assert_eq!(config.endpoint, Endpoint::Url("https://api.gitbook.com".parse().unwrap()));
    assert_eq!(config.mode, Mode::Auto);
    assert_eq!(config.integration_patterns(), ["."]);
    assert_eq!(config.sandbox_dir, std::path::Path::new("/repo/.gitbook-sandbox"));
    assert_eq!((config.retries, config.timeout.as_secs(), config.concurrency.get()), (4, 60, 4));
    assert_eq!((config.dry_run, config.bundle, config.skip_unchanged), (false, true, true));
    assert!(config.token.is_none() && !config.has_token_or_sandbox());
}

#[test]
fn reads_the_values_of_set_variables() {
    let config = read_config(&[
        ("GITBOOK_TOKEN", "t"),
        ("GITBOOK_ENDPOINT", "http://127.0.0.1:8080/api/"),
        ("GITBOOK_SANDBOX_DIR", "/tmp/s"),
        ("GITBOOK_MODE", "preview"),
        ("GITBOOK_INTEGRATIONS", "a, b\n c/*\n"),
        ("GITBOOK_ENV", "prod"),
        ("GITBOOK_PREVIEW_VISIBILITY", "unlisted"),
        ("GITBOOK_DRY_RUN", "TRUE"),
        ("GITBOOK_TIMEOUT", "1m 30s"),
        ("GITBOOK_SHARD", "2/8"),
        ("GITBOOK_TITLE", "Hi"),
        ("GITBOOK_SCOPES", "a,b"),
    ])
    .unwrap();
    assert_eq!(config.token.as_ref().unwrap().expose_secret(), "t");
    assert_eq!(config.integration_patterns(), ["a", "b", "c/*"]);
    assert_eq!(config.preview_envs, RequestedEnvs::parse("GITBOOK_ENV", "prod"));
    assert_eq!((config.timeout.as_secs(), config.dry_run, config.preview_visibility), (90, true, "unlisted"));
    let keys: Vec<_> = config.overrides.iter().map(|field| field.key).collect();
    assert_eq!(keys, ["scopes", "title"]);
}

#[test]
fn ignores_variables_with_similar_names() {
    let check_ignored = |name| {
        assert_eq!(read_config(&[("GITBOOK_MODE", "check"), (name, "publish")]).unwrap().mode, Mode::Check);
        assert_eq!(read_config(&[(name, "publish")]).unwrap().mode, Mode::Auto, "{name}");
    };
    check_ignored("GITBOOK_GITBOOK_MODE");
    check_ignored("GITBOOK_mode");
}

#[test]
fn treats_the_explicit_default_of_the_integrations_as_unset() {
    let check = |value: &str, expected: Option<&[&str]>| {
        let selected = read_config(&[("GITBOOK_INTEGRATIONS", value)]).unwrap().integrations;
        let expected = expected.map(|patterns| patterns.iter().map(ToString::to_string).collect());
        assert_eq!(selected, expected, "{value}");
    };
    for default in ["", ".", " .\n", ",\n"] {
        check(default, None);
    }
    check("./a", Some(&["./a"]));
    check("., a", Some(&[".", "a"]));
}

#[test]
fn removes_the_line_break_after_a_forge_token() {
    let check = |value: &str, expected: Option<&str>| {
        let config = read_config(&[("GITHUB_TOKEN", value), ("GITLAB_TOKEN", value)]).unwrap();
        for token in [config.github_token, config.gitlab_token] {
            assert_eq!(token.as_ref().map(ExposeSecret::expose_secret), expected, "{value:?}");
        }
    };
    check("ghs_x\n", Some("ghs_x"));
    check(" \n", None);
    check("", None);
}

#[test]
fn only_the_organization_may_apply_to_several_integrations() {
    let check = |variables: &[(&str, &str)], is_named: bool, problem: Option<&str>| {
        let config = read_config(variables).unwrap();
        let found = config.multiple_integrations_error().map(|problem| problem.to_string());
        assert_eq!((config.sets_integration_name(), found.as_deref()), (is_named, problem), "{variables:?}");
    };
    check(&[], false, None);
    check(&[("GITBOOK_ORGANIZATION", "acme")], false, None);
    let title = "GITBOOK_TITLE: sets `title`, but several integrations are selected";
    check(&[("GITBOOK_ORGANIZATION", "acme"), ("GITBOOK_TITLE", "Hi")], false, Some(title));
    let name = "GITBOOK_NAME: sets `name`, but several integrations are selected";
    check(&[("GITBOOK_NAME", "hello")], true, Some(name));
}

#[track_caller]
fn check_error(variable: &str, value: &str, expected: &str) {
    assert_eq!(read_config(&[(variable, value)]).unwrap_err(), [format!("{variable}: {expected}")]);
}

#[test]
fn rejects_an_invalid_value_with_a_hint() {
    check_error(
        "GITBOOK_MODE",
        "pubish",
        "unknown mode (did you mean `publish`? use one of `auto`, `publish`, `preview`, `delete`, `sweep`, `check`, `plan`)",
    );
    check_error("GITBOOK_DRY_RUN", "maybe", "neither `true` nor `false` (use `true` or `false`)");
    check_error("GITBOOK_RETRIES", "-1", "not a whole number from 0 to 20 (use a whole number from 0 to 20)");
    check_error(
        "GITBOOK_CONCURRENCY",
        "0",
        "not a whole number from 1 to 64 (use a whole number from 1 to 64)",
    );
    check_error(
        "GITBOOK_TIMEOUT",
        "60",
        "invalid duration (use a number with a unit, such as `500ms`, `60s` or `2m`)",
    );
    check_error(
        "GITBOOK_TIMEOUT",
        "0s",
        "the duration is zero (use a number with a unit, such as `500ms`, `60s` or `2m`)",
    );
    for (text, message) in [
        ("9/8", "shard 9 does not exist; the total is 8"),
        ("0/8", "shard 0 does not exist; shards are numbered from 1"),
        ("1/0", "shard 1 does not exist; the total is 0"),
        ("2", "invalid shard"),
        ("-1/8", "invalid shard"),
        ("1/8/9", "invalid shard"),
    ] {
        let expected =
            format!("{message} (use a number and a total, such as `2/8` for the second of eight shards)");
        check_error("GITBOOK_SHARD", text, &expected);
    }
    check_error(
        "GITBOOK_PREVIEW_VISIBILITY",
        "public",
        "a preview cannot be public (use `private` or `unlisted`)",
    );
    check_error(
        "GITBOOK_PREVIEW_NAME",
        "{name}",
        "gives all branches the same name; add `{branch}`, `{pr}` or `{hash}` (use `{name}` and at least one of `{branch}`, `{pr}` and `{hash}`, such as `{name}-{branch}`)",
    );
    check_error(
        "GITBOOK_PRODUCTION_BRANCH",
        "a[",
        "invalid glob (use names or globs, separated by commas, such as `main, release/*, !release/old`)",
    );
}

#[test]
fn accepts_explicit_defaults_and_any_case_of_booleans() {
    let config = read_config(&[
        ("GITBOOK_PREVIEW_VISIBILITY", "private"),
        ("GITBOOK_BUNDLE", "false"),
        ("GITBOOK_DRY_RUN", "False"),
        ("GITBOOK_PREVIEW_ENV", "preview"),
        ("GITBOOK_ENV", "prod"),
    ]);
    let config = config.unwrap();
    assert_eq!((config.preview_visibility, config.bundle, config.dry_run), ("private", false, false));
    assert_eq!(
        (config.envs.names(), config.preview_envs.names()),
        (&["prod".to_owned()][..], &["preview".to_owned()][..])
    );
}

#[test]
fn rejects_a_token_with_invalid_characters() {
    let token = |text| read_config(&[("GITBOOK_TOKEN", text)]).unwrap().token;
    assert_eq!(token(" gb_api_x+/=\r\n").unwrap().expose_secret(), "gb_api_x+/=");
    assert!(token(" \n").is_none());
    for invalid in ["Bearer x", "x\ny", "x\u{0}", "ä"] {
        let expected = "contains a space, a line break or another character that is invalid in a token (use the token as GitBook shows it, without `Bearer`)";
        check_error("GITBOOK_TOKEN", invalid, expected);
    }
}

#[test]
fn accepts_http_for_loopback_addresses_only() {
    let hint = "(use an `https` URL, an `http` URL of a loopback address, or `sandbox`)";
    check_error(
        "GITBOOK_ENDPOINT",
        "http://api.gitbook.com",
        &format!("plain `http` would send the token unencrypted {hint}"),
    );
    check_error(
        "GITBOOK_ENDPOINT",
        "http://localhost.example.com",
        &format!("plain `http` would send the token unencrypted {hint}"),
    );
    check_error(
        "GITBOOK_ENDPOINT",
        "ftp://127.0.0.1",
        &format!("the scheme is neither `https` nor `http` {hint}"),
    );
    for address in ["https://user:pw@example.com", "https://user@example.com", "https://:pw@example.com"] {
        check_error("GITBOOK_ENDPOINT", address, &format!("the URL contains a user name or password {hint}"));
    }
    for address in ["https://example.com?a=b", "https://example.com#a"] {
        check_error("GITBOOK_ENDPOINT", address, &format!("the URL contains a query or fragment {hint}"));
    }
    check_error("GITBOOK_ENDPOINT", "api.gitbook.com", &format!("invalid URL {hint}"));
    for valid in
        ["http://localhost:1", "http://127.8.0.1", "http://[::1]:80", "https://example.com/x", "sandbox"]
    {
        assert!(read_config(&[("GITBOOK_ENDPOINT", valid)]).is_ok(), "{valid}");
    }
}

#[test]
fn reports_all_errors_at_once() {
    let problems = read_config(&[("GITBOOK_MODE", "x"), ("GITBOOK_BUNDLE", "x")]).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[cfg(unix)]
#[test]
fn rejects_non_unicode_values_of_its_own_variables_only() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = || std::ffi::OsString::from_vec(vec![b'x', 0xff]);
    let environment = |name: &str| Environment::new([(name.into(), value())], "/".into());
    let problems = Config::from_environment(&environment("GITBOOK_TOKEN")).unwrap_err();
    assert_eq!(problems[0].to_string(), "GITBOOK_TOKEN: the value is not UTF-8");
    assert!(Config::from_environment(&environment("UNRELATED")).is_ok());
}

#[test]
fn the_defaults_in_the_table_equal_the_defaults_of_the_program() {
    let defaults = GROUPS.iter().flat_map(|group| group.variables).filter_map(|variable| {
        let DefaultValue::Literal(value) = variable.default else { return None };
        Some((variable.name, value))
    });
    let defaults: Vec<_> = defaults.collect();
    assert_eq!(format!("{:?}", read_config(&defaults).unwrap()), format!("{:?}", read_config(&[]).unwrap()));
}
