//! Whose what Loadline made on an engine is: an engine may be shared by a whole room. Pure.

use super::Leftover;
use super::LeftoverKind;

/// Whose something of Loadline's on an engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// This home's.
    Own,
    /// Nobody's: it was made without a home, or a newer image took its name.
    Nobodys,
    /// Another home's.
    Others,
}

impl Whose {
    /// By the value of [`super::HOME_LABEL`], empty or not there where it was made without a home.
    /// Whoever has no `home` owns nothing.
    #[must_use]
    pub fn by_label(label: Option<&str>, home: Option<&str>) -> Self {
        match label.filter(|label| !label.is_empty()) {
            None => Self::Nobodys,
            Some(label) if home == Some(label) => Self::Own,
            Some(_) => Self::Others,
        }
    }

    /// As reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Nobodys => "nobodys",
            Self::Others => "others",
        }
    }
}

impl Leftover {
    /// Whose it is. An image is left over once a newer one took its name: nobody can name it.
    #[must_use]
    pub fn whose(&self, home: Option<&str>) -> Whose {
        match (Whose::by_label(Some(&self.home), home), self.kind) {
            (Whose::Others, LeftoverKind::Image) => Whose::Nobodys,
            (whose, _) => whose,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn what_has_no_home_is_nobodys_and_no_home_owns_nothing() {
        let whose = Whose::by_label;
        assert_eq!(whose(None, Some("a")), Whose::Nobodys);
        assert_eq!(whose(Some(""), None), Whose::Nobodys);
        assert_eq!(whose(Some(""), Some("")), Whose::Nobodys);
        assert_eq!(whose(Some("a"), Some("a")), Whose::Own);
        assert_eq!(whose(Some("a"), Some("b")), Whose::Others);
        assert_eq!(whose(Some("a"), None), Whose::Others);
    }

    #[test]
    fn an_image_that_lost_its_name_is_nobodys_and_a_container_keeps_its_owner() {
        let left = |kind| Leftover {
            kind,
            id: "1".to_owned(),
            name: "1".to_owned(),
            size: Bytes(0),
            owner: "w".to_owned(),
            home: "theirs".to_owned(),
        };
        assert_eq!(
            left(LeftoverKind::Container).whose(Some("mine")),
            Whose::Others
        );
        assert_eq!(
            left(LeftoverKind::Image).whose(Some("mine")),
            Whose::Nobodys
        );
        assert_eq!(left(LeftoverKind::Image).whose(Some("theirs")), Whose::Own);
    }
}
