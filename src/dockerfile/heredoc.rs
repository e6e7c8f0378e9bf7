//! Heredocs: `<<EOF` on a line of `RUN`, `COPY` or `ADD`, and the lines up to `EOF`.

use std::collections::HashMap;

use super::ast::Heredoc;
use super::ast::Keyword;
use super::ast::Span;
use super::expand::unquote;
use super::findings::Findings;
use super::lines::Lines;
use super::lines::Piece;

/// Whether `word` as a whole opens a heredoc; its name, whether it is expanded, whether tabs go.
pub(super) fn opens(word: &str) -> Option<(String, bool, bool)> {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = digits.strip_prefix("<<")?;
    let (chomp, name) = match rest.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, rest),
    };
    if name.is_empty() || name.contains('<') {
        return None;
    }
    let plain = unquote(name, '\\').ok()?;
    if plain.is_empty() {
        return None;
    }
    let expand = !name.contains(['\'', '"']);
    Some((plain, expand, chomp))
}

/// The words of a line as a shell splits them, quotes kept; `None` where a quote is not closed.
fn shell_words(piece: Piece<'_>) -> Option<Vec<Piece<'_>>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in piece.text().char_indices() {
        match quote {
            _ if escaped => escaped = false,
            None if c.is_whitespace() => {
                if let Some(from) = start.take() {
                    words.push(piece.part(from..at));
                }
                continue;
            }
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => escaped = c == '\\' && quote != Some('\''),
        }
        start.get_or_insert(at);
    }
    if quote.is_some() {
        return None;
    }
    if let Some(from) = start {
        words.push(piece.from(from));
    }
    Some(words)
}

/// Finds terminators without reading the rest of the file once per heredoc.
#[derive(Debug, Default)]
pub(super) struct Terminators<'a> {
    exact: HashMap<&'a str, Vec<usize>>,
    tabbed: HashMap<&'a str, Vec<usize>>,
    filled: bool,
}

impl<'a> Terminators<'a> {
    fn find(&mut self, lines: &Lines<'a>, name: &str, chomp: bool, from: usize) -> Option<usize> {
        if !self.filled {
            self.filled = true;
            for index in from..lines.len() {
                let text = lines.text(index);
                self.exact.entry(text).or_default().push(index);
                let bare = text.trim_start_matches('\t');
                self.tabbed.entry(bare).or_default().push(index);
            }
        }
        let places = if chomp { &self.tabbed } else { &self.exact }.get(name)?;
        places.get(places.partition_point(|at| *at < from)).copied()
    }
}

/// Reads the heredocs that `line` opens; returns them and the index of the first line after them.
pub(super) fn read<'a>(
    line: Piece<'_>,
    mut next: usize,
    lines: &Lines<'a>,
    terminators: &mut Terminators<'a>,
    findings: &mut Findings,
) -> (Vec<Heredoc>, usize) {
    let mut heredocs = Vec::new();
    for word in shell_words(line).unwrap_or_default() {
        if matches!(word.text(), "<<" | "<<-") {
            findings.warn(
                word.span(),
                "`<<` with a space after it does not open a heredoc",
                Some(String::from("write `<<EOF` in one word")),
            );
            continue;
        }
        let Some((name, expand, chomp)) = opens(word.text()) else {
            continue;
        };
        let end = terminators.find(lines, &name, chomp, next);
        let after = end.unwrap_or_else(|| recover(lines, next));
        let (content, span) = lines.between(next, after);
        heredocs.push(Heredoc {
            name: name.clone(),
            content: content.to_owned(),
            span,
            expand,
            chomp,
        });
        next = after + usize::from(end.is_some());
        if end.is_none() {
            unterminated(word.span(), &name, findings);
        }
    }
    (heredocs, next)
}

fn unterminated(span: Span, name: &str, findings: &mut Findings) {
    findings.refuse(
        span,
        format!("the heredoc `{name}` has no end"),
        Some(format!(
            "end it with a line that holds `{name}` and nothing else"
        )),
    );
}

/// Where reading goes on after a heredoc without an end: at the next line that can only be an
/// instruction, so that one mistake does not hide the rest.
fn recover(lines: &Lines<'_>, from: usize) -> usize {
    (from..lines.len())
        .find(|index| starts_with_keyword(lines.text(*index)))
        .unwrap_or(lines.len())
}

/// Whether a line begins with a keyword in capitals and a space.
pub(super) fn starts_with_keyword(line: &str) -> bool {
    let word = line.trim_start().split([' ', '\t']).next();
    word.is_some_and(|word| {
        line.trim_start().len() > word.len()
            && Keyword::ALL
                .into_iter()
                .any(|keyword| keyword.as_str() == word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_word_opens_a_heredoc() {
        assert_eq!(opens("<<EOF"), Some(("EOF".to_owned(), true, false)));
        assert_eq!(opens("<<-EOF"), Some(("EOF".to_owned(), true, true)));
        assert_eq!(opens("3<<EOF"), Some(("EOF".to_owned(), true, false)));
        assert_eq!(opens("<<'EOF'"), Some(("EOF".to_owned(), false, false)));
        assert_eq!(opens("<<\"E F\""), Some(("E F".to_owned(), false, false)));
        assert_eq!(opens("<<<EOF"), None);
        assert_eq!(opens("<<"), None);
        assert_eq!(opens("cat<<EOF"), None);
        assert_eq!(opens("<<'EOF"), None);
    }

    #[test]
    fn a_keyword_needs_an_argument_to_be_one() {
        assert!(starts_with_keyword("  RUN x"));
        assert!(!starts_with_keyword("RUN"));
        assert!(!starts_with_keyword("run x"));
        assert!(!starts_with_keyword("RUNS x"));
    }
}
