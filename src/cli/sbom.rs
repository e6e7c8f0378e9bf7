//! `loadline sbom`: what is installed in an image, to read or for other tools.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;

use crate::cli::CliError;
use crate::cli::Context;
use crate::cli::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::target::Target;
use crate::cli::whole;
use crate::cli::wiring;
use crate::image::archive::Options;
use crate::image::package::Inventory;
use crate::image::package::Package;
use crate::image::package::Packages;
use crate::image::package::inventory;
use crate::image::sbom;
use crate::image::sbom::Subject;
use crate::text::Clean;
use crate::text::plural;

/// How much of an instruction is shown in a list, in characters.
const STEP: usize = 80;

/// List what is installed in an image, with the layer that brought it
///
/// Reads the records of Debian and Alpine packages, Python, Node, Ruby gems, Composer, Java
/// archives, Go programs and Rust programs that carry their list of crates. What cannot be known is listed too: programs
/// that do not say what they were made of, and records that were removed.
///
/// IMAGE is an image of your engine, an archive as `docker save` or `podman save` writes it, the
/// folder of an OCI layout, or `-` for an archive on standard input.
///
/// The same image gives the same bytes: a document's time is that of the image.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  loadline sbom python:3.13-slim
  loadline sbom app.tar --format spdx -o app.spdx.json
  docker save app | loadline sbom - --format cyclonedx | jq -r '.components[].purl'")]
pub(crate) struct Args {
    /// An image, an archive, an OCI layout's folder, or `-`
    #[arg(value_name = "IMAGE")]
    image: String,
    /// What to print: CycloneDX 1.6, SPDX 2.3, lines to read, or all that is known
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::List)]
    format: Format,
    /// Write it to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The time in the document, such as `2026-11-25T10:00:00Z`, in place of the image's own
    #[arg(long, value_name = "TIME", value_parser = time)]
    created: Option<String>,
    /// Read every layer anew, and remember none of them
    #[arg(long)]
    no_cache: bool,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines to read
    List,
    /// CycloneDX 1.6, as JSON
    #[value(name = "cyclonedx")]
    CycloneDx,
    /// SPDX 2.3, as JSON
    Spdx,
    /// All that is known, as JSON
    Json,
}

fn time(text: &str) -> Result<String, String> {
    sbom::whole_seconds(text)
        .ok_or_else(|| String::from("a time is written as `2026-11-25T10:00:00Z`"))
}

/// Reads the image and prints what is in it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let output = context.output;
    let contents = wiring::block_on(async {
        let interrupt = Interrupt::listen(output).map_err(CliError::Output)?;
        let facts = if args.no_cache { None } else { wiring::facts() };
        let options = Options {
            probes: vec![Arc::new(Packages)],
            facts,
            ..Options::default()
        };
        Target::of(&args.image).read(options, &interrupt).await
    })?;
    let found = inventory(&contents);
    let subject = Subject::of(&args.image, &contents, args.created.clone());
    let text = match args.format {
        Format::List => list(&subject, &found),
        Format::CycloneDx => document(sbom::Format::CycloneDx, &subject, &found)?,
        Format::Spdx => document(sbom::Format::Spdx, &subject, &found)?,
        Format::Json => document(sbom::Format::Own, &subject, &found)?,
    };
    match &args.output {
        None => output.result(&text)?,
        Some(path) => {
            whole::write(path, text.as_bytes()).map_err(|cause| CliError::Unwritable {
                path: path.clone(),
                cause,
            })?;
        }
    }
    Ok(Exit::Ok)
}

fn document(
    format: sbom::Format,
    subject: &Subject,
    found: &Inventory,
) -> Result<String, CliError> {
    sbom::document(format, subject, found).map_err(|error| CliError::Internal(error.to_string()))
}

/// The packages by the layer that brought them, then what is not known.
fn list(subject: &Subject, found: &Inventory) -> String {
    let mut text = head(subject, found);
    let mut layers: BTreeMap<usize, Vec<[String; 3]>> = BTreeMap::new();
    for package in &found.packages {
        let line = [
            package.kind.purl_type().to_owned(),
            shown(&package.name),
            with_place(package),
        ];
        layers.entry(package.layer).or_default().push(line);
    }
    for runtime in &found.runtimes {
        let version = match runtime.version.as_str() {
            "" => "version not told",
            version => version,
        };
        let line = [
            String::from("runtime"),
            shown(&runtime.name),
            format!("{}  /{}", shown(version), shown(&runtime.path)),
        ];
        layers.entry(runtime.layer).or_default().push(line);
    }
    let lines = layers.values().flatten();
    let width = lines
        .map(|[_, name, _]| name.chars().count())
        .max()
        .unwrap_or(0)
        .min(50);
    for (layer, lines) in &layers {
        let _ = writeln!(text, "\nlayer {layer}{}", step(subject, *layer));
        for [kind, name, version] in lines {
            let _ = writeln!(text, "  {kind:<8} {name:<width$}  {version}");
        }
    }
    let gaps = found.unknown();
    if !gaps.is_empty() {
        text.push_str("\nNot known:\n");
        // Several layers may have removed the same: that is one thing not to know.
        let said: BTreeSet<String> = gaps.iter().map(ToString::to_string).collect();
        for gap in &said {
            let _ = writeln!(text, "  {}", shown(gap));
        }
    }
    text
}

