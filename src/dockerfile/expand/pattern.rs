//! The patterns of `${X#…}`, `${X%…}` and `${X/…/…}`: `*` and `?`, without brackets.

use regex::Regex;

use super::ExpandError;

/// The pattern as a regular expression; a greedy `*` takes as much as it can.
fn compile(glob: &str, greedy: bool, before: &str, after: &str) -> Result<Regex, ExpandError> {
    let bad = || ExpandError::Pattern(glob.chars().take(80).collect());
    let mut out = String::from(before);
    let mut chars = glob.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if greedy => out.push_str(".*"),
            '*' => out.push_str(".*?"),
            '?' => out.push('.'),
            '\\' => match chars.next() {
                // These two end parts of the form, so they may be escaped without a meaning.
                Some(next @ ('}' | '/' | '*' | '?' | '\\')) => {
                    out.push_str(&regex::escape(next.encode_utf8(&mut [0; 4])));
                }
                _ => return Err(bad()),
            },
            _ => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push_str(after);
    Regex::new(&out).ok().ok_or_else(bad)
}

/// `value` without the shortest, or longest, beginning that fits.
pub(super) fn without_prefix(value: &str, glob: &str, greedy: bool) -> Result<String, ExpandError> {
    let regex = compile(glob, greedy, "^", "")?;
    let end = regex.find(value).map_or(0, |found| found.end());
    Ok(value.get(end..).unwrap_or_default().to_owned())
}

/// `value` without the shortest, or longest, end that fits.
pub(super) fn without_suffix(value: &str, glob: &str, greedy: bool) -> Result<String, ExpandError> {
    // What stays is as long as possible where what goes is as short as possible.
    let stays = if greedy { "^((?s:.)*?)" } else { "^((?s:.)*)" };
    let regex = compile(glob, greedy, &format!("{stays}(?:"), ")$")?;
    let kept = regex.captures(value).and_then(|found| found.get(1));
    Ok(kept.map_or(value, |kept| kept.as_str()).to_owned())
}

/// `value` with the first match, or all of them, replaced.
pub(super) fn replace(
    value: &str,
    glob: &str,
    replacement: &str,
    all: bool,
) -> Result<String, ExpandError> {
    let regex = compile(glob, true, "", "")?;
    let limit = usize::from(!all);
    let literal = regex::NoExpand(replacement);
    Ok(regex.replacen(value, limit, literal).into_owned())
}
