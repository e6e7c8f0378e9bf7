//! What each instruction looks like, in one line.

use crate::dockerfile::Keyword;

impl Keyword {
    /// The usual form of the instruction; `None` for a keyword that builders do not know.
    #[must_use]
    pub const fn form(self) -> Option<&'static str> {
        Some(match self {
            Self::Add => "ADD SOURCE… DESTINATION",
            Self::Arg => "ARG NAME=DEFAULT",
            Self::Cmd => r#"CMD ["PROGRAM", "ARGUMENT", …]"#,
            Self::Copy => "COPY SOURCE… DESTINATION",
            Self::Entrypoint => r#"ENTRYPOINT ["PROGRAM", "ARGUMENT", …]"#,
            Self::Env => "ENV NAME=VALUE…",
            Self::Expose => "EXPOSE PORT…",
            Self::From => "FROM IMAGE AS STAGE",
            Self::Healthcheck => "HEALTHCHECK CMD COMMAND",
            Self::Label => "LABEL NAME=VALUE…",
            Self::Maintainer => "MAINTAINER NAME",
            Self::Onbuild => "ONBUILD INSTRUCTION",
            Self::Run => "RUN COMMAND",
            Self::Shell => r#"SHELL ["PROGRAM", "ARGUMENT", …]"#,
            Self::Stopsignal => "STOPSIGNAL SIGNAL",
            Self::User => "USER NAME-OR-NUMBER",
            Self::Volume => "VOLUME PATH…",
            Self::Workdir => "WORKDIR PATH",
            Self::Unknown => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_has_a_form_that_begins_with_it() {
        for keyword in Keyword::ALL {
            let form = keyword.form().expect("it has one");
            assert_eq!(form.split(' ').next(), Some(keyword.as_str()));
        }
        assert_eq!(Keyword::Unknown.form(), None);
    }
}
