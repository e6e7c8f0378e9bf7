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
    // Whole words: `localhost` holds no `ca`.
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let says = |known: &[&str]| words.iter().any(|word| known.contains(word));
    // Of `my-public-site.key` the site is public, and not the key.
    let public_key = matches!(words.as_slice(), [.., "public" | "pub", "key"]);
    let store = is_store(&name) && !public_key;
    if says(&["example", "sample", "template", "dist", "pub"]) && !store {
        return false;
    }
    // What certifies is public, and the key that signs it is not.
    let public = says(&["public"]) || says(&PUBLIC) && !says(&["key", "private", "privkey"]);
    let key_file = store || name.ends_with(".pem") && !public;
    NAMES.contains(&name.as_str())
        || name.starts_with(".env.")
        || path.ends_with(".docker/config.json")
        || (name.starts_with("service-account") && name.ends_with(".json"))
        || key_file
}

/// Words in the names of files that hold certificates.
const PUBLIC: [&str; 11] = [
    "ca",
    "cacert",
    "cacerts",
    "cert",
    "certs",
    "certificate",
    "certificates",
    "chain",
    "fullchain",
    "bundle",
    "root",
];

/// Whether a file is there for a private key.
fn is_store(name: &str) -> bool {
    let ends = [".key", ".p12", ".pfx", ".jks", ".keystore"];
    ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_name_tell_keys_from_certificates() {
        for path in [
            "localhost.pem",
            "application.key",
            "certs/server.key",
            "ca.key",
            "ca-key.pem",
            "cacerts.jks",
            "root.p12",
            "public.p12",
            "republic.key",
            "my-public-site.key",
            "pub-site.key",
            "example.com.key",
            "privkey.pem",
            ".env",
            ".env.distribution",
            "conf/id_rsa",
        ] {
            assert!(holds_secret(path), "{path}");
        }
        for path in [
            "ca.pem",
            "root-ca.pem",
            "fullchain.pem",
            "server_cert.pem",
            "public-key.pem",
            "public.key",
            "signing-public.key",
            "cosign.pub.key",
            ".env.example",
            ".env.dist",
            "id_rsa.pub",
            "app.js",
        ] {
            assert!(!holds_secret(path), "{path}");
        }
    }
}
