//! What a registry says no with, from the words that engines pass on.

use crate::bases::error::BaseError;
use crate::bases::quota::Quota;
use crate::engine::EngineError;
use crate::text::Clean;

/// What a registry says no with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum No {
    NotFound,
    Denied,
    QuotaUsedUp,
}

/// The words of engines and registries for it, the more certain ones first.
const NOS: [(&str, No); 9] = [
    ("toomanyrequests", No::QuotaUsedUp),
    ("rate limit", No::QuotaUsedUp),
    ("too many requests", No::QuotaUsedUp),
    ("denied", No::Denied),
    ("unauthorized", No::Denied),
    ("forbidden", No::Denied),
    ("no basic auth credentials", No::Denied),
    ("unknown", No::NotFound),
    ("not found", No::NotFound),
];

/// What a registry said no with, where it is there and that is what it said.
fn no(detail: &Clean) -> Option<No> {
    let said = detail.as_str().to_lowercase();
    // `lookup registry.example: no such host` is no answer of a registry.
    if said.contains("lookup") || said.contains("unknown authority") {
        return None;
    }
    let found = NOS.iter().find(|(words, _)| said.contains(words));
    found.map(|(_, no)| *no)
}

/// Whether a failed pull shows that the registry is there: it said no.
pub(super) fn answered(error: &EngineError) -> bool {
    matches!(error, EngineError::Registry { detail, .. } if no(detail).is_some())
}

/// A failed pull as an error with a next step of its own.
pub(super) fn refused(reference: &str, error: EngineError, quota: Option<Quota>) -> BaseError {
    let EngineError::Registry { registry, detail } = error else {
        return error.into();
    };
    let reference = reference.to_owned();
    match no(&detail) {
        Some(No::NotFound) => BaseError::NotInRegistry {
            reference,
            registry,
        },
        Some(No::Denied) => BaseError::Denied {
            reference,
            registry,
            detail,
        },
        Some(No::QuotaUsedUp) => BaseError::QuotaUsedUp { registry, quota },
        None => EngineError::Registry { registry, detail }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_refuses_is_told_apart() {
        let cases = [
            (
                "toomanyrequests: You have reached your pull rate limit.",
                Some(No::QuotaUsedUp),
            ),
            (
                "pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
                Some(No::Denied),
            ),
            (
                "manifest for lab:5000/x:1 not found: manifest unknown: manifest unknown",
                Some(No::NotFound),
            ),
            (
                "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host",
                None,
            ),
            ("x509: certificate signed by unknown authority", None),
            ("it gives no sign of life", None),
        ];
        for (said, wanted) in cases {
            assert_eq!(no(&Clean::line(said)), wanted, "{said}");
        }
    }
}
