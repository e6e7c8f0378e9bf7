//! The arguments of each instruction: one logical line to a [`Body`].

mod health;
mod ports;
mod signal;

use super::ast::Body;
use super::ast::Command;
use super::ast::Flag;
use super::ast::Instruction;
use super::ast::Keyword;
use super::ast::Pair;
use super::ast::Word;
use super::expand::ExpandError;
use super::expand::expand;
use super::expand::unquote;
use super::findings::Findings;
use super::flags;
use super::heredoc;
use super::lines::Piece;
use super::words::Json;
use super::words::json;
use super::words::opens_array;
use super::words::quoted_words;
use super::words::word;
use crate::text::nearest;

/// Reads instructions of one Dockerfile.
#[derive(Debug)]
pub(super) struct Reader<'f> {
    /// The escape character.
    pub(super) escape: char,
    /// Where problems go.
    pub(super) findings: &'f mut Findings,
}

impl Reader<'_> {
    /// Reads one logical line; lines and heredocs are filled in by the caller.
    pub(super) fn instruction(&mut self, line: Piece<'_>) -> Instruction {
        let (name, rest) = line.first_word();
        let keyword = Keyword::parse(name.text()).unwrap_or(Keyword::Unknown);
        let (flags, arguments) = if keyword == Keyword::Unknown {
            self.unknown(name);
            (Vec::new(), rest)
        } else {
            flags::split(rest)
        };
        flags::check(keyword, &flags, self.findings);
        let body = self.body(keyword, name, &flags, arguments);
        Instruction {
            keyword,
            line: 0,
            last_line: 0,
            span: line.trim().span(),
            keyword_span: name.span(),
            flags,
            body,
            heredocs: Vec::new(),
            arguments: arguments.text().to_owned(),
            places: arguments.places(),
        }
    }

    fn unknown(&mut self, name: Piece<'_>) {
        if name.is_empty() {
            let message = "there is nothing on this line but the sign that it goes on";
            self.findings.refuse(name.span(), message, None);
            return;
        }
        let short: String = name.text().chars().take(40).collect();
        let odd_space = |c: char| c.is_whitespace() || c == '\u{200b}';
        let hint = if short.contains(odd_space) {
            Some(String::from(
                "it holds a space that is not an ordinary one; type it again",
            ))
        } else if matches!(short.as_str(), "&&" | "||" | "|" | ";") || short.starts_with('-') {
            Some(String::from(
                "if it belongs to the line above, end that line with a backslash",
            ))
        } else {
            let upper = short.to_ascii_uppercase();
            let names = Keyword::ALL.map(Keyword::as_str);
            let meant = nearest(&upper, names).or_else(|| starting(&upper));
            meant.map(|meant| format!("did you mean `{meant}`?"))
        };
        self.findings
            .refuse(name.span(), format!("unknown instruction `{short}`"), hint);
    }

    fn body(&mut self, keyword: Keyword, name: Piece<'_>, flags: &[Flag], args: Piece<'_>) -> Body {
        let may_be_empty = matches!(
            keyword,
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint | Keyword::Unknown
        );
        if args.is_empty() && !may_be_empty {
            let message = format!("`{keyword}` needs an argument");
            self.findings
                .refuse(name.span(), message, usage(keyword).map(String::from));
            return Body::Invalid;
        }
        match keyword {
            Keyword::From => self.from(args),
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint => self.command(keyword, args),
            Keyword::Copy | Keyword::Add => self.copy(keyword, args),
            Keyword::Env | Keyword::Label => self.pairs(keyword, args),
            Keyword::Arg => self.names(args),
            Keyword::Expose => {
                let words = args.words();
                for port in &words {
                    ports::check(*port, self.findings);
                }
                self.words(&words)
            }
            Keyword::Volume => match self.list(args) {
                Some(words) => Body::Words(words),
                None => Body::Invalid,
            },
            Keyword::User | Keyword::Workdir | Keyword::Stopsignal | Keyword::Maintainer => {
                if keyword != Keyword::Maintainer {
                    self.can_expand(args);
                }
                if keyword == Keyword::Stopsignal {
                    signal::check(args, self.escape, self.findings);
                }
                Body::Word(word(args))
            }
            Keyword::Shell => self.shell(args),
            Keyword::Healthcheck => self.healthcheck(flags, args),
            Keyword::Onbuild => self.onbuild(args),
            Keyword::Unknown => Body::Invalid,
        }
    }

    fn from(&mut self, args: Piece<'_>) -> Body {
        let words = args.words();
        let (image, alias) = match words.as_slice() {
            [image] => (*image, None),
            [image, by, alias] if by.text().eq_ignore_ascii_case("as") => (*image, Some(*alias)),
            _ => {
                let hint = Some(String::from("write `FROM image` or `FROM image AS name`"));
                let message = "`FROM` takes one image and, after `AS`, one name";
                self.findings.refuse(args.span(), message, hint);
                return Body::Invalid;
            }
        };
        self.can_expand(image);
        if let Some(alias) = alias
            && !is_stage_name(&alias.text().to_ascii_lowercase())
        {
            self.findings.refuse(
                alias.span(),
                format!("`{}` cannot be the name of a stage", alias.text()),
                Some(String::from(
                    "begin with a letter; letters, digits, `-`, `_` and `.` may follow",
                )),
            );
        }
        Body::From {
            image: word(image),
            alias: alias.map(word),
        }
    }

    fn command(&mut self, keyword: Keyword, args: Piece<'_>) -> Body {
        match self.maybe_exec(args, keyword != Keyword::Run) {
            Some(command) => Body::Command(command),
            None => Body::Invalid,
        }
    }

    /// A command in exec or shell form; `None` for an array of something else than strings.
    fn maybe_exec(&mut self, args: Piece<'_>, is_metadata: bool) -> Option<Command> {
        match json(args) {
            Json::Strings(words) => {
                Some(Command::Exec(words.into_iter().map(|w| w.text).collect()))
            }
            Json::NotStrings => {
                self.not_strings(args);
                None
            }
            Json::Broken
                if is_metadata || args.text().contains('\'') || opens_array(args.text()) =>
            {
                self.broken_json(args);
                Some(Command::Shell(args.text().to_owned()))
            }
            Json::Broken | Json::No => Some(Command::Shell(args.text().to_owned())),
        }
    }

    fn not_strings(&mut self, args: Piece<'_>) {
        self.findings.refuse(
            args.span(),
            "the array may hold nothing but strings",
            Some(String::from("put each of its parts in double quotes")),
        );
    }

    fn broken_json(&mut self, args: Piece<'_>) {
        self.findings.warn(
            args.span(),
            "this looks like an array, but it is not JSON, so it is taken as plain text",
            Some(String::from(
                "put each part in straight double quotes and commas between the parts",
            )),
        );
    }

    /// A list of words in plain or JSON form.
    fn list(&mut self, args: Piece<'_>) -> Option<Vec<Word>> {
        match json(args) {
            Json::Strings(words) => Some(words),
            Json::NotStrings => {
                self.not_strings(args);
                None
            }
            form @ (Json::Broken | Json::No) => {
                if matches!(form, Json::Broken) {
                    self.broken_json(args);
                }
                let words = args.words();
                for piece in &words {
                    self.can_expand(*piece);
                }
                Some(words.into_iter().map(word).collect())
            }
        }
    }

    fn copy(&mut self, keyword: Keyword, args: Piece<'_>) -> Body {
        let Some(mut words) = self.list(args) else {
            return Body::Invalid;
        };
        let destination = words.pop().unwrap_or_default();
        if words.is_empty() {
            let message = format!("`{keyword}` needs a source and a destination");
            let hint = usage(keyword).map(String::from);
            self.findings.refuse(args.span(), message, hint);
            return Body::Invalid;
        }
        if heredoc::opens(&destination.text).is_some() {
            let message = format!("`{keyword}` cannot copy to a heredoc");
            let hint = Some(String::from("put the heredoc first and the path last"));
            self.findings.refuse(destination.span, message, hint);
        }
        words.retain(|source| heredoc::opens(&source.text).is_none());
        Body::Copy {
            sources: words,
            destination,
        }
    }

    fn words(&mut self, pieces: &[Piece<'_>]) -> Body {
        for piece in pieces {
            self.can_expand(*piece);
        }
        Body::Words(pieces.iter().copied().map(word).collect())
    }

    /// `KEY=value …`, or the old form `KEY value`.
    fn pairs(&mut self, keyword: Keyword, args: Piece<'_>) -> Body {
        let words = quoted_words(args, self.escape);
        if words.first().is_some_and(|word| !word.text().contains('=')) {
            let (key, value) = args.first_word();
            if value.is_empty() {
                self.findings.refuse(
                    args.span(),
                    format!("`{keyword}` needs a name and a value"),
                    Some(format!("write `{keyword} {}=value`", key.text())),
                );
                return Body::Invalid;
            }
            return Body::Pairs(vec![self.pair(key.text(), Some(value), args)]);
        }
        let mut pairs = Vec::with_capacity(words.len());
        for piece in words {
            let Some((key, _)) = piece.text().split_once('=') else {
                self.findings.refuse(
                    piece.span(),
                    format!("`{}` has no `=`", piece.text()),
                    Some(String::from("put a value with spaces in quotes")),
                );
                continue;
            };
            if key.is_empty() {
                self.blank_name(piece);
            }
            pairs.push(self.pair(key, Some(piece.from(key.len() + 1)), piece));
        }
        Body::Pairs(pairs)
    }

    /// `ARG NAME …` or `ARG NAME=value …`.
    fn names(&mut self, args: Piece<'_>) -> Body {
        let words = quoted_words(args, self.escape);
        let pairs = words.into_iter().map(|piece| {
            let text = piece.text();
            let (key, value) = match text.split_once('=') {
                Some((key, _)) => (key, Some(piece.from(key.len() + 1))),
                None => (text, None),
            };
            if key.is_empty() {
                self.blank_name(piece);
            }
            self.pair(key, value, piece)
        });
        Body::Pairs(pairs.collect())
    }

    fn blank_name(&mut self, piece: Piece<'_>) {
        let hint = Some(String::from(
            "write `NAME=value`, without spaces around `=`",
        ));
        self.findings
            .refuse(piece.span(), "there is no name before `=`", hint);
    }

    fn pair(&mut self, key: &str, value: Option<Piece<'_>>, whole: Piece<'_>) -> Pair {
        if let Some(value) = value {
            self.can_expand(value);
        }
        let plain = |text: &str| unquote(text, self.escape).unwrap_or_else(|_| text.to_owned());
        Pair {
            key: plain(key),
            value: value.map(|value| plain(value.text())),
            raw: value.map(|value| value.text().to_owned()),
            span: whole.span(),
        }
    }

    fn shell(&mut self, args: Piece<'_>) -> Body {
        match json(args) {
            Json::Strings(words) if !words.is_empty() => {
                Body::Shell(words.into_iter().map(|word| word.text).collect())
            }
            _ => {
                let hint = Some(String::from("write it as `SHELL [\"/bin/sh\", \"-c\"]`"));
                let message = "`SHELL` takes a JSON array of strings";
                self.findings.refuse(args.span(), message, hint);
                Body::Invalid
            }
        }
    }

    fn healthcheck(&mut self, flags: &[Flag], args: Piece<'_>) -> Body {
        health::check_flags(flags, self.findings);
        let (kind, rest) = args.first_word();
        match kind.text().to_ascii_uppercase().as_str() {
            "NONE" if rest.is_empty() => Body::Healthcheck(None),
            "NONE" => {
                let message = "`HEALTHCHECK NONE` takes nothing more";
                self.findings.refuse(rest.span(), message, None);
                Body::Invalid
            }
            "CMD" if rest.is_empty() => {
                let message = "`HEALTHCHECK CMD` needs a command";
                self.findings.refuse(kind.span(), message, None);
                Body::Invalid
            }
            "CMD" => match self.maybe_exec(rest, true) {
                Some(Command::Exec(words)) if words.is_empty() => {
                    let message = "`HEALTHCHECK CMD` needs a command";
                    self.findings.refuse(rest.span(), message, None);
                    Body::Invalid
                }
                Some(command) => Body::Healthcheck(Some(command)),
                None => Body::Invalid,
            },
            _ => {
                let message = format!("`HEALTHCHECK` does not know `{}`", kind.text());
                let hint = Some(String::from("write `HEALTHCHECK CMD` and the command"));
                self.findings.refuse(kind.span(), message, hint);
                Body::Invalid
            }
        }
    }

    fn onbuild(&mut self, args: Piece<'_>) -> Body {
        let (name, _) = args.first_word();
        let keyword = Keyword::parse(name.text());
        if let Some(keyword @ (Keyword::Onbuild | Keyword::From | Keyword::Maintainer)) = keyword {
            let message = format!("`ONBUILD {keyword}` is not allowed");
            let noted = self.findings.refuse(name.span(), message, None);
            noted.rule("onbuild-forbidden");
            return Body::Invalid;
        }
        Body::Onbuild(Box::new(self.instruction(args)))
    }

    /// Says where quotes or braces are not closed: builders find out when they expand the word.
    fn can_expand(&mut self, piece: Piece<'_>) {
        let error = match expand(piece.text(), self.escape, &|_| None) {
            // Whether a variable has a value is not known yet.
            Ok(_) | Err(ExpandError::Required { .. } | ExpandError::TooLong) => return,
            Err(error) => error,
        };
        let hint = match error {
            ExpandError::Quote(_) => Some(String::from("close it, or escape it")),
            _ => None,
        };
        self.findings.refuse(piece.span(), error.to_string(), hint);
    }
}

/// The one keyword that begins with `upper`.
fn starting(upper: &str) -> Option<&'static str> {
    let mut fits = Keyword::ALL
        .into_iter()
        .map(Keyword::as_str)
        .filter(|name| upper.len() >= 3 && name.starts_with(upper));
    fits.next().filter(|_| fits.next().is_none())
}

fn is_stage_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
}

/// What an instruction without arguments wants.
const fn usage(keyword: Keyword) -> Option<&'static str> {
    match keyword {
        Keyword::From => Some("write `FROM image`"),
        Keyword::Copy | Keyword::Add => Some("write the sources first and the destination last"),
        Keyword::Env | Keyword::Label => Some("write `NAME=value`"),
        Keyword::Arg => Some("write `ARG NAME` or `ARG NAME=value`"),
        Keyword::Workdir => Some("name a folder, such as `/app`"),
        Keyword::User => Some("name a user, or a user and a group as `user:group`"),
        Keyword::Expose => Some("name a port, such as `8000`"),
        Keyword::Healthcheck => Some("write `HEALTHCHECK CMD` and the command"),
        _ => None,
    }
}
