//! A Dockerfile as the rules look at it: stages with what they stand on, `RUN` as commands.
//!
//! Everything that several rules need is worked out once here, in time that grows with the file.

use super::super::ast::Body;
use super::super::ast::Command;
use super::super::ast::Dockerfile;
use super::super::ast::Heredoc;
use super::super::ast::Instruction;
use super::super::ast::Keyword;
use super::super::ast::Span;
use super::super::ast::Stage;
use super::super::lines::Places;
use super::super::reference::ImageName;
use super::super::scope::BuildArgs;
use super::super::shell;
use super::super::shell::ShellCommand;
use super::super::shell::ShellWord;
use super::super::stages::Source;
use super::super::stages::StageNames;
use super::super::stages::from_flags;
use super::Surroundings;
use super::known;
use super::known::DefaultUser;
use super::pragma::Pragmas;

/// The most stages that are looked at: what needs more was not written by a person.
pub(super) const MOST_STAGES: usize = 256;

/// A Dockerfile with all that the rules need to know. Of a file with more than [`MOST_STAGES`] only
/// what needs no stages is known.
#[derive(Debug)]
pub(super) struct Subject<'f> {
    pub(super) file: &'f Dockerfile,
    pub(super) stages: Vec<StageView<'f>>,
    pub(super) around: &'f Surroundings,
    pub(super) pragmas: &'f Pragmas,
    /// How its lines end.
    pub(super) line_end: &'static str,
}

/// What a stage stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// Nothing at all.
    Scratch,
    /// An image from outside; its name where it can be read.
    Image(Box<ImageName>),
    /// It cannot be read: a variable without a value, or no reference.
    Unknown,
}

/// A stage.
#[derive(Debug)]
pub(super) struct StageView<'f> {
    pub(super) stage: &'f Stage,
    /// The stage that it starts from.
    pub(super) below: Option<usize>,
    /// What is at the bottom, below all stages that it starts from.
    pub(super) base: Base,
    /// Whether its layers are in the image: the last stage and those that it starts from.
    pub(super) ships: bool,
    /// The stages and images that `COPY --from` and mounts name, by instruction.
    pub(super) copies: Vec<(&'f Instruction, Source)>,
    /// Its `RUN` instructions, those behind `ONBUILD` included.
    pub(super) runs: Vec<RunView<'f>>,
    /// The `SHELL` at its end, where one is set in it or below it.
    shell: Option<&'f [String]>,
    /// Whether one of its `RUN`s, or one below it, put another shell in the place of `/bin/sh`.
    shell_replaced: bool,
    /// What a comment says of the shell: whether it is POSIX.
    said_posix: Option<bool>,
    /// Who runs what stands at its end.
    user: DefaultUser,
}

/// A `RUN`.
#[derive(Debug)]
pub(super) struct RunView<'f> {
    pub(super) instruction: &'f Instruction,
    /// The words of the `SHELL` that runs it; empty for the default one.
    pub(super) shell: &'f [String],
    /// Its commands; empty where the shell is not a POSIX one.
    pub(super) commands: Vec<ShellCommand>,
    /// Whether it is in exec form.
    pub(super) exec: bool,
    /// Whether it runs only when something is built on the image.
    pub(super) onbuild: bool,
    /// Whether it is known that the image's own `/bin/sh` runs it, as it came.
    pub(super) default_shell: bool,
    /// Who runs it.
    pub(super) user: DefaultUser,
}

impl<'f> Subject<'f> {
    pub(super) fn new(
        file: &'f Dockerfile,
        around: &'f Surroundings,
        pragmas: &'f Pragmas,
    ) -> Self {
        let names = StageNames::new(file);
        let scope = file.global_scope(&BuildArgs::new());
        let mut subject = Self {
            file,
            stages: Vec::with_capacity(file.stages.len()),
            around,
            pragmas,
            line_end: if file.text.contains("\r\n") {
                "\r\n"
            } else {
                "\n"
            },
        };
        if file.stages.len() > MOST_STAGES {
            return subject;
        }
        for stage in &file.stages {
            let (below, base) = match names.base(stage, &scope) {
                Some(Source::Stage(index)) => (Some(index), Base::Unknown),
                Some(Source::Scratch) => (None, Base::Scratch),
                Some(Source::Image(reference)) => (None, image(&reference)),
                None => (None, Base::Unknown),
            };
            let copies = copies(stage, &names);
            subject.add(stage, below, base, copies);
        }
        let mut next = subject.stages.len().checked_sub(1);
        while let Some(stage) = next.and_then(|index| subject.stages.get_mut(index)) {
            stage.ships = true;
            next = stage.below;
        }
        subject
    }

