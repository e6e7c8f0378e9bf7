//! What a person types, read aside: whoever waits for it hears a signal meanwhile.
#![expect(
    clippy::disallowed_methods,
    reason = "waits for the keyboard, away from the threads that do the work"
)]

use std::io::BufRead;

/// What came from the keyboard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line, with its end.
    Line(String),
    /// A line of other characters than UTF-8 has, as a terminal with another locale sends.
    NotUtf8,
    /// There will be no more.
    End,
}

/// Waits for a line. Dropped before it came, the line is lost: it is for who leaves.
pub(super) async fn line() -> Typed {
    let read = tokio::task::spawn_blocking(|| read(&mut std::io::stdin().lock()));
    read.await.unwrap_or(Typed::End)
}

fn read(from: &mut impl BufRead) -> Typed {
    let mut line = Vec::new();
    match from.read_until(b'\n', &mut line) {
        Ok(0) | Err(_) => Typed::End,
        Ok(_) => String::from_utf8(line).map_or(Typed::NotUtf8, Typed::Line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_text_is_none_and_not_the_end() {
        let mut typed: &[u8] = b"1 # caf\xc3\xa9\n1 # caf\xe9\nq\nlast";
        let lines: Vec<Typed> = std::iter::repeat_with(|| read(&mut typed))
            .take(5)
            .collect();
        let line = |text: &str| Typed::Line(text.to_owned());
        let wanted = [
            line("1 # caf\u{e9}\n"),
            Typed::NotUtf8,
            line("q\n"),
            line("last"),
            Typed::End,
        ];
        assert_eq!(lines, wanted);
    }
}
