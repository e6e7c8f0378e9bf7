//! Reads shell text character by character.

use super::super::ast::Span;
use super::super::lines::Places;
use super::Joint;
use super::Redirect;
use super::ShellCommand;
use super::ShellWord;
use super::word::is_assignment;

/// How deep `$(…)` is followed.
const DEEPEST: usize = 24;

/// Redirections, the longest first.
const REDIRECTS: [&str; 12] = [
    "&>>", "<<<", "<<-", "<<", ">>", ">&", "<&", "<>", ">|", "&>", ">", "<",
];

/// Adds the simple commands of `text` to `found`, in the order in which they begin.
pub(super) fn read(
    text: &str,
    places: &Places,
    pipelines: &mut u32,
    found: &mut Vec<ShellCommand>,
) {
    let first = found.len();
    let mut reader = Reader {
        text,
        places,
        at: 0,
        end: text.len(),
        depth: 0,
        pipelines,
        heredocs: Vec::new(),
        found,
        first,
    };
    reader.list(false);
    if let Some(new) = found.get_mut(first..) {
        new.sort_by_key(|command| command.span().start);
    }
}

struct Reader<'a> {
    text: &'a str,
    places: &'a Places,
    at: usize,
    end: usize,
    depth: usize,
    pipelines: &'a mut u32,
    /// Heredocs whose text begins at the next line: the terminator, and whether tabs go.
    heredocs: Vec<(String, bool)>,
    found: &'a mut Vec<ShellCommand>,
    /// How many commands there were before.
    first: usize,
}

/// The command that is being read.
#[derive(Default)]
struct Open {
    command: ShellCommand,
    /// Behind `for`, `case` and `select`: words that are no command.
    ignored: bool,
    /// How many `(` are open.
    brackets: usize,
    /// How many `case` are open.
    cases: usize,
    /// How many commands there were where the pattern of a `case` began.
    pattern_from: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Reads commands up to the end, or up to the bracket that closes a substitution.
    fn list(&mut self, in_brackets: bool) {
        let mut open = Open::default();
        self.pipeline(&mut open);
        while let Some(c) = self.blanks() {
            match c {
                '\n' => {
                    self.at += 1;
                    self.finish(&mut open, Joint::Then);
                    self.skip_heredocs();
                }
                '#' => {
                    let line = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.at += line;
                }
                ')' if in_brackets && open.brackets == 0 && open.cases == 0 => {
                    self.at += 1;
                    break;
                }
                '(' | ')' => self.bracket(&mut open, c == '('),
                ';' => {
                    let ends_case = self.rest().starts_with(";;");
                    self.at += 1 + usize::from(ends_case);
                    self.finish(&mut open, Joint::Then);
                    if ends_case {
                        open.pattern_from = self.found.len();
                    }
                }
                '&' | '|' if !self.rest().starts_with("&>") => self.operator(&mut open),
                '&' | '<' | '>' if !self.rest().get(1..).is_some_and(|r| r.starts_with('(')) => {
                    self.redirect(&mut open);
                }
                _ => self.command_word(&mut open),
            }
        }
        self.finish(&mut open, Joint::Then);
    }

    /// Skips white space and escaped line breaks; returns what follows.
    fn blanks(&mut self) -> Option<char> {
        loop {
            match self.peek()? {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.rest().starts_with("\\\n") => self.at += 2,
                '\\' if self.rest().starts_with("\\\r\n") => self.at += 3,
                c => return Some(c),
            }
        }
    }

    fn bracket(&mut self, open: &mut Open, opens: bool) {
        self.at += 1;
        if opens {
            self.finish(open, Joint::Then);
            open.brackets += 1;
        } else if open.brackets > 0 {
            open.brackets -= 1;
            let pipeline = open.command.pipeline;
            self.finish(open, Joint::Then);
            // `(a; b) | c` is one pipeline.
            open.command.pipeline = pipeline;
        } else {
            // The pattern of a `case`: `a|b)`.
            if open.cases > 0 {
                self.found.truncate(open.pattern_from.max(self.first));
            }
            open.command = ShellCommand::default();
            open.ignored = false;
            self.pipeline(open);
        }
    }

