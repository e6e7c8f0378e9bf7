//! What a builder's last words mean for the learner.

use super::CANCELLED;
use super::Known;
use super::Ledger;
use crate::engine::BuildError;
use crate::engine::EngineError;
use crate::engine::docker::fault;
use crate::engine::docker::images::registry_of;
use crate::image::maker;
use crate::text::Clean;

/// What ended a build, in the terms of the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine::docker) struct Failure(pub(in crate::engine::docker) BuildError);

/// Words of a registry that does not have an image, or of nobody answering for it.
const NO_BASE: [&str; 13] = [
    "failed to do request",
    "failed to resolve source metadata",
    "failed to resolve reference",
    "pull access denied",
    "repository does not exist",
    "pinging container registry",
    "initializing source docker://",
    "no stage or image found with that name",
    "manifest unknown",
    "no such host",
    "i/o timeout",
    "connection refused",
    "short-name",
];

/// Words of a builder that could not read the Dockerfile.
const SYNTAX: [&str; 14] = [
    "parse error",
    "cannot be empty",
    "file with no instructions",
    "no build stage in current context",
    "no contents in ",
    "no stages to build",
    "no from statement found",
    "unknown instruction",
    "requires at least",
    "base name (",
    "invalid mount target",
    "failed to parse platform ",
    "empty platform value from expression ",
    "no value specified for --platform=",
];

/// Words that builders put before what they mean.
const PREFIXES: [&str; 8] = [
    "failed to solve with frontend dockerfile.v0: ",
    "failed to solve: ",
    "failed to create LLB definition: ",
    "failed to marshal LLB definition: ",
    "failed to parse Dockerfile: ",
    "Build error: ",
    "failed to compute cache key: ",
    "failed to load cache key: ",
];

/// What BuildKit puts before what its front end, which reads the Dockerfile, refuses in it.
const FRONT_END: [&str; 2] = [
    "failed to create llb definition: ",
    "failed to marshal llb definition: ",
];

/// How an engine that is being stopped ends a message.
const ENDING: [&str; 5] = [
    "context canceled",
    "transport is closing",
    "error reading from server: eof",
    "connection reset by peer",
    "use of closed network connection",
];

/// Whether a builder's last words are those of an engine that is being stopped. A build that is
/// ended by a command's status is none of those, whatever the command was called and wrote.
pub(in crate::engine::docker) fn is_ending(message: &str) -> bool {
    let told = told(message).to_ascii_lowercase();
    exit_of(&told).is_none()
        && (told.starts_with("rpc error: code = unavailable") || fault::ends_with(&told, &ENDING))
}

/// What `message` means, given the steps that are known.
pub(super) fn classify(message: &str, ledger: &Ledger) -> Failure {
    let told = told(message);
    let lower = message.to_ascii_lowercase();
    let suspect = ledger.suspect();
    let line = suspect.and_then(|step| step.line);
    if let Some(unaccepted) = unaccepted(message, ledger) {
        return Failure(unaccepted);
    }
    if fault::is_disk_full(told) {
        return Failure(EngineError::DiskFull(Clean::line(&maker::told(told))).into());
    }
    // Before all that is looked for in the middle: what such a message quotes is the learner's.
    if let Some(exit) = exit_of(&lower) {
        return Failure(match suspect {
            Some(step) => BuildError::Step {
                line: step.line,
                title: step.title.clone(),
                exit: Some(exit),
                // It quotes the command.
                message: Clean::line(&maker::told(told)),
                wrote: step.wrote,
            },
            None => refused(told),
        });
    }
    if SYNTAX.iter().any(|words| lower.contains(words)) {
        return Failure(syntax(told, line));
    }
    if NO_BASE.iter().any(|words| lower.contains(words))
        && let Some(no_base) = no_base(told, ledger)
    {
        return Failure(no_base);
    }
    if let Some(fetched) = not_fetched(told, suspect, ledger) {
        return Failure(fetched);
    }
    Failure(match suspect {
        // No step says by itself that the build was given up.
        Some(step) if step.line.is_some() && !is_ending(message) => {
            let message = missing_file(told).unwrap_or_else(|| maker::told(told));
            BuildError::Step {
                line: step.line,
                title: step.title.clone(),
                exit: None,
                message: Clean::line(&message),
                wrote: step.wrote,
            }
        }
        _ => refused(told),
    })
}

