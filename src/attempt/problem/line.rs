//! The line that a builder means where it names none.

use crate::dockerfile::Body;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Command;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Instruction;
use crate::dockerfile::Keyword;
use crate::dockerfile::mount_option;

/// What builders say of a platform that is none, the last two Podman's.
const OF_PLATFORM: [&str; 4] = [
    "failed to parse platform ",
    "empty platform value from expression ",
    "no value specified for --platform=",
    "unable to parse platform ",
];

/// The line of the only instruction that a builder's words can be about.
pub(super) fn meant(message: &str, dockerfile: &Dockerfile) -> Option<u32> {
    if is_of_mount(message) {
        // The `/` that it quotes is in many a line.
        return only(dockerfile, is_over_root);
    }
    blank_base(message, dockerfile)
        .or_else(|| with_platform(message, dockerfile))
        .or_else(|| quoting(message, dockerfile))
        .or_else(|| beginning(message, dockerfile))
        .or_else(|| without_words(message, dockerfile))
}

/// `invalid mount target "/"`: what BuildKit says of a mount that would hide the whole image.
pub(super) fn is_of_mount(message: &str) -> bool {
    message.starts_with("invalid mount target")
}

/// Whether a mount of an instruction has `/` for its target, or none, which is the `WORKDIR`.
fn is_over_root(instruction: &Instruction) -> bool {
    let flags = instruction.flags.iter();
    let mut mounts = flags
        .filter(|flag| flag.name == "mount")
        .filter_map(|flag| flag.value.as_deref());
    mounts.any(|mount| {
        let kind = mount_option(mount, &["type"]).unwrap_or("bind");
        // The others have a place of their own.
        let is_placed = ["secret", "ssh"].contains(&kind.to_lowercase().as_str());
        let target = mount_option(mount, &["target", "dst", "destination"]);
        !is_placed && target.is_none_or(|target| ["", ".", "/"].contains(&target))
    })
}

/// `base name ($B) should not be blank`: the first of those that are written so.
fn blank_base(message: &str, dockerfile: &Dockerfile) -> Option<u32> {
    let (_, base) = message.split_once("base name (")?;
    let (base, _) = base.rsplit_once(") ")?;
    let mut stages = dockerfile.stages.iter();
    let found = stages.find(|stage| stage.base.text == base)?;
    Some(found.from.line)
}

/// `failed to parse platform linux/: "" is an invalid component …`: the first that asks for that.
fn with_platform(message: &str, dockerfile: &Dockerfile) -> Option<u32> {
    let scope = dockerfile.global_scope(&BuildArgs::new());
    let [parsed, empty, none, _] = OF_PLATFORM;
    let is_meant = |asked: &str| {
        // Newer builders quote what is left without its variable as it is written.
        let quoted = message.strip_prefix(empty);
        quoted.is_some_and(|quoted| quoted.split(' ').next() == Some(asked))
            || scope.expand(asked).is_ok_and(|one| {
                message.starts_with(&format!("{parsed}{}: ", one.text))
                    || message == format!("{none}{}", one.text)
            })
    };
    let mut stages = dockerfile.stages.iter();
    let found = stages.find(|stage| stage.from.flag("platform").is_some_and(is_meant))?;
    Some(found.from.line)
}

/// Whether a builder's words are about the platform that a FROM asks for.
pub(super) fn is_of_platform(message: &str) -> bool {
    OF_PLATFORM.iter().any(|words| message.starts_with(words))
}

/// `failed to process "${B?no}": B: no`
fn quoting(message: &str, dockerfile: &Dockerfile) -> Option<u32> {
    let quoted = message.split('"').nth(1).filter(|text| !text.is_empty())?;
    only(dockerfile, |one| {
        dockerfile.around(one.span.start).contains(quoted)
    })
}

/// `VOLUME specified can not be an empty string`
fn beginning(message: &str, dockerfile: &Dockerfile) -> Option<u32> {
    let word = message.split(' ').next()?;
    only(dockerfile, |one| one.keyword.as_str() == word)
}

/// `arguments are required`: what BuildKit says of `RUN []`.
fn without_words(message: &str, dockerfile: &Dockerfile) -> Option<u32> {
    let is_empty = |one: &Instruction| {
        matches!(&one.body, Body::Command(Command::Exec(words)) if words.is_empty())
            && one.keyword == Keyword::Run
    };
    (message == "arguments are required")
        .then(|| only(dockerfile, is_empty))
        .flatten()
}

fn only(dockerfile: &Dockerfile, is_meant: impl Fn(&Instruction) -> bool) -> Option<u32> {
    let mut found = dockerfile.instructions().into_iter();
    let line = found.find(|one| is_meant(one))?.line;
    let another = found.any(is_meant);
    (!another).then_some(line)
}
