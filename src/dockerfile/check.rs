//! What is wrong with a Dockerfile as a whole: its stages and what they refer to.

use std::collections::BTreeSet;

use super::ast::Body;
use super::ast::Dockerfile;
use super::ast::Flag;
use super::ast::Instruction;
use super::ast::Span;
use super::ast::Stage;
use super::findings::Findings;
use super::reference::ImageName;
use super::scope::BuildArgs;
use super::scope::Scope;
use super::stages::Source;
use super::stages::StageNames;
use super::stages::from_flags;
use crate::text::nearest;
use crate::text::shown_text;

/// Checks everything that takes more than one instruction to see.
pub(super) fn whole(file: &Dockerfile, findings: &mut Findings) {
    beginning(file, findings);
    let names = StageNames::new(file);
    let scope = file.global_scope(&BuildArgs::new());
    let known: Vec<&str> = file
        .stages
        .iter()
        .filter_map(|stage| stage.name.as_deref())
        .take(64)
        .collect();
    let mut checker = Checker {
        names: &names,
        known: &known,
        findings,
    };
    let mut seen = BTreeSet::new();
    for stage in &file.stages {
        checker.name(stage, &mut seen);
        checker.base(file, stage, &scope);
        checker.platform(file, stage, &scope);
        for instruction in &stage.instructions {
            for (flag, name, _) in from_flags(instruction) {
                checker.copied(stage, instruction, flag, name);
            }
        }
    }
    circles(file, &names, &scope, findings);
}

fn beginning(file: &Dockerfile, findings: &mut Findings) {
    let no_stage = file.stages.is_empty();
    match file.stray.first() {
        None if no_stage && file.global_args.is_empty() => {
            let hint = Some(String::from("begin with `FROM` and an image"));
            findings.refuse(Span::default(), "the Dockerfile is empty", hint);
        }
        None if no_stage => {
            let span = file.global_args.first().map(|first| first.span);
            let hint = Some(String::from("name the image to start from with `FROM`"));
            findings.refuse(span.unwrap_or_default(), "there is no `FROM`", hint);
        }
        Some(first) if no_stage => {
            let hint = Some(String::from("begin with `FROM` and an image"));
            findings.refuse(first.keyword_span, "there is no `FROM`", hint);
        }
        _ => {
            for stray in &file.stray {
                findings.refuse(
                    stray.keyword_span,
                    format!("`{}` stands before the first `FROM`", stray.keyword),
                    Some(String::from("only `ARG` may stand there")),
                );
            }
        }
    }
}

struct Checker<'c> {
    names: &'c StageNames<'c>,
    known: &'c [&'c str],
    findings: &'c mut Findings,
}

