//! `loadline inside`: what is inside any image, and which secrets were left in it.

use std::fmt::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::attempt;
use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::input;
use crate::cli::interrupt::Interrupt;
use crate::cli::output;
use crate::cli::target::Target;
use crate::cli::wiring;
use crate::dockerfile::BuildArgs;
use crate::dockerfile::Dockerfile;
use crate::goal::secrets_of_dockerfile;
use crate::image::Contents;
use crate::image::archive::Options;
use crate::image::inside;
use crate::image::inside::Inside;
use crate::image::inside::Remark;
use crate::image::inside::RemarkKind;
use crate::image::inside::Weight;
use crate::image::inside::start::Started;
use crate::image::maker;
use crate::image::secrets;
use crate::image::secrets::Place;
use crate::image::secrets::Secret;
use crate::image::secrets::Secrets;
use crate::text::Clean;
use crate::text::plural;

/// How many remarks of one kind are shown without `--all`.
const SHOWN: usize = 5;

/// Say what is inside an image: what its programs lack, who may do what, which secrets were left
///
/// Nothing is executed and nothing is unpacked. Secrets are looked for in every layer, deleted files
/// included, in the config and in the history; their values are never shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline inside myapp:latest
  loadline inside myapp:latest --base python:3.13-slim --dockerfile Dockerfile
  docker save myapp | loadline inside - --json")]
pub(crate) struct Args {
    /// An image, an archive, an OCI layout's folder, or `-`
    #[arg(value_name = "IMAGE|ARCHIVE")]
    target: String,
    /// The image that it was built from: secrets in the layers of that one are left aside
    #[arg(long, value_name = "IMAGE|ARCHIVE")]
    base: Option<String>,
    /// The Dockerfile that made it: names its lines, and is searched for secrets too
    #[arg(long, value_name = "FILE")]
    dockerfile: Option<PathBuf>,
    /// Show every remark, not only the first few of each kind
    #[arg(long)]
    all: bool,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Prints what is inside an image.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    let dockerfile = args.dockerfile.as_deref().map(read).transpose()?;
    wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let options = Options {
            probes: vec![inside::probe(), Arc::new(Secrets)],
            facts: wiring::facts(),
            ..Options::default()
        };
        let contents = Target::of(&args.target).read(options, &interrupt).await?;
        let base = match &args.base {
            Some(base) => layers_of(base, &contents, &interrupt).await?,
            None => 0,
        };
        let mut secrets = secrets::in_image(&contents, base);
        if let Some(dockerfile) = &dockerfile {
            secrets.extend(secrets_of_dockerfile(dockerfile));
        }
        let view = View {
            name: &args.target,
            inside: inside::look(&contents),
            lines: lines_of(dockerfile.as_ref(), &contents, base),
            secrets,
            contents: &contents,
            all: args.all,
        };
        let text = if args.json { view.json()? } else { view.text() };
        output.result(&text)?;
        Ok(Exit::Ok)
    })
}

fn read(path: &Path) -> Result<Dockerfile, CliError> {
    let bytes = input::read("the Dockerfile", path)?;
    Ok(Dockerfile::parse_bytes(&bytes))
}

/// How many of the image's layers are those of `base`.
async fn layers_of(
    base: &str,
    contents: &Contents,
    interrupt: &Interrupt,
) -> Result<usize, CliError> {
    use crate::engine::Engine as _;
    use crate::engine::EngineError;
    let below: Vec<String> = match Target::of(base) {
        Target::Image(image) => {
            let (docker, _) = wiring::ready(interrupt).await?;
            let summary = docker.inspect(&image).await?;
            summary.ok_or(EngineError::NoSuchImage(image))?.diff_ids
        }
        target => {
            let read = target.read(Options::default(), interrupt).await?;
            let layers = read.layers.into_iter();
            layers.map(|layer| layer.diff_id).collect()
        }
    };
    let mut ids = contents.layers.iter().map(|layer| &layer.diff_id);
    if below.iter().all(|one| ids.next() == Some(one)) {
        return Ok(below.len());
    }
    Err(CliError::NotItsBase {
        base: base.to_owned(),
    })
}

/// The line of the Dockerfile that made each layer, where one was given.
fn lines_of(dockerfile: Option<&Dockerfile>, contents: &Contents, base: usize) -> Vec<Option<u32>> {
    let layers = contents.layers.len();
    let Some(dockerfile) = dockerfile else {
        return vec![None; layers];
    };
    attempt::layer_lines(
        dockerfile,
        &BuildArgs::new(),
        &contents.history,
        layers,
        base,
    )
}

