//! How many pulls a registry still gives to who asks without an account.
//!
//! Docker Hub tells it in the answer to a question that costs nothing: a HEAD for the image's
//! manifest. Whoever says nothing there has no quota worth a word. Nothing here ever keeps a pull
//! from being tried.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: asks a registry over the network, on a thread of its own"
)]

use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use http::Response;
use serde::Deserialize;
use ureq::Agent;
use ureq::Body;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;

use crate::bases::reference::Reference;
use crate::text::Clean;
use crate::units::show_duration;

/// How long all questions together may take.
const WITHIN: Duration = Duration::from_secs(3);

/// What Docker Hub calls itself where it is asked.
const HUB: &str = "registry-1.docker.io";

/// The kinds of manifests that a registry may have an image as.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The longest token that is passed on.
const TOKEN: u64 = 64 * 1024;

/// How many pulls a registry gives, and how many are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// The registry: `docker.io`.
    pub registry: String,
    /// How many pulls are left.
    pub left: u64,
    /// How many there are in all.
    pub of: u64,
    /// In which time.
    pub within: Option<Duration>,
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registry = Clean::line(&self.registry);
        let (left, of) = (self.left, self.of);
        write!(f, "{registry} gives this address {left} of {of} pulls more")?;
        match self.within {
            Some(within) => write!(f, " (of those within {})", show_duration(within)),
            None => Ok(()),
        }
    }
}

/// What the registry of `reference` says of its quota, where it says something in time.
pub(super) async fn ask(reference: &str) -> Option<Quota> {
    let reference = Reference::parse(reference);
    let asked = tokio::task::spawn_blocking(move || of(&reference));
    // The client keeps the time by itself; a name that does not resolve may take longer.
    tokio::time::timeout(WITHIN, asked).await.ok()?.ok()?
}

fn of(reference: &Reference) -> Option<Quota> {
    let registry = reference.registry();
    let client = client();
    let address = manifest(reference);
    let first = head(&client, &address, None)?;
    let answer = match (first.status().as_u16(), challenge(first.headers())) {
        (401, Some(challenge)) => {
            let token = token(&client, &challenge)?;
            head(&client, &address, Some(&token))?
        }
        _ => first,
    };
    quota(registry, answer.headers())
}

/// A client that honours the host's proxies and the certificates that the host trusts.
fn client() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(WITHIN))
        .user_agent(concat!("loadline/", env!("CARGO_PKG_VERSION")))
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .build(),
        )
        .build()
        .new_agent()
}

/// Where the manifest of an image is. A registry of this machine speaks without TLS, as engines
/// have it.
fn manifest(reference: &Reference) -> String {
    let registry = reference.registry();
    let path = reference
        .name
        .strip_prefix(registry)
        .and_then(|path| path.strip_prefix('/'))
        .unwrap_or(&reference.name);
    let what = reference.digest.as_ref().unwrap_or(&reference.tag);
    match registry {
        "docker.io" if path.contains('/') => format!("https://{HUB}/v2/{path}/manifests/{what}"),
        "docker.io" => format!("https://{HUB}/v2/library/{path}/manifests/{what}"),
        own if is_of_this_machine(own) => format!("http://{own}/v2/{path}/manifests/{what}"),
        other => format!("https://{other}/v2/{path}/manifests/{what}"),
    }
}

fn is_of_this_machine(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost" || host.starts_with("127.") || host == "[::1]"
}

fn head(client: &Agent, address: &str, token: Option<&str>) -> Option<Response<Body>> {
    let mut request = client.head(address).header("accept", MANIFESTS);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.call().ok()
}

/// Who gives tokens, and what for: the parts of `www-authenticate: Bearer realm="…",…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Challenge {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let text = headers.get("www-authenticate")?.to_str().ok()?;
    let (scheme, mut rest) = text.split_once(' ')?;
    let mut challenge = Challenge::default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    // A comma may stand between quotation marks: `scope="repository:a/b:pull,push"`.
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        match name.trim_start_matches([',', ' ']) {
            "realm" => value.clone_into(&mut challenge.realm),
            "service" => challenge.service = Some(value.to_owned()),
            "scope" => challenge.scope = Some(value.to_owned()),
            _ => {}
        }
        rest = after;
    }
    (!challenge.realm.is_empty()).then_some(challenge)
}

