//! Sizes, shares and durations: parsing them from course files and showing them to people.
//!
//! Sizes are decimal (1 MB = 1,000,000 bytes), as container engines print them. This is the only
//! place that formats a size; it refuses to know what the size is of.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A number of bytes.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// The sum of two sizes, stopping at the largest number of bytes there is.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What remains after taking `other` away, zero if `other` is larger.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether both sizes are shown by the same figure: to a reader they do not differ.
    #[must_use]
    pub fn reads_as(self, other: Self) -> bool {
        self.to_string() == other.to_string()
    }

    /// This size as a share of `whole`; zero of nothing is 0 %.
    #[must_use]
    pub fn share_of(self, whole: Self) -> Percent {
        if whole.0 == 0 {
            return Percent(0.0);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share is shown with two digits"
        )]
        Percent(self.0 as f64 / whole.0 as f64 * 100.0)
    }
}

impl std::iter::Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self(0), Self::plus)
    }
}

/// Shows three significant digits and no trailing zeros: `0 B`, `14 kB`, `63.9 MB`, `1.17 GB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const STEPS: [(u64, &str); 4] = [
            (1_000_000_000_000, "TB"),
            (1_000_000_000, "GB"),
            (1_000_000, "MB"),
            (1_000, "kB"),
        ];
        // A unit starts where three digits of the one below would round up to 1000.
        for (unit, name) in STEPS {
            if self.0 >= unit - unit / 2000 {
                return f.pad(&format!("{} {name}", three_digits(self.0, unit)));
            }
        }
        f.pad(&format!("{} B", self.0))
    }
}

/// `value / unit` with three significant digits, in integer arithmetic.
fn three_digits(value: u64, unit: u64) -> String {
    let (value, unit) = (u128::from(value), u128::from(unit));
    let whole = value / unit;
    let decimals = match whole {
        0..=9 => 2,
        10..=99 => 1,
        _ => 0,
    };
    let scale = 10u128.pow(decimals);
    let rounded = (value * scale + unit / 2) / unit;
    let text = if decimals == 0 {
        rounded.to_string()
    } else {
        format!(
            "{}.{:0width$}",
            rounded / scale,
            rounded % scale,
            width = decimals as usize
        )
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A text that is not a size, a share or a duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnitError {
    /// The text is not a number followed by a unit of size.
    #[error("`{0}` is not a size; write a number and a unit, such as `100 MB`")]
    Size(String),
    /// The text is not a number followed by a unit of time.
    #[error("`{0}` is not a duration; write a number and a unit, such as `10 s`")]
    Duration(String),
    /// The text is not a percentage.
    #[error("`{0}` is not a percentage; write a number from 0 to 100, such as `90 %`")]
    Percent(String),
}

/// Splits `100 MB` into the number and the unit.
fn split_number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    Some((number, unit.trim()))
}

impl FromStr for Bytes {
    type Err = UnitError;

    /// Reads `100 MB`, `1.5GB`, `20kB`, `512 B`, `4 KiB` or a plain number of bytes.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError::Size(text.to_owned());
        let (number, unit) = split_number(text).ok_or_else(bad)?;
        let unit = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "g" | "gb" => 1e9,
            "t" | "tb" => 1e12,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            _ => return Err(bad()),
        };
        let bytes = (number * unit).round();
        if !(0.0..=9e18).contains(&bytes) {
            return Err(bad());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was checked on the line above"
        )]
        Ok(Self(bytes as u64))
    }
}

/// A share in percent; may exceed 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Percent(pub f64);

/// Shows whole percents, with one decimal below 10: `95 %`, `2.8 %`, `0 %`. What is not nothing is
/// never shown as nothing (`< 0.1 %`), and what is not the whole never as the whole (`99.9 %`).
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.0;
        let text = if share > 0.0 && share < 0.05 {
            String::from("< 0.1 %")
        } else if share > 0.0 && share < 9.95 {
            format!("{share:.1} %")
        } else if (99.5..100.0).contains(&share) {
            format!("{:.1} %", (share * 10.0).floor() / 10.0)
        } else {
            format!("{share:.0} %")
        };
        f.pad(&text)
    }
}

impl Percent {
    /// This share with all of its digits, as whoever asks for it wrote it: `95.45 %`.
    #[must_use]
    pub fn in_full(self) -> String {
        format!("{} %", self.0)
    }

    /// This share beside a `limit` that it falls short of: with as many decimals as show that.
    #[must_use]
    pub fn short_of(self, limit: Self) -> String {
        let shown = self.to_string();
        let reaches = |text: &str| text.parse().is_ok_and(|shown: Self| shown >= limit);
        if self >= limit || !reaches(&shown) {
            return shown;
        }
        let cut = |digits: i32| Self((self.0 * 10f64.powi(digits)).floor() / 10f64.powi(digits));
        let enough = (1..9).map(cut).find(|cut| *cut < limit);
        enough.unwrap_or(self).in_full()
    }
}

