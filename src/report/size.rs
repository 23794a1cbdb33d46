//! How long a script is, and how that has changed, as people read it.

/// A script's length, and how much longer or shorter it is than before, where that is known and worth a word.
pub(super) fn with_change(bytes: usize, before: Option<usize>) -> String {
    match before.filter(|before| *before != bytes) {
        Some(before) => {
            let sign = if bytes > before { '+' } else { '−' };
            format!("{} ({sign}{})", kibibytes(bytes), change(bytes.abs_diff(before)))
        }
        None => kibibytes(bytes),
    }
}

/// What would be no more than `0.0 KiB` is told in bytes.
fn change(bytes: usize) -> String {
    const TENTH: usize = 1024 / 10;
    if bytes <= TENTH { format!("{bytes} B") } else { kibibytes(bytes) }
}

#[expect(clippy::cast_precision_loss, reason = "a tenth of a KiB is shown")]
fn kibibytes(bytes: usize) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::with_change;

    #[test]
    fn a_length_is_told_with_what_has_changed() {
        let check =
            |bytes, before, expected: &str| assert_eq!(with_change(bytes, before), expected, "{before:?}");
        check(73_152, None, "71.4 KiB");
        check(73_152, Some(73_152), "71.4 KiB");
        check(73_152, Some(71_821), "71.4 KiB (+1.3 KiB)");
        check(71_821, Some(73_152), "70.1 KiB (−1.3 KiB)");
        check(73_152, Some(73_151), "71.4 KiB (+1 B)");
        check(73_050, Some(73_152), "71.3 KiB (−102 B)");
        check(73_049, Some(73_152), "71.3 KiB (−0.1 KiB)");
        check(58, Some(0), "0.1 KiB (+58 B)");
        check(0, Some(58), "0.0 KiB (−58 B)");
        check(58, Some(usize::MAX), "0.1 KiB (−18014398509481984.0 KiB)");
    }
}