/// What a builder refuses in a Dockerfile, as our own parser does or before the first step. It quotes
/// the learner's words at the end, where an engine's cause would stand, so it is looked for first.
fn unaccepted(message: &str, ledger: &Ledger) -> Option<BuildError> {
    let lower = message.to_ascii_lowercase();
    if exit_of(&lower).is_some() || is_ending(message) {
        return None;
    }
    let suspect = ledger.suspect();
    let line = suspect.and_then(|step| step.line);
    let is_base = || NO_BASE.iter().any(|words| lower.contains(words));
    let is_refused = match suspect {
        Some(Known { line: Some(_), .. }) => ledger.plan.refuses(line),
        // BuildKit looks for the base images meanwhile, and gives that up.
        Some(step) => {
            let is_stopped = step.error.is_empty() || step.error.contains(CANCELLED);
            is_stopped && !is_base() && ledger.plan.refuses(None)
        }
        None => {
            let is_of_front_end = FRONT_END.iter().any(|words| lower.contains(words));
            ledger.plan.refuses(None) || (is_of_front_end && !is_base())
        }
    };
    is_refused.then(|| syntax(told(message), line))
}

fn syntax(told: &str, line: Option<u32>) -> BuildError {
    let (own, told) = line_of(told);
    BuildError::Syntax {
        line: own.or(line),
        message: Clean::line(&maker::told(without_dump(told))),
    }
}

/// What an ADD did not get. BuildKit fetches in a step of its own, which only the address names.
fn not_fetched(told: &str, suspect: Option<&Known>, ledger: &Ledger) -> Option<BuildError> {
    let suspect = suspect?;
    // What else such a line names is no address.
    if missing_file(told).is_some() {
        return None;
    }
    let place = match suspect.line {
        // One of an ONBUILD is carried out at the line of a FROM.
        Some(line) => {
            let here = ledger.plan.fetching(|place, _| place.line == line);
            here.or_else(|| ledger.plan.fetching(|_, address| told.contains(address)))
        }
        None => ledger.plan.fetching(|_, address| {
            told.contains(address) || suspect.title.as_str().contains(&maker::told(address))
        }),
    }?;
    Some(BuildError::Step {
        line: Some(place.line),
        title: place.title.clone(),
        exit: None,
        message: Clean::line(&maker::told(no_network(told).unwrap_or(told))),
        wrote: false,
    })
}

/// The base that was not to be had.
fn no_base(told: &str, ledger: &Ledger) -> Option<BuildError> {
    let suspect = ledger.suspect()?;
    let asked = match &suspect.reference {
        Some(reference) => reference.clone(),
        None => ledger.plan.on_line(suspect.line?)?.to_owned(),
    };
    let line = suspect.line.or_else(|| ledger.plan.line_of(&asked));
    Some(BuildError::NoBase {
        line,
        reference: ledger.plan.as_written(&asked),
        registry: registry_of(&asked).to_owned(),
        message: Clean::line(because(told)),
    })
}

/// Words of an engine, and what they mean.
type Causes<'c> = &'c [(&'c [&'c str], &'static str)];

fn cause(causes: Causes<'_>, told: &str) -> Option<&'static str> {
    let lower = told.to_ascii_lowercase();
    causes
        .iter()
        .find(|(words, _)| words.iter().any(|word| lower.contains(word)))
        .map(|(_, cause)| *cause)
}

/// Why nothing came over the network: each engine wraps the cause in words of its own.
fn no_network(told: &str) -> Option<&'static str> {
    const CAUSES: Causes<'_> = &[
        (&["no such host"], "no host of that name is known"),
        (&["connection refused"], "nothing answers there"),
        (
            &["i/o timeout", "deadline exceeded"],
            "it did not answer in time",
        ),
        (
            &["x509", "certificate"],
            "its certificate is not trusted here",
        ),
    ];
    cause(CAUSES, told)
}