    fn add(
        &mut self,
        stage: &'f Stage,
        below: Option<usize>,
        base: Base,
        copies: Vec<(&'f Instruction, Source)>,
    ) {
        // A stage starts from an earlier one only.
        let lower = below.and_then(|index| self.stages.get(index));
        let base = lower.map_or(base, |lower| lower.base.clone());
        let own = || match &base {
            Base::Scratch => DefaultUser::Root,
            Base::Image(name) => known::default_user(name),
            Base::Unknown => DefaultUser::Unknown,
        };
        let mut view = StageView {
            stage,
            below,
            shell: lower.and_then(|lower| lower.shell),
            shell_replaced: lower.is_some_and(|lower| lower.shell_replaced),
            said_posix: lower.and_then(|lower| lower.said_posix),
            user: lower.map_or_else(own, |lower| lower.user),
            base,
            ships: false,
            copies,
            runs: Vec::new(),
        };
        for instruction in &stage.instructions {
            view.add(instruction, self.pragmas);
        }
        self.stages.push(view);
    }

    /// The text at a place.
    pub(super) fn text(&self, span: Span) -> &'f str {
        self.file.text.get(span.range()).unwrap_or_default()
    }

    /// The last stage: the one that makes the image.
    pub(super) fn last(&self) -> Option<&StageView<'f>> {
        self.stages.last()
    }

    /// Every `RUN` with its stage, in the order of the file.
    pub(super) fn runs(&self) -> impl Iterator<Item = (&StageView<'f>, &RunView<'f>)> {
        self.stages
            .iter()
            .flat_map(|stage| stage.runs.iter().map(move |run| (stage, run)))
    }

    /// Every command of every `RUN`.
    pub(super) fn commands(
        &self,
    ) -> impl Iterator<Item = (&StageView<'f>, &RunView<'f>, &ShellCommand)> {
        self.runs()
            .flat_map(|(stage, run)| run.commands.iter().map(move |one| (stage, run, one)))
    }

    /// Every instruction with its stage, those behind `ONBUILD` included.
    pub(super) fn instructions(&self) -> impl Iterator<Item = (&StageView<'f>, &'f Instruction)> {
        self.stages.iter().flat_map(|view| {
            let all = view.stage.instructions.iter();
            all.map(move |instruction| (view, inner(instruction)))
        })
    }

    /// The stages whose instructions make the image, the lowest first.
    pub(super) fn shipping(&self) -> impl Iterator<Item = &StageView<'f>> {
        self.stages.iter().filter(|stage| stage.ships)
    }
}

impl<'f> StageView<'f> {
    fn add(&mut self, instruction: &'f Instruction, pragmas: &Pragmas) {
        if let Some(posix) = pragmas.posix_at(instruction.span.start) {
            self.said_posix = Some(posix);
        }
        let onbuild = instruction.keyword == Keyword::Onbuild;
        let instruction = inner(instruction);
        match &instruction.body {
            Body::Shell(words) if !onbuild => {
                self.shell = Some(words);
                self.said_posix = None;
            }
            Body::Word(user) if instruction.keyword == Keyword::User && !onbuild => {
                self.user = user_of(&user.text);
            }
            Body::Command(command) if instruction.keyword == Keyword::Run => {
                let exec = matches!(command, Command::Exec(_));
                let commands = if self.is_posix() || exec {
                    commands(instruction, command)
                } else {
                    Vec::new()
                };
                let replaces = !onbuild && commands.iter().any(replaces_the_shell);
                let named_shell = self.shell.is_some() || self.said_posix.is_some();
                // What stands behind `ONBUILD` runs in the state that the stage ends in.
                let user = if onbuild {
                    DefaultUser::Unknown
                } else {
                    self.user
                };
                self.runs.push(RunView {
                    instruction,
                    shell: self.shell.unwrap_or_default(),
                    commands,
                    exec,
                    onbuild,
                    default_shell: !onbuild && !named_shell && !self.shell_replaced,
                    user,
                });
                // From the next `RUN` on `/bin/sh` is what this one makes of it.
                self.shell_replaced |= replaces;
            }
            _ => {}
        }
    }

