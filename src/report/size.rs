//! Formats sizes and times as text.

/// Returns the size of a script as text. Adds the difference from the previous size if the difference is known and not zero.
pub(super) fn format_size(bytes: usize, before: Option<usize>) -> String {
    match before.filter(|before| *before != bytes) {
        Some(before) => {
            let sign = if bytes > before { '+' } else { '−' };
            format!("{} ({sign}{})", format_kibibytes(bytes), format_difference(bytes.abs_diff(before)))
        }
        None => format_kibibytes(bytes),
    }
}

/// Returns a difference in size as text: in bytes up to 0.1 KiB (102 B), so that it is never `0.0 KiB`, and otherwise in KiB.
fn format_difference(bytes: usize) -> String {
    const TENTH_OF_KIBIBYTE: usize = 1024 / 10;
    if bytes <= TENTH_OF_KIBIBYTE { format!("{bytes} B") } else { format_kibibytes(bytes) }
}

#[expect(clippy::cast_precision_loss, reason = "the text has one decimal place")]
fn format_kibibytes(bytes: usize) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}

/// Returns a time as text in seconds, with one decimal place.
pub(super) fn format_seconds(milliseconds: u64) -> String {
    let tenths = (milliseconds + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::{format_seconds, format_size};

    #[test]
    fn formats_a_size_with_its_difference() {
        let check =
            |bytes, before, expected: &str| assert_eq!(format_size(bytes, before), expected, "{before:?}");
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

    #[test]
    fn formats_a_time_in_seconds() {
        assert_eq!(format_seconds(49), "0.0 s");
        assert_eq!(format_seconds(149), "0.1 s");
        assert_eq!(format_seconds(61_250), "61.3 s");
    }
}
