//! The text of a shell as simple commands and their words, each with its place in the Dockerfile.
//!
//! It splits as a POSIX shell would: quotes, `&&`, `||`, `|`, `;`, redirections, heredocs, command
//! substitutions, the words that steer a shell, and the texts that `sh -c` is given. It refuses to
//! run, expand or judge anything. Every text has an answer, in time that grows with its length.

mod read;
mod word;

use super::ast::Span;
use super::lines::Places;
pub(super) use word::ShellWord;

/// How deep `sh -c "sh -c …"` is followed.
const DEEPEST: usize = 4;

/// How a command is joined to the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Joint {
    /// It is the first one, or stands behind `;`, a line break or a word that steers the shell.
    #[default]
    Then,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
}

/// `> file`, `2>&1`, `<<EOF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redirect {
    /// The operator without the number before it.
    pub(super) operator: &'static str,
    /// What follows it.
    pub(super) target: ShellWord,
}

/// One simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ShellCommand {
    /// `NAME=value` before the command.
    pub(super) assignments: Vec<ShellWord>,
    /// The command and its arguments, as written: `sudo apt-get install x`.
    pub(super) words: Vec<ShellWord>,
    /// Where it reads and writes.
    pub(super) redirects: Vec<Redirect>,
    /// How it is joined to the command before it.
    pub(super) joint: Joint,
    /// Commands of one pipeline share this number.
    pub(super) pipeline: u32,
    /// Whether it stands inside another command: in `$(…)`, or in the text of `sh -c`.
    pub(super) nested: bool,
    /// How many of the words only start the command: `sudo`, `env A=b`.
    wrappers: usize,
}

/// Splits the text of a shell; `places` knows where its bytes are written.
pub(super) fn commands(text: &str, places: &Places) -> Vec<ShellCommand> {
    let mut found = Vec::new();
    let mut pipelines = 0;
    collect(text, places, 0, &mut pipelines, &mut found);
    found
}

fn collect(
    text: &str,
    places: &Places,
    depth: usize,
    pipelines: &mut u32,
    found: &mut Vec<ShellCommand>,
) {
    let first = found.len();
    read::read(text, places, pipelines, found);
    for command in found.iter_mut().skip(first) {
        command.wrappers = wrappers(&command.words);
        command.nested |= depth > 0;
    }
    if depth == DEEPEST {
        return;
    }
    let inner: Vec<ShellWord> = found
        .iter()
        .skip(first)
        .filter_map(ShellCommand::script)
        .cloned()
        .collect();
    for script in inner {
        collect(&script.text, &script.places, depth + 1, pipelines, found);
    }
}

/// One command whose words are given, as in the exec form, with what `sh -c` in it is given.
pub(super) fn exec(words: Vec<ShellWord>) -> Vec<ShellCommand> {
    let mut found = vec![ShellCommand {
        wrappers: wrappers(&words),
        words,
        ..ShellCommand::default()
    }];
    let script = found.first().and_then(ShellCommand::script).cloned();
    if let Some(script) = script {
        collect(&script.text, &script.places, 1, &mut 1, &mut found);
    }
    found
}

impl ShellCommand {
    /// The program that does the work, without the folder that it is in: `apt-get` for
    /// `sudo /usr/bin/apt-get update`. Empty where there is none.
    pub(super) fn program(&self) -> &str {
        let word = self.words.get(self.wrappers);
        word.map_or("", |word| base_name(&word.text))
    }

    /// The word that names the program.
    pub(super) fn program_word(&self) -> Option<&ShellWord> {
        self.words.get(self.wrappers)
    }

    /// What the program is given.
    pub(super) fn arguments(&self) -> &[ShellWord] {
        self.words.get(self.wrappers + 1..).unwrap_or_default()
    }

    /// Whether one of the arguments is exactly `text`.
    pub(super) fn has(&self, text: &str) -> bool {
        self.arguments().iter().any(|word| word.text == text)
    }

    /// Whether one of the arguments is the short option `letter`, alone or among others, or the
    /// long option `name`.
    pub(super) fn has_option(&self, letter: char, name: &str) -> bool {
        self.arguments().iter().any(|word| {
            let text = word.text.as_str();
            match text.strip_prefix("--") {
                Some(long) => long.split('=').next() == Some(name),
                None => text.starts_with('-') && text.contains(letter),
            }
        })
    }

    /// From its first word to its last.
    pub(super) fn span(&self) -> Span {
        let mut words = self.assignments.iter().chain(&self.words);
        let first = words.next().map(|word| word.span).unwrap_or_default();
        let last = words.next_back().map_or(first, |word| word.span);
        Span {
            start: first.start.min(last.start),
            end: first.end.max(last.end),
        }
    }

    /// The text that a shell is given to run: `x` of `sh -c x`.
    fn script(&self) -> Option<&ShellWord> {
        if !is_shell(self.program()) {
            return None;
        }
        let mut words = self.arguments().iter();
        let takes_text = |word: &ShellWord| {
            word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c')
        };
        loop {
            let word = words.next()?;
            if takes_text(word) {
                return words.next();
            }
            if !word.text.starts_with(['-', '+']) {
                return None;
            }
        }
    }
}

/// Whether a program reads POSIX shell text.
pub(super) fn is_shell(program: &str) -> bool {
    matches!(
        program,
        "sh" | "bash" | "ash" | "dash" | "ksh" | "mksh" | "zsh"
    )
}

/// The last part of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How many words at the front only start the command behind them.
fn wrappers(words: &[ShellWord]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        // Options with a value of their own, and words that come before the command.
        let (valued, before): (&[&str], usize) = match base_name(&word.text) {
            "sudo" | "doas" => (&["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U"], 0),
            "env" => (&["-u", "-C", "--unset", "--chdir"], 0),
            "exec" => (&["-a"], 0),
            "nice" | "ionice" => (&["-n", "-c"], 0),
            "stdbuf" => (&["-i", "-o", "-e"], 0),
            "xargs" => (&["-n", "-I", "-P", "-L", "-d", "-E", "-s", "-a"], 0),
            "timeout" => (&["-s", "-k", "--signal", "--kill-after"], 1),
            "gosu" | "su-exec" => (&[], 1),
            "nohup" | "eatmydata" | "fakeroot" | "time" => (&[], 0),
            _ => return at,
        };
        let Some(next) = behind(words, at + 1, valued, before) else {
            return at;
        };
        at = next;
    }
    0
}

/// The index of the command behind a wrapper's options and `before` more words.
fn behind(words: &[ShellWord], from: usize, valued: &[&str], before: usize) -> Option<usize> {
    let mut at = from;
    let mut left = before;
    loop {
        let text = words.get(at)?.text.as_str();
        if text.starts_with('-') {
            at += 1 + usize::from(valued.contains(&text));
        } else if word::is_assignment(text) {
            at += 1;
        } else if left > 0 {
            left -= 1;
            at += 1;
        } else {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests;
