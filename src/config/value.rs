//! The values that a variable may have.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use url::{Host, Url};

use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::integration::list;
use crate::preview::{Template, TemplateError};

/// A value that is read from a variable's text.
pub(super) trait Value: Sized {
    /// What is wrong with a text, without showing it, and optionally a hint in front of what is accepted.
    fn parse(text: &str) -> Result<Self, (String, Option<String>)>;

    /// What is accepted.
    fn accepted() -> String;
}

/// Reads values and remembers what is wrong with them.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<Diagnostic>,
}

impl Reader {
    pub(super) fn read<T: Value>(&mut self, variable: &str, text: Option<String>, default: T) -> T {
        self.optional(variable, text).unwrap_or(default)
    }

    pub(super) fn optional<T: Value>(&mut self, variable: &str, text: Option<String>) -> Option<T> {
        T::parse(text?.trim())
            .map_err(|(message, hint)| {
                let accepted = format!("accepted: {}", T::accepted());
                let hint = hint.map_or_else(|| accepted.clone(), |hint| format!("{hint} {accepted}"));
                self.problems.push(Diagnostic::error(Place::variable(variable), message).hint(hint));
            })
            .ok()
    }

    pub(super) fn flag(&mut self, variable: &str, text: Option<String>, default: bool) -> bool {
        self.read(variable, text, Flag(default)).0
    }

    pub(super) fn finish(self) -> Result<(), Vec<Diagnostic>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What the event asks for.
    Auto,
    /// Publish to production.
    Publish,
    /// Publish the branch's preview.
    Preview,
    /// Delete the branch's preview.
    Delete,
    /// Delete the previews of all branches that are gone.
    Sweep,
    /// Build and validate only.
    Check,
    /// Say what would be done, for a later job to do it.
    Plan,
}

impl Mode {
    const ALL: [(&str, Self); 7] = [
        ("auto", Self::Auto),
        ("publish", Self::Publish),
        ("preview", Self::Preview),
        ("delete", Self::Delete),
        ("sweep", Self::Sweep),
        ("check", Self::Check),
        ("plan", Self::Plan),
    ];
}

impl Value for Mode {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let found = Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|(_, mode)| *mode).ok_or_else(|| {
            let near = nearest(text, Self::ALL.iter().map(|(name, _)| *name));
            ("not a mode".to_owned(), near.map(|name| format!("did you mean `{name}`?")))
        })
    }

    fn accepted() -> String {
        Self::ALL.map(|(name, _)| name).join(", ")
    }
}

/// Where the API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The embedded sandbox.
    Sandbox,
    /// An API root: `https`, or `http` on loopback. Its path ends with a slash.
    Url(Url),
}

impl Default for Endpoint {
    fn default() -> Self {
        // A test holds that this default is a URL.
        Url::parse("https://api.gitbook.com/").map_or(Self::Sandbox, Self::Url)
    }
}

impl Value for Endpoint {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        if text == "sandbox" {
            return Ok(Self::Sandbox);
        }
        let refused = |why: &str| Err((why.to_owned(), None));
        let Ok(mut url) = Url::parse(text) else { return refused("not a URL") };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return refused("plain `http` would show the token to the network"),
            _ => return refused("neither `https` nor `http`"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("holds a user or password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refused("holds a query or fragment");
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self::Url(url))
    }

    fn accepted() -> String {
        "`https://…`, `http://` for loopback only, or `sandbox`".to_owned()
    }
}

/// Whether a request to this URL stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Branch names or globs.
#[derive(Clone, Debug)]
pub struct BranchPatterns {
    texts: Vec<String>,
    globs: GlobSet,
}

impl BranchPatterns {
    /// Whether a branch is one of these.
    #[must_use]
    pub fn matches(&self, branch: &str) -> bool {
        self.globs.is_match(branch)
    }

    /// Just this branch, whatever characters its name has.
    #[must_use]
    pub fn exactly(branch: &str) -> Option<Self> {
        Self::new(&[globset::escape(branch)]).ok()
    }

    fn new(texts: &[String]) -> Result<Self, globset::Error> {
        let mut globs = GlobSetBuilder::new();
        for text in texts {
            // `release/*` means one level, as on every forge.
            globs.add(GlobBuilder::new(text).literal_separator(true).build()?);
        }
        Ok(Self { texts: texts.to_vec(), globs: globs.build()? })
    }
}

impl std::fmt::Display for BranchPatterns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.texts.join(", "))
    }
}

impl Value for BranchPatterns {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let texts: Vec<_> = list(text).map(str::to_owned).collect();
        let refused = || ("not a list of branch names or globs".to_owned(), None);
        if texts.is_empty() {
            return Err(refused());
        }
        Self::new(&texts).map_err(|_| refused())
    }

    fn accepted() -> String {
        "names or globs, comma separated, such as `main, release/*`".to_owned()
    }
}

