//! One thing that there is to say of an image.

use serde::Serialize;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// What is started cannot work.
    Problem,
    /// Something that is rarely meant.
    Warning,
    /// Good to know.
    Note,
}

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RemarkKind {
    /// What the image starts is not there.
    MissingProgram,
    /// What the image starts may not be executed, by nobody or by the image's user.
    NotExecutable,
    /// What the image starts is nothing that the system can run, though it may be executed.
    CannotRun,
    /// A program's loader is not there.
    MissingLoader,
    /// A library that a program asks for is not found.
    MissingLibrary,
    /// A script's interpreter is not there.
    MissingInterpreter,
    /// A script whose first line ends as on Windows.
    CarriageReturn,
    /// A program for another architecture.
    WrongArchitecture,
    /// The image's user, or its group, has no entry.
    UnknownUser,
    /// A program with rights of its own.
    Privileged,
    /// A file or folder that everybody may change.
    WorldWritable,
    /// A shell.
    Shell,
    /// A package manager.
    PackageManager,
    /// A compiler, or a tool that fetches or connects.
    Tool,
    /// No list of certificate authorities.
    NoCertificates,
    /// No time zones.
    NoTimeZones,
    /// No `/tmp`.
    NoTmp,
    /// The user's home is not there.
    NoHome,
    /// The image starts nothing.
    StartsNothing,
}

impl RemarkKind {
    /// A heading for several of them.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::MissingProgram => "started and not there",
            Self::NotExecutable => "not executable",
            Self::CannotRun => "cannot be run",
            Self::MissingLoader => "loader missing",
            Self::MissingLibrary => "libraries missing",
            Self::MissingInterpreter => "interpreter missing",
            Self::CarriageReturn => "line ends of Windows",
            Self::WrongArchitecture => "another architecture",
            Self::UnknownUser => "user",
            Self::Privileged => "rights of their own",
            Self::WorldWritable => "anybody may change it",
            Self::Shell => "shells",
            Self::PackageManager => "package managers",
            Self::Tool => "tools",
            Self::NoCertificates => "certificates",
            Self::NoTimeZones => "time zones",
            Self::NoTmp => "/tmp",
            Self::NoHome => "home",
            Self::StartsNothing => "start",
        }
    }
}

/// One thing that there is to say of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// What it is about.
    pub kind: RemarkKind,
    /// How much it matters.
    pub weight: Weight,
    /// The file or folder, with a leading slash, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The layer that brings it, from 0 at the bottom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<usize>,
    /// One sentence.
    pub text: String,
}

impl Remark {
    /// A remark about the image as a whole.
    pub(super) fn new(kind: RemarkKind, weight: Weight, text: impl Into<String>) -> Self {
        Self {
            kind,
            weight,
            path: None,
            layer: None,
            text: text.into(),
        }
    }

    /// The same about a file or folder of a layer.
    pub(super) fn at(self, path: &str, layer: usize) -> Self {
        Self {
            path: Some(format!("/{}", path.trim_start_matches('/'))),
            layer: Some(layer),
            ..self
        }
    }
}