    fn operator(&mut self, open: &mut Open) {
        let (length, joint) = match self.rest() {
            rest if rest.starts_with("&&") => (2, Joint::And),
            rest if rest.starts_with("||") => (2, Joint::Or),
            rest if rest.starts_with("|&") => (2, Joint::Pipe),
            rest if rest.starts_with('|') => (1, Joint::Pipe),
            _ => (1, Joint::Then),
        };
        self.at += length;
        self.finish(open, joint);
    }

    fn pipeline(&mut self, open: &mut Open) {
        *self.pipelines = self.pipelines.saturating_add(1);
        open.command.pipeline = *self.pipelines;
        open.command.nested = self.depth > 0;
    }

    /// Ends the command; the next one is joined to it by `joint`.
    fn finish(&mut self, open: &mut Open, joint: Joint) {
        let command = std::mem::take(&mut open.command);
        let pipeline = command.pipeline;
        let empty = command.words.is_empty()
            && command.assignments.is_empty()
            && command.redirects.is_empty();
        if !empty && !open.ignored {
            self.found.push(command);
        }
        open.ignored = false;
        self.pipeline(open);
        open.command.joint = joint;
        if joint == Joint::Pipe {
            open.command.pipeline = pipeline;
        }
    }

    fn command_word(&mut self, open: &mut Open) {
        let word = self.word();
        if open.ignored && open.cases > 0 && word.text == "in" && !word.quoted {
            open.command = ShellCommand::default();
            open.ignored = false;
            open.pattern_from = self.found.len();
            self.pipeline(open);
            return;
        }
        let command = &mut open.command;
        let starts = command.words.is_empty();
        if starts && !word.quoted && !open.ignored {
            match word.text.as_str() {
                "if" | "then" | "elif" | "else" | "while" | "until" | "do" | "fi" | "done"
                    if command.assignments.is_empty() =>
                {
                    return;
                }
                "{" | "}" | "!" => return,
                "for" | "select" | "function" => {
                    open.ignored = true;
                    return;
                }
                "case" => {
                    open.ignored = true;
                    open.cases += 1;
                    return;
                }
                "esac" => {
                    open.cases = open.cases.saturating_sub(1);
                    return;
                }
                _ => {}
            }
        }
        let digits = !word.text.is_empty() && word.text.chars().all(|c| c.is_ascii_digit());
        if digits && !word.quoted && matches!(self.peek(), Some('<' | '>')) {
            self.redirect(open);
        } else if starts && is_assignment(&word.text) {
            open.command.assignments.push(word);
        } else {
            open.command.words.push(word);
        }
    }

    fn redirect(&mut self, open: &mut Open) {
        let operator = REDIRECTS
            .into_iter()
            .find(|operator| self.rest().starts_with(operator))
            .unwrap_or(">");
        self.at += operator.len();
        let target = match self.blanks() {
            Some('\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>') | None => return,
            Some(_) => self.word(),
        };
        if matches!(operator, "<<" | "<<-") {
            let name = (target.text.clone(), operator == "<<-");
            self.heredocs.push(name);
        }
        open.command.redirects.push(Redirect { operator, target });
    }

