//! Which variables an instruction sees: `ARG` and `ENV` of its stage, and of the stages that it
//! starts from. The environment of a base image is not known here.

use std::collections::BTreeMap;

use super::ast::Body;
use super::ast::Dockerfile;
use super::ast::Instruction;
use super::ast::Keyword;
use super::ast::Stage;
use super::expand::ExpandError;
use super::expand::Expanded;
use super::expand::expand;

/// Values given for a build (`--build-arg`), by name.
pub type BuildArgs = BTreeMap<String, String>;

/// The variables at one place of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    values: BTreeMap<String, String>,
    /// What stands for a variable without a value here.
    unknown: Option<String>,
    escape: char,
}

impl Scope {
    /// The value of a variable, where it has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Expands the variables of `word`.
    ///
    /// # Errors
    /// When the word is not written as builders read it.
    pub fn expand(&self, word: &str) -> Result<Expanded, ExpandError> {
        let value = |name: &str| self.values.get(name).or(self.unknown.as_ref());
        expand(word, self.escape, &|name| value(name).cloned())
    }

    /// Expands the variables of `word` that have a value here.
    ///
    /// # Errors
    /// When the word is not written as builders read it.
    pub fn expand_known(&self, word: &str) -> Result<Expanded, ExpandError> {
        expand(word, self.escape, &|name| self.values.get(name).cloned())
    }

    /// The same with what a base image may set: a `PATH`, which nearly all do, and `other` for
    /// whatever has no value here.
    #[must_use]
    pub fn assuming(mut self, path: &str, other: &str) -> Self {
        self.values.insert(String::from("PATH"), path.to_owned());
        self.unknown = Some(other.to_owned());
        self
    }

