//! Comments that speak to a linter: `# loadline ignore=…`, and the same of the usual one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::super::ast::Dockerfile;
use super::super::ast::Span;
use super::Rule;
use super::registry;

/// What the comments of a file ask for.
#[derive(Debug, Default)]
pub(super) struct Pragmas {
    /// Ids of the rules that are silent in the whole file.
    everywhere: BTreeSet<&'static str>,
    /// Ids of the rules that are silent in the instruction that begins at this byte.
    at: BTreeMap<usize, BTreeSet<&'static str>>,
    /// Whether the shell is a POSIX one, from the instruction on that begins at this byte.
    posix: BTreeMap<usize, bool>,
    /// Names that no rule has, and comments that have no effect.
    pub(super) misplaced: Vec<(Span, Trouble)>,
}

/// What is wrong with a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No rule has this name.
    Unknown(String),
    /// It stands inside an instruction.
    Inside,
    /// No instruction follows it.
    Last,
}

/// What one comment asks for.
#[derive(Debug, PartialEq, Eq)]
enum Pragma<'t> {
    /// `ignore=a,b`: the names with their places in the comment.
    Ignore {
        everywhere: bool,
        ours: bool,
        names: Vec<(usize, &'t str)>,
    },
    /// `shell=powershell`
    Shell(&'t str),
}

impl Pragmas {
    /// Reads the comments of a file.
    pub(super) fn read(file: &Dockerfile) -> Self {
        let mut pragmas = Self::default();
        let instructions: Vec<Span> = file.instructions().iter().map(|one| one.span).collect();
        for comment in &file.comments {
            let text = file.text.get(comment.range()).unwrap_or_default();
            if let Some(pragma) = parse(text) {
                pragmas.add(&pragma, *comment, &instructions);
            }
        }
        pragmas.builder_checks(file);
        pragmas
    }

    fn add(&mut self, pragma: &Pragma<'_>, comment: Span, instructions: &[Span]) {
        let next = instructions.partition_point(|one| one.start < comment.start);
        let inside = next
            .checked_sub(1)
            .and_then(|before| instructions.get(before))
            .is_some_and(|before| before.end > comment.start);
        let target = instructions.get(next).map(|one| one.start);
        match pragma {
            Pragma::Shell(name) => {
                let posix = super::super::shell::is_shell(name);
                self.posix.insert(target.unwrap_or(usize::MAX), posix);
            }
            Pragma::Ignore {
                everywhere,
                ours,
                names,
            } => {
                for (at, name) in names {
                    self.check(name, *ours, comment.start + at);
                }
                let ids = names.iter().filter_map(|(_, name)| registry::rule(name));
                let ids = ids.map(|rule| rule.id);
                match target {
                    _ if *everywhere => self.everywhere.extend(ids),
                    _ if inside => self.misplaced.push((comment, Trouble::Inside)),
                    Some(target) => self.at.entry(target).or_default().extend(ids),
                    None => self.misplaced.push((comment, Trouble::Last)),
                }
            }
        }
    }

    fn check(&mut self, name: &str, ours: bool, start: usize) {
        // The other linter has rules that we do not have.
        if registry::rule(name).is_some() || (!ours && is_foreign(name)) {
            return;
        }
        let end = start + name.len();
        let trouble = Trouble::Unknown(name.to_owned());
        self.misplaced.push((Span { start, end }, trouble));
    }

    /// `# check=skip=A,B` is what the builder's own checks are told.
    fn builder_checks(&mut self, file: &Dockerfile) {
        let checks = file.directives.iter().filter(|one| one.name == "check");
        for part in checks.flat_map(|one| one.value.split(';')) {
            let Some(names) = part.trim().strip_prefix("skip=") else {
                continue;
            };
            for name in names.split(',').map(str::trim) {
                let theirs = |rule: &&Rule| {
                    let mut aliases = rule.aliases.iter();
                    aliases.any(|alias| match name {
                        "all" => !is_foreign(alias),
                        name => alias.eq_ignore_ascii_case(name),
                    })
                };
                let rules = registry::ALL.iter().filter(theirs);
                self.everywhere.extend(rules.map(|rule| rule.id));
            }
        }
    }

    /// Whether a rule is silenced in the instruction that begins at `start`.
    pub(super) fn silences(&self, rule: &Rule, start: Option<usize>) -> bool {
        let here = start.and_then(|start| self.at.get(&start));
        self.everywhere.contains(rule.id) || here.is_some_and(|here| here.contains(rule.id))
    }

    /// What a comment above the instruction that begins at `start` says of the shell.
    pub(super) fn posix_at(&self, start: usize) -> Option<bool> {
        self.posix.get(&start).copied()
    }
}

/// Whether a name has the form of the usual linter's, or of its shell checker's.
fn is_foreign(name: &str) -> bool {
    let digits = name
        .strip_prefix("DL")
        .or_else(|| name.strip_prefix("SC"))
        .unwrap_or_default();
    digits.len() == 4 && digits.chars().all(|c| c.is_ascii_digit())
}

fn parse(comment: &str) -> Option<Pragma<'_>> {
    let whole = comment;
    let rest = comment.trim_start_matches('#').trim_start();
    let (ours, rest) = match rest.strip_prefix("loadline") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("hadolint")?),
    };
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (everywhere, rest) = match rest.strip_prefix("global") {
        Some(rest) => (true, rest.trim_start()),
        None => (false, rest),
    };
    if let Some(shell) = rest.strip_prefix("shell") {
        let name = shell.trim_start().strip_prefix('=')?.trim();
        return Some(Pragma::Shell(name.split_whitespace().next()?));
    }
    let rest = rest.strip_prefix("ignore")?.trim_start();
    let list = rest.strip_prefix('=')?;
    // A reason may follow behind another `#`.
    let list = list.split('#').next().unwrap_or_default();
    let mut names = Vec::new();
    let mut at = whole.len() - rest.len() + 1;
    for part in list.split(',') {
        let name = part.split_whitespace().next().unwrap_or_default();
        if !name.is_empty() {
            names.push((at + part.len() - part.trim_start().len(), name));
        }
        at += part.len() + 1;
    }
    Some(Pragma::Ignore {
        everywhere,
        ours,
        names,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignore(
        everywhere: bool,
        ours: bool,
        names: &[(usize, &'static str)],
    ) -> Option<Pragma<'static>> {
        Some(Pragma::Ignore {
            everywhere,
            ours,
            names: names.to_vec(),
        })
    }

    #[test]
    fn comments_are_read_however_they_are_spaced() {
        assert_eq!(
            parse("# loadline ignore=a, DL3008 # because"),
            ignore(false, true, &[(18, "a"), (21, "DL3008")])
        );
        assert_eq!(
            parse("#hadolint  global ignore = DL3006"),
            ignore(true, false, &[(27, "DL3006")])
        );
        assert_eq!(
            parse("# hadolint shell=powershell"),
            Some(Pragma::Shell("powershell"))
        );
        assert_eq!(parse("# loadline ignore="), ignore(false, true, &[]));
        assert_eq!(parse("# loadlineignore=a"), None);
        assert_eq!(parse("# loadline is nice"), None);
    }

    #[test]
    fn a_comment_speaks_to_the_next_instruction_only() {
        let text = "\
# loadline ignore=latest-tag
# another comment

FROM a
# loadline global ignore=DL3008
FROM b
RUN x \\
 # loadline ignore=latest-tag
 y
# loadline ignore=no-such-rule
";
        let file = Dockerfile::parse(text);
        let pragmas = Pragmas::read(&file);
        let rule = registry::rule("latest-tag").expect("a rule");
        let from = |stage: usize| Some(file.stages[stage].from.span.start);
        assert!(pragmas.silences(rule, from(0)));
        assert!(!pragmas.silences(rule, from(1)));
        assert!(!pragmas.silences(rule, None));
        let pins = registry::rule("DL3008").expect("a rule");
        assert!(pragmas.silences(pins, None));
        let troubles: Vec<&Trouble> = pragmas.misplaced.iter().map(|(_, one)| one).collect();
        let unknown = Trouble::Unknown("no-such-rule".to_owned());
        assert_eq!(troubles, [&Trouble::Inside, &unknown, &Trouble::Last]);
    }

    #[test]
    fn what_the_builder_s_checks_are_told_is_honoured() {
        let file = Dockerfile::parse("# check=skip=JSONArgsRecommended;error=true\nFROM a\n");
        let pragmas = Pragmas::read(&file);
        let rule = registry::rule("JSONArgsRecommended").expect("a rule");
        assert!(pragmas.silences(rule, None));
        let all = Dockerfile::parse("# check=skip=all\nFROM a\n");
        assert!(Pragmas::read(&all).silences(rule, None));
        let ours = registry::rule("latest-tag").expect("a rule");
        assert!(!Pragmas::read(&all).silences(ours, None));
    }
}
