#![expect(
    clippy::disallowed_methods,
    reason = "reads /proc to tell whether a process still lives"
)]
//! Which process made something, and whether that process still lives.
//!
//! A process is written as `host/boot/pid-namespace/pid/start`. Only a process of this host, this
//! boot and this namespace can be looked up; of any other it is only known how old its work is.

use std::path::Path;
use std::process;

/// A process that made something on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Maker {
    host: String,
    boot: String,
    namespace: String,
    pid: u32,
    start: String,
}

/// Whether a maker lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alive {
    /// It does.
    Yes,
    /// It is gone.
    No,
    /// It runs where we cannot look.
    Unknown,
}

impl Maker {
    /// This process.
    pub(super) fn this() -> Self {
        let pid = process::id();
        Self {
            host: read("/proc/sys/kernel/hostname"),
            boot: read("/proc/sys/kernel/random/boot_id"),
            namespace: namespace(),
            pid,
            start: start_of(pid).unwrap_or_default(),
        }
    }

    /// Reads what [`Maker::to_label`] wrote.
    pub(super) fn parse(label: &str) -> Option<Self> {
        let mut parts = label.split('/');
        let maker = Self {
            host: parts.next()?.to_owned(),
            boot: parts.next()?.to_owned(),
            namespace: parts.next()?.to_owned(),
            pid: parts.next()?.parse().ok()?,
            start: parts.next()?.to_owned(),
        };
        parts.next().is_none().then_some(maker)
    }

    /// The value of the label.
    pub(super) fn to_label(&self) -> String {
        let Self {
            host,
            boot,
            namespace,
            pid,
            start,
        } = self;
        format!("{host}/{boot}/{namespace}/{pid}/{start}")
    }

    /// Whether it lives, as far as `this` process can see.
    pub(super) fn alive(&self, this: &Self) -> Alive {
        self.judge(this, start_of(self.pid).as_deref())
    }

    /// The decision of [`Maker::alive`]: `start` is the start time of the process that has this
    /// pid now.
    fn judge(&self, this: &Self, start: Option<&str>) -> Alive {
        if self.host != this.host || self.boot.is_empty() {
            return Alive::Unknown;
        }
        if self.boot != this.boot {
            return Alive::No;
        }
        if self.namespace != this.namespace {
            return Alive::Unknown;
        }
        match start {
            Some(start) if start == self.start => Alive::Yes,
            _ => Alive::No,
        }
    }
}

/// A small file without white space and slashes; empty where there is none.
fn read(path: &str) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .trim()
        .replace('/', "_")
}

/// The number of this process's pid namespace.
fn namespace() -> String {
    Path::new("/proc/self/ns/pid")
        .read_link()
        .ok()
        .and_then(|link| {
            let text = link.to_string_lossy().into_owned();
            text.strip_prefix("pid:[")
                .and_then(|rest| rest.strip_suffix(']'))
                .map(str::to_owned)
        })
        .unwrap_or_default()
}

/// When the process began, in ticks since the boot: a pid that is used again differs in it.
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in brackets and may hold anything; fields are counted after it.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_survives_its_label() {
        let this = Maker::this();
        assert_eq!(Maker::parse(&this.to_label()), Some(this.clone()));
        assert_eq!(this.alive(&this), Alive::Yes);
    }

    #[test]
    fn a_pid_that_was_given_to_another_process_is_not_its_maker() {
        let this = Maker::this();
        let mut earlier = this.clone();
        earlier.start = "1".to_owned();
        assert_eq!(earlier.alive(&this), Alive::No);
        let mut before_the_boot = this.clone();
        before_the_boot.boot = "another".to_owned();
        assert_eq!(before_the_boot.alive(&this), Alive::No);
    }

    #[test]
    fn what_another_host_or_namespace_made_is_left_to_its_age() {
        let this = Maker::this();
        let mut elsewhere = this.clone();
        elsewhere.host = "another".to_owned();
        assert_eq!(elsewhere.alive(&this), Alive::Unknown);
        let mut contained = this.clone();
        contained.namespace = "1".to_owned();
        assert_eq!(contained.alive(&this), Alive::Unknown);
        assert_eq!(Maker::parse("someone"), None);
    }
}