    /// The bytes of its names and values.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let lengths = self
            .values
            .iter()
            .map(|(name, value)| name.len() + value.len());
        u64::try_from(lengths.sum::<usize>()).unwrap_or(u64::MAX)
    }

    /// Takes up what an `ARG` or `ENV` sets; `global` is what stands before the first `FROM`.
    pub fn apply(&mut self, instruction: &Instruction, global: &Self, given: &BuildArgs) {
        let Body::Pairs(pairs) = &instruction.body else {
            return;
        };
        match instruction.keyword {
            Keyword::Env => {
                // All values of one ENV see the variables as they were before it.
                let before = self.clone();
                for pair in pairs {
                    let raw = pair.raw.as_deref().unwrap_or_default();
                    if let Ok(value) = before.expand(raw) {
                        self.values.insert(pair.key.clone(), value.text);
                    }
                }
            }
            Keyword::Arg => {
                for pair in pairs {
                    let own = pair.raw.as_deref().map(|raw| self.expand(raw));
                    let value = given
                        .get(&pair.key)
                        .cloned()
                        .or_else(|| own.and_then(Result::ok).map(|value| value.text))
                        .or_else(|| global.values.get(&pair.key).cloned());
                    if let Some(value) = value {
                        self.values.insert(pair.key.clone(), value);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Dockerfile {
    /// The variables that `FROM` sees: those of the `ARG`s before the first `FROM`, and those that
    /// every builder sets, such as `TARGETARCH`.
    #[must_use]
    pub fn global_scope(&self, given: &BuildArgs) -> Scope {
        let mut scope = Scope {
            values: platform_arguments(given),
            unknown: None,
            escape: self.escape(),
        };
        let none = self.stage_scope();
        for instruction in &self.global_args {
            scope.apply(instruction, &none, given);
        }
        scope
    }

    /// The variables that a stage starts with that starts from no other one: none.
    #[must_use]
    pub fn stage_scope(&self) -> Scope {
        Scope {
            values: BTreeMap::new(),
            unknown: None,
            escape: self.escape(),
        }
    }

    /// The variables that the instruction with this index of `stage` sees.
    #[must_use]
    pub fn scope_at(&self, stage: &Stage, instruction: usize, given: &BuildArgs) -> Scope {
        let global = self.global_scope(given);
        let mut scope = self.stage_scope();
        let chain = self.chain(stage, given);
        for inherited in chain.iter().skip(1).rev() {
            for instruction in &inherited.instructions {
                scope.apply(instruction, &global, given);
            }
        }
        for instruction in stage.instructions.iter().take(instruction) {
            scope.apply(instruction, &global, given);
        }
        scope
    }

    /// What `stage` starts from, variables expanded: an image, `scratch` or another stage's name.
    ///
    /// # Errors
    /// When it is not written as builders read it.
    pub fn expand_base(&self, stage: &Stage, given: &BuildArgs) -> Result<Expanded, ExpandError> {
        self.global_scope(given).expand(&stage.base.text)
    }
}

/// The arguments that every builder sets before the first `FROM`.
fn platform_arguments(given: &BuildArgs) -> BTreeMap<String, String> {
    let host = match std::env::consts::ARCH {
        "x86_64" => "linux/amd64",
        "aarch64" => "linux/arm64",
        "arm" => "linux/arm/v7",
        "powerpc64" => "linux/ppc64le",
        other => return BTreeMap::from([(String::from("TARGETARCH"), other.to_owned())]),
    };
    let mut values = BTreeMap::new();
    for side in ["BUILD", "TARGET"] {
        let name = format!("{side}PLATFORM");
        let platform = given.get(&name).map_or(host, String::as_str).to_owned();
        let mut parts = platform.splitn(3, '/').map(str::to_owned);
        for part in ["OS", "ARCH", "VARIANT"] {
            let key = format!("{side}{part}");
            let value = parts.next().unwrap_or_default();
            values.insert(key.clone(), given.get(&key).cloned().unwrap_or(value));
        }
        values.insert(name, platform);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> BuildArgs {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_base_sees_global_arguments_only() {
        let text = "ARG V=3.13\nARG IMAGE=python:$V\nFROM $IMAGE-slim AS a\nARG V=9\nFROM b:$V\n";
        let file = Dockerfile::parse(text);
        let base = |stage: usize, given: &BuildArgs| {
            file.expand_base(&file.stages[stage], given)
                .expect("fine")
                .text
        };
        assert_eq!(base(0, &given(&[])), "python:3.13-slim");
        assert_eq!(base(0, &given(&[("V", "3.12")])), "python:3.12-slim");
        assert_eq!(base(0, &given(&[("IMAGE", "x")])), "x-slim");
        assert_eq!(base(1, &given(&[])), "b:3.13");
    }

    #[test]
    fn a_stage_sees_a_global_argument_only_after_naming_it() {
        let text = "ARG V=1\nFROM a\nENV A=$V\nARG V\nENV B=$V\nARG TARGETARCH\nENV C=$TARGETARCH D=$A$B E=$D\n";
        let file = Dockerfile::parse(text);
        let scope = file.scope_at(
            &file.stages[0],
            9,
            &given(&[("TARGETPLATFORM", "linux/arm64")]),
        );
        assert_eq!(scope.get("A"), Some(""));
        assert_eq!(scope.get("B"), Some("1"));
        assert_eq!(scope.get("C"), Some("arm64"));
        assert_eq!(scope.get("D"), Some("1"));
        assert_eq!(scope.get("E"), Some(""));
        let early = file.scope_at(&file.stages[0], 0, &given(&[]));
        assert_eq!(early.get("V"), None);
    }

    #[test]
    fn a_stage_sees_what_the_stage_below_it_set() {
        let text = "FROM x AS one\nENV A='a b'\nARG P=q\nFROM one AS two\nFROM Two\nCOPY $A /\n";
        let file = Dockerfile::parse(text);
        let scope = file.scope_at(&file.stages[2], 0, &given(&[]));
        assert_eq!(scope.expand("$A-$P").expect("fine").text, "a b-q");
    }

    #[test]
    fn a_given_value_needs_an_arg_to_be_seen() {
        let file = Dockerfile::parse("FROM a\nARG P=1\nRUN x\n");
        let values = given(&[("P", "2"), ("Q", "3")]);
        let scope = file.scope_at(&file.stages[0], 1, &values);
        assert_eq!(scope.get("P"), Some("2"));
        assert_eq!(scope.get("Q"), None);
    }
}