    /// Whether `RUN` is given to a shell that reads POSIX text.
    pub(super) fn is_posix(&self) -> bool {
        if let Some(said) = self.said_posix {
            return said;
        }
        match (self.shell.and_then(<[String]>::first), &self.base) {
            (Some(program), _) => {
                let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
                shell::is_shell(name) || name == "busybox"
            }
            (None, Base::Image(name)) => !known::is_windows(name),
            (None, _) => true,
        }
    }

    /// Whether the shell at its end does nothing but to read what it is given: the default one, or
    /// one that `SHELL` gives no options but those that a script would set.
    pub(super) fn has_plain_shell(&self) -> bool {
        let Some([program, options @ ..]) = self.shell else {
            return true;
        };
        let harmless = |option: &String| match option.strip_prefix('-') {
            Some(letters) => letters.chars().all(|c| "ceoux".contains(c)),
            None => matches!(
                option.as_str(),
                "pipefail" | "errexit" | "nounset" | "xtrace"
            ),
        };
        shell::is_shell(shell::base_name(program)) && options.iter().all(harmless)
    }

    /// The image from outside that it stands on.
    pub(super) fn image(&self) -> Option<&ImageName> {
        match &self.base {
            Base::Image(name) => Some(name),
            Base::Scratch | Base::Unknown => None,
        }
    }
}

impl RunView<'_> {
    /// Whether one of its commands asks for rights that its user may not have.
    pub(super) fn borrows_root(&self) -> bool {
        let asks = |command: &ShellCommand| {
            let first = command.words.first();
            first.is_some_and(|word| matches!(shell::base_name(&word.text), "sudo" | "doas"))
        };
        self.user != DefaultUser::Root && self.commands.iter().any(asks)
    }

    /// Whether a mount covers `path` or something in it, so that what is written there does not
    /// become part of the layer.
    pub(super) fn mounts_over(&self, path: &str) -> bool {
        let mounts = self
            .instruction
            .flags
            .iter()
            .filter(|one| one.name == "mount");
        mounts.filter_map(|one| one.value.as_deref()).any(|mount| {
            let mut parts = mount.split(',').filter_map(|part| part.split_once('='));
            let target = parts.find(|(key, _)| matches!(*key, "target" | "dst" | "destination"));
            target.is_some_and(|(_, target)| {
                let target = target.trim_end_matches('/');
                let within = |inner: &str, outer: &str| {
                    inner
                        .strip_prefix(outer)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                within(path, target) || within(target, path)
            })
        })
    }
}

/// Whether a command may put another shell in the place of `/bin/sh`.
fn replaces_the_shell(command: &ShellCommand) -> bool {
    match command.program() {
        "ln" | "cp" | "mv" | "install" | "update-alternatives" | "dpkg-divert" => {
            command.has("/bin/sh") || command.has("/usr/bin/sh")
        }
        "dpkg-reconfigure" => command.has("dash"),
        _ => false,
    }
}

/// Whom the argument of `USER` names.
pub(super) fn user_of(text: &str) -> DefaultUser {
    let text = text.trim_matches(['"', '\'']);
    match text.split(':').next().unwrap_or_default() {
        "root" | "0" => DefaultUser::Root,
        name if name.contains('$') => DefaultUser::Unknown,
        _ => DefaultUser::Other,
    }
}