impl FromStr for Percent {
    type Err = UnitError;

    /// Reads `90 %`, `90%` or `90`, from 0 to 100.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError::Percent(text.to_owned());
        let (number, unit) = split_number(text).ok_or_else(bad)?;
        if !matches!(unit, "" | "%") || !(0.0..=100.0).contains(&number) {
            return Err(bad());
        }
        Ok(Self(number))
    }
}

/// Reads `10 s`, `500 ms` or `2 min`, at most one day.
///
/// # Errors
/// When the text is not a number followed by `ms`, `s`, `min` or `h`.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let bad = || UnitError::Duration(text.to_owned());
    let (number, unit) = split_number(text).ok_or_else(bad)?;
    let unit = match unit {
        "ms" => 0.001,
        "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad()),
    };
    let seconds = number * unit;
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err(bad());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Shows a duration as a person would say it: `0.4 s`, `12.4 s`, `2 min 5 s`, `1 h 10 min`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    if tenths < 600 {
        let text = format!("{}.{}", tenths / 10, tenths % 10);
        return format!("{} s", text.trim_end_matches(".0"));
    }
    let seconds = (duration.as_millis() + 500) / 1000;
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match (minutes / 60, minutes % 60, rest) {
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The processor time that this thread has used: what a bound on work is held against, since the work
/// of others adds nothing to it.
#[cfg(test)]
pub(crate) fn time_used() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(used).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_with_three_digits() {
        let shown: Vec<String> = [
            0,
            3,
            999,
            1_200,
            14_000,
            999_949,
            63_901_234,
            412_000_000,
            1_167_000_000,
        ]
        .map(|n| Bytes(n).to_string())
        .to_vec();
        assert_eq!(
            shown,
            [
                "0 B", "3 B", "999 B", "1.2 kB", "14 kB", "1 MB", "63.9 MB", "412 MB", "1.17 GB"
            ]
        );
        assert_eq!(Bytes(999_600).to_string(), "1 MB");
        assert_eq!(Bytes(9_996).to_string(), "10 kB");
    }

    #[test]
    fn sizes_are_read_as_engines_write_them() {
        assert_eq!("100 MB".parse(), Ok(Bytes(100_000_000)));
        assert_eq!("1.5GB".parse(), Ok(Bytes(1_500_000_000)));
        assert_eq!("4 KiB".parse(), Ok(Bytes(4096)));
        assert_eq!("12".parse(), Ok(Bytes(12)));
        assert!("hundred".parse::<Bytes>().is_err());
        assert!("-5 MB".parse::<Bytes>().is_err());
        assert!("1e400 MB".parse::<Bytes>().is_err());
    }

    #[test]
    fn durations_are_read_and_shown() {
        assert_eq!(parse_duration("10 s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(parse_duration("soon").is_err());
        assert_eq!(show_duration(Duration::from_millis(420)), "0.4 s");
        assert_eq!(show_duration(Duration::from_secs(2)), "2 s");
        assert_eq!(show_duration(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(show_duration(Duration::from_secs(4200)), "1 h 10 min");
    }

    #[test]
    fn a_share_is_never_rounded_to_nothing_or_to_the_whole() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.01, "< 0.1 %"),
            (2.84, "2.8 %"),
            (9.96, "10 %"),
            (99.4, "99 %"),
            (99.96, "99.9 %"),
            (100.0, "100 %"),
            (140.2, "140 %"),
        ] {
            assert_eq!(Percent(share).to_string(), text);
        }
    }

    #[test]
    fn a_share_that_falls_short_never_looks_like_its_limit() {
        for (share, limit, text) in [
            (78.75, 79.0, "78.7 %"),
            (95.38, 95.4, "95 %"),
            (95.447, 95.45, "95 %"),
            (94.996, 95.0, "94.9 %"),
            (86.0, 90.0, "86 %"),
            (89.999_999_9, 90.0, "89.9 %"),
            (2.96, 3.0, "2.9 %"),
            (2.996, 2.999, "2.9 %"),
            (99.99, 100.0, "99.9 %"),
            (0.03, 0.04, "< 0.1 %"),
            (90.0, 90.0, "90 %"),
        ] {
            assert_eq!(Percent(share).short_of(Percent(limit)), text, "{share}");
        }
        assert_eq!(Percent(95.4).in_full(), "95.4 %");
        assert_eq!(Percent(95.0).in_full(), "95 %");
    }

    #[test]
    fn shares_are_read_and_shown() {
        assert_eq!("90 %".parse(), Ok(Percent(90.0)));
        assert!("120".parse::<Percent>().is_err());
        assert_eq!(Bytes(28).share_of(Bytes(1000)).to_string(), "2.8 %");
        assert_eq!(Bytes(1).share_of(Bytes(0)).to_string(), "0 %");
    }
}
