//! What is written inside the flags of `RUN`: the options of `--mount`, the words that others take.
//!
//! Builders disagree on what they know, so nothing is refused here that one of them takes: Podman's
//! options of mounts pass. What holds a variable is left to the build.

use super::super::ast::Flag;
use super::super::findings::Findings;
use crate::text::nearest;

/// Options of a mount that have a value.
const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "src",
    "target",
    "dst",
    "destination",
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "id",
    "sharing",
    "required",
    "mode",
    "uid",
    "gid",
    "size",
    "env",
];

/// Options of Podman's mounts that have a value.
const PODMAN: [&str; 5] = [
    "relabel",
    "bind-propagation",
    "consistency",
    "tmpfs-mode",
    "tmpfs-size",
];

/// Options of a mount that may stand without a value.
const ALONE: [&str; 20] = [
    "readonly",
    "ro",
    "readwrite",
    "rw",
    "required",
    "z",
    "u",
    "nosuid",
    "nodev",
    "noexec",
    "shared",
    "rshared",
    "private",
    "rprivate",
    "slave",
    "rslave",
    "bind-nonrecursive",
    "no-dereference",
    "tmpcopyup",
    "notmpcopyup",
];

const TYPES: [&str; 5] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const SHARING: [&str; 3] = ["shared", "private", "locked"];
const NETWORKS: [&str; 3] = ["default", "none", "host"];
const SECURITY: [&str; 2] = ["insecure", "sandbox"];

/// Says what is wrong with the values of a `RUN`'s flags.
pub(super) fn check(flag: &Flag, findings: &mut Findings) {
    let Some(value) = flag.value.as_deref() else {
        return;
    };
    if value.is_empty() {
        let message = format!("the flag `--{}` has no value", flag.name);
        findings.refuse(flag.span, message, None);
        return;
    }
    match flag.name.as_str() {
        "mount" => mount(flag, value, findings),
        "network" => word(flag, "--network", value, &NETWORKS, findings),
        "security" => word(flag, "--security", value, &SECURITY, findings),
        _ => {}
    }
}

/// A flag or an option that takes one of a few words.
fn word(flag: &Flag, name: &str, value: &str, known: &[&str], findings: &mut Findings) {
    if value.contains('$') || known.contains(&value) {
        return;
    }
    let message = format!("`{name}` cannot be `{}`", short(value));
    findings.refuse(flag.span, message, Some(meant(value, known)));
}

/// What a line of a message has room for.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn meant(value: &str, known: &[&str]) -> String {
    match nearest(value, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let all: Vec<String> = known.iter().map(|one| format!("`{one}`")).collect();
            format!("it takes {}", all.join(", "))
        }
    }
}

fn mount(flag: &Flag, value: &str, findings: &mut Findings) {
    // Quotes that are still there part its options in other ways.
    if value.contains('"') {
        return;
    }
    let mut fields = value.split(',').peekable();
    while let Some(field) = fields.next() {
        if field.is_empty() {
            let hint = if fields.peek().is_none() {
                "write no space after the comma"
            } else {
                "remove one of the commas"
            };
            let message = "an option of `--mount` is empty";
            findings.refuse(flag.span, message, Some(hint.to_owned()));
            continue;
        }
        option(flag, field, findings);
    }
}

/// The value of the first option of a mount that has one of these names, in any case.
pub(crate) fn mount_option<'v>(value: &'v str, names: &[&str]) -> Option<&'v str> {
    value.split(',').find_map(|field| {
        let (key, value) = field.split_once('=')?;
        let is_named = names.iter().any(|name| key.eq_ignore_ascii_case(name));
        is_named.then_some(value)
    })
}

