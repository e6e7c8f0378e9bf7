//! The exit codes: what a script may rely on.

use std::process::ExitCode;

use crate::report::Outcome;

/// How the program ended, for the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All required goals are met; for other verbs: it did what it was asked.
    Ok,
    /// Some required goal is not met; for other verbs: something was found.
    NotMet,
    /// The command line cannot be used.
    Usage,
    /// The course or the exercise is invalid.
    BadCourse,
    /// No engine could be used.
    NoEngine,
    /// No image came out of the build.
    BuildFailed,
    /// A required goal or an image could not be judged, or what that needs could not be had.
    NotJudged,
    /// Kept for a class that does not take a submission; nothing ends so yet.
    Refused,
    /// The program itself failed.
    Internal,
    /// It was interrupted.
    Interrupted,
}

impl Exit {
    /// Every code, in order.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::NotMet,
        Self::Usage,
        Self::BadCourse,
        Self::NoEngine,
        Self::BuildFailed,
        Self::NotJudged,
        Self::Refused,
        Self::Internal,
        Self::Interrupted,
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::NotMet => 1,
            Self::Usage => 2,
            Self::BadCourse => 3,
            Self::NoEngine => 4,
            Self::BuildFailed => 5,
            Self::NotJudged => 6,
            Self::Refused => 7,
            Self::Internal => 70,
            Self::Interrupted => 130,
        }
    }

    /// What it means, as help has it.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "all required goals met, or the verb did what it was asked",
            Self::NotMet => "some required goal not met, or something was found",
            Self::Usage => "the command line cannot be used",
            Self::BadCourse => "the course or the exercise is invalid",
            Self::NoEngine => "no container engine could be used",
            Self::BuildFailed => "the build made no image",
            Self::NotJudged => {
                "a required goal or an image could not be judged, or advisories could not be had"
            }
            Self::Refused => "kept for submissions that are refused; nothing ends so yet",
            Self::Internal => "the program itself failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// The code of a finished attempt.
    #[must_use]
    pub const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Ok,
            Outcome::Failed => Self::NotMet,
            Outcome::BuildFailed => Self::BuildFailed,
            Outcome::EngineUnavailable => Self::NoEngine,
            Outcome::CouldNotJudge => Self::NotJudged,
            Outcome::Cancelled => Self::Interrupted,
        }
    }

    /// The table that `--help` ends with.
    #[must_use]
    pub fn table() -> String {
        let rows = Self::ALL.map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", rows.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones_and_differ() {
        let codes = Exit::ALL.map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 70, 130]);
    }

    #[test]
    fn only_a_passed_attempt_ends_with_zero() {
        let outcomes = [
            (Outcome::Passed, 0),
            (Outcome::Failed, 1),
            (Outcome::BuildFailed, 5),
            (Outcome::EngineUnavailable, 4),
            (Outcome::CouldNotJudge, 6),
            (Outcome::Cancelled, 130),
        ];
        for (outcome, code) in outcomes {
            assert_eq!(Exit::of(outcome).code(), code, "{outcome:?}");
        }
    }
}
