//! The base images as a list: lines for people, `loadline.bases/v1` for programs. Pure.

use std::fmt::Write as _;

use crate::bases::Listed;
use crate::bases::State;
use crate::cli::CliError;
use crate::cli::output;

/// How a base image stands: as people read it, and as programs do.
const fn state(state: &State) -> (&'static str, &'static str) {
    match state {
        State::Vendor { .. } => ("ready", "ready"),
        State::StandIn {
            outdated: false, ..
        } => ("stand-in", "stand_in"),
        State::StandIn { outdated: true, .. } => ("outdated", "outdated"),
        State::Missing { can_build: true } => ("can be built", "can_be_built"),
        State::Missing { can_build: false } => ("missing", "missing"),
    }
}

/// Its reference on the engine, where it is there.
fn local(state: &State) -> Option<&str> {
    match state {
        State::Vendor { local } | State::StandIn { local, .. } => Some(local),
        State::Missing { .. } => None,
    }
}

/// The list as lines.
pub(super) fn table(listed: &[Listed]) -> String {
    let width = listed
        .iter()
        .map(|base| base.reference.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for base in listed {
        let (state, _) = state(&base.state);
        let size = match (base.size, base.real_size) {
            (Some(size), _) => size.to_string(),
            (None, Some(real)) => format!("~{real}"),
            (None, None) => String::new(),
        };
        let needed = if base.needed_by.is_empty() {
            String::new()
        } else {
            format!("  {}", base.needed_by.join(", "))
        };
        let line = format!("{:<width$}  {state:<12}  {size:>8}{needed}", base.reference);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The list as JSON: `loadline.bases/v1`.
pub(super) fn json(listed: &[Listed]) -> Result<String, CliError> {
    let bases = listed.iter().map(|base| {
        serde_json::json!({
            "reference": base.reference,
            "state": state(&base.state).1,
            "local": local(&base.state),
            "size_bytes": base.size,
            "vendor_size_bytes": base.real_size,
            "stand_in": base.stand_in,
            "needed_by": base.needed_by,
        })
    });
    let all = serde_json::json!({
        "schema": "loadline.bases/v1",
        "bases": bases.collect::<Vec<_>>(),
    });
    output::json(&all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    fn listed() -> Vec<Listed> {
        let base = |reference: &str, state, size, needed: &[&str]| Listed {
            reference: reference.to_owned(),
            state,
            size,
            real_size: Some(Bytes(1_167_000_000)),
            stand_in: None,
            needed_by: needed.iter().map(|who| (*who).to_owned()).collect(),
        };
        let local = || "loadline.local/x".to_owned();
        vec![
            base(
                "python:3.13",
                State::StandIn {
                    local: local(),
                    outdated: false,
                },
                Some(Bytes(1_080_000_000)),
                &["shrink-that-image"],
            ),
            base(
                "busybox:latest",
                State::Vendor { local: local() },
                Some(Bytes(4_400_000)),
                &[],
            ),
            base("alpine:3", State::Missing { can_build: false }, None, &[]),
        ]
    }

    #[test]
    fn the_list_says_what_is_a_stand_in_and_who_needs_it() {
        insta::assert_snapshot!(table(&listed()), @"
        python:3.13     stand-in       1.08 GB  shrink-that-image
        busybox:latest  ready           4.4 MB
        alpine:3        missing       ~1.17 GB
        ");
    }

    #[test]
    fn the_same_list_for_programs_has_bytes_and_nulls() {
        let all: serde_json::Value = serde_json::from_str(&json(&listed()).unwrap()).unwrap();
        assert_eq!(all["schema"], "loadline.bases/v1");
        assert_eq!(
            all["bases"][0],
            serde_json::json!({
                "reference": "python:3.13",
                "state": "stand_in",
                "local": "loadline.local/x",
                "size_bytes": 1_080_000_000u64,
                "vendor_size_bytes": 1_167_000_000u64,
                "stand_in": null,
                "needed_by": ["shrink-that-image"],
            })
        );
        let missing = &all["bases"][2];
        assert_eq!(missing["state"], "missing");
        assert!(missing["local"].is_null() && missing["size_bytes"].is_null());
    }
}
