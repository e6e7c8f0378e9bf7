//! `loadline lint`: what is wrong with Dockerfiles before anything is built.
#![expect(
    clippy::disallowed_methods,
    reason = "reads the Dockerfiles that were named, and writes those that are to be mended"
)]

mod about;
mod gitlab;
mod json;
mod measured;
mod sarif;
mod text;

use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

pub(in crate::cli) use json::column;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::error::LintError;
use crate::cli::input;
use crate::cli::whole;
use crate::dockerfile::Dockerfile;
use crate::dockerfile::Ignore;
use crate::dockerfile::Span;
use crate::dockerfile::ignore;
use crate::dockerfile::lint;
use crate::dockerfile::lint::Edit;
use crate::dockerfile::lint::Finding;
use crate::dockerfile::lint::IgnoreFile;
use crate::dockerfile::lint::Rule;
use crate::dockerfile::lint::Severity;
use crate::dockerfile::lint::Surroundings;
use crate::dockerfile::lint::registry;
use crate::image::maker::Secrets;
use crate::text::Clean;
use crate::text::nearest;
use crate::text::plural;

/// The longest Dockerfile that is read, in bytes; builders take no longer ones.
const LONGEST: usize = 1024 * 1024;

/// Tell what is wrong with Dockerfiles, before anything is built
///
/// Each finding names its rule; `--explain RULE` says why it matters. A comment
/// `# loadline ignore=RULE` above an instruction silences a rule there, and
/// `# loadline global ignore=RULE` in the whole file; the ids of the usual linters work too.
///
/// The exit code is 1 where something is found that is as grave as `--fail-on`, and 2 where a file
/// cannot be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline lint Dockerfile
  loadline lint --fix .
  loadline lint --format sarif services/*/Dockerfile > lint.sarif
  loadline lint Dockerfile --image app:1
  loadline lint --explain shell-form")]
pub(crate) struct Args {
    /// Dockerfiles, or folders that hold one; `-` is standard input [default: .]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What to print
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
    /// Mend what is mechanical, in the files themselves
    #[arg(long)]
    fix: bool,
    /// The least grave finding that makes the exit code 1: error, warning, info, style or never
    #[arg(long, value_name = "SEVERITY", default_value = "warning")]
    fail_on: FailOn,
    /// Leave rules aside, by id or alias
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Images may come from these registries only: `docker.io`, `*.corp.example`, `ghcr.io/team`
    #[arg(long, value_name = "REGISTRY", value_delimiter = ',')]
    registry: Vec<String>,
    /// The image that was built from the one FILE, or an archive of it: names the bytes that its
    /// lines waste
    #[arg(long, value_name = "IMAGE", requires = "files", conflicts_with = "fix")]
    image: Option<String>,
    /// Leave the comments aside that silence rules
    #[arg(long)]
    no_ignore_comments: bool,
    /// List the rules
    #[arg(long, conflicts_with_all = ["files", "explain"])]
    rules: bool,
    /// Say why a rule matters
    #[arg(long, value_name = "RULE", conflicts_with = "files")]
    explain: Option<String>,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One object: `loadline.lint/v1`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Code Quality of GitLab.
    Gitlab,
}

/// From which severity on findings make the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FailOn(Option<Severity>);

impl std::str::FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        let severity = text.parse::<Severity>();
        severity
            .map(|severity| Self(Some(severity)))
            .map_err(|what| format!("{what}, or never"))
    }
}

/// A Dockerfile with what was found in it.
#[derive(Debug)]
struct Linted {
    /// How it was named.
    name: Clean,
    file: Dockerfile,
    findings: Vec<Finding>,
}

impl Linted {
    /// Takes the secrets of the file out of what is told of it.
    fn hush(&mut self) {
        let mut around = Around::default();
        for finding in &mut self.findings {
            let (_, secrets) = around.of(&self.file, finding.span.start, Secrets::of);
            for text in std::iter::once(&mut finding.message).chain(&mut finding.hint) {
                *text = Clean::line(&secrets.told(text.as_str()));
            }
        }
    }

    /// Each finding with what mends it; nothing where that would repeat a secret.
    fn fixes(&self) -> impl Iterator<Item = (&Finding, &[Edit])> {
        let mut around = Around::default();
        self.findings.iter().map(move |finding| {
            if finding.fix.is_empty() {
                return (finding, &[][..]);
            }
            let (_, secrets) = around.of(&self.file, finding.span.start, Secrets::of);
            let repeats = finding.fix.iter().any(|edit| secrets.are_in(&edit.text));
            (finding, if repeats { &[] } else { &finding.fix })
        })
    }
}

/// What the instruction around a finding was found to hold, kept for the findings behind it: they stand
/// in the order of the file, so that those of one instruction are neighbours.
struct Around<T>(Option<(Span, T)>);

impl<T> Default for Around<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Around<T> {
    /// Where the instruction around a byte is, and what `read` finds in its text.
    fn of<'f>(
        &mut self,
        file: &'f Dockerfile,
        at: usize,
        read: impl FnOnce(&'f str) -> T,
    ) -> &(Span, T) {
        let place = file.span_around(at);
        match self.0.take().filter(|(before, _)| *before == place) {
            Some(same) => self.0.insert(same),
            None => {
                let text = file.text.get(place.range()).unwrap_or_default();
                self.0.insert((place, read(text)))
            }
        }
    }
}

/// Lints Dockerfiles.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if args.rules {
        context.output.result(&about::list(args.format)?)?;
        return Ok(Exit::Ok);
    }
    if let Some(name) = &args.explain {
        context.output.result(&about::explain(rule(name)?))?;
        return Ok(Exit::Ok);
    }
    let ignored = args
        .ignore
        .iter()
        .map(|name| rule(name))
        .collect::<Result<Vec<&Rule>, CliError>>()?;
    let here = [PathBuf::from(".")];
    let files: &[PathBuf] = if args.files.is_empty() {
        &here
    } else {
        &args.files
    };
    let mut linted = Vec::with_capacity(files.len());
    let mut unread = false;
    let mut mended = 0;
    for path in files {
        match one(path, args, &ignored, context, &mut mended) {
            Ok(one) => linted.push(one),
            Err(error) => {
                unread = true;
                let paint = context.output.paint_err();
                context.output.tell(&error.render(paint));
            }
        }
    }
    if let (Some(image), Some(one)) = (&args.image, linted.first_mut()) {
        if files.len() > 1 {
            return Err(CliError::Lint(LintError::ManyFiles(files.len())));
        }
        let waste = measured::of(image, &one.file, context)?;
        let findings = std::mem::take(&mut one.findings);
        one.findings = lint::with_measured(findings, &one.file, &waste);
        one.findings.retain(|one| !ignored.contains(&one.rule));
    }
    for one in &mut linted {
        one.hush();
    }
    tell(args, context, &linted, mended)?;
    let grave = |finding: &Finding| args.fail_on.0.is_some_and(|from| finding.severity >= from);
    Ok(if unread {
        Exit::Usage
    } else if linted.iter().flat_map(|one| &one.findings).any(grave) {
        Exit::NotMet
    } else {
        Exit::Ok
    })
}

/// The rule of this name.
fn rule(name: &str) -> Result<&'static Rule, CliError> {
    registry::rule(name).ok_or_else(|| {
        let rules = registry::ALL.iter();
        let names =
            rules.flat_map(|rule| std::iter::once(rule.id).chain(rule.aliases.iter().copied()));
        CliError::Lint(LintError::UnknownRule {
            asked: name.to_owned(),
            nearest: nearest(name, names).map(str::to_owned),
        })
    })
}

/// Reads, mends and lints one Dockerfile.
fn one(
    path: &Path,
    args: &Args,
    ignored: &[&Rule],
    context: &Context,
    mended: &mut usize,
) -> Result<Linted, CliError> {
    let is_stdin = path == Path::new("-");
    let path = if is_stdin {
        path.to_owned()
    } else {
        dockerfile_at(path)?
    };
    let bytes = read(&path, is_stdin).map_err(|cause| CliError::Unreadable {
        what: "the Dockerfile",
        path: path.clone(),
        cause,
    })?;
    let around = Surroundings {
        registries: args.registry.clone(),
        ignore: if is_stdin {
            IgnoreFile::Unknown
        } else {
            ignore_file(&path)
        },
        deaf: args.no_ignore_comments,
    };
    let wanted = |finding: &Finding| !ignored.contains(&finding.rule);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if args.fix {
        // Only its beginning was read: written back, the file would lose its end.
        if bytes.len() > LONGEST {
            return Err(CliError::Lint(LintError::TooLong { path }));
        }
        if text.as_bytes() != bytes {
            return Err(CliError::Lint(LintError::NotText { path }));
        }
        let fixed = lint::fix(&text, &around, &wanted);
        if is_stdin {
            context.output.result(&fixed.text)?;
        } else if fixed.count > 0 {
            whole::replace(&path, fixed.text.as_bytes()).map_err(|cause| {
                let path = path.clone();
                CliError::Lint(LintError::Unwritable { path, cause })
            })?;
        }
        *mended += fixed.count;
        text = fixed.text;
    }
    let file = Dockerfile::parse(&text);
    let mut findings = lint::check_in(&file, &around);
    findings.retain(wanted);
    let name = if is_stdin {
        Clean::line("stdin")
    } else {
        Clean::line(&path.display().to_string())
    };
    Ok(Linted {
        name,
        file,
        findings,
    })
}

/// The Dockerfile itself, or the one in the folder that was named.
fn dockerfile_at(path: &Path) -> Result<PathBuf, CliError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    ["Dockerfile", "Containerfile"]
        .into_iter()
        .map(|name| match path {
            here if here == Path::new(".") => PathBuf::from(name),
            folder => folder.join(name),
        })
        .find(|path| path.is_file())
        .ok_or_else(|| {
            let folder = path.to_owned();
            CliError::Lint(LintError::NoDockerfile { folder })
        })
}

/// What a file holds; of one that is too long a byte more than [`LONGEST`].
fn read(path: &Path, is_stdin: bool) -> io::Result<Vec<u8>> {
    let most = LONGEST as u64 + 1;
    let mut bytes = Vec::new();
    if is_stdin {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        input::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The ignore file of a build: beside the Dockerfile, or where the command is given.
fn ignore_file(path: &Path) -> IgnoreFile {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let exists = |name: &str| folder.join(name).is_file();
    let beside = ignore::ignore_file(&name, exists).map(|name| folder.join(name));
    let here = Path::new(".dockerignore");
    let found = beside.or_else(|| here.is_file().then(|| here.to_owned()));
    let Some(found) = found else {
        return IgnoreFile::Missing;
    };
    // One that cannot be read, or is wrong, stops the build, and is told there.
    let text = read(&found, false).ok();
    let parsed = text.and_then(|text| Ignore::parse(&String::from_utf8_lossy(&text)).ok());
    parsed.map_or(IgnoreFile::Unknown, IgnoreFile::Read)
}

/// Prints what was found, and on standard error how much that is.
fn tell(args: &Args, context: &Context, linted: &[Linted], mended: usize) -> Result<(), CliError> {
    let output = context.output;
    // What was mended goes to standard output where there is no file for it.
    let is_filter = args.fix && args.files.iter().any(|path| path == Path::new("-"));
    let shown = match args.format {
        Format::Text => text::show(
            linted,
            if is_filter {
                output.paint_err()
            } else {
                output.paint()
            },
        ),
        Format::Json => json::show(linted)?,
        Format::Sarif => sarif::show(linted)?,
        Format::Gitlab => gitlab::show(linted)?,
    };
    if is_filter {
        output.tell(&shown);
    } else {
        output.result(&shown)?;
    }
    if args.format == Format::Text {
        output.tell(&text::summary(linted));
    }
    if args.fix {
        output.tell(&format!("{} mended\n", plural(mended, "finding")));
    }
    Ok(())
}