/// Why a registry did not give an image.
fn because(told: &str) -> &str {
    const CAUSES: Causes<'_> = &[
        (
            &["toomanyrequests", "rate limit"],
            "it gives no more images for now (too many requests)",
        ),
        (
            &["manifest unknown", "name unknown", ": not found"],
            "it has no such image",
        ),
        (
            &["denied", "unauthorized", "forbidden"],
            "it has no such image, or asks for a login",
        ),
    ];
    no_network(told)
        .or_else(|| cause(CAUSES, told))
        .unwrap_or(told)
}

/// A file that a COPY names and that was not sent, in the same words for every builder:
/// `"/app.py" not found`.
fn missing_file(told: &str) -> Option<String> {
    // The classic builder quotes nothing.
    if let Some(before) = told.strip_suffix(": file does not exist")
        && let Some((_, path)) = before.split_once(": stat ")
    {
        return Some(format!("\"/{}\" not found", path.trim_start_matches('/')));
    }
    if let Some(path) = below_a_mount(told) {
        return Some(format!("\"/{path}\" not found"));
    }
    let told = told.trim_end_matches(": not found");
    let before = told
        .strip_suffix(" not found")
        .or_else(|| told.strip_suffix(": no such file or directory"))
        .or_else(|| told.ends_with('"').then_some(told))?;
    let before = before.strip_suffix('"')?;
    let (_, path) = before.rsplit_once('"')?;
    path.starts_with('/')
        .then(|| format!("\"{path}\" not found"))
}

/// What BuildKit looked for in a folder of its own, where it has put the context or a stage: of
/// several folders that a line names one within the other, the first that is missing.
fn below_a_mount(told: &str) -> Option<&str> {
    let sought = told.strip_suffix(": no such file or directory")?;
    let (_, path) = sought.rsplit_once("lstat /")?;
    let mut mounts = ["/buildkit-mount", "/containerd-mount"].into_iter();
    let mount = mounts.find_map(|name| path.split_once(name)?.1.split_once('/'));
    let stage = || path.split_once("/overlay2/")?.1.split_once("/merged/");
    let (_, below) = mount.or_else(stage)?;
    (!below.is_empty()).then_some(below)
}

fn refused(told: &str) -> BuildError {
    BuildError::Engine(EngineError::Refused {
        what: "build",
        detail: Clean::line(&maker::told(told)),
    })
}

/// The message without the words before what it means.
fn told(message: &str) -> &str {
    let mut told = message.trim();
    loop {
        let before = told;
        for prefix in PREFIXES {
            told = told.strip_prefix(prefix).unwrap_or(told);
        }
        // Podman quotes the step, which may hold anything up to the quote and the colon.
        if let Some((_, rest)) = told
            .strip_prefix("building at STEP \"")
            .and_then(|rest| rest.split_once("\": "))
        {
            told = rest;
        }
        if told == before {
            return told;
        }
    }
}

/// Splits `dockerfile parse error on line 2: unknown instruction: RUNN` into line and fault.
fn line_of(told: &str) -> (Option<u32>, &str) {
    let Some((_, rest)) = told.split_once("parse error") else {
        return (None, told);
    };
    let rest = rest.trim_start().trim_start_matches("on ");
    let number = |text: &str| text.trim().parse::<u32>().ok();
    match rest
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(':'))
    {
        Some((line, fault)) => (number(line), fault.trim()),
        None => (None, told),
    }
}

/// Podman's message without the value of its own that it prints.
fn without_dump(told: &str) -> &str {
    told.split_once(" &imagebuilder")
        .map_or(told, |(told, _)| told)
}

