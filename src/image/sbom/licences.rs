//! What a package's records say of licences, as one SPDX expression.

use crate::image::package::licence;

/// One expression for all licences of a package; `None` where its records name none.
pub(super) fn together(licences: &[String]) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for one in licences {
        let written = licence::expression(one);
        if !parts.contains(&written) {
            parts.push(written);
        }
    }
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => {
            let guarded: Vec<String> = several
                .iter()
                .map(|part| match part.contains(" OR ") {
                    true => format!("({part})"),
                    false => part.clone(),
                })
                .collect();
            Some(guarded.join(" AND "))
        }
    }
}

/// The names of our own in an expression: those that a document has to explain.
pub(super) fn references(expression: &str) -> impl Iterator<Item = &str> {
    expression
        .split([' ', '(', ')'])
        .filter(|word| word.starts_with("LicenseRef-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_licences_hold_together() {
        let all = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            together(&names)
        };
        assert_eq!(all(&[]), None);
        assert_eq!(all(&["MIT", "Expat"]).as_deref(), Some("MIT"));
        assert_eq!(
            all(&["GPL-2+ or MIT", "BSD", "ISC"]).as_deref(),
            Some("(GPL-2.0-or-later OR MIT) AND LicenseRef-BSD AND ISC")
        );
        let found: Vec<&str> = references("(MIT OR LicenseRef-A) AND LicenseRef-B").collect();
        assert_eq!(found, ["LicenseRef-A", "LicenseRef-B"]);
    }
}
