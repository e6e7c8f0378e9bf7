//! The ports of `EXPOSE`.

use super::super::findings::Findings;
use super::super::lines::Piece;

/// The lint rule that tells of ports.
const RULE: &str = "invalid-port";

/// Says what is wrong with one port; a port with a variable in it is not known yet.
pub(super) fn check(piece: Piece<'_>, findings: &mut Findings) {
    let text = piece.text();
    if text.contains(['$', '"', '\'', '\\']) {
        return;
    }
    let (ports, protocol) = match text.split_once('/') {
        None | Some((_, "")) => (text.trim_end_matches('/'), "tcp"),
        Some(both) => both,
    };
    if !matches!(
        protocol.to_ascii_lowercase().as_str(),
        "tcp" | "udp" | "sctp"
    ) {
        let message = format!("`{protocol}` is not a protocol of a port");
        let hint = Some(String::from("write `/tcp` or `/udp`, or nothing for TCP"));
        findings.refuse(piece.span(), message, hint).rule(RULE);
        return;
    }
    let inside = match ports.rsplit_once(':') {
        Some((_, inside)) => {
            let message = "`EXPOSE` names ports of the container only";
            let hint = format!(
                "write `{inside}`; the port of the host is chosen when the container starts"
            );
            findings.warn(piece.span(), message, Some(hint)).rule(RULE);
            inside
        }
        None => ports,
    };
    let (first, last) = inside.split_once('-').unwrap_or((inside, inside));
    let number = |text: &str| text.parse::<u16>().ok();
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => {}
        _ => {
            let message = format!("`{inside}` is not a port");
            let hint = Some(String::from("write a number from 1 to 65535"));
            findings.refuse(piece.span(), message, hint).rule(RULE);
        }
    }
}
