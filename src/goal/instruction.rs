//! Patterns for instructions: `HEALTHCHECK`, `COPY --from`, `RUN pip install`.

use std::fmt;

use super::base;
use super::field::Scalar;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;

/// A keyword, flags that must be given, and words that must occur in the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    keyword: Keyword,
    flags: Vec<(String, Option<String>)>,
    words: String,
}

impl Pattern {
    /// Whether an instruction is of this kind.
    pub(super) fn matches(&self, instruction: &Instruction) -> bool {
        let flag_given = |(name, value): &(String, Option<String>)| {
            instruction
                .flags
                .iter()
                .any(|flag| flag.name == *name && (value.is_none() || flag.value == *value))
        };
        instruction.keyword == self.keyword
            && self.flags.iter().all(flag_given)
            && spaced(&instruction.arguments).contains(&self.words)
    }

    /// What an instruction of this kind looks like, with the flags that it must have.
    pub(super) fn form(&self) -> String {
        let form = self.keyword.form().unwrap_or_default();
        let (keyword, rest) = form.split_once(' ').unwrap_or((form, ""));
        let mut shown = keyword.to_owned();
        for (name, value) in &self.flags {
            shown.push_str(" --");
            shown.push_str(name);
            shown.push('=');
            shown.push_str(value.as_deref().unwrap_or("VALUE"));
        }
        format!("{shown} {rest}")
    }

    /// The first instruction of the file that matches.
    pub(super) fn first_in<'a>(
        &self,
        instructions: impl Iterator<Item = &'a Instruction>,
    ) -> Option<&'a Instruction> {
        instructions
            .into_iter()
            .find(|instruction| self.matches(instruction))
    }
}

/// A text with single spaces.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

impl Scalar for Pattern {
    const EXPECTED: &'static str = "an instruction such as `COPY --from`";

    fn read(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace().peekable();
        let first = words
            .next()
            .ok_or("an empty pattern matches no instruction")?;
        let keyword = Keyword::parse(first)
            .ok_or_else(|| format!("`{first}` is not an instruction that builders know"))?;
        let mut flags = Vec::new();
        while let Some(flag) = words.next_if(|word| word.starts_with("--")) {
            let flag = flag.trim_start_matches('-');
            flags.push(match flag.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (flag.to_owned(), None),
            });
        }
        let words: Vec<&str> = words.collect();
        Ok(Self {
            keyword,
            flags,
            words: words.join(" "),
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}", self.keyword)?;
        for (name, value) in &self.flags {
            match value {
                Some(value) => write!(f, " --{name}={value}")?,
                None => write!(f, " --{name}")?,
            }
        }
        if !self.words.is_empty() {
            write!(f, " {}", self.words)?;
        }
        f.write_str("`")
    }
}

/// Several patterns in a phrase: `` `ADD` and `MAINTAINER` ``.
pub(super) fn list(patterns: &[Pattern], last: &str) -> String {
    let shown: Vec<String> = patterns.iter().map(Pattern::to_string).collect();
    match shown.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, start)) => format!("{} {last} {end}", start.join(", ")),
        None => String::new(),
    }
}

/// Which part of the file is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scope {
    /// All of it.
    #[default]
    Any,
    /// The stages that make the final image.
    Final,
}

impl Scope {
    /// The instructions of this part, in order.
    pub(super) fn of(self, file: &crate::dockerfile::Dockerfile) -> Vec<&Instruction> {
        match self {
            Self::Any => base::every(file).collect(),
            Self::Final => base::instructions(file).collect(),
        }
    }

    /// Where that is, for a sentence.
    pub(super) const fn place(self) -> &'static str {
        match self {
            Self::Any => "the Dockerfile",
            Self::Final => "the final stage",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::Dockerfile;

    fn lines(pattern: &str) -> Vec<u32> {
        let file = Dockerfile::parse(
            "FROM python:3.13 AS b\nRUN pip  install\tflask\nFROM scratch\nCOPY --from=b /a /a\nCOPY x y",
        );
        let pattern = Pattern::read(pattern).unwrap();
        base::every(&file)
            .filter(|one| pattern.matches(one))
            .map(|one| one.line)
            .collect()
    }

    #[test]
    fn keyword_flags_and_words_must_all_fit() {
        assert_eq!(lines("copy"), [4, 5]);
        assert_eq!(lines("COPY --from"), [4]);
        assert_eq!(lines("COPY --from=b"), [4]);
        assert_eq!(lines("COPY --from=c"), Vec::<u32>::new());
        assert_eq!(lines("RUN pip install"), [2]);
        assert_eq!(lines("FROM scratch"), [3]);
    }

    #[test]
    fn an_unknown_instruction_is_named() {
        assert!(Pattern::read("COPPY x").unwrap_err().contains("`COPPY`"));
        assert!(Pattern::read(" ").is_err());
    }
}