/// The status at the end of a message: of the three builders, each in its own words.
fn exit_of(lower: &str) -> Option<i64> {
    ["exit code: ", "exit status ", "non-zero code: "]
        .iter()
        .find_map(|words| {
            let (_, rest) = lower.rsplit_once(words)?;
            rest.trim().parse().ok()
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Item;
    use super::super::Translator;
    use super::super::plan::tests::dockerfile;
    use super::*;
    use crate::dockerfile::Dockerfile;
    use crate::engine::Builder;

    /// A build by the classic builder that stands at the last line of a Dockerfile.
    fn at(lines: &str, message: &str) -> BuildError {
        let mut file = dockerfile(lines);
        file.text = lines.to_owned();
        classic(&file, message)
    }

    fn classic(file: &Dockerfile, message: &str) -> BuildError {
        let mut translator = Translator::new(Builder::Classic, file);
        for (index, line) in file.text.lines().enumerate() {
            let step = format!("Step {}/9 : {line}", index + 1);
            translator.feed(Item::Text(step), Duration::ZERO);
        }
        translator.failure(message).0
    }

    #[test]
    fn each_builders_exit_status_is_read() {
        for message in [
            "executor failed running [/bin/sh -c echo a; exit 7]: exit code: 7",
            "process \"/bin/sh -c exit 7\" did not complete successfully: exit code: 7",
            "building at STEP \"RUN echo a; exit 7\": while running runtime: exit status 7\n",
            "The command '/bin/sh -c echo a; exit 7' returned a non-zero code: 7",
        ] {
            let error = at("FROM scratch\nRUN exit 7\n", message);
            assert!(
                matches!(
                    error,
                    BuildError::Step {
                        line: Some(2),
                        exit: Some(7),
                        ..
                    }
                ),
                "{message}: {error:?}"
            );
        }
    }

    #[test]
    fn a_dockerfile_that_cannot_be_read_is_told_with_its_line() {
        let cases = [
            (
                "failed to solve with frontend dockerfile.v0: failed to create LLB definition: \
                 dockerfile parse error line 2: unknown instruction: RUNN",
                Some(2),
                "unknown instruction: RUNN",
            ),
            (
                "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)",
                Some(2),
                "unknown instruction: RUNN (did you mean RUN?)",
            ),
            (
                "building at STEP \"RUNN \": Build error: Unknown instruction: \"RUNN\" \
                 &imagebuilder.Step{Env:[]string{\"PATH=/bin\"}}\n",
                Some(1),
                "Unknown instruction: \"RUNN\"",
            ),
            (
                "the Dockerfile cannot be empty",
                Some(1),
                "the Dockerfile cannot be empty",
            ),
            (
                "no FROM statement found",
                Some(1),
                "no FROM statement found",
            ),
        ];
        for (message, line, told) in cases {
            assert_eq!(
                at("FROM scratch\n", message),
                BuildError::Syntax {
                    line,
                    message: Clean::line(told)
                }
            );
        }
    }

    /// A build by BuildKit that made no step of a Dockerfile.
    fn unread(dockerfile: &Dockerfile, message: &str) -> BuildError {
        Translator::new(Builder::Buildkit, dockerfile)
            .failure(message)
            .0
    }

    const CREATING: &str =
        "failed to solve with frontend dockerfile.v0: failed to create LLB definition: ";

    #[test]
    fn what_only_a_builder_refuses_in_a_dockerfile_is_no_fault_of_the_engine() {
        // What our own parser does not know of is told by the front end alone.
        for told in [
            "failed to process \"${B?no}\": B: no",
            "failed to parse platform foo/bar/baz/x: \"foo/bar/baz/x\": cannot parse platform specifier",
        ] {
            let error = unread(&Dockerfile::parse("FROM a\n"), &format!("{CREATING}{told}"));
            let message = Clean::line(told);
            assert_eq!(
                error,
                BuildError::Syntax {
                    line: None,
                    message
                }
            );
        }
        let file = Dockerfile::parse("FROM a\nRUN []\n");
        let marshal = "failed to marshal LLB definition: arguments are required";
        assert_eq!(
            unread(
                &file,
                &format!("failed to solve with frontend dockerfile.v0: {marshal}")
            ),
            BuildError::Syntax {
                line: None,
                message: Clean::line("arguments are required")
            }
        );
    }

    #[test]
    fn what_a_builder_refuses_in_a_dockerfile_is_no_fault_of_the_engine() {
        for (line, told) in [
            (
                "FROM Busybox",
                "invalid reference format: repository name must be lowercase",
            ),
            ("COPY --from=7 /a /b", "invalid stage index 7"),
            ("EXPOSE eighty", "Invalid containerPort: eighty"),
            ("STOPSIGNAL SIGTRM", "Invalid signal: SIGTRM"),
            (
                "STOPSIGNAL \"no space left on device\"",
                "Invalid signal: no space left on device",
            ),
            ("RUN --mount=type=cache true", "invalid mount target \"/\""),
        ] {
            let text = format!("FROM scratch\n{line}\n");
            let file = Dockerfile::parse(&text);
            let read = unread(&file, &format!("{CREATING}{told}"));
            assert!(
                matches!(read, BuildError::Syntax { line: None, .. }),
                "{line}: {read:?}"
            );
            // Newer front ends say so without those words; the classic builder stops at the line.
            let read = unread(&file, &format!("failed to solve: {told}"));
            assert!(
                matches!(read, BuildError::Syntax { line: None, .. }),
                "{line}: {read:?}"
            );
            let stopped = classic(&file, told);
            assert!(
                matches!(stopped, BuildError::Syntax { line: Some(2), .. }),
                "{line}: {stopped:?}"
            );
        }
    }

    #[test]
    fn what_an_engine_refuses_stays_its_own() {
        let plain = Dockerfile::parse("FROM a\nRUN b\n");
        for message in [
            "failed to solve: lease does not exist: not found",
            "failed to solve: context canceled",
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: failed to do request",
        ] {
            let error = unread(&plain, message);
            let refused = matches!(error, BuildError::Engine(EngineError::Refused { .. }));
            assert!(refused, "{message}: {error:?}");
        }
        let waiting = Dockerfile::parse("FROM a\nONBUILD EXPOSE http\n");
        let error = unread(&waiting, "failed to solve: lease does not exist: not found");
        assert!(matches!(error, BuildError::Engine(_)), "{error:?}");
        let wrong = Dockerfile::parse("FROM a\nEXPOSE eighty\n");
        let error = unread(&wrong, "failed to solve: context canceled");
        assert!(matches!(error, BuildError::Engine(_)), "{error:?}");
        // A base that is not to be had ends a build before its instructions are looked at.
        let mut translator = Translator::new(Builder::Buildkit, &wrong);
        let ledger = &mut translator.ledger;
        let step = ledger.name(
            None,
            "[internal] load metadata for docker.io/library/a:latest",
        );
        ledger.start(step);
        let known = ledger.known_mut(step).expect("it was named");
        known.reference = Some("docker.io/library/a:latest".to_owned());
        known.error = "failed to do request: no such host".to_owned();
        ledger.finish(step, false, None, crate::engine::StepEnd::Failed);
        let error = translator.failure("failed to do request: no such host").0;
        assert!(
            matches!(error, BuildError::NoBase { line: Some(1), .. }),
            "{error:?}"
        );
    }

    #[test]
    fn a_base_that_is_not_to_be_had_names_its_registry() {
        let cases = [
            (
                "FROM lab:5000/x\n",
                "Get \"https://lab:5000/v2/\": dial tcp: lookup lab: no such host",
                "lab:5000",
                1,
            ),
            (
                "FROM scratch\nCOPY --from=alpine /a /a\n",
                "COPY --from=alpine: no stage or image found with that name\n",
                "docker.io",
                2,
            ),
        ];
        for (lines, message, wanted, at_line) in cases {
            let error = at(lines, message);
            let BuildError::NoBase { line, registry, .. } = &error else {
                panic!("{error:?}");
            };
            assert_eq!((registry.as_str(), *line), (wanted, Some(at_line)));
        }
    }

    #[test]
    fn a_full_disk_is_the_engines_and_a_missing_file_is_the_steps() {
        let full = at(
            "FROM scratch\nCOPY a /\n",
            "failed to copy: write /x: no space left on device",
        );
        assert!(matches!(full, BuildError::Engine(EngineError::DiskFull(_))));
        let missing = at(
            "FROM scratch\nCOPY a /\n",
            "failed to compute cache key: \"/a\" not found: not found",
        );
        assert_eq!(
            missing,
            BuildError::Step {
                line: Some(2),
                title: Clean::line("COPY a /"),
                exit: None,
                message: Clean::line("\"/a\" not found"),
                wrote: false,
            }
        );
    }

    #[test]
    fn what_is_missing_in_a_folder_of_the_engine_is_named_as_the_learner_sees_it() {
        for (message, wanted) in [
            (
                "failed to walk /var/lib/docker/tmp/buildkit-mount907461869/src: lstat /var/lib/docker/tmp/buildkit-mount907461869/src: no such file or directory",
                "\"/src\" not found",
            ),
            (
                "lstat /var/lib/docker/tmp/buildkit-mount283903554/a b/c: no such file or directory",
                "\"/a b/c\" not found",
            ),
            (
                "lstat /var/lib/docker/overlay2/5f357ca5a95b4ce23d02e1/merged/src/app: no such file or directory",
                "\"/src/app\" not found",
            ),
            (
                "lstat /var/lib/docker/overlay2/5f/merged: no such file or directory",
                "lstat /var/lib/docker/overlay2/5f/merged: no such file or directory",
            ),
        ] {
            let error = at("FROM scratch\nCOPY src/app.py /\n", message);
            let BuildError::Step { message, .. } = &error else {
                panic!("{error:?}");
            };
            assert_eq!(message.as_str(), wanted);
        }
    }

    #[test]
    fn words_of_the_learners_own_files_are_no_fault_of_the_engine() {
        let commands = [
            "executor failed running [/bin/sh -c wget x || { echo \"the mirror is unavailable\"; exit 1; }]: exit code: 1",
            "process \"/bin/sh -c echo \\\"no space left on device\\\"; exit 1\" did not complete successfully: exit code: 1",
            "building at STEP \"RUN echo transport is closing; exit 1\": while running runtime: exit status 1",
            "The command '/bin/sh -c echo context canceled; exit 1' returned a non-zero code: 1",
        ];
        for message in commands {
            assert!(!is_ending(message), "{message}");
            let error = at("FROM scratch\nRUN x\n", message);
            let step = matches!(error, BuildError::Step { exit: Some(1), .. });
            assert!(step, "{message}: {error:?}");
        }
        let files = [
            "failed to compute cache key: \"/unavailable.html\" not found: not found",
            "failed to calculate checksum of ref 50wh::ep2k: \"/no space left on device\": not found",
            "COPY failed: file not found in build context: stat context canceled: file does not exist",
            "checking on sources under \"/var/tmp/x\": copier: stat: \"/connection reset by peer\": no such file or directory",
        ];
        for message in files {
            assert!(!is_ending(message), "{message}");
            let error = at("FROM scratch\nCOPY a /\n", message);
            let step = matches!(error, BuildError::Step { exit: None, .. });
            assert!(step, "{message}: {error:?}");
        }
    }

    #[test]
    fn an_engine_that_is_being_stopped_is_told_by_how_its_words_end() {
        for message in [
            "rpc error: code = Unavailable desc = error reading from server: EOF",
            "failed to solve: rpc error: code = Unavailable desc = transport is closing",
            "failed to solve: context canceled",
            "Canceled: context canceled",
            "read unix @->/run/docker.sock: read: connection reset by peer",
        ] {
            assert!(is_ending(message), "{message}");
        }
        // Where one answers again, it is still no fault of the step that was at work.
        for message in [
            "failed to solve: context canceled",
            "failed to solve: rpc error: code = Unavailable desc = transport is closing",
            "rpc error: code = Unavailable desc = error reading from server: EOF",
            "read unix @->/run/docker.sock: read: connection reset by peer",
        ] {
            let error = at("FROM scratch\nRUN x\n", message);
            let refused = matches!(error, BuildError::Engine(EngineError::Refused { .. }));
            assert!(refused, "{message}: {error:?}");
        }
    }

    #[test]
    fn a_helper_s_status_behind_a_full_disk_is_not_that_of_a_command() {
        let message = "copying layers: writing blob: adding layer with blob \"sha256:00\": processing tar file(write /usr/lib/x.so: no space left on device): exit status 1";
        let error = at("FROM scratch\nCOPY a /\n", message);
        let full = matches!(error, BuildError::Engine(EngineError::DiskFull(_)));
        assert!(full, "{error:?}");
    }

    #[test]
    fn a_command_that_is_quoted_by_a_fault_is_told_without_its_secrets() {
        let message = "executor failed running [/bin/sh -c export TOKEN=correct-horse]: runc did not terminate: no such shell";
        let error = at("FROM scratch\nRUN x\n", message);
        let BuildError::Step { message, .. } = &error else {
            panic!("{error:?}");
        };
        assert!(!message.as_str().contains("correct-horse"), "{message}");
    }

    #[test]
    fn an_address_that_is_not_to_be_had_is_the_adds_fault() {
        let lines = "FROM scratch\nADD https://lab.invalid/x /x\n";
        let message = "failed to load cache key: Get \"https://lab.invalid/x\": dial tcp: lookup lab.invalid: no such host";
        let wanted = BuildError::Step {
            line: Some(2),
            title: Clean::line("ADD https://lab.invalid/x /x"),
            exit: None,
            message: Clean::line("no host of that name is known"),
            wrote: false,
        };
        assert_eq!(at(lines, message), wanted);
        // BuildKit's own step for it stands on no line.
        let mut translator = Translator::new(Builder::Buildkit, &dockerfile(lines));
        let step = translator.ledger.name(None, "https://lab.invalid/x");
        translator.ledger.start(step);
        let ledger = &mut translator.ledger;
        ledger.finish(step, false, None, crate::engine::StepEnd::Failed);
        assert_eq!(translator.failure(message).0, wanted);
        let missing = translator
            .failure("\"/missing.txt\" not found: not found")
            .0;
        assert!(!format!("{missing:?}").contains("image"), "{missing:?}");
        // An answer that says no does not repeat the address.
        let refused = translator.failure("invalid response status 404").0;
        assert!(
            matches!(refused, BuildError::Step { line: Some(2), .. }),
            "{refused:?}"
        );
    }

    #[test]
    fn an_address_behind_an_onbuild_is_no_base_and_no_fault_of_the_engine() {
        let file = Dockerfile::parse("FROM b AS a\nONBUILD ADD http://lab.invalid/x /x\nFROM a\n");
        let message = "ADD failed: Get \"http://lab.invalid/x\": dial tcp: connection refused";
        let stopped = classic(&file, message);
        let mut translator = Translator::new(Builder::Buildkit, &file);
        let ledger = &mut translator.ledger;
        let step = ledger.name(None, "http://lab.invalid/x");
        ledger.start(step);
        ledger.finish(step, false, None, crate::engine::StepEnd::Failed);
        for error in [stopped, translator.failure(message).0] {
            let is_add = matches!(&error, BuildError::Step { line: Some(2), .. });
            assert!(is_add, "{error:?}");
        }
    }

    #[test]
    fn a_file_that_was_not_sent_is_told_in_the_same_words_by_every_builder() {
        for message in [
            "\"/a b.txt\" not found: not found",
            "failed to calculate checksum of ref 50wh::ep2k: \"/a b.txt\": not found",
            "checking on sources under \"/var/tmp/x/build\": copier: stat: \"/a b.txt\": no such file or directory",
            "COPY failed: file not found in build context or excluded by .dockerignore: stat a b.txt: file does not exist",
        ] {
            assert_eq!(
                missing_file(message).as_deref(),
                Some("\"/a b.txt\" not found")
            );
        }
        assert_eq!(missing_file("\"x\" not found"), None);
        assert_eq!(missing_file("boom"), None);
    }

    #[test]
    fn why_a_registry_gave_nothing_is_told_without_the_engines_wrapping() {
        let host = "failed to do request: Head \"https://x/v2/\": dial tcp: lookup x on 1.1.1.1:53: no such host";
        assert_eq!(because(host), "no host of that name is known");
        let login = "pull access denied, repository does not exist or may require authorization";
        assert!(because(login).contains("login"));
        assert_eq!(because("something new"), "something new");
    }
}