/// One option of a mount. That none says where the mount goes is no fault: it goes to the `WORKDIR`.
fn option(flag: &Flag, field: &str, findings: &mut Findings) {
    let (written, value) = match field.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (field, None),
    };
    let key = written.to_lowercase();
    let Some(value) = value else {
        if key.contains('$') || ALONE.contains(&key.as_str()) {
            return;
        }
        let (message, hint) = if KEYS.contains(&key.as_str()) {
            (
                format!("`{key}` of `--mount` has no value"),
                format!("write `{key}=…`, without spaces around `=`"),
            )
        } else {
            unknown(written)
        };
        findings.refuse(flag.span, message, Some(hint));
        return;
    };
    let lower = value.to_lowercase();
    match key.as_str() {
        "type" => word(flag, "type", &lower, &TYPES, findings),
        "sharing" => word(flag, "sharing", &lower, &SHARING, findings),
        key if key.contains('$') || KEYS.contains(&key) || PODMAN.contains(&key) => {}
        _ => {
            let (message, hint) = unknown(written);
            findings.refuse(flag.span, message, Some(hint));
        }
    }
}

fn unknown(key: &str) -> (String, String) {
    let message = format!("`--mount` has no option `{}`", short(key));
    if key.trim() != key {
        return (message, String::from("write no space after the comma"));
    }
    let hint = match nearest(&key.to_lowercase(), KEYS) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => String::from("the usual ones are `type`, `target`, `source`, `from` and `id`"),
    };
    (message, hint)
}

#[cfg(test)]
mod tests {
    use super::super::super::ast::Dockerfile;

    /// What a builder refuses in a `RUN` with these flags, each with its hint.
    fn refused(flags: &str) -> Vec<(String, String)> {
        let file = Dockerfile::parse(&format!("FROM a:1\nRUN {flags} make\n"));
        let told = file.problems.into_iter();
        told.map(|one| (one.message, one.hint.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn what_builders_take_is_not_refused() {
        for flags in [
            "--mount=target=/a",
            "--mount=type=cache,target=/root/.npm,sharing=locked,id=x,mode=0755,uid=1,gid=1",
            "--mount=Type=Cache,TARGET=/a,sharing=Private,ro",
            "--mount=type=secret,id=a,required,env=TOKEN --mount=type=ssh,required=true",
            "--mount=type=bind,from=b,source=/x,dst=/y,rw=true,z",
            "--mount=type=tmpfs,target=/t,size=10m",
            "--mount=type=bind --mount=type=cache --mount=from=b,source=/o",
            "--mount=type=$TYPE,target=$DIR,sharing=${MODE} --network=$NET",
            "--mount=type=bind,\"source=a b\",target=/x",
            "--network=none --security=insecure",
        ] {
            assert_eq!(refused(flags), [], "{flags}");
        }
    }

    #[test]
    fn what_builders_refuse_is_told_with_what_was_meant() {
        for (flags, message, hint) in [
            (
                "--mount=type=cache, target=/root/.cache/pip",
                "an option of `--mount` is empty",
                "write no space after the comma",
            ),
            (
                "--mount=type=cache,,target=/a",
                "an option of `--mount` is empty",
                "remove one of the commas",
            ),
            (
                "--mount=type=cahce,target=/a",
                "`type` cannot be `cahce`",
                "did you mean `cache`?",
            ),
            (
                "--mount=type=volume,target=/a",
                "`type` cannot be `volume`",
                "it takes `bind`, `cache`, `tmpfs`, `secret`, `ssh`",
            ),
            (
                "--mount=type=secret,id=token,tagret=/t",
                "`--mount` has no option `tagret`",
                "did you mean `target`?",
            ),
            (
                "--mount=\"type=cache, target=/a\"",
                "`--mount` has no option ` target`",
                "write no space after the comma",
            ),
            (
                "--mount=type=cache,target",
                "`target` of `--mount` has no value",
                "write `target=…`, without spaces around `=`",
            ),
            (
                "--mount=type=cache,target=/a,sharing=lock",
                "`sharing` cannot be `lock`",
                "did you mean `locked`?",
            ),
            ("--network=", "the flag `--network` has no value", ""),
            (
                "--network=hots",
                "`--network` cannot be `hots`",
                "did you mean `host`?",
            ),
        ] {
            let wanted = (message.to_owned(), hint.to_owned());
            assert_eq!(refused(flags), [wanted], "{flags}");
        }
        let later = Dockerfile::parse("FROM a:1\nONBUILD RUN --mount=type=cahce,target=/a make\n");
        assert_eq!(later.problems.len(), 1);
    }
}