/// A token for who has no account.
fn token(client: &Agent, challenge: &Challenge) -> Option<String> {
    #[derive(Deserialize)]
    struct Given {
        token: Option<String>,
        access_token: Option<String>,
    }
    let mut request = client.get(&challenge.realm);
    for (name, value) in [("service", &challenge.service), ("scope", &challenge.scope)] {
        if let Some(value) = value {
            request = request.query(name, value);
        }
    }
    let mut answer = request.call().ok()?;
    let text = answer.body_mut().with_config().limit(TOKEN).read_to_vec();
    let given: Given = serde_json::from_slice(&text.ok()?).ok()?;
    given.token.or(given.access_token)
}

/// What the headers say: `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 76;w=21600`.
fn quota(registry: &str, headers: &HeaderMap) -> Option<Quota> {
    let part = |name: &str| {
        let text = headers.get(name)?.to_str().ok()?;
        let (count, rest) = text.split_once(';').unwrap_or((text, ""));
        let seconds = rest.trim().strip_prefix("w=");
        let within = seconds.and_then(|seconds| seconds.parse().ok());
        Some((count.trim().parse::<u64>().ok()?, within))
    };
    let (of, within) = part("ratelimit-limit")?;
    let (left, _) = part("ratelimit-remaining")?;
    Some(Quota {
        registry: registry.to_owned(),
        left,
        of,
        within: within.map(Duration::from_secs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = http::HeaderName::from_static(name);
                (name, value.parse().expect("a header's value"))
            })
            .collect()
    }

    #[test]
    fn the_quota_is_read_as_docker_hub_writes_it() {
        let found = quota(
            "docker.io",
            &headers(&[
                ("ratelimit-limit", "100;w=21600"),
                ("ratelimit-remaining", "76;w=21600"),
            ]),
        );
        let found = found.expect("it is there");
        assert_eq!((found.left, found.of), (76, 100));
        assert_eq!(found.within, Some(Duration::from_hours(6)));
        let only = headers(&[("ratelimit-limit", "100;w=21600")]);
        assert_eq!(quota("docker.io", &only), None);
        let words = headers(&[("ratelimit-limit", "many"), ("ratelimit-remaining", "-1")]);
        assert_eq!(quota("docker.io", &words), None);
    }

    #[test]
    fn a_challenge_is_taken_apart_with_the_commas_in_it() {
        let text = r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let found = challenge(&headers(&[("www-authenticate", text)]));
        assert_eq!(
            found,
            Some(Challenge {
                realm: "https://auth.example/token".to_owned(),
                service: Some("registry.example".to_owned()),
                scope: Some("repository:a/b:pull,push".to_owned()),
            })
        );
        for other in ["Basic realm=\"x\"", "Bearer", "Bearer realm=\"cut"] {
            assert_eq!(challenge(&headers(&[("www-authenticate", other)])), None);
        }
    }

    #[test]
    fn a_manifest_is_asked_for_where_engines_ask_for_it() {
        let address = |text: &str| manifest(&Reference::parse(text));
        assert_eq!(
            address("python:3.13"),
            "https://registry-1.docker.io/v2/library/python/manifests/3.13"
        );
        assert_eq!(
            address("docker.io/a/b"),
            "https://registry-1.docker.io/v2/a/b/manifests/latest"
        );
        assert_eq!(
            address("gcr.io/distroless/static-debian13:nonroot"),
            "https://gcr.io/v2/distroless/static-debian13/manifests/nonroot"
        );
        assert_eq!(
            address("127.0.0.1:5000/a@sha256:00"),
            "http://127.0.0.1:5000/v2/a/manifests/sha256:00"
        );
        assert_eq!(
            address("lab.example:5000/a"),
            "https://lab.example:5000/v2/a/manifests/latest"
        );
    }
}