fn head(subject: &Subject, found: &Inventory) -> String {
    let packages = plural(found.packages.len(), "package");
    let distribution = match &found.distribution {
        Some(distribution) if distribution.title.is_empty() => {
            format!(", {}", shown(&distribution.id))
        }
        Some(distribution) => format!(", {}", shown(&distribution.title)),
        None => String::new(),
    };
    let layers = plural(subject.layers.len(), "layer");
    format!(
        "{}: {packages} in {layers}{distribution}\n",
        shown(&subject.name)
    )
}

/// The version, and where a language's package was found: an image may have several of one name.
fn with_place(package: &Package) -> String {
    let version = shown(&package.version);
    let of_the_system = package.architecture.is_some() || package.path.starts_with("var/lib/dpkg");
    if of_the_system {
        return version;
    }
    format!("{version}  /{}", shown(&package.path))
}

/// The instruction that made a layer, as far as a line has room for it.
fn step(subject: &Subject, layer: usize) -> String {
    let made = subject
        .layers
        .get(layer)
        .and_then(|layer| layer.created_by.as_ref());
    let Some(step) = made else {
        return String::new();
    };
    let line = shown(step);
    let short: String = line.chars().take(STEP).collect();
    let dots = if short.len() < line.len() { " …" } else { "" };
    format!("  {short}{dots}")
}

fn shown(text: &str) -> String {
    Clean::line(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::package::Distribution;
    use crate::image::package::Gap;
    use crate::image::package::PackageKind;
    use crate::image::package::Runtime;
    use crate::image::sbom::SubjectLayer;

    fn package(kind: PackageKind, name: &str, layer: usize, path: &str) -> Package {
        Package {
            kind,
            name: name.to_owned(),
            version: String::from("1.2"),
            source: None,
            architecture: None,
            licences: Vec::new(),
            layer,
            path: path.to_owned(),
        }
    }

    #[test]
    fn packages_stand_below_the_layer_that_brought_them() {
        let layer = |step: &str| SubjectLayer {
            diff_id: String::new(),
            created_by: Some(step.to_owned()),
        };
        let subject = Subject {
            name: String::from("app"),
            chain_id: String::new(),
            created: sbom::NO_TIME.to_owned(),
            architecture: String::new(),
            layers: vec![
                layer("ADD rootfs.tar"),
                layer("RUN pip install flask\u{1b}[31m"),
            ],
        };
        let found = Inventory {
            distribution: Some(Distribution {
                id: String::from("debian"),
                version: String::from("13"),
                title: String::from("Debian GNU/Linux 13 (trixie)"),
            }),
            packages: vec![
                package(PackageKind::Deb, "libc6", 0, "var/lib/dpkg/status"),
                package(
                    PackageKind::Python,
                    "flask",
                    1,
                    "app/flask-1.2.dist-info/METADATA",
                ),
            ],
            runtimes: vec![Runtime {
                name: String::from("python"),
                version: String::from("3.13.9"),
                layer: 0,
                path: String::from("usr/local/bin/python"),
            }],
            gaps: vec![Gap::OpaqueBinary {
                path: String::from("app/tool"),
                layer: 1,
            }],
            ..Inventory::default()
        };
        insta::assert_snapshot!(list(&subject, &found), @r"
        app: 2 packages in 2 layers, Debian GNU/Linux 13 (trixie)

        layer 0  ADD rootfs.tar
          deb      libc6   1.2
          runtime  python  3.13.9  /usr/local/bin/python

        layer 1  RUN pip install flask
          pypi     flask   1.2  /app/flask-1.2.dist-info/METADATA

        Not known:
          /app/tool does not say what it was made of
        ");
    }

    #[test]
    fn a_list_of_nothing_says_that_nothing_can_be_known() {
        let subject = Subject {
            name: String::from("app"),
            chain_id: String::new(),
            created: sbom::NO_TIME.to_owned(),
            architecture: String::new(),
            layers: Vec::new(),
        };
        insta::assert_snapshot!(list(&subject, &Inventory::default()), @r"
        app: 0 packages in 0 layers

        Not known:
          no record of any package is there
        ");
    }

    #[test]
    fn a_time_is_a_time() {
        assert_eq!(
            time("2026-11-25T10:00:00.5Z").as_deref(),
            Ok("2026-11-25T10:00:00Z")
        );
        assert!(time("now").is_err());
    }
}
