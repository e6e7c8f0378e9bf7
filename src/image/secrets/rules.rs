//! The kinds of secrets: a word that each has, and the form that makes it one.
//!
//! The forms are those that their makers document or that can be seen in any such secret.

use std::sync::OnceLock;

use regex::bytes::Regex;
use regex::bytes::RegexBuilder;

use super::assignment::Proof;
use super::assignment::is_drawn;
use super::assignment::is_placeholder;
use super::assignment::looks_random;

/// A kind of secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretKind {
    /// Its id: `github-token`.
    pub id: &'static str,
    /// What people call it: `a GitHub token`.
    pub name: &'static str,
    /// Words of which every such secret has one.
    pub(super) words: &'static [&'static str],
    /// Its form around such a word; the first group that matches is the secret itself.
    pub(super) form: &'static str,
    /// What the form cannot say.
    pub(super) check: Check,
    /// How many bytes before a word, and behind its start, the form may reach.
    pub(super) reach: (usize, usize),
}

/// What a form cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing: the form alone is proof.
    None,
    /// The secret is made of random characters and is no example.
    Random,
    /// The secret is no example (`changeme`, `<token>`, `${TOKEN}`).
    NoExample,
    /// The same, and it has letters and digits: manuals use words.
    Mixed,
    /// A key in PEM form with a body.
    Key,
    /// A JSON Web Token whose first part says so.
    WebToken,
    /// Base64 of a name and a password.
    NameAndPassword,
    /// A password of a command: it looks random, or has letters and digits in a command that was
    /// run, and is no example.
    Drawn,
    /// What follows `Authorization: Bearer` or `Basic`.
    Header,
}

const fn kind(
    id: &'static str,
    name: &'static str,
    words: &'static [&'static str],
    form: &'static str,
) -> SecretKind {
    SecretKind {
        id,
        name,
        words,
        form,
        check: Check::Random,
        reach: (1, 400),
    }
}

impl SecretKind {
    const fn with(self, check: Check) -> Self {
        Self { check, ..self }
    }

    const fn reach(self, before: usize, behind: usize) -> Self {
        Self {
            reach: (before, behind),
            ..self
        }
    }

    /// The form, compiled when it is first asked for: all of them would take longer than most texts
    /// that have the word of one.
    pub(super) fn regex(&self) -> Option<&'static Regex> {
        static FORMS: [OnceLock<Option<Regex>>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];
        let at = ALL.iter().position(|one| one.form == self.form)?;
        let compile = || {
            RegexBuilder::new(self.form)
                .unicode(false)
                .size_limit(4 << 20)
                .build()
                .ok()
        };
        FORMS.get(at)?.get_or_init(compile).as_ref()
    }
}

/// The rest of a command up to what follows: no `;`, `|` or `&&` outside of quotes, no line end
/// that is not escaped.
macro_rules! up_to {
    () => {
        r#"(?:[^\n;|&\\]|\\(?s:.)|"[^"\n]*"|'[^'\n]*'|&[^&\n])*?[\s"']"#
    };
}

/// What may stand between a flag and its value: `-u x`, `--user=x`, `"-u", "x"`.
macro_rules! then {
    () => {
        r#"(?:["'],\s*|[\s=]*)"#
    };
}

/// A value, in quotes or without.
macro_rules! value {
    () => {
        r#"(?:"([^"\n]{4,256})"|'([^'\n]{4,256})'|([^\s"';|&)]{4,256}))"#
    };
}

