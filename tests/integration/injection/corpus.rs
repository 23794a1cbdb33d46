//! Hostile strings. Each successful injection contains `pwned`.

/// A hostile string and its purpose.
pub(super) struct Injection {
    pub(super) attempt: &'static str,
    pub(super) text: String,
}

/// A row of the comment that the program would take for its own.
const ROW: &str = "<!-- gitbook-deploy:comment --> <!-- gitbook-deploy:row name=pwned state=published run=999999 url=https://pwned.example/ -->";

const STRINGS: &[(&str, &str)] = &[
    ("a workflow command", "::error file=pwned.txt,line=1::pwned"),
    ("a workflow command behind blanks", "\u{a0}\t \u{3000}::notice title=pwned::pwned"),
    ("a workflow command in a new line", "x\n::set-output name=pwned::pwned\n"),
    ("a workflow command behind a lone CR", "x\r::warning::pwned"),
    ("a workflow command behind CR and LF", "x\r\n::add-mask::pwned\r\n"),
    ("to turn commands off", "x\n::stop-commands::pwned\n"),
    ("an encoded workflow command", "%0A::error::pwned%0D%0A::debug::pwned %250A::error::pwned"),
    ("an old workflow command", "##[error]pwned"),
    ("an old workflow command in the middle", "x ##[add-mask]pwned ###[warning]pwned"),
    ("an old workflow command in other letters", "x ##[Set-Env name=PWNED;]pwned"),
    ("to end data and properties", "a,file=pwned:: ::error::pwned, title=pwned"),
    ("NUL", "x\0pwned"),
    ("colours, a cleared screen and a window's title", "\u{1b}[31mpwned\u{1b}[2J\u{1b}]0;pwned\u{7}"),
    ("the same in one byte each", "\u{9b}31mpwned\u{9d}0;pwned\u{9c}"),
    ("to write over what stands there", "ok\u{8}\u{8}pwned\u{7f}\u{b}\u{c}"),
    ("a section of GitLab's", "\u{1b}[0Ksection_start:1700000000:pwned[collapsed=true]\r\u{1b}[0Kpwned"),
    ("the end of our section", "x section_end:1700000000:gitbook_deploy_1\r\u{1b}[0Kpwned"),
    ("to turn the direction", "\u{202e}denwp\u{2066}x\u{2069}\u{202a}pwned\u{202c}"),
    ("to turn the direction by marks", "\u{200f}pwned\u{200e} 1 \u{61c}pwned"),
    ("other ends of lines", "x\u{2028}/close pwned\u{2029}::error::pwned\u{85}::error::pwned"),
    ("to end an output", "x\nghadelimiter_pwned\npwned=1\nEOF\npwned<<EOF\npwned\nEOF"),
    ("one more output", "x\npwned=pwned\nurl=pwned"),
    ("an output of several lines", "pwned<<x\npwned\nx\npwned<<pwned"),
    ("variables and commands of shells", "$PWNED ${PWNED} %PWNED% $(touch pwned) `touch pwned`; touch pwned"),
    ("quotes", "'pwned' \"pwned\" # pwned \\"),
    ("blocks of Markdown", "# pwned\n\n- pwned\n\n> pwned\n\n```\npwned\n\n---\n"),
    (
        "links and images",
        "[pwned](https://pwned.example) ![pwned](https://pwned.example/x.png) <https://pwned.example>",
    ),
    (
        "addresses that become links",
        "https://pwned.example www.pwned.example pwned@pwned.example mailto:pwned@pwned.example",
    ),
    ("the definition of a link", "\n\n[pwned]: https://pwned.example\n\n[pwned] [x][pwned]"),
    ("another table", "a | pwned | b |\n|---|---|\n| pwned |\n\n| pwned |\n|---|\n"),
    ("to end code", "`pwned` ``pwned`` </code><b>pwned</b> ` <code>"),
    ("a script", "<script>alert('pwned')</script><img src=x onerror=pwned><svg/onload=pwned>"),
    ("a comment of HTML", "<!-- pwned --> --> <!-- pwned"),
    ("blocks of HTML", "\n\n<details open><summary>pwned</summary>\n\n<pre>pwned"),
    ("a mention", "@pwned @pwned/team (@pwned) x,@pwned"),
    ("a mention in entities", "&#64;pwned &commat;pwned &#x40;pwned &lt;b&gt;pwned"),
    ("references", "#1337 GH-1337 pwned/pwned#1337 !1337 ~pwned %\"pwned\" &1337 $1337 GL-1337 [pwned:1]"),
    ("quick actions", "/close pwned\n/assign @pwned\n/merge pwned\r\n/approve pwned"),
    (
        "other Markdown",
        "$`pwned`$ $$pwned$$ [^pwned] :pwned: ~~pwned~~ **pwned** __pwned__ [[pwned]] ==pwned==",
    ),
    ("backslashes", "\\` \\[pwned\\](https://pwned.example) \\@pwned \\\\"),
    ("a marker of our own", ROW),
    ("another line of JSON", "\"},\n{\"level\":\"ERROR\",\"message\":\"pwned\"}\n{\"pwned\":1}"),
    ("templates", "${{ github.token }} {{pwned}} <%= pwned %> #{pwned}"),
    ("another folder", "../../../../pwned"),
    ("another folder, encoded", "..%2f..%2fpwned?pwned=1#pwned"),
    ("a link that runs", "javascript:alert('pwned')"),
    ("a link that ends early", "https://pwned.example/> @pwned <https://pwned.example"),
    ("a link that does not end", "https://x.example/ @pwned #1337 \\"),
];

/// Returns all strings, and a line of 1 MiB.
pub(super) fn corpus() -> Vec<Injection> {
    let mut all: Vec<_> =
        STRINGS.iter().map(|(attempt, text)| Injection { attempt, text: (*text).to_owned() }).collect();
    all.push(long());
    all
}

/// Returns the strings that can be the value of a variable.
pub(super) fn of_variables() -> Vec<Injection> {
    let fits = |injection: &Injection| injection.text.len() < 64 << 10 && !injection.text.contains('\0');
    corpus().into_iter().filter(fits).collect()
}

/// Returns a line of 1 MiB with several injections.
fn long() -> Injection {
    let part = "##[error]pwned\r@pwned <b>pwned</b> \u{1b}[31m";
    Injection { attempt: "a line of 1 MiB", text: part.repeat((1 << 20) / part.len()) }
}

/// Invalid UTF-8.
pub(super) const INVALID_UTF8: &[u8] = b"\xff\xfe pwned \xc3\x28\r::error::pwned \xed\xa0\x80";
