//! The signal of `STOPSIGNAL`.

use super::super::expand::unquote;
use super::super::findings::Findings;
use super::super::lines::Piece;
use crate::text::nearest;

/// The names that builders know. Those from `RTMIN` to `RTMAX` are counted from one of the two.
const NAMES: [&str; 36] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "SEGV", "STKFLT", "STOP", "SYS",
    "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
    "XFSZ",
];

/// Says what is wrong with a signal; one with a variable in it is not known yet.
pub(super) fn check(piece: Piece<'_>, escape: char, findings: &mut Findings) {
    let Ok(written) = unquote(piece.text(), escape) else {
        return;
    };
    if written.contains('$') || is_signal(&written) {
        return;
    }
    let short: String = written.chars().take(40).collect();
    let upper = short.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let hint = match nearest(name, NAMES) {
        Some(meant) => format!("did you mean `SIG{meant}`?"),
        None => String::from("name one as in `SIGTERM`, or by its number"),
    };
    let message = format!("`{short}` is not a signal");
    findings.refuse(piece.span(), message, Some(hint));
}

fn is_signal(written: &str) -> bool {
    if let Ok(number) = written.parse::<i64>() {
        return number != 0;
    }
    let upper = written.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let counted = |from: &str, most: u8| {
        let number = name.strip_prefix(from).map(str::parse::<u8>);
        matches!(number, Some(Ok(number)) if (1..=most).contains(&number))
    };
    NAMES.contains(&name) || counted("RTMIN+", 15) || counted("RTMAX-", 14)
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::Dockerfile;

    #[test]
    fn what_is_no_signal_is_refused_as_builders_do() {
        let told = |signal: &str| {
            let file = Dockerfile::parse(&format!("FROM a:1\nSTOPSIGNAL {signal}\n"));
            let told = file.problems.into_iter();
            told.map(|one| format!("{}: {}", one.message, one.hint.unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        for signal in [
            "SIGTERM",
            "term",
            "9",
            "\"SIGINT\"",
            "SIGRTMIN+3",
            "RTMAX-14",
            "$SIGNAL",
            "SIG${NAME}",
        ] {
            assert!(told(signal).is_empty(), "{signal}: {:?}", told(signal));
        }
        for (signal, wanted) in [
            (
                "SIGTRM",
                "`SIGTRM` is not a signal: did you mean `SIGTERM`?",
            ),
            (
                "\"no space left on device\"",
                "`no space left on device` is not a signal: name one as in `SIGTERM`, or by its number",
            ),
            (
                "0",
                "`0` is not a signal: name one as in `SIGTERM`, or by its number",
            ),
            (
                "SIGRTMIN+16",
                "`SIGRTMIN+16` is not a signal: did you mean `SIGRTMIN`?",
            ),
        ] {
            assert_eq!(told(signal), [wanted], "{signal}");
        }
    }
}