/// Every kind with a form of its own, the surest first.
pub const ALL: &[SecretKind] = &[
    kind(
        "private-key",
        "a private key",
        &["PRIVATE KEY"],
        // Between the first line and the body may stand headers, as `DEK-Info: AES-256-CBC,…`.
        r"(-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:\s|\\[rn]){1,8}[A-Za-z][A-Za-z-]{2,30}: [^\r\n\\]{0,200}){0,6}[^-]{0,12000})",
    )
    .with(Check::Key)
    .reach(48, 13_000),
    kind(
        "putty-key",
        "a private key in PuTTY's form",
        &["PuTTY-User-Key-File-"],
        r"PuTTY-User-Key-File-[123]: [^\n]+\n(?s:.{0,4000}?)Private-Lines: \d+\r?\n([A-Za-z0-9+/=\r\n]{64,})",
    )
    .with(Check::None)
    .reach(0, 8000),
    kind(
        "age-key",
        "a private key of age",
        &["AGE-SECRET-KEY-1"],
        r"\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})\b",
    )
    .with(Check::None),
    kind(
        "kubeconfig-key",
        "a client key of a Kubernetes configuration",
        &["client-key-data"],
        r#"client-key-data["']?\s*:\s*["']?([A-Za-z0-9+/=]{100,})"#,
    )
    .with(Check::None)
    .reach(1, 8000),
    kind(
        "aws-access-key",
        "an AWS access key id",
        &["AKIA", "ASIA"],
        r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b",
    ),
    kind(
        "aws-secret-key",
        "an AWS secret access key",
        &[
            "aws_secret_access_key",
            "AWS_SECRET_ACCESS_KEY",
            "SecretAccessKey",
        ],
        r#"(?i:secret_?access_?key)["']?\s{0,4}[=:]\s{0,4}["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
    ),
    kind(
        "gcp-service-account",
        "a key of a Google service account",
        &["private_key_id"],
        r#""private_key_id"\s*:\s*"([0-9a-f]{40})""#,
    ),
    kind(
        "google-api-key",
        "a Google API key",
        &["AIza"],
        r"\b(AIza[0-9A-Za-z_-]{35})(?:[^0-9A-Za-z_-]|$)",
    ),
    kind(
        "github-token",
        "a GitHub token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"\b(gh[pousr]_[A-Za-z0-9]{36,251})\b",
    ),
    kind(
        "github-token",
        "a GitHub token",
        &["github_pat_"],
        r"\b(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b",
    ),
    kind(
        "gitlab-token",
        "a GitLab token",
        &["glpat-", "gldt-", "glrt-", "glptt-"],
        r"\b(gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,64})(?:[^A-Za-z0-9_-]|$)",
    ),
    kind(
        "slack-token",
        "a Slack token",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"],
        r"\b(xox[abprs]-[0-9]{6,}-[A-Za-z0-9-]{12,})",
    ),
    kind(
        "slack-webhook",
        "the address of a Slack webhook",
        &["hooks.slack.com/services/"],
        r"hooks\.slack\.com/services/(T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{20,32})",
    ),
    kind(
        "stripe-key",
        "a Stripe key",
        &["sk_live_", "rk_live_"],
        r"\b([sr]k_live_[0-9A-Za-z]{20,247})\b",
    ),
    kind(
        "npm-token",
        "an npm token",
        &["npm_"],
        r"\b(npm_[A-Za-z0-9]{36})\b",
    ),
    kind(
        "npmrc-token",
        "a registry's token in npm's configuration",
        &["_authToken", "_password"],
        r"//[^\s=]{1,256}:(?:_authToken|_password)\s{0,4}=\s{0,4}([^\s]{8,512})",
    )
    .with(Check::NoExample)
    .reach(260, 800),
    kind(
        "pypi-token",
        "a PyPI token",
        &["pypi-AgE"],
        r"\b(pypi-AgE[A-Za-z0-9_-]{50,512})",
    ),
    kind(
        "docker-auth",
        "a registry's password in Docker's configuration",
        &["\"auth\""],
        r#""auth"\s{0,4}:\s{0,4}"([A-Za-z0-9+/]{8,2048}={0,2})""#,
    )
    .with(Check::NameAndPassword)
    .reach(0, 2200),
    kind(
        "docker-token",
        "a Docker Hub token",
        &["dckr_pat_", "dckr_oat_"],
        r"\b(dckr_[po]at_[A-Za-z0-9_-]{27,64})",
    ),
    kind(
        "netrc-password",
        "a password in .netrc's form",
        &["machine "],
        r"(?m)^\s{0,8}machine\s+\S{1,256}\s+login\s+\S{1,256}\s+password\s+(\S{4,256})",
    )
    .with(Check::Mixed)
    .reach(8, 900),
    kind(
        "openai-key",
        "an OpenAI key",
        &["T3BlbkFJ"],
        r"\b(sk-[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100})",
    )
    .reach(110, 200),
    kind(
        "anthropic-key",
        "an Anthropic key",
        &["sk-ant-"],
        r"\b(sk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{80,128})",
    ),
    kind(
        "huggingface-token",
        "a Hugging Face token",
        &["hf_"],
        r"\b(hf_[A-Za-z]{34})\b",
    ),
    kind(
        "digitalocean-token",
        "a DigitalOcean token",
        &["dop_v1_", "doo_v1_"],
        r"\b(do[op]_v1_[a-f0-9]{64})\b",
    ),
    kind(
        "sendgrid-key",
        "a SendGrid key",
        &["SG."],
        r"\b(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})(?:[^A-Za-z0-9_-]|$)",
    ),
    kind(
        "telegram-token",
        "the token of a Telegram bot",
        &[":AA"],
        r"\b([0-9]{8,10}:AA[A-Za-z0-9_-]{33})(?:[^A-Za-z0-9_-]|$)",
    )
    .reach(12, 60),
    kind(
        "json-web-token",
        "a JSON Web Token",
        &["eyJ"],
        r"\b(eyJ[A-Za-z0-9_-]{8,2048}\.eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{20,1024})",
    )
    .with(Check::WebToken)
    .reach(1, 7200),
    kind(
        "authorization-header",
        "the secret of an `Authorization` header",
        &["Authorization", "authorization", "AUTHORIZATION"],
        r#"(?i:authorization)["']?\s{0,4}[:=]\s{0,4}["']?(?i:bearer|basic|token)\s{1,4}["']?([A-Za-z0-9+/=_.~-]{8,1024})"#,
    )
    .with(Check::Header)
    .reach(0, 1100),
    kind(
        COMMAND,
        PASSWORD_OF_COMMAND,
        &["curl"],
        concat!(
            r"\bcurl\b",
            up_to!(),
            r"(?:-[a-zA-Z]{0,8}[uU]|--(?:proxy-)?user)",
            then!(),
            r#"(?:"[^"\s:]{1,64}:([^"\n]{4,256})"|'[^'\s:]{1,64}:([^'\n]{4,256})'|[^\s"':]{1,64}:([^\s"';|&)]{4,256}))"#
        ),
    )
    .with(Check::Drawn)
    .reach(1, 800),
    kind(
        COMMAND,
        PASSWORD_OF_COMMAND,
        &["sshpass"],
        concat!(r"\bsshpass\b", up_to!(), "-p", then!(), value!()),
    )
    .with(Check::Drawn),
    kind(
        COMMAND,
        PASSWORD_OF_COMMAND,
        &["mysql", "mariadb"],
        concat!(r"\b(?:mysql|mariadb)[a-z-]{0,16}\b", up_to!(), "-p", value!()),
    )
    .with(Check::Drawn)
    .reach(1, 600),
    kind(
        COMMAND,
        PASSWORD_OF_COMMAND,
        &["login"],
        concat!(
            r"\b(?:docker|podman|buildah|skopeo|oras|crane)\s+(?:auth\s+)?login\b",
            up_to!(),
            "-p",
            then!(),
            value!()
        ),
    )
    .with(Check::Drawn)
    .reach(24, 500),
];