/// Everything that is shown.
struct View<'a> {
    name: &'a str,
    contents: &'a Contents,
    inside: Inside,
    secrets: Vec<Secret>,
    lines: Vec<Option<u32>>,
    all: bool,
}

impl View<'_> {
    fn text(&self) -> String {
        let config = &self.contents.config;
        let mut text = format!(
            "{}: {}, {}, {}\n",
            Clean::line(self.name),
            Clean::line(&config.architecture),
            plural(self.contents.layers.len(), "layer"),
            self.contents.shipped()
        );
        let starts: Vec<String> = self.inside.starts.iter().map(start).collect();
        if !starts.is_empty() {
            let _ = writeln!(text, "starts {}", starts.join(", then "));
        }
        let programs: Vec<String> = self
            .inside
            .programs
            .iter()
            .map(|(sort, count)| format!("{count} {sort}"))
            .collect();
        if !programs.is_empty() {
            let _ = writeln!(text, "programs by linking: {}", programs.join(", "));
        }
        if !self.secrets.is_empty() {
            let _ = writeln!(text, "\nSecrets");
        }
        for secret in &self.secrets {
            let line = format!(
                "  {} in {} [{}]",
                secret.kind.name,
                self.place(&secret.place),
                secret.fingerprint
            );
            let _ = writeln!(text, "{}", Clean::line(&line));
        }
        for (weight, title) in [
            (Weight::Problem, "Problems"),
            (Weight::Warning, "Warnings"),
            (Weight::Note, "Notes"),
        ] {
            self.remarks(&mut text, weight, title);
        }
        text
    }

    fn remarks(&self, text: &mut String, weight: Weight, title: &str) {
        let remarks = self.inside.remarks.iter();
        let remarks: Vec<&Remark> = remarks.filter(|one| one.weight == weight).collect();
        if remarks.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{title}");
        for group in remarks.chunk_by(|one, other| one.kind == other.kind) {
            let shown = if self.all { group.len() } else { SHOWN };
            let Some(first) = group.first() else {
                continue;
            };
            let kind = first.kind.title();
            if is_a_name(first.kind) {
                let _ = writeln!(text, "  {kind}: {}", Clean::line(&names(group, self.all)));
                continue;
            }
            let _ = writeln!(text, "  {kind}");
            for remark in group.iter().take(shown) {
                let origin = remark
                    .layer
                    .map_or_else(String::new, |layer| format!("  ({})", self.origin(layer)));
                let line = Clean::line(&format!("{}{origin}", remark.text));
                let _ = writeln!(text, "    {line}");
            }
            if group.len() > shown {
                let more = group.len() - shown;
                let _ = writeln!(text, "    and {more} more; `--all` shows them");
            }
        }
    }

    /// Where a layer comes from, in a few words.
    fn origin(&self, layer: usize) -> String {
        let line = self.lines.get(layer).copied().flatten();
        if let Some(line) = line {
            return format!("layer {layer}, line {line} of the Dockerfile");
        }
        let maker = self.contents.layers.get(layer);
        let maker = maker.and_then(|layer| layer.created_by.as_deref());
        match maker.filter(|maker| !maker.trim().is_empty()) {
            Some(maker) => format!("layer {layer}, {}", shorten(maker)),
            None => format!("layer {layer}"),
        }
    }

    fn place(&self, place: &Place) -> String {
        match place {
            Place::File {
                layer,
                path,
                line,
                removed_in,
            } => {
                let removed = removed_in.map_or_else(String::new, |later| {
                    format!(", deleted in layer {later} but still shipped")
                });
                format!("/{path}, line {line} ({}){removed}", self.origin(*layer))
            }
            Place::Config { part } => part.clone(),
            Place::History { step } => {
                let step = self.contents.history.get(*step);
                let what = step.map_or_else(String::new, |step| {
                    let text = maker::instruction(&step.created_by);
                    let keyword = text.split_whitespace().next().unwrap_or_default();
                    format!(" ({keyword} …)")
                });
                format!("the history{what}")
            }
            Place::Dockerfile { line } => format!("line {line} of the Dockerfile"),
        }
    }

    fn json(&self) -> Result<String, CliError> {
        let config = &self.contents.config;
        let secrets: Vec<SecretJson<'_>> =
            self.secrets.iter().map(|one| self.secret(one)).collect();
        let all = serde_json::json!({
            "schema": "loadline.inside/v1",
            "image": self.name,
            "architecture": config.architecture,
            "user": config.user,
            "shipped_bytes": self.contents.shipped(),
            "starts": self.inside.starts,
            "programs": self.inside.programs,
            "remarks": self.inside.remarks,
            "secrets": secrets,
        });
        output::json(&all)
    }

    fn secret<'a>(&'a self, secret: &'a Secret) -> SecretJson<'a> {
        let mut json = SecretJson {
            kind: secret.kind.id,
            name: secret.kind.name,
            fingerprint: secret.fingerprint.to_string(),
            place: "",
            path: None,
            layer: None,
            line: None,
            removed_in: None,
            part: None,
            step: None,
            dockerfile_line: None,
        };
        match &secret.place {
            Place::File {
                layer,
                path,
                line,
                removed_in,
            } => {
                json.place = "file";
                json.path = Some(format!("/{path}"));
                json.layer = Some(*layer);
                json.line = Some(*line);
                json.removed_in = *removed_in;
                json.dockerfile_line = self.lines.get(*layer).copied().flatten();
            }
            Place::Config { part } => {
                json.place = "config";
                json.part = Some(part);
            }
            Place::History { step } => {
                json.place = "history";
                json.step = Some(*step);
            }
            Place::Dockerfile { line } => {
                json.place = "dockerfile";
                json.dockerfile_line = Some(*line);
            }
        }
        json
    }
}

