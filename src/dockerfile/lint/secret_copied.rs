//! `secret-copied`: a file that holds secrets is copied.

use super::super::ast::Body;
use super::super::shell::base_name;
use super::Found;
use super::Rule;
use super::Severity;
use super::found::quote;
use super::subject::Subject;

pub(super) const RULE: Rule = Rule {
    id: "secret-copied",
    aliases: &[],
    severity: Severity::Warning,
    title: "a file that holds secrets is copied",
    why: "A copied file stays in its layer, also where a later instruction deletes it: whoever can \
          pull the image can read it. `RUN --mount=type=secret` shows it to one command only.",
    bad: "FROM node:22-slim\nCOPY .npmrc ./\nRUN npm ci && rm .npmrc\n",
    good: "FROM node:22-slim\nRUN --mount=type=secret,id=npmrc,target=/app/.npmrc npm ci\n",
    check,
};

/// Files that hold secrets, by their whole name.
const NAMES: [&str; 19] = [
    ".env",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".htpasswd",
    ".dockercfg",
    ".aws",
    ".ssh",
    ".gnupg",
    ".kube",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "id_dsa",
    "credentials.json",
    "kubeconfig",
    "secrets.yaml",
    "secrets.json",
];

fn check(subject: &Subject<'_>, found: &mut Found<'_>) {
    for (stage, instruction) in subject.instructions() {
        let Body::Copy { sources, .. } = &instruction.body else {
            continue;
        };
        if instruction.flag("from").is_some() {
            continue;
        }
        for source in sources.iter().filter(|source| holds_secret(&source.text)) {
            let ships = if stage.ships {
                "stays in the image"
            } else {
                "stays in the build cache"
            };
            found
                .note(source.span, format!("`{}` {ships}", quote(&source.text)))
                .hint("show it to the one command that needs it: `RUN --mount=type=secret,id=…`");
        }
    }
}

fn holds_secret(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let name = base_name(path).to_ascii_lowercase();
    let sample = ["example", "sample", "template", "dist", ".pub"];
    if sample.iter().any(|word| name.contains(word)) {
        return false;
    }
    let key_file = [".pem", ".key", ".p12", ".pfx", ".jks", ".keystore"]
        .iter()
        .any(|end| name.ends_with(end));
    // What certifies is public.
    let public = ["ca", "cert", "chain", "bundle", "public", "root"]
        .iter()
        .any(|word| name.contains(word));
    NAMES.contains(&name.as_str())
        || name.starts_with(".env.")
        || path.ends_with(".docker/config.json")
        || (name.starts_with("service-account") && name.ends_with(".json"))
        || (key_file && !public)
}