/// The instruction behind `ONBUILD`, otherwise the instruction itself.
pub(super) fn inner(instruction: &Instruction) -> &Instruction {
    match &instruction.body {
        Body::Onbuild(inner) => inner,
        _ => instruction,
    }
}

fn image(reference: &str) -> Base {
    match ImageName::parse(reference) {
        Ok(name) if !reference.contains('$') => Base::Image(Box::new(name)),
        _ => Base::Unknown,
    }
}

fn copies<'f>(stage: &'f Stage, names: &StageNames<'_>) -> Vec<(&'f Instruction, Source)> {
    let mut copies = Vec::new();
    for instruction in &stage.instructions {
        let instruction = inner(instruction);
        for (_, name, _) in from_flags(instruction) {
            if let Some(source) = names.copied(name) {
                copies.push((instruction, source));
            }
        }
    }
    copies
}

/// The commands of a `RUN`, those of its heredocs included.
fn commands(instruction: &Instruction, command: &Command) -> Vec<ShellCommand> {
    let text = instruction.arguments.as_str();
    let places = &instruction.places;
    if matches!(command, Command::Exec(_)) {
        return shell::exec(json_words(text, places));
    }
    let mut found = shell::commands(text, places);
    let scripts = scripts(&found, &instruction.heredocs);
    if scripts.is_empty() {
        return found;
    }
    // A line that only opens a heredoc is no command of its own.
    found.retain(|command| !command.words.is_empty() || !command.assignments.is_empty());
    for heredoc in scripts {
        let places = Places::from(heredoc.span.start);
        found.extend(shell::commands(&heredoc.content, &places));
    }
    found
}

/// The heredocs that a shell runs, and not those that a program reads.
fn scripts<'f>(commands: &[ShellCommand], heredocs: &'f [Heredoc]) -> Vec<&'f Heredoc> {
    let mut heredocs = heredocs.iter();
    let mut found = Vec::new();
    for command in commands.iter().filter(|command| !command.nested) {
        for redirect in &command.redirects {
            if !matches!(redirect.operator, "<<" | "<<-") {
                continue;
            }
            let Some(heredoc) = heredocs.find(|one| one.name == redirect.target.text) else {
                return found;
            };
            let interpreter = heredoc.content.strip_prefix("#!").map(|rest| {
                let line = rest.lines().next().unwrap_or_default();
                let mut programs = line.split_whitespace().map(shell::base_name);
                programs.find(|name| *name != "env").unwrap_or("")
            });
            let runs_it = match interpreter {
                Some(program) if command.words.is_empty() => shell::is_shell(program),
                _ => command.words.is_empty() || shell::is_shell(command.program()),
            };
            if runs_it {
                found.push(heredoc);
            }
        }
    }
    found
}

/// The strings of a JSON array with their places.
pub(super) fn json_words(text: &str, places: &Places) -> Vec<ShellWord> {
    let mut joined = Vec::new();
    let mut start = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match start {
            _ if escaped => escaped = false,
            None if c == '"' => start = Some(at),
            None => {}
            Some(from) if c == '"' => {
                joined.push(from..at + 1);
                start = None;
            }
            Some(_) => escaped = c == '\\',
        }
    }
    let strings: Vec<String> = serde_json::from_str(text).unwrap_or_default();
    let words = strings.into_iter().zip(joined).map(|(string, range)| {
        let span = places.span(text, range.clone());
        let raw = text.get(range.start + 1..range.end - 1).unwrap_or_default();
        let mut inside = Places::default();
        let mut at = 0;
        for (here, c) in string.char_indices() {
            inside.goes_on(here, places.source(range.start + 1 + at));
            at += escaped_length(raw.get(at..).unwrap_or_default(), c);
        }
        ShellWord::plain(&string, span, inside)
    });
    words.collect()
}

/// How many bytes of JSON stand for the character `c`.
fn escaped_length(json: &str, c: char) -> usize {
    match (json.starts_with("\\u"), json.starts_with('\\')) {
        (true, _) if c > '\u{ffff}' => 12,
        (true, _) => 6,
        (false, true) => 2,
        (false, false) => c.len_utf8(),
    }
}
