//! Which parts of a Dockerfile are coloured: exact, sorted, and never overlapping.

mod shell;

use super::ast::Body;
use super::ast::Dockerfile;
use super::ast::Heredoc;
use super::ast::Instruction;
use super::ast::Keyword;
use super::ast::Span;
use super::lines::slice;

/// What a part of a Dockerfile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// An instruction, `AS`, the words of a shell that steer it, and the operators between commands.
    Keyword,
    /// Text in quotes.
    String,
    /// `$X` and `${X:-y}`.
    Variable,
    /// `--from=build`, and the options of commands in a shell.
    Flag,
    /// A number.
    Number,
    /// A comment or a directive.
    Comment,
}

/// The coloured parts of a Dockerfile, in order. What lies between them is plain.
#[must_use]
pub fn highlight(file: &Dockerfile) -> Vec<(Span, Role)> {
    let mut marks = Marks {
        text: &file.text,
        escape: file.escape(),
        comments: &file.comments,
        found: Vec::new(),
    };
    for directive in &file.directives {
        marks.found.push((directive.span, Role::Comment));
    }
    for comment in &file.comments {
        marks.found.push((*comment, Role::Comment));
    }
    for instruction in file.instructions() {
        marks.instruction(instruction);
    }
    marks.finish()
}

/// The marks of one file.
struct Marks<'f> {
    text: &'f str,
    escape: char,
    comments: &'f [Span],
    found: Vec<(Span, Role)>,
}