impl Checker<'_> {
    fn name<'f>(&mut self, stage: &'f Stage, seen: &mut BTreeSet<&'f str>) {
        let Some(name) = stage.name.as_deref() else {
            return;
        };
        if !seen.insert(name) {
            let message = format!("two stages are called `{name}`");
            let hint = Some(String::from("give each stage a name of its own"));
            let noted = self.findings.warn(stage.from.span, message, hint);
            noted.rule("duplicate-stage");
        }
        if matches!(name, "scratch" | "context") {
            let message = format!("`{name}` means something else to builders");
            let hint = Some(String::from("give the stage another name"));
            let noted = self.findings.warn(stage.from.span, message, hint);
            noted.rule("reserved-stage");
        }
    }

    fn base(&mut self, file: &Dockerfile, stage: &Stage, scope: &Scope) {
        let (text, span) = (stage.base.text.as_str(), stage.base.span);
        // What cannot be read was noted when the instruction was.
        let Ok(base) = scope.expand(text) else {
            return;
        };
        if !base.unset.is_empty() {
            for name in &base.unset {
                self.unset(file, span, name);
            }
            return;
        }
        if base.text.is_empty() {
            if !text.is_empty() {
                let message = format!("`{text}` expands to nothing");
                let noted = self.findings.refuse(span, message, None);
                noted.rule("unset-in-from");
            }
            return;
        }
        match self.names.base(stage, scope) {
            Some(Source::Image(image)) => self.image(&image, span, stage),
            Some(Source::Stage(_) | Source::Scratch) | None => {}
        }
    }

    fn platform(&mut self, file: &Dockerfile, stage: &Stage, scope: &Scope) {
        let mut flags = stage.from.flags.iter();
        let Some(flag) = flags.find(|flag| flag.name == "platform") else {
            return;
        };
        let Ok(platform) = scope.expand(flag.value.as_deref().unwrap_or_default()) else {
            return;
        };
        for name in &platform.unset {
            self.unset(file, flag.span, name);
        }
    }

    fn unset(&mut self, file: &Dockerfile, span: Span, name: &str) {
        let declared = |instruction: &Instruction| declares(instruction, name);
        let message;
        let hint;
        if file.global_args.iter().any(declared) {
            message = format!("`{name}` has no value unless one is given for the build");
            hint = format!("give it one: `ARG {name}=…`");
        } else {
            message = format!("`{name}` has no value here");
            hint = format!("`FROM` sees only what an `ARG {name}=…` above the first `FROM` sets");
        }
        let noted = self.findings.warn(span, message, Some(hint));
        noted.rule("unset-in-from");
    }

    /// Checks a name that is no stage.
    fn image(&mut self, image: &str, span: Span, stage: &Stage) {
        if self
            .names
            .called(image)
            .iter()
            .any(|index| *index > stage.index)
        {
            self.findings.warn(
                span,
                format!("the stage `{image}` comes later, so this is read as an image"),
                Some(String::from("move that stage above this one")),
            );
        } else if let Err(why) = ImageName::parse(image) {
            let text = format!("`{image}` is not a reference of an image: {why}");
            self.findings.refuse(span, shown_text(&text), None);
        } else {
            self.nearly(image, span);
        }
    }

    /// Warns where a name without a tag is nearly that of a stage.
    fn nearly(&mut self, image: &str, span: Span) {
        if image.contains([':', '/', '@', '.']) || image.chars().count() < 3 {
            return;
        }
        let meant = nearest(&image.to_lowercase(), self.known.iter().copied());
        if let Some(meant) = meant.filter(|meant| *meant != image.to_lowercase()) {
            self.findings.warn(
                span,
                format!("no stage is called `{image}`, so this is read as an image"),
                Some(format!("did you mean `{meant}`?")),
            );
        }
    }

    fn copied(&mut self, stage: &Stage, instruction: &Instruction, flag: &Flag, name: &str) {
        if name.is_empty() {
            return;
        }
        if name.contains('$') {
            self.findings.refuse(
                flag.span,
                format!("builders do not expand the variable in `{name}`"),
                Some(String::from(
                    "`FROM` expands variables: give that image a stage of its own and name the stage here",
                )),
            );
            return;
        }
        if let Some(refused) = self.number(stage, name) {
            let noted = self.findings.refuse(flag.span, refused, None);
            if name.parse() == Ok(stage.index) {
                noted.rule("copy-from-self");
            }
            return;
        }
        match self.names.copied(name) {
            Some(Source::Stage(index)) if index == stage.index => {
                let message = format!("`{}` takes from its own stage", instruction.keyword);
                let hint = Some(String::from("name a stage above this one"));
                let noted = self.findings.refuse(flag.span, message, hint);
                noted.rule("copy-from-self");
            }
            Some(Source::Stage(index)) if index > stage.index => {
                let message = format!("the stage `{name}` comes later");
                let hint = "only BuildKit finds it; move it above this stage";
                self.findings
                    .warn(flag.span, message, Some(hint.to_owned()));
            }
            Some(Source::Image(image)) => match ImageName::parse(&image) {
                Err(why) => {
                    let message =
                        format!("`{image}` is neither a stage nor a reference of an image: {why}");
                    let message = shown_text(&message);
                    self.findings.refuse(flag.span, message, None);
                }
                Ok(_) => self.nearly(&image, flag.span),
            },
            Some(Source::Stage(_) | Source::Scratch) | None => {}
        }
    }

    /// Why the number of a stage is refused.
    fn number(&self, stage: &Stage, name: &str) -> Option<String> {
        let index = name.parse::<usize>().ok()?;
        if self.names.copied(name).is_none() {
            return Some(format!("there is no stage {index}; the first one is 0"));
        }
        (index == stage.index).then(|| format!("stage {index} is this stage itself"))
    }
}

fn declares(instruction: &Instruction, name: &str) -> bool {
    match &instruction.body {
        Body::Pairs(pairs) => pairs.iter().any(|pair| pair.key == name),
        _ => false,
    }
}

/// Refuses stages that need one another in a circle.
fn circles(file: &Dockerfile, names: &StageNames<'_>, scope: &Scope, findings: &mut Findings) {
    let below: Vec<Vec<usize>> = file
        .stages
        .iter()
        .map(|stage| {
            let uses = names.uses(stage, scope).into_iter();
            uses.filter_map(|used| match used.source {
                Source::Stage(index) if index != stage.index && !used.later => Some(index),
                _ => None,
            })
            .collect()
        })
        .collect();
    // 0: not seen, 1: on the way down, 2: done.
    let mut state = vec![0_u8; below.len()];
    for start in 0..below.len() {
        let mut path = vec![(start, 0)];
        while let Some((stage, next)) = path.pop() {
            if next == 0 {
                if state[stage] != 0 {
                    continue;
                }
                state[stage] = 1;
            }
            let Some(child) = below[stage].get(next).copied() else {
                state[stage] = 2;
                continue;
            };
            path.push((stage, next + 1));
            if state[child] == 1 {
                let from = &file.stages[stage].from;
                let hint = "let one of them do without the other";
                findings.refuse(
                    from.span,
                    format!("stage {stage} and stage {child} need each other"),
                    Some(hint.to_owned()),
                );
                state[child] = 2;
            } else {
                path.push((child, 0));
            }
        }
    }
}