    /// Skips the texts of the heredocs that the line above opened.
    fn skip_heredocs(&mut self) {
        for (name, chomp) in std::mem::take(&mut self.heredocs) {
            while self.at < self.end {
                let rest = self.rest();
                let line = rest.split('\n').next().unwrap_or_default();
                self.at = (self.at + line.len() + 1).min(self.end);
                let line = line.trim_end_matches('\r');
                let line = if chomp {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if line == name {
                    break;
                }
            }
        }
    }

    /// Reads one word; something that is no white space is read in any case.
    fn word(&mut self) -> ShellWord {
        let start = self.at;
        let mut word = ShellWord::default();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' => {
                    if self.at == start {
                        self.take(&mut word, c);
                    }
                    break;
                }
                '<' | '>' => {
                    let inner = self
                        .rest()
                        .get(1..)
                        .is_some_and(|rest| rest.starts_with('('));
                    if !inner || self.at != start {
                        break;
                    }
                    word.expands = true;
                    self.substitution(&mut word, 2);
                }
                '\\' => self.escape(&mut word),
                '\'' => self.single(&mut word),
                '"' => self.double(&mut word),
                '$' => self.dollar(&mut word, false),
                '`' => self.backticks(&mut word),
                c => {
                    word.expands |= matches!(c, '*' | '?' | '[') || c == '~' && self.at == start;
                    self.take(&mut word, c);
                }
            }
        }
        word.span = Span {
            start: self.places.source(start),
            end: self.places.span(self.text, start..self.at).end,
        };
        word.span.end = word.span.end.max(word.span.start);
        word
    }

    /// Adds the next character, which is `c`, as it is.
    fn take(&mut self, word: &mut ShellWord, c: char) {
        word.push(c, self.places.source(self.at));
        self.at += c.len_utf8();
    }

    /// Adds everything up to byte `end` as it is.
    fn take_until(&mut self, word: &mut ShellWord, end: usize) {
        while self.at < end {
            let Some(c) = self.peek() else { return };
            self.take(word, c);
        }
    }

    fn escape(&mut self, word: &mut ShellWord) {
        self.at += 1;
        match self.peek() {
            Some('\n') => self.at += 1,
            Some('\r') if self.rest().starts_with("\r\n") => self.at += 2,
            Some(c) => {
                word.quoted = true;
                self.take(word, c);
            }
            None => {}
        }
    }

    fn single(&mut self, word: &mut ShellWord) {
        self.at += 1;
        word.quoted = true;
        let end = self.rest().find('\'');
        word.unclosed |= end.is_none();
        self.take_until(word, self.at + end.unwrap_or(self.rest().len()));
        self.at = (self.at + 1).min(self.end);
    }

    fn double(&mut self, word: &mut ShellWord) {
        self.at += 1;
        word.quoted = true;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.at += 1;
                    return;
                }
                '\\' => {
                    let next = self.rest().chars().nth(1);
                    if matches!(next, Some('$' | '`' | '"' | '\\' | '\n')) {
                        self.escape(word);
                    } else {
                        self.take(word, c);
                    }
                }
                '$' => self.dollar(word, true),
                '`' => self.backticks(word),
                c => self.take(word, c),
            }
        }
        word.unclosed = true;
    }

    fn dollar(&mut self, word: &mut ShellWord, in_quotes: bool) {
        let after: String = self.rest().chars().skip(1).take(2).collect();
        let name = |c: char| c.is_ascii_alphanumeric() || "_@*?!#$-".contains(c);
        if after.starts_with("((") {
            word.expands = true;
            let length = self
                .rest()
                .find("))")
                .map_or(self.rest().len(), |at| at + 2);
            self.take_until(word, self.at + length);
        } else if after.starts_with('(') {
            word.expands = true;
            self.substitution(word, 2);
        } else if after.starts_with('{') {
            word.expands = true;
            let length = braces(self.rest());
            self.take_until(word, self.at + length);
        } else if after.starts_with('\'') && !in_quotes {
            // What a backslash means in it hangs on the shell.
            word.expands = true;
            self.at += 1;
            self.single(word);
        } else {
            word.expands |= after.starts_with(name);
            self.take(word, '$');
        }
    }

    /// Reads `$(…)`, whose opening has `length` bytes.
    fn substitution(&mut self, word: &mut ShellWord, length: usize) {
        let start = self.at;
        if self.depth == DEEPEST {
            // Too deep to be meant; the rest is one word.
            self.take_until(word, self.end);
            return;
        }
        self.at = (self.at + length).min(self.end);
        self.inside(true);
        let end = self.at;
        self.at = start;
        self.take_until(word, end);
    }

    fn backticks(&mut self, word: &mut ShellWord) {
        word.expands = true;
        let start = self.at;
        let inner = start + 1;
        let mut escaped = false;
        let close = self.text.get(inner..self.end).and_then(|rest| {
            rest.char_indices().find_map(|(at, c)| {
                let closes = c == '`' && !escaped;
                escaped = c == '\\' && !escaped;
                closes.then_some(inner + at)
            })
        });
        let close = close.unwrap_or(self.end);
        let end = std::mem::replace(&mut self.end, close);
        self.at = inner.min(close);
        if self.depth < DEEPEST {
            self.inside(false);
        }
        self.end = end;
        self.at = start;
        self.take_until(word, (close + 1).min(end));
    }

    /// Reads the commands of a substitution.
    fn inside(&mut self, in_brackets: bool) {
        self.depth += 1;
        let heredocs = std::mem::take(&mut self.heredocs);
        self.list(in_brackets);
        self.heredocs = heredocs;
        self.depth -= 1;
    }
}

/// The length of the `${…}` that `text` begins with.
fn braces(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}