const COMMAND: &str = "command-password";
const PASSWORD_OF_COMMAND: &str = "a password on a command line";

/// A password inside a URL; found without a form.
pub(super) const IN_URL: SecretKind = kind("url-password", "a password in a URL", &["://"], "");

/// A value that a name calls secret; found without a form.
pub(super) const BY_NAME: SecretKind = kind(
    "named-secret",
    "a value whose name says that it is secret",
    &[],
    "",
);

/// The kind with this id.
#[must_use]
pub(super) fn of_id(id: &str) -> Option<&'static SecretKind> {
    static OTHERS: [SecretKind; 2] = [IN_URL, BY_NAME];
    ALL.iter().chain(&OTHERS).find(|kind| kind.id == id)
}

impl Check {
    /// Whether a text of the right form is a secret.
    pub(super) fn holds(self, secret: &[u8], proof: Proof) -> bool {
        match self {
            // Where the form of a command is enough, so is any value that is no example.
            Self::Drawn | Self::Header if proof == Proof::Name => !is_placeholder(secret),
            // Manuals and scripts in files are full of short passwords that are examples.
            Self::Drawn if proof == Proof::Looks => looks_random(secret) && !is_placeholder(secret),
            Self::Drawn => is_drawn(secret) && !is_placeholder(secret),
            Self::Header => is_header(secret),
            Self::None => true,
            Self::Random => entropy(secret) >= 3.0 && !is_placeholder(secret),
            Self::NoExample => !is_placeholder(secret),
            Self::Mixed => {
                let has = |class: fn(&u8) -> bool| secret.iter().any(class);
                has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !is_placeholder(secret)
            }
            Self::Key => has_body(secret),
            Self::WebToken => is_web_token(secret),
            Self::NameAndPassword => is_name_and_password(secret),
        }
    }
}