/// This machine's share of the integrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which share, from 1.
    pub index: usize,
    /// How many shares there are.
    pub total: usize,
}

impl Shard {
    /// The items that fall to this share.
    pub fn of<T>(self, items: impl IntoIterator<Item = T>) -> Vec<T> {
        items.into_iter().skip(self.index - 1).step_by(self.total).collect()
    }
}

impl Value for Shard {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let parsed = text.split_once('/').and_then(|(index, total)| {
            let shard = Self { index: index.trim().parse().ok()?, total: total.trim().parse().ok()? };
            (1..=shard.total).contains(&shard.index).then_some(shard)
        });
        parsed.ok_or_else(|| ("not a share".to_owned(), None))
    }

    fn accepted() -> String {
        "`2/8` for the second of eight".to_owned()
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Workflow commands of GitHub Actions.
    GitHub,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The format that fits where the program runs.
    #[must_use]
    pub fn detect(environment: &crate::environment::Environment) -> Self {
        if environment.get("GITHUB_ACTIONS") == Some("true") {
            Self::GitHub
        } else if environment.get("CI").is_some_and(|ci| !ci.eq_ignore_ascii_case("false")) {
            Self::Json
        } else {
            Self::Text
        }
    }

    /// `GITBOOK_LOG_FORMAT`, or what fits; and what is wrong with the variable.
    #[must_use]
    pub fn from_environment(environment: &crate::environment::Environment) -> (Self, Vec<Diagnostic>) {
        let text = environment.get("GITBOOK_LOG_FORMAT").filter(|text| *text != "auto");
        let mut reader = Reader::default();
        let format = reader.read("GITBOOK_LOG_FORMAT", text.map(str::to_owned), Self::detect(environment));
        (format, reader.problems)
    }
}

impl Value for LogFormat {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        match text {
            "github" => Ok(Self::GitHub),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(("not a log format".to_owned(), None)),
        }
    }

    fn accepted() -> String {
        "auto, github, text, json".to_owned()
    }
}

impl Value for Template {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        text.parse().map_err(|error: TemplateError| (error.to_string(), None))
    }

    fn accepted() -> String {
        "text with `{branch}`, `{pr}` or `{hash}`, and mostly `{name}`, in it, such as `{name}-{branch}`"
            .to_owned()
    }
}

/// The visibility of previews.
pub(super) struct Visibility(pub(super) &'static str);

impl Value for Visibility {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        match text {
            "private" => Ok(Self("private")),
            "unlisted" => Ok(Self("unlisted")),
            "public" => Err(("a preview is never public".to_owned(), None)),
            _ => Err(("not a visibility".to_owned(), None)),
        }
    }

    fn accepted() -> String {
        "private, unlisted".to_owned()
    }
}

struct Flag(bool);

impl Value for Flag {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Self(true)),
            "false" => Ok(Self(false)),
            _ => Err(("neither true nor false".to_owned(), None)),
        }
    }

    fn accepted() -> String {
        "true, false".to_owned()
    }
}

/// A whole number in a range.
fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    range: std::ops::RangeInclusive<T>,
) -> Result<T, (String, Option<String>)> {
    let refused = || (format!("not a whole number from {} to {}", range.start(), range.end()), None);
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(refused)
}

pub(super) struct Concurrency(pub(super) NonZeroUsize);

impl Default for Concurrency {
    fn default() -> Self {
        Self(const { NonZeroUsize::new(4).unwrap() })
    }
}

impl Value for Concurrency {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let refused = || ("not a whole number from 1 to 64".to_owned(), None);
        NonZeroUsize::new(number(text, 1..=64)?).map(Self).ok_or_else(refused)
    }

    fn accepted() -> String {
        "a whole number from 1 to 64".to_owned()
    }
}

pub(super) struct Retries(pub(super) u32);

impl Default for Retries {
    fn default() -> Self {
        Self(4)
    }
}

impl Value for Retries {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        number(text, 0..=20).map(Self)
    }

    fn accepted() -> String {
        "a whole number from 0 to 20".to_owned()
    }
}

pub(super) struct Timeout(pub(super) Duration);

impl Default for Timeout {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

impl Value for Timeout {
    fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
        let parsed = humantime::parse_duration(text).ok().filter(|timeout| has_unit && !timeout.is_zero());
        parsed.map(Self).ok_or_else(|| ("not a duration".to_owned(), None))
    }

    fn accepted() -> String {
        "a number with its unit, such as `500ms`, `60s` or `2m`".to_owned()
    }
}
