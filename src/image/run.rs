//! What a goal asks of a run, and what the run showed.
//!
//! Every run is hardened by the engine's adapter (memory, pids, CPU, no capabilities, no new
//! privileges, no network) and bounded in time and output; a goal cannot ask for less. A run whose
//! opened files are written down starts with more, for the program that does it, and hands none of
//! it on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::image::output::Output;
use crate::text::Clean;
use crate::units::Bytes;

/// Memory of a container, without swap: enough for a small service, too little to hurt the host.
pub const MEMORY: Bytes = Bytes(512 * 1024 * 1024);
/// Processes and threads of a container.
pub const PROCESSES: u32 = 256;

/// A run that some goal wants to see. Equal requests are run once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Run {
    /// How the container is started.
    pub start: Start,
    /// What is asked of it once it runs.
    pub probe: Probe,
    /// The longest it may take.
    pub within: Duration,
}

/// How a container is started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Start {
    /// Replaces the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command.
    pub args: Option<Vec<String>>,
    /// Extra environment.
    pub env: BTreeMap<String, String>,
    /// Bytes for standard input.
    pub stdin: Option<String>,
    /// Whether the root file system is read-only (with a small writable `/tmp`).
    pub read_only: bool,
    /// Whether `$NAME` in its words stands for a value of the image's environment.
    pub expand: bool,
}

impl Start {
    /// The same with the image's environment, `NAME=value` lines, put into its words where it asks
    /// for that.
    #[must_use]
    pub fn expanded(&self, env: &[String]) -> Self {
        if !self.expand {
            return self.clone();
        }
        let own: Vec<String> = env
            .iter()
            .cloned()
            .chain(
                self.env
                    .iter()
                    .map(|(name, value)| format!("{name}={value}")),
            )
            .collect();
        let put = |words: &Option<Vec<String>>| {
            let words = words.as_ref()?.iter();
            Some(words.map(|word| expand(word, &own)).collect())
        };
        Self {
            entrypoint: put(&self.entrypoint),
            args: put(&self.args),
            expand: false,
            ..self.clone()
        }
    }
}

/// A text with `$NAME` and `${NAME}` replaced by the last of the `NAME=value` lines that sets it, or
/// by nothing.
#[must_use]
pub fn expand(text: &str, env: &[String]) -> String {
    let value = |name: &str| {
        let mut lines = env.iter().rev().filter_map(|line| line.split_once('='));
        let found = lines.find(|(known, _)| *known == name);
        found.map_or_else(String::new, |(_, value)| value.to_owned())
    };
    let mut put = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        put.push_str(before);
        if let Some((name, after)) = after
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
        {
            put.push_str(&value(name));
            rest = after;
            continue;
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        if name.is_empty() {
            put.push('$');
        } else {
            put.push_str(&value(name));
        }
        rest = after;
    }
    put.push_str(rest);
    put
}

/// Why nobody answers where nobody is there.
pub const NOBODY: &str = "nothing listens on the port";

/// What is asked of a running container.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Probe {
    /// Nothing: it runs to its end.
    Exit,
    /// An HTTP request from beside the container, repeated until it is answered.
    Http(HttpRequest),
    /// A stop signal; then the time until it ends.
    Stop {
        /// The signal; `None` is the image's own stop signal.
        signal: Option<String>,
        /// How long it may take to end after the signal before it is killed; [`Run::within`] bounds
        /// the start before.
        grace: Duration,
        /// What shows that it is up before the signal is sent; without it, a moment after the
        /// start.
        ready: Option<Ready>,
    },
    /// Its health check until it says healthy.
    Health,
}

/// What shows that a container is up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ready {
    /// A port that takes connections.
    Port(u16),
    /// An answer to a request, which the outcome then has as for [`Probe::Http`].
    Http(HttpRequest),
}

/// An HTTP/1.1 request to `127.0.0.1` inside the container's network.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HttpRequest {
    /// The port.
    pub port: u16,
    /// The path, starting with `/`.
    pub path: String,
    /// The method, in capitals.
    pub method: String,
    /// The body to send.
    pub body: Option<String>,
}

/// What a run showed.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts of one run, each seen or not; together they are no state"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunOutcome {
    /// The exit status; `None` where it still ran when it was stopped by us.
    pub exit: Option<i64>,
    /// Why it could not be started, in the engine's words (a missing program, say).
    pub start_error: Option<Clean>,
    /// Whether its time ran out.
    pub timed_out: bool,
    /// Whether it, or a child of it, was killed for lack of memory.
    pub out_of_memory: bool,
    /// Whether it was killed, not by us, on an engine that does not tell what ran out of memory.
    pub killed_untold: bool,
    /// How many processes and threads it had when its time was over, where those were as many as it
    /// may have.
    pub crowd: Option<u64>,
    /// From the start to its end or to the answer.
    pub took: Duration,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// Why nobody answered in time, where a port was asked: [`NOBODY`], or what was seen there.
    pub unanswered: Option<Clean>,
    /// The answer to [`Probe::Http`] or [`Ready::Http`].
    pub response: Option<HttpResponse>,
    /// From the signal to the end, for [`Probe::Stop`]; `None` where it never became ready.
    pub stopped_after: Option<Duration>,
    /// Whether it had to be killed after the signal, for [`Probe::Stop`].
    pub killed: bool,
    /// The last state of [`Probe::Health`]: `healthy`, `unhealthy`, `starting`.
    pub health: Option<Clean>,
}

impl RunOutcome {
    /// Why nobody answered in time although somebody listened.
    #[must_use]
    pub fn heard(&self) -> Option<&Clean> {
        self.unanswered
            .as_ref()
            .filter(|why| why.as_str() != NOBODY)
    }
}

/// A run whose opened files were written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// What the run showed.
    pub outcome: RunOutcome,
    /// What it opened.
    pub opened: Opened,
}

/// The files that a run opened: those of the root file system, from the program's own file on.
/// Folders, and files that were only looked at, are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Each path once, `/usr/bin/env`, links followed, in the order of first opening.
    pub paths: Vec<String>,
    /// Why some may be missing, as a fragment; `None` where none is.
    pub gaps: Option<Clean>,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, with values.
    pub headers: Vec<(Clean, Clean)>,
    /// The body; of a long one the first 64 KiB.
    pub body: Output,
    /// From the container's start to the answer.
    pub after: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_expanded_where_a_start_asks_for_it() {
        let env = [String::from("HOME=/a"), String::from("HOME=/srv")];
        assert_eq!(
            expand("$HOME/x ${HOME}y $NONE. 5$ é", &env),
            "/srv/x /srvy . 5$ é"
        );
        let start = Start {
            args: Some(vec![String::from("$HOME"), String::from("$OWN")]),
            env: [(String::from("OWN"), String::from("1"))].into(),
            ..Start::default()
        };
        assert_eq!(start.expanded(&env), start);
        let asking = Start {
            expand: true,
            ..start
        };
        let words = asking.expanded(&env).args.unwrap();
        assert_eq!(words, ["/srv", "1"]);
    }
}