/// Shannon's entropy of the bytes of a text, in bits per byte.
pub(super) fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "texts here have at most some thousand bytes"
    )]
    let length = text.len().max(1) as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}

/// Whether a key has enough base64 behind its first line to be one: programs that read keys name
/// that line without a key.
fn has_body(key: &[u8]) -> bool {
    let text = String::from_utf8_lossy(key);
    let Some((_, body)) = text.split_once("KEY").and_then(|(_, rest)| {
        let rest = rest.strip_prefix(" BLOCK").unwrap_or(rest);
        rest.split_once("-----")
    }) else {
        return false;
    };
    // As a string of a program or of JSON, line ends are written out.
    let body = body.replace("\\r", "\n").replace("\\n", "\n");
    let is_body = |line: &&str| {
        let line = line.trim_matches(|c: char| c.is_whitespace() || "\"'+,\\#".contains(c));
        line.len() >= 16
            && line
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    };
    let lines: Vec<&str> = body.split('\n').filter(is_body).collect();
    let length: usize = lines.iter().map(|line| line.trim().len()).sum();
    length >= 64 && entropy(lines.concat().as_bytes()) >= 4.0
}

fn is_web_token(token: &[u8]) -> bool {
    let mut parts = token.split(|byte| *byte == b'.');
    let header = parts.next().and_then(base64);
    let claims = parts.next().and_then(base64);
    let (Some(header), Some(claims)) = (header, claims) else {
        return false;
    };
    let header = serde_json::from_slice::<serde_json::Value>(&header).ok();
    let algorithm = header.as_ref().and_then(|header| header.get("alg"));
    let signed = algorithm.is_some_and(|algorithm| algorithm != "none");
    // The subject of the example that every manual shows.
    let example = String::from_utf8_lossy(&claims).contains("1234567890");
    signed && serde_json::from_slice::<serde_json::Value>(&claims).is_ok() && !example
}

fn is_name_and_password(text: &[u8]) -> bool {
    let Some(plain) = base64(text).and_then(|plain| String::from_utf8(plain).ok()) else {
        return false;
    };
    let printable = plain.chars().all(|c| !c.is_control());
    plain.split_once(':').is_some_and(|(name, password)| {
        printable && !name.is_empty() && password.len() >= 4 && !is_placeholder(password.as_bytes())
    })
}

/// Whether it is the secret of a header: a JSON Web Token, base64 of a name and a password, or
/// random text.
fn is_header(text: &[u8]) -> bool {
    if text.starts_with(b"eyJ") && text.contains(&b'.') {
        return is_web_token(text);
    }
    let plain = base64(text).and_then(|plain| String::from_utf8(plain).ok());
    let is_pair =
        plain.is_some_and(|plain| plain.contains(':') && !plain.contains(char::is_control));
    if is_pair {
        return is_name_and_password(text);
    }
    looks_random(text) && !is_placeholder(text)
}

/// Reads base64 in either alphabet, with or without padding.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let mut bits = 0_u32;
    let mut held = 0_u32;
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_an_expression() {
        for kind in ALL {
            assert!(kind.regex().is_some(), "{}", kind.id);
            assert!(!kind.words.is_empty(), "{}", kind.id);
        }
    }

    #[test]
    fn random_text_has_more_entropy_than_words() {
        assert!(entropy(b"aaaaaaaa") < 0.1);
        assert!(entropy(b"passwordpassword") < 3.0);
        assert!(entropy(b"k7Jq2Xv9Lm4Rt8Wz") > 3.5);
        assert!(entropy(b"").abs() < 0.1);
    }

    #[test]
    fn base64_is_read_in_either_alphabet() {
        assert_eq!(base64(b"YTpi").unwrap(), b"a:b");
        assert_eq!(base64(b"YTpiYw==").unwrap(), b"a:bc");
        assert_eq!(base64(b"-_-_").unwrap(), base64(b"+/+/").unwrap());
        assert_eq!(base64(b"a b"), None);
    }
}
