//! Package managers and the like: which packages a command installs, and how.

use super::super::shell::ShellCommand;
use super::super::shell::ShellWord;

/// A package manager that rules know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tool {
    /// `apt-get`, `apt` and `aptitude`
    Apt,
    /// `apk`
    Apk,
    /// `yum`
    Yum,
    /// `dnf`, `microdnf` and `tdnf`
    Dnf,
    /// `zypper`
    Zypper,
    /// `pip`, `python -m pip` and `uv pip`
    Pip,
    /// `npm`
    Npm,
    /// `yarn`
    Yarn,
    /// `pnpm`
    Pnpm,
    /// `gem`
    Gem,
    /// `go`
    Go,
}

/// One use of a package manager.
#[derive(Debug)]
pub(super) struct Use<'c> {
    pub(super) tool: Tool,
    pub(super) command: &'c ShellCommand,
    /// `install`, `update`; `None` where the command has none.
    pub(super) action: Option<&'c ShellWord>,
    /// Its options, their values left out.
    pub(super) options: Vec<&'c ShellWord>,
    /// What it is done with: names of packages.
    pub(super) operands: Vec<&'c ShellWord>,
}

impl Tool {
    fn of(program: &str) -> Option<Self> {
        Some(match program {
            "apt-get" | "apt" | "aptitude" => Self::Apt,
            "apk" => Self::Apk,
            "yum" => Self::Yum,
            "dnf" | "dnf5" | "microdnf" | "tdnf" => Self::Dnf,
            "zypper" => Self::Zypper,
            "npm" => Self::Npm,
            "yarn" => Self::Yarn,
            "pnpm" => Self::Pnpm,
            "gem" => Self::Gem,
            "go" => Self::Go,
            _ if is_versioned(program, "pip") => Self::Pip,
            _ => return None,
        })
    }

    /// Options whose value is a word of its own, with spaces between them.
    const fn valued(self) -> &'static str {
        match self {
            Self::Apt => {
                "-o -c -t -a --option --config-file --target-release --default-release \
                 --host-architecture"
            }
            Self::Apk => {
                "-X -t -p --repository --virtual --root --arch --keys-dir --repositories-file \
                 --cache-dir --cache-max-age --wait"
            }
            Self::Yum | Self::Dnf => {
                "-c -x --enablerepo --disablerepo --repo --installroot --releasever --setopt \
                 --exclude"
            }
            Self::Zypper => "-r --repo --root -t --type --from -p",
            Self::Pip => {
                "-r -c -e -i -t -f -d -C -p --requirement --constraint --editable --index-url \
                 --extra-index-url --target --prefix --root --find-links --trusted-host --proxy \
                 --timeout --retries --cache-dir --log --platform --python-version --implementation \
                 --abi --no-binary --only-binary --upgrade-strategy --src --dest \
                 --root-user-action --progress-bar --report --config-settings --global-option \
                 --exists-action --cert --client-cert --default-timeout --python"
            }
            Self::Npm | Self::Yarn | Self::Pnpm => {
                "--prefix --registry -C --cache --loglevel --userconfig -w --workspace --omit \
                 --include --tag --cwd --dir --filter --network-timeout --fetch-timeout \
                 --fetch-retries --cache-folder --store-dir --mutex"
            }
            Self::Gem => "-v -i -n -s -P --version --install-dir --bindir --source --platform",
            Self::Go => "-C -ldflags -tags -mod -o -gcflags -asmflags -p",
        }
    }

    /// Whether the value of `option` is a word of its own.
    fn takes_value(self, option: &str) -> bool {
        self.valued().split(' ').any(|known| known == option)
    }
}

