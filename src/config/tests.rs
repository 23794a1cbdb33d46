//! What variables make of a configuration.

use secrecy::ExposeSecret;

use super::{Config, Endpoint, Mode};
use crate::environment::Environment;

fn read(variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    Config::from_environment(&Environment::of(variables)).map(|(config, _)| config).map_err(|problems| {
        problems.iter().map(|d| format!("{d} ({})", d.hint.clone().unwrap_or_default())).collect()
    })
}

#[test]
fn nothing_set_is_the_contracts_defaults() {
    let config = read(&[]).unwrap();
    assert_eq!(config.endpoint, Endpoint::Url("https://api.gitbook.com".parse().unwrap()));
    assert_eq!(config.mode, Mode::Auto);
    assert_eq!(config.patterns(), ["."]);
    assert_eq!(config.sandbox_dir, std::path::Path::new("/repo/.gitbook-sandbox"));
    assert_eq!((config.retries, config.timeout.as_secs(), config.concurrency.get()), (4, 60, 4));
    assert_eq!((config.dry_run, config.bundle, config.skip_unchanged), (false, true, true));
    assert!(config.token.is_none() && !config.has_token());
}

#[test]
fn everything_can_be_set() {
    let config = read(&[
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
    assert_eq!(config.patterns(), ["a", "b", "c/*"]);
    assert_eq!(config.preview_env.as_deref(), Some("prod"));
    assert_eq!((config.timeout.as_secs(), config.dry_run, config.preview_visibility), (90, true, "unlisted"));
    let keys: Vec<_> = config.overrides.iter().map(|field| field.key).collect();
    assert_eq!(keys, ["scopes", "title"]);
}

#[test]
fn a_name_that_only_looks_like_a_variable_sets_nothing() {
    let sets_nothing = |name| {
        assert_eq!(read(&[("GITBOOK_MODE", "check"), (name, "publish")]).unwrap().mode, Mode::Check);
        assert_eq!(read(&[(name, "publish")]).unwrap().mode, Mode::Auto, "{name}");
    };
    sets_nothing("GITBOOK_GITBOOK_MODE");
    sets_nothing("GITBOOK_mode");
}

#[test]
fn the_default_said_aloud_selects_nothing_in_particular() {
    let check = |value: &str, expected: Option<&[&str]>| {
        let selected = read(&[("GITBOOK_INTEGRATIONS", value)]).unwrap().integrations;
        let expected = expected.map(|patterns| patterns.iter().map(ToString::to_string).collect());
        assert_eq!(selected, expected, "{value}");
    };
    for nothing in ["", ".", " .\n", ",\n"] {
        check(nothing, None);
    }
    check("./a", Some(&["./a"]));
    check("., a", Some(&[".", "a"]));
}

#[test]
fn a_forges_token_is_taken_without_its_line_break() {
    let check = |value: &str, expected: Option<&str>| {
        let config = read(&[("GITHUB_TOKEN", value), ("GITLAB_TOKEN", value)]).unwrap();
        for token in [config.github_token, config.gitlab_token] {
            assert_eq!(token.as_ref().map(ExposeSecret::expose_secret), expected, "{value:?}");
        }
    };
    check("ghs_x\n", Some("ghs_x"));
    check(" \n", None);
    check("", None);
}

#[test]
fn a_field_is_one_integrations_but_for_the_organization() {
    let check = |variables: &[(&str, &str)], is_named: bool, problem: Option<&str>| {
        let config = read(variables).unwrap();
        let found = config.override_for_one_only().map(|problem| problem.to_string());
        assert_eq!((config.names_integration(), found.as_deref()), (is_named, problem), "{variables:?}");
    };
    check(&[], false, None);
    check(&[("GITBOOK_ORGANIZATION", "acme")], false, None);
    let title = "GITBOOK_TITLE: gives `title` to several integrations";
    check(&[("GITBOOK_ORGANIZATION", "acme"), ("GITBOOK_TITLE", "Hi")], false, Some(title));
    let name = "GITBOOK_NAME: gives `name` to several integrations";
    check(&[("GITBOOK_NAME", "hello")], true, Some(name));
}

fn refused(variable: &str, value: &str, expected: &str) {
    assert_eq!(read(&[(variable, value)]).unwrap_err(), [format!("{variable}: {expected}")]);
}

#[test]
fn a_bad_value_names_the_variable_and_what_is_accepted() {
    refused(
        "GITBOOK_MODE",
        "pubish",
        "not a mode (did you mean `publish`? accepted: auto, publish, preview, delete, sweep, check, plan)",
    );
    refused("GITBOOK_DRY_RUN", "maybe", "neither true nor false (accepted: true, false)");
    refused(
        "GITBOOK_RETRIES",
        "-1",
        "not a whole number from 0 to 20 (accepted: a whole number from 0 to 20)",
    );
    refused(
        "GITBOOK_CONCURRENCY",
        "0",
        "not a whole number from 1 to 64 (accepted: a whole number from 1 to 64)",
    );
    refused(
        "GITBOOK_TIMEOUT",
        "60",
        "not a duration (accepted: a number with its unit, such as `500ms`, `60s` or `2m`)",
    );
    refused(
        "GITBOOK_TIMEOUT",
        "0s",
        "not a duration (accepted: a number with its unit, such as `500ms`, `60s` or `2m`)",
    );
    for (text, why) in [
        ("9/8", ": of 8, there is no share 9"),
        ("0/8", ": they are counted from 1"),
        ("1/0", ": of 0, there is no share 1"),
        ("2", ""),
        ("-1/8", ""),
        ("1/8/9", ""),
    ] {
        let expected = format!("not a share{why} (accepted: `2/8` for the second of eight)");
        refused("GITBOOK_SHARD", text, &expected);
    }
    refused(
        "GITBOOK_PREVIEW_VISIBILITY",
        "public",
        "a preview is never public (accepted: private, unlisted)",
    );
    refused(
        "GITBOOK_PREVIEW_NAME",
        "{name}",
        "gives two branches one name (accepted: text with `{name}` and at least one of `{branch}`, `{pr}` and `{hash}` in it, such as `{name}-{branch}`)",
    );
    refused(
        "GITBOOK_PRODUCTION_BRANCH",
        "a[",
        "not a list of branch names or globs (accepted: names or globs, comma separated, such as `main, release/*, !release/old`)",
    );
}

#[test]
fn the_default_can_be_said_aloud() {
    let config = read(&[
        ("GITBOOK_PREVIEW_VISIBILITY", "private"),
        ("GITBOOK_BUNDLE", "false"),
        ("GITBOOK_DRY_RUN", "False"),
        ("GITBOOK_PREVIEW_ENV", "preview"),
        ("GITBOOK_ENV", "prod"),
    ]);
    let config = config.unwrap();
    assert_eq!((config.preview_visibility, config.bundle, config.dry_run), ("private", false, false));
    assert_eq!((config.env.as_deref(), config.preview_env.as_deref()), (Some("prod"), Some("preview")));
}

#[test]
fn a_token_is_what_can_be_sent() {
    let token = |text| read(&[("GITBOOK_TOKEN", text)]).unwrap().token;
    assert_eq!(token(" gb_api_x+/=\r\n").unwrap().expose_secret(), "gb_api_x+/=");
    assert!(token(" \n").is_none());
    for bad in ["Bearer x", "x\ny", "x\u{0}", "ä"] {
        let expected = "holds a blank, a line break or another character that no token has (accepted: the token alone, as GitBook shows it, without `Bearer`)";
        refused("GITBOOK_TOKEN", bad, expected);
    }
}

#[test]
fn http_is_for_loopback_only() {
    let hint = "(accepted: `https://…`, `http://` for loopback only, or `sandbox`)";
    refused(
        "GITBOOK_ENDPOINT",
        "http://api.gitbook.com",
        &format!("plain `http` would show the token to the network {hint}"),
    );
    refused(
        "GITBOOK_ENDPOINT",
        "http://localhost.example.com",
        &format!("plain `http` would show the token to the network {hint}"),
    );
    refused("GITBOOK_ENDPOINT", "ftp://127.0.0.1", &format!("neither `https` nor `http` {hint}"));
    for address in ["https://user:pw@example.com", "https://user@example.com", "https://:pw@example.com"] {
        refused("GITBOOK_ENDPOINT", address, &format!("holds a user or password {hint}"));
    }
    for address in ["https://example.com?a=b", "https://example.com#a"] {
        refused("GITBOOK_ENDPOINT", address, &format!("holds a query or fragment {hint}"));
    }
    refused("GITBOOK_ENDPOINT", "api.gitbook.com", &format!("not a URL {hint}"));
    for good in
        ["http://localhost:1", "http://127.8.0.1", "http://[::1]:80", "https://example.com/x", "sandbox"]
    {
        assert!(read(&[("GITBOOK_ENDPOINT", good)]).is_ok(), "{good}");
    }
}

#[test]
fn all_bad_values_are_told_at_once() {
    let problems = read(&[("GITBOOK_MODE", "x"), ("GITBOOK_BUNDLE", "x")]).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_is_refused_where_it_matters() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = || std::ffi::OsString::from_vec(vec![b'x', 0xff]);
    let environment = |name: &str| Environment::new([(name.into(), value())], "/".into());
    let problems = Config::from_environment(&environment("GITBOOK_TOKEN")).unwrap_err();
    assert_eq!(problems[0].to_string(), "GITBOOK_TOKEN: not Unicode");
    assert!(Config::from_environment(&environment("UNRELATED")).is_ok());
}
