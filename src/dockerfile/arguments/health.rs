//! The flags of `HEALTHCHECK`: durations and a number.

use super::super::ast::Flag;
use super::super::findings::Findings;

/// Says which values are not durations, or not a number.
pub(super) fn check_flags(flags: &[Flag], findings: &mut Findings) {
    for flag in flags {
        let Some(value) = flag.value.as_deref().filter(|value| !value.is_empty()) else {
            continue;
        };
        match flag.name.as_str() {
            "interval" | "timeout" | "start-period" | "start-interval" if !is_duration(value) => {
                findings.refuse(
                    flag.span,
                    format!("`{value}` is not a duration"),
                    Some(String::from(
                        "write a number and a unit, such as `30s` or `1m30s`",
                    )),
                );
            }
            "retries" if value.parse::<u32>().is_err() => {
                let message = format!("`{value}` is not a number of retries");
                let hint = Some(String::from("write a whole number, such as `3`"));
                findings.refuse(flag.span, message, hint);
            }
            _ => {}
        }
    }
}

/// `1m30s`, `500ms`, `1.5h`: numbers, each with a unit; `0` alone needs none.
fn is_duration(text: &str) -> bool {
    if text == "0" {
        return true;
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let is_empty = rest.is_empty();
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number = rest.strip_suffix(digits).unwrap_or_default();
        let unit_end = digits
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(digits.len());
        let (unit, after) = digits.split_at(unit_end);
        let known = matches!(
            unit,
            "ns" | "us" | "\u{b5}s" | "\u{3bc}s" | "ms" | "s" | "m" | "h"
        );
        let is_number = number.matches('.').count() <= 1 && number.contains(|c| c != '.');
        if !known || !is_number {
            return false;
        }
        rest = after;
    }
    !is_empty
}

#[cfg(test)]
mod tests {
    use super::is_duration;

    #[test]
    fn durations_are_numbers_with_units() {
        for good in ["30s", "1m30s", "500ms", "1.5h", "0", "100us"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["30", "s", "5 s", "1d", "-5s", "1..5s", ".s", "+"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }
}