impl<'c> Use<'c> {
    /// Reads a command as the use of a package manager.
    pub(super) fn of(command: &'c ShellCommand) -> Option<Self> {
        let program = command.program();
        let words = command.arguments();
        let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
        let (tool, skip) = if is_versioned(program, "python") || program == "py" {
            let at = words.iter().position(|word| word.text == "-m")?;
            (
                Tool::of(text(at + 1)).filter(|tool| *tool == Tool::Pip)?,
                at + 2,
            )
        } else if program == "uv" && text(0) == "pip" {
            (Tool::Pip, 1)
        } else {
            (Tool::of(program)?, 0)
        };
        let mut found = Self {
            tool,
            command,
            action: None,
            options: Vec::new(),
            operands: Vec::new(),
        };
        let mut words = words.get(skip..).unwrap_or_default().iter();
        let mut only_operands = false;
        while let Some(word) = words.next() {
            if word.text == "--" {
                only_operands = true;
            } else if word.is_option() && !only_operands {
                found.options.push(word);
                if tool.takes_value(&word.text) {
                    words.next();
                }
            } else if found.action.is_none() {
                found.action = Some(word);
            } else {
                found.operands.push(word);
            }
        }
        Some(found)
    }

    /// What it does: `install`; empty where it does not say.
    pub(super) fn action(&self) -> &str {
        self.action.map_or("", |word| &word.text)
    }

    /// Whether it adds packages.
    pub(super) fn installs(&self) -> bool {
        let action = self.action();
        match self.tool {
            Tool::Apt => matches!(action, "install" | "build-dep" | "satisfy"),
            Tool::Apk => action == "add",
            Tool::Yum | Tool::Dnf => {
                matches!(
                    action,
                    "install" | "groupinstall" | "localinstall" | "reinstall"
                )
            }
            Tool::Zypper => matches!(action, "install" | "in"),
            Tool::Pip | Tool::Gem => matches!(action, "install" | "i"),
            Tool::Npm => matches!(action, "install" | "i" | "ci" | "add"),
            Tool::Yarn => matches!(action, "" | "install" | "add"),
            Tool::Pnpm => matches!(action, "install" | "i" | "add"),
            Tool::Go => matches!(action, "install" | "get"),
        }
    }

    /// Whether it has one of these options, alone or with a value behind `=`.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|word| {
            let name = word.text.split('=').next().unwrap_or_default();
            names.contains(&name)
        })
    }

    /// Whether it has this short option, alone or among others: `-yq` has `y`.
    pub(super) fn has_short(&self, letter: char) -> bool {
        self.options
            .iter()
            .any(|word| !word.text.starts_with("--") && word.text.contains(letter))
    }

    /// Whether a word anywhere begins with `start`.
    pub(super) fn has_word(&self, start: &str) -> bool {
        let mut words = self.command.arguments().iter();
        words.any(|word| word.text.starts_with(start))
    }
}

/// Whether a program is `name`, or `name` with a version: `pip3.12`.
pub(super) fn is_versioned(program: &str, name: &str) -> bool {
    program
        .strip_prefix(name)
        .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::super::super::lines::Places;
    use super::super::super::shell;
    use super::*;

    fn shown(text: &str) -> String {
        let commands = shell::commands(text, &Places::from(0));
        let Some(found) = commands.first().and_then(Use::of) else {
            return String::from("none");
        };
        let words = |words: &[&ShellWord]| {
            let words: Vec<&str> = words.iter().map(|word| &*word.text).collect();
            words.join(" ")
        };
        format!(
            "{:?} {} [{}] {}",
            found.tool,
            found.action(),
            words(&found.options),
            words(&found.operands)
        )
    }

    #[test]
    fn values_of_options_are_no_packages() {
        for (text, wanted) in [
            (
                "apt-get -qq -o A=b install -t sid -y curl git=1",
                "Apt install [-qq -o -t -y] curl git=1",
            ),
            (
                "apk add -t .deps --no-cache gcc",
                "Apk add [-t --no-cache] gcc",
            ),
            (
                "python3 -m pip install -r x.txt flask",
                "Pip install [-r] flask",
            ),
            ("uv pip install --system a", "Pip install [--system] a"),
            ("pip3.12 install -- -a", "Pip install [] -a"),
            (
                "go install -ldflags '-s -w' x@v1",
                "Go install [-ldflags] x@v1",
            ),
            ("python app.py", "none"),
            ("pipx install a", "none"),
        ] {
            assert_eq!(shown(text), wanted);
        }
    }
}
