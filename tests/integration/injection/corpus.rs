//! Hostile strings. All contain `pwned`, so that the checks recognize a successful injection.

/// A hostile string and a description of its purpose.
pub(super) struct Injection {
    pub(super) attempt: &'static str,
    pub(super) text: String,
}

/// The hidden markers of the program's own comment and of one row in it.
const ROW: &str = "<!-- gitbook-deploy:comment --> <!-- gitbook-deploy:row name=pwned state=published run=999999 url=https://pwned.example/ -->";

const STRINGS: &[(&str, &str)] = &[
    ("a workflow command", "::error file=pwned.txt,line=1::pwned"),
    ("a workflow command after spaces", "\u{a0}\t \u{3000}::notice title=pwned::pwned"),
    ("a workflow command in a new line", "x\n::set-output name=pwned::pwned\n"),
    ("a workflow command after a lone CR", "x\r::warning::pwned"),
    ("a workflow command after CR and LF", "x\r\n::add-mask::pwned\r\n"),
    ("disabling of workflow commands", "x\n::stop-commands::pwned\n"),
    ("an encoded workflow command", "%0A::error::pwned%0D%0A::debug::pwned %250A::error::pwned"),
    ("a legacy workflow command", "##[error]pwned"),
    ("a legacy workflow command in the middle", "x ##[add-mask]pwned ###[warning]pwned"),
    ("a legacy workflow command in upper case", "x ##[Set-Env name=PWNED;]pwned"),
    ("the end of workflow command data and properties", "a,file=pwned:: ::error::pwned, title=pwned"),
    ("NUL", "x\0pwned"),
    (
        "ANSI escapes for colors, clearing the screen and the window title",
        "\u{1b}[31mpwned\u{1b}[2J\u{1b}]0;pwned\u{7}",
    ),
    ("ANSI escapes with single-byte control characters", "\u{9b}31mpwned\u{9d}0;pwned\u{9c}"),
    ("control characters that overwrite text", "ok\u{8}\u{8}pwned\u{7f}\u{b}\u{c}"),
    (
        "the start of a GitLab log section",
        "\u{1b}[0Ksection_start:1700000000:pwned[collapsed=true]\r\u{1b}[0Kpwned",
    ),
    (
        "the end of the program's GitLab log section",
        "x section_end:1700000000:gitbook_deploy_1\r\u{1b}[0Kpwned",
    ),
    ("bidirectional overrides and isolates", "\u{202e}denwp\u{2066}x\u{2069}\u{202a}pwned\u{202c}"),
    ("bidirectional marks", "\u{200f}pwned\u{200e} 1 \u{61c}pwned"),
    ("Unicode line separators", "x\u{2028}/close pwned\u{2029}::error::pwned\u{85}::error::pwned"),
    ("the end delimiter of an output", "x\nghadelimiter_pwned\npwned=1\nEOF\npwned<<EOF\npwned\nEOF"),
    ("an additional output", "x\npwned=pwned\nurl=pwned"),
    ("a multi-line output", "pwned<<x\npwned\nx\npwned<<pwned"),
    ("shell variables and commands", "$PWNED ${PWNED} %PWNED% $(touch pwned) `touch pwned`; touch pwned"),
    ("quotes", "'pwned' \"pwned\" # pwned \\"),
    ("Markdown blocks", "# pwned\n\n- pwned\n\n> pwned\n\n```\npwned\n\n---\n"),
    (
        "links and images",
        "[pwned](https://pwned.example) ![pwned](https://pwned.example/x.png) <https://pwned.example>",
    ),
    (
        "URLs and email addresses that become links",
        "https://pwned.example www.pwned.example pwned@pwned.example mailto:pwned@pwned.example",
    ),
    ("a link definition", "\n\n[pwned]: https://pwned.example\n\n[pwned] [x][pwned]"),
    ("table cells and another table", "a | pwned | b |\n|---|---|\n| pwned |\n\n| pwned |\n|---|\n"),
    ("the end of a code span", "`pwned` ``pwned`` </code><b>pwned</b> ` <code>"),
    ("a script", "<script>alert('pwned')</script><img src=x onerror=pwned><svg/onload=pwned>"),
    ("an HTML comment", "<!-- pwned --> --> <!-- pwned"),
    ("HTML blocks", "\n\n<details open><summary>pwned</summary>\n\n<pre>pwned"),
    ("a mention", "@pwned @pwned/team (@pwned) x,@pwned"),
    ("a mention with HTML entities", "&#64;pwned &commat;pwned &#x40;pwned &lt;b&gt;pwned"),
    (
        "issue references",
        "#1337 GH-1337 pwned/pwned#1337 !1337 ~pwned %\"pwned\" &1337 $1337 GL-1337 [pwned:1]",
    ),
    ("quick actions", "/close pwned\n/assign @pwned\n/merge pwned\r\n/approve pwned"),
    (
        "math, footnotes, emoji and other Markdown",
        "$`pwned`$ $$pwned$$ [^pwned] :pwned: ~~pwned~~ **pwned** __pwned__ [[pwned]] ==pwned==",
    ),
    ("backslashes", "\\` \\[pwned\\](https://pwned.example) \\@pwned \\\\"),
    ("the program's own comment marker", ROW),
    ("additional JSON log lines", "\"},\n{\"level\":\"ERROR\",\"message\":\"pwned\"}\n{\"pwned\":1}"),
    ("template expressions", "${{ github.token }} {{pwned}} <%= pwned %> #{pwned}"),
    ("a path to another folder", "../../../../pwned"),
    ("a percent-encoded path to another folder", "..%2f..%2fpwned?pwned=1#pwned"),
    ("a `javascript:` link", "javascript:alert('pwned')"),
    ("a URL that closes its link early", "https://pwned.example/> @pwned <https://pwned.example"),
    ("a URL that escapes the end of its link", "https://x.example/ @pwned #1337 \\"),
];

/// Returns all hostile strings, including a line of 1 MiB.
pub(super) fn corpus() -> Vec<Injection> {
    let mut all: Vec<_> =
        STRINGS.iter().map(|(attempt, text)| Injection { attempt, text: (*text).to_owned() }).collect();
    all.push(long_line());
    all
}

/// Returns the hostile strings that an environment variable can contain.
pub(super) fn variable_values() -> Vec<Injection> {
    let fits = |injection: &Injection| injection.text.len() < 64 << 10 && !injection.text.contains('\0');
    corpus().into_iter().filter(fits).collect()
}

/// Returns a line of 1 MiB that repeats several injections.
fn long_line() -> Injection {
    let part = "##[error]pwned\r@pwned <b>pwned</b> \u{1b}[31m";
    Injection { attempt: "a line of 1 MiB", text: part.repeat((1 << 20) / part.len()) }
}

/// Invalid UTF-8.
pub(super) const INVALID_UTF8: &[u8] = b"\xff\xfe pwned \xc3\x28\r::error::pwned \xed\xa0\x80";