/// One thing that a container starts. Each is cleaned by itself: the line end of another system is
/// part of an interpreter's name.
fn start(one: &Started) -> String {
    let word = Clean::path(&one.word);
    match &one.path {
        Some(path) if *path != one.word => format!("{word} ({})", Clean::path(path)),
        Some(_) => word.to_string(),
        None => format!("{word} (not there)"),
    }
}

/// Whether there is no more to say of such a thing than where it is.
const fn is_a_name(kind: RemarkKind) -> bool {
    matches!(
        kind,
        RemarkKind::Shell | RemarkKind::PackageManager | RemarkKind::Tool
    )
}

/// The paths of several remarks.
fn names(group: &[&Remark], all: bool) -> String {
    const SHOWN: usize = 8;
    let shown = if all { group.len() } else { SHOWN };
    let paths = group.iter().take(shown);
    let paths: Vec<&str> = paths.filter_map(|one| one.path.as_deref()).collect();
    let mut text = paths.join(", ");
    if group.len() > shown {
        let _ = write!(text, " and {} more", group.len() - shown);
    }
    text
}

/// A secret as JSON has it.
#[derive(Debug, Serialize)]
struct SecretJson<'a> {
    kind: &'static str,
    name: &'static str,
    fingerprint: String,
    place: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_in: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dockerfile_line: Option<u32>,
}

/// The instruction of a layer in a few words.
fn shorten(maker: &str) -> String {
    const WIDTH: usize = 48;
    let text = maker::instruction(maker);
    if text.chars().count() <= WIDTH {
        return text;
    }
    let cut: String = text.chars().take(WIDTH - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::inside::start::Because;

    #[test]
    fn what_is_started_is_named_whatever_its_script_s_line_ends_are() {
        let one = |word: &str, path: Option<&str>| {
            start(&Started {
                word: word.to_owned(),
                path: path.map(str::to_owned),
                because: Because::Script,
            })
        };
        assert_eq!(one("/bin/sh\r", None), "/bin/sh\\x0D (not there)");
        assert_eq!(one("app", Some("/bin/app")), "app (/bin/app)");
        assert_eq!(one("/bin/app", Some("/bin/app")), "/bin/app");
    }

    #[test]
    fn a_layer_is_named_without_the_arguments_of_its_build() {
        assert_eq!(
            shorten("RUN |1 TOKEN=correct-horse /bin/sh -c make install # buildkit"),
            "RUN make install"
        );
        assert_eq!(
            shorten("/bin/sh -c #(nop) COPY file:1 in /app "),
            "COPY file:1 in /app"
        );
        assert_eq!(
            shorten("ENV DB_PASSWORD=correct-horse"),
            "ENV DB_PASSWORD=…"
        );
        assert!(shorten(&"RUN x".repeat(40)).ends_with('…'));
    }
}