impl Marks<'_> {
    fn instruction(&mut self, instruction: &Instruction) {
        let keyword = instruction.keyword_span;
        if instruction.keyword != Keyword::Unknown {
            self.found.push((keyword, Role::Keyword));
        }
        let mut at = keyword.end;
        for flag in &instruction.flags {
            self.found.push((flag.span, Role::Flag));
            at = flag.span.end;
        }
        // What follows the first line break after the arguments is heredocs.
        let end = instruction
            .heredocs
            .first()
            .map_or(instruction.span.end, |heredoc| {
                heredoc.span.start.min(instruction.span.end)
            });
        let rest = Span {
            start: at.min(end),
            end,
        };
        match &instruction.body {
            Body::Onbuild(inner) => {
                self.instruction(inner);
                return;
            }
            Body::From { alias, .. } => self.from(rest, alias.is_some()),
            Body::Command(_) => self.plain(rest, instruction.keyword == Keyword::Run),
            Body::Healthcheck(_) => {
                let word = slice(self.text, rest);
                let start = rest.start + word.len() - word.trim_start().len();
                let length = word.trim_start().find(char::is_whitespace);
                let end = start + length.unwrap_or(word.trim_start().len());
                self.found.push((Span { start, end }, Role::Keyword));
                self.plain(Span { start: end, ..rest }, true);
            }
            _ => self.plain(rest, false),
        }
        for heredoc in &instruction.heredocs {
            self.heredoc(heredoc, instruction.keyword == Keyword::Run);
        }
    }

    fn from(&mut self, rest: Span, has_alias: bool) {
        self.plain(rest, false);
        if !has_alias {
            return;
        }
        let text = slice(self.text, rest);
        let by = text
            .char_indices()
            .zip(text.char_indices().skip(1))
            .find(|((at, a), (_, s))| {
                let word = a.eq_ignore_ascii_case(&'a') && s.eq_ignore_ascii_case(&'s');
                let before = text.get(..*at).unwrap_or_default();
                let after = text.get(at + 2..).unwrap_or_default();
                word && before.ends_with([' ', '\t', '\n'])
                    && after.starts_with([' ', '\t', '\r', '\n', '\\', '`'])
                    && !before.trim().is_empty()
            });
        if let Some(((at, _), _)) = by {
            let start = rest.start + at;
            let end = start + 2;
            self.found.push((Span { start, end }, Role::Keyword));
        }
    }

    /// Strings, variables and numbers; with `is_shell` also what a shell reads specially.
    fn plain(&mut self, span: Span, is_shell: bool) {
        // Comments between continued lines are none of the arguments.
        let first = self.comments.partition_point(|one| one.end <= span.start);
        let mut start = span.start;
        let mut parts = Vec::new();
        for comment in self.comments.iter().skip(first) {
            if comment.start >= span.end {
                break;
            }
            parts.push(Span {
                start,
                end: comment.start.max(start),
            });
            start = comment.end;
        }
        parts.push(Span {
            start,
            end: span.end.max(start),
        });
        let mut lexer = shell::Lexer::new(self.escape, is_shell);
        for part in parts {
            let text = slice(self.text, part);
            lexer.read(text, part.start, &mut self.found);
        }
    }

    fn heredoc(&mut self, heredoc: &Heredoc, is_script: bool) {
        if is_script {
            let mut lexer = shell::Lexer::new('\\', true);
            let text = slice(self.text, heredoc.span);
            lexer.read(text, heredoc.span.start, &mut self.found);
        } else if !heredoc.span.range().is_empty() {
            self.found.push((heredoc.span, Role::String));
        }
        let after = self.text.get(heredoc.span.end..).unwrap_or_default();
        let line = after.split('\n').next().unwrap_or_default().trim_end();
        if line.trim_start_matches('\t') == heredoc.name {
            let start = heredoc.span.end;
            let end = start + line.len();
            self.found.push((Span { start, end }, Role::Keyword));
        }
    }

    /// Sorts, and cuts what would overlap.
    fn finish(mut self) -> Vec<(Span, Role)> {
        self.found
            .sort_by_key(|(span, role)| (span.start, std::cmp::Reverse(span.end), *role));
        let mut end = 0;
        self.found.retain(|(span, _)| {
            let keep = span.start >= end && span.start < span.end;
            if keep {
                end = span.end;
            }
            keep
        });
        self.found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(text: &str) -> Vec<(String, Role)> {
        highlight(&Dockerfile::parse(text))
            .into_iter()
            .map(|(span, role)| (slice(text, span).to_owned(), role))
            .collect()
    }

    fn of(text: &str, role: Role) -> Vec<String> {
        let all = marked(text).into_iter();
        all.filter(|(_, its)| *its == role)
            .map(|(text, _)| text)
            .collect()
    }

    const TEXT: &str = "\
# syntax=docker/dockerfile:1
# note
ARG V=3
FROM --platform=linux/amd64 python:${V} AS as1
ENV A=\"b $V\" C=12
RUN --mount=type=cache,target=/c if [ -f x ]; then \\
    # why
    make -j 4 && echo 'a b' > $OUT; fi # end
COPY --from=build /a /b
RUN <<EOF
set -e
echo \"hi\"
EOF
COPY <<T /t
plain 5
T
HEALTHCHECK --interval=5s CMD wget -q x || exit 1
ONBUILD RUN echo $X
EXPOSE 8000/tcp
CMD [\"/a\", \"$x\"]
";

    #[test]
    fn keywords_and_shell_words_are_found() {
        assert_eq!(
            of(TEXT, Role::Keyword),
            [
                "ARG",
                "FROM",
                "AS",
                "ENV",
                "RUN",
                "if",
                ";",
                "then",
                "&&",
                ">",
                ";",
                "fi",
                "COPY",
                "RUN",
                "<<EOF",
                "EOF",
                "COPY",
                "<<T",
                "T",
                "HEALTHCHECK",
                "CMD",
                "||",
                "ONBUILD",
                "RUN",
                "EXPOSE",
                "CMD"
            ]
        );
    }

    #[test]
    fn the_other_roles_are_found() {
        assert_eq!(
            of(TEXT, Role::Comment),
            ["# syntax=docker/dockerfile:1", "# note", "# why", "# end"]
        );
        assert_eq!(
            of(TEXT, Role::Flag),
            [
                "--platform=linux/amd64",
                "--mount=type=cache,target=/c",
                "-f",
                "-j",
                "--from=build",
                "-e",
                "--interval=5s",
                "-q"
            ]
        );
        assert_eq!(of(TEXT, Role::Variable), ["${V}", "$V", "$OUT", "$X", "$x"]);
        assert_eq!(of(TEXT, Role::Number), ["3", "12", "4", "1", "8000"]);
        assert_eq!(
            of(TEXT, Role::String),
            [
                "\"b ",
                "\"",
                "'a b'",
                "\"hi\"",
                "plain 5\n",
                "\"/a\"",
                "\"",
                "\""
            ]
        );
    }

    #[test]
    fn a_word_that_only_holds_a_keyword_is_plain() {
        assert_eq!(
            of(
                "FROM a\nRUN diff a-1 b2 done-x /if $((1+2))\n",
                Role::Keyword
            ),
            ["FROM", "RUN"]
        );
        assert_eq!(of("FROM alias:as AS x\n", Role::Keyword), ["FROM", "AS"]);
    }

    proptest! {
        #[test]
        fn marks_are_sorted_and_never_overlap(text in "(FROM a\n)?[A-Z$\"'\\\\ <>EOF\n#a-c{}\u{e9}-]{0,80}", any in "\\PC{0,60}") {
            for text in [text.clone(), format!("FROM a\nRUN {any}\nCMD [\"{text}\"]"), any] {
                let mut end = 0;
                for (span, _) in highlight(&Dockerfile::parse(&text)) {
                    prop_assert!(span.start >= end && span.start < span.end);
                    prop_assert!(text.get(span.range()).is_some());
                    end = span.end;
                }
            }
        }
    }
}
