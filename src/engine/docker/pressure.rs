#![expect(
    clippy::disallowed_methods,
    reason = "reads /proc to tell how busy this host is"
)]
//! Whether this host is short of CPU.

/// The share of the last ten seconds, in percent, in which somebody waited for a CPU, from which on
/// a host is short of it.
const SHORT: f64 = 25.0;

/// Whether programs on this host wait for a CPU; no where the kernel does not say so.
pub(super) fn is_short_of_cpu() -> bool {
    let text = std::fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
    waited(&text).is_some_and(|share| share >= SHORT)
}

/// The share in `some avg10=50.72 avg60=33.58 avg300=14.86 total=38773149472`.
fn waited(text: &str) -> Option<f64> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let mut words = some.split_whitespace();
    words
        .find_map(|word| word.strip_prefix("avg10="))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_last_ten_seconds_is_read() {
        let text = "some avg10=50.72 avg60=33.58 avg300=14.86 total=38773149472\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(waited(text), Some(50.72));
        assert_eq!(waited("full avg10=1.00\n"), None);
        assert_eq!(waited(""), None);
    }
}
