//! Parsers of output files that follow the rules of GitHub's runner, of shells and of GitLab.

/// Parses an output file like GitHub's runner, which fails the step on an error.
pub(super) fn github(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut outputs = Vec::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let (assigned, delimited) = (line.find('='), line.find("<<"));
        if let Some(at) = delimited.filter(|at| assigned.is_none_or(|assigned| *at < assigned)) {
            let (name, delimiter) = (&line[..at], &line[at + 2..]);
            let mut value = Vec::new();
            loop {
                match lines.next() {
                    Some(line) if line == delimiter => break,
                    Some(line) => value.push(line),
                    None => return Err(format!("the output `{name}` has no end delimiter")),
                }
            }
            outputs.push((name.to_owned(), value.join("\n")));
        } else if let Some(at) = assigned {
            outputs.push((line[..at].to_owned(), line[at + 1..].to_owned()));
        } else {
            return Err(format!("the line is not an output: {line}"));
        }
    }
    Ok(outputs)
}

/// Sources the file in a shell and returns the variables. Returns an error if the shell executed a command or failed.
pub(super) fn shell(text: &str) -> Result<Vec<(String, String)>, String> {
    let names = text.lines().filter_map(|line| Some(line.split_once('=')?.0));
    let print: String = names.map(|name| format!("printf '%s=%s\\0' {name} \"${name}\"; ")).collect();
    // `PATH` contains no programs, so the shell reports each attempt to run one on standard error.
    let script = format!("set -u; PATH=/nowhere; {text}\n{print}");
    let output = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() || !message.is_empty() {
        return Err(format!("the shell executed a command or failed: {message}"));
    }
    let variables = String::from_utf8_lossy(&output.stdout).into_owned();
    let pairs = variables.split_terminator('\0').filter_map(|pair| pair.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Parses a dotenv report like GitLab, which fails the job on an error. GitLab would also expand variables in values; see
/// `expanded_variables`.
pub(super) fn gitlab(text: &str) -> Result<Vec<(String, String)>, String> {
    if text.len() >= 5 << 10 {
        return Err("the report exceeds 5 KiB".to_owned());
    }
    let line = |line: &str| {
        let (key, value) = line.split_once('=').ok_or(format!("the line is not a variable: {line}"))?;
        Ok((key.trim().to_owned(), value.trim().to_owned()))
    };
    // GitLab uses Ruby's `each_line`, which splits only at LF.
    let variables: Vec<_> =
        text.strip_suffix('\n').unwrap_or(text).split('\n').map(line).collect::<Result<_, String>>()?;
    if variables.len() > 20 { Err("the report has more than 20 variables".to_owned()) } else { Ok(variables) }
}

/// Returns the variables that GitLab expands in a value: `$NAME`, `${NAME}` and `%NAME%`, but not `$$`.
pub(super) fn expanded_variables(value: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let plain = value.replace("$$", "");
    for part in plain.split('$').skip(1) {
        let name: String = part.trim_start_matches('{').chars().take_while(|c| is_name(*c)).collect();
        if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            found.push(name);
        }
    }
    let parts: Vec<_> = plain.split('%').collect();
    let enclosed = parts.iter().skip(1).take(parts.len().saturating_sub(2));
    let names = enclosed.filter(|part| {
        part.len() > 2 && part.starts_with(|c: char| !c.is_ascii_digit()) && part.chars().all(is_name)
    });
    found.extend(names.map(|part| (*part).to_owned()));
    found
}

#[test]
fn parses_output_files_like_github_and_gitlab() {
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let found = github("a=b<<c\nx<<E\n1\n2\nE\n").unwrap();
    assert_eq!(found, [pair(("a", "b<<c")), pair(("x", "1\n2"))]);
    assert!(github("a<<E\n1\n").is_err() && github("a\n").is_err() && gitlab("a=1\n\nb=2\n").is_err());
    assert_eq!(gitlab("a = 1\nb=2=3\n").unwrap(), [pair(("a", "1")), pair(("b", "2=3"))]);
    assert_eq!(expanded_variables("$A ${B} $$C $1 %DEF% 5% %20%"), ["A", "B", "DEF"]);
}
