//! Programs that start another one, which their arguments name: `tini`, `gosu`, `nice`.
//!
//! Which argument that is hangs on which options take the argument behind them. Where one is not
//! known, nothing is said: a wrong guess would be told as a program that is not there.

/// What is known of one such program.
struct Wrapper {
    name: &'static str,
    /// Letters of options that stand alone.
    alone: &'static str,
    /// Letters of options with a value, in the same argument or in the next.
    valued: &'static str,
    /// Long options that stand alone, or that have their value behind a `=` only.
    long_alone: &'static [&'static str],
    /// Long options with a value, behind a `=` or in the next argument.
    long_valued: &'static [&'static str],
    /// How many arguments come before the program: a user, a time.
    operands: usize,
    /// Whether variables may come before the program.
    assigns: bool,
}

/// One without options.
const PLAIN: Wrapper = Wrapper {
    name: "",
    alone: "",
    valued: "",
    long_alone: &[],
    long_valued: &[],
    operands: 0,
    assigns: false,
};

/// All that are known, with the options that let them start a program.
const WRAPPERS: [Wrapper; 12] = [
    Wrapper {
        name: "env",
        alone: "i0v",
        valued: "uCa",
        long_alone: &[
            "ignore-environment",
            "null",
            "debug",
            "block-signal",
            "default-signal",
            "ignore-signal",
            "list-signal-handling",
        ],
        long_valued: &["unset", "chdir", "argv0"],
        assigns: true,
        ..PLAIN
    },
    TINI,
    Wrapper {
        name: "tini-static",
        ..TINI
    },
    Wrapper {
        name: "dumb-init",
        alone: "cv",
        valued: "r",
        long_alone: &["single-child", "verbose"],
        long_valued: &["rewrite"],
        ..PLAIN
    },
    Wrapper {
        name: "catatonit",
        alone: "g",
        ..PLAIN
    },
    Wrapper {
        name: "gosu",
        operands: 1,
        ..PLAIN
    },
    Wrapper {
        name: "su-exec",
        operands: 1,
        ..PLAIN
    },
    Wrapper {
        name: "setpriv",
        long_alone: &[
            "clear-groups",
            "init-groups",
            "keep-groups",
            "no-new-privs",
            "nnp",
            "reset-env",
        ],
        long_valued: &[
            "ambient-caps",
            "apparmor-profile",
            "bounding-set",
            "egid",
            "euid",
            "gid",
            "groups",
            "inh-caps",
            "landlock-access",
            "landlock-rule",
            "pdeathsig",
            "ptracer",
            "regid",
            "reuid",
            "rgid",
            "ruid",
            "seccomp-filter",
            "securebits",
            "selinux-label",
            "uid",
        ],
        ..PLAIN
    },
    Wrapper {
        name: "nice",
        // `nice -5` is an old way to write `nice -n 5`.
        alone: "0123456789",
        valued: "n",
        long_valued: &["adjustment"],
        ..PLAIN
    },
    Wrapper {
        name: "timeout",
        alone: "fpv",
        valued: "sk",
        long_alone: &["foreground", "preserve-status", "verbose"],
        long_valued: &["signal", "kill-after"],
        operands: 1,
        ..PLAIN
    },
    Wrapper {
        name: "stdbuf",
        valued: "ioe",
        long_valued: &["input", "output", "error"],
        ..PLAIN
    },
    Wrapper {
        name: "exec",
        alone: "cl",
        valued: "a",
        ..PLAIN
    },
];

const TINI: Wrapper = Wrapper {
    name: "tini",
    alone: "svwg",
    valued: "pe",
    ..PLAIN
};

/// What an option takes.
enum Takes {
    /// Nothing more.
    Nothing,
    /// The next argument.
    Next,
}

/// The program that a wrapper starts with its arguments, with those of its own; `None` where it is
/// no wrapper, or cannot be told.
pub(super) fn started(name: &str, arguments: &[String]) -> Option<Vec<String>> {
    let wrapper = WRAPPERS.iter().find(|one| one.name == name)?;
    let mut rest = arguments;
    while let Some((first, more)) = rest.split_first() {
        if first == "--" {
            rest = more;
            break;
        }
        // A lone hyphen is an option of `env`, and the name of nothing.
        let is_option = first.starts_with('-') && (first.len() > 1 || wrapper.assigns);
        if !is_option {
            break;
        }
        rest = match wrapper.takes(first)? {
            Takes::Nothing => more,
            Takes::Next => more.get(1..)?,
        };
    }
    rest = rest.get(wrapper.operands..)?;
    let is_variable = |word: &&String| wrapper.assigns && word.contains('=');
    let variables = rest.iter().take_while(is_variable).count();
    rest = rest.get(variables..)?;
    (!rest.is_empty()).then(|| rest.to_vec())
}

impl Wrapper {
    /// What an option takes; `None` where it is not known.
    fn takes(&self, option: &str) -> Option<Takes> {
        if let Some(long) = option.strip_prefix("--") {
            let (name, has_value) = match long.split_once('=') {
                Some((name, _)) => (name, true),
                None => (long, false),
            };
            return if self.long_valued.contains(&name) {
                Some(if has_value {
                    Takes::Nothing
                } else {
                    Takes::Next
                })
            } else {
                self.long_alone.contains(&name).then_some(Takes::Nothing)
            };
        }
        let mut letters = option.chars().skip(1);
        while let Some(letter) = letters.next() {
            if self.valued.contains(letter) {
                // What is left of the argument is the value.
                let has_value = letters.next().is_some();
                return Some(if has_value {
                    Takes::Nothing
                } else {
                    Takes::Next
                });
            }
            if !self.alone.contains(letter) {
                return None;
            }
        }
        Some(Takes::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program and its arguments of a line; empty where it cannot be told.
    fn of(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (name, arguments) = words.split_first().unwrap();
        started(name, arguments).unwrap_or_default().join(" ")
    }

    #[test]
    fn the_value_of_an_option_is_not_the_program() {
        for line in [
            "tini -e 143 -- /app/x -v",
            "tini -vvg -p SIGTERM -e143 /app/x -v",
            "tini-static -s -- /app/x -v",
            "dumb-init --rewrite 15:2 -- /app/x -v",
            "dumb-init -c -r 15:2 --rewrite=1:2 /app/x -v",
            "catatonit -g -- /app/x -v",
            "nice -n 10 /app/x -v",
            "nice -10 /app/x -v",
            "nice --adjustment=5 /app/x -v",
            "setpriv --reuid 1000 --regid=1000 --clear-groups /app/x -v",
            "timeout -s KILL 30 /app/x -v",
            "timeout --kill-after=5 -- 30 /app/x -v",
            "gosu app /app/x -v",
            "su-exec app:app /app/x -v",
            "stdbuf -oL -e 0 /app/x -v",
            "env -i -u HOME A=b C= /app/x -v",
            "env - A=b /app/x -v",
            "exec -a name /app/x -v",
        ] {
            assert_eq!(of(line), "/app/x -v", "{line}");
        }
        // What comes behind the program is its own.
        assert_eq!(of("tini /app/x -- y"), "/app/x -- y");
        assert_eq!(of("tini -- env A=b -- x"), "env A=b -- x");
    }

    #[test]
    fn where_it_cannot_be_told_nothing_is_said() {
        for line in [
            "cat /app/x",
            "tini --new 5 /app/x",
            "tini -x /app/x",
            "tini -e",
            "tini --",
            "timeout 30",
            "gosu",
            "gosu --version",
            "env A=b",
            "env -S node",
        ] {
            assert_eq!(of(line), "", "{line}");
        }
    }
}
