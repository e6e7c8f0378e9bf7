//! Distroless images: one package, one layer, no maintainer script.

use std::collections::BTreeMap;
use std::io;

use crate::bases::archive::ImageConfig;
use crate::bases::catalogue::Base;
use crate::bases::catalogue::Mode;
use crate::bases::deb::Deb;
use crate::bases::generate;
use crate::bases::generate::NONROOT;
use crate::bases::layer::Layer;
use crate::bases::layer::Sealed;

/// A finished layer in memory.
pub type Finished = Sealed<io::Cursor<Vec<u8>>>;

/// The layer of one package: its files as they are, and what scanners read of it.
///
/// # Errors
/// When the package is damaged.
pub fn package_layer(deb: &Deb) -> io::Result<Finished> {
    let mut layer = Layer::new(Vec::new());
    deb.entries(|path, header, body| layer.entry(path, &header, body))?;
    generate::status_entry(&mut layer, deb)?;
    let version = deb.control.field("Version").unwrap_or_default();
    finished(
        layer,
        &format!("package {} {version}", deb.control.package()),
    )
}

/// A layer of generated files.
///
/// # Errors
/// When `fill` fails.
pub fn generated_layer(
    name: &str,
    fill: impl FnOnce(&mut Layer<Vec<u8>>) -> io::Result<()>,
) -> io::Result<Finished> {
    let mut layer = Layer::new(Vec::new());
    fill(&mut layer)?;
    finished(layer, name)
}

fn finished(layer: Layer<Vec<u8>>, created_by: &str) -> io::Result<Finished> {
    let sealed = layer.seal(created_by)?;
    Ok(Sealed {
        digest: sealed.digest,
        size: sealed.size,
        created_by: sealed.created_by,
        body: io::Cursor::new(sealed.body),
    })
}

/// Whether a tag's variant holds a shell.
#[must_use]
pub fn has_shell(base: &Base, tag: &str) -> bool {
    base.mode == Mode::Distroless && tag.starts_with("debug")
}

/// The config of one tag: `nonroot` variants run as nonroot in its home, `debug` variants find
/// busybox, and where nothing else starts they start its shell.
#[must_use]
pub fn config(
    base: &Base,
    tag: &str,
    architecture: &str,
    labels: BTreeMap<String, String>,
) -> ImageConfig {
    let mut config = ImageConfig {
        architecture: architecture.to_owned(),
        env: base.env.clone(),
        entrypoint: base.entrypoint.clone(),
        cmd: base.cmd.clone(),
        labels,
        ..ImageConfig::default()
    };
    if base.mode != Mode::Distroless {
        return config;
    }
    let nonroot = tag.ends_with("nonroot");
    config.user = if nonroot { NONROOT } else { 0 }.to_string();
    config.working_dir = if nonroot { "/home/nonroot" } else { "/" }.to_owned();
    if has_shell(base, tag) {
        for line in &mut config.env {
            if line.starts_with("PATH=") {
                line.push_str(":/busybox");
            }
        }
        if config.entrypoint.is_empty() {
            config.entrypoint = vec!["/busybox/sh".to_owned()];
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bases::catalogue::Catalogue;
    use crate::bases::reference::Reference;

    fn of(reference: &str) -> ImageConfig {
        let catalogue = Catalogue::builtin().expect("the builtin catalogue is sound");
        let reference = Reference::parse(reference);
        let (base, tag) = catalogue.find(&reference).expect("it is there");
        config(base, tag, "amd64", BTreeMap::new())
    }

    #[test]
    fn the_four_tags_differ_as_the_vendors_do() {
        let latest = of("gcr.io/distroless/cc-debian13");
        assert_eq!(
            (latest.user.as_str(), latest.working_dir.as_str()),
            ("0", "/")
        );
        assert!(latest.entrypoint.is_empty());
        let nonroot = of("gcr.io/distroless/cc-debian13:nonroot");
        assert_eq!(
            (nonroot.user.as_str(), nonroot.working_dir.as_str()),
            ("65532", "/home/nonroot")
        );
        let debug = of("gcr.io/distroless/cc-debian13:debug");
        assert_eq!(debug.entrypoint, ["/busybox/sh"]);
        assert!(debug.env[0].ends_with(":/busybox"));
        let python = of("gcr.io/distroless/python3-debian13:debug-nonroot");
        assert_eq!(python.entrypoint, ["/usr/bin/python3.13"]);
        assert_eq!(python.user, "65532");
    }

    #[test]
    fn busybox_keeps_its_own_config() {
        let config = of("busybox");
        assert_eq!(config.cmd, ["sh"]);
        assert_eq!(config.user, "");
    }

    #[test]
    fn a_layer_holds_the_package_and_its_status() {
        let bytes = crate::bases::deb::tests::package(
            "Package: hello\nVersion: 2\n",
            &[
                ("./md5sums", "x  usr/bin/hello\n"),
                ("./postinst", "#!/bin/sh\n"),
            ],
            &[("./usr/", ""), ("./usr/bin/hello", "hi")],
        );
        let layer = package_layer(&Deb::read(&bytes).expect("it is sound")).expect("in memory");
        assert_eq!(layer.created_by, "package hello 2");
        let mut archive = tar::Archive::new(layer.body);
        let names: Vec<String> = archive
            .entries()
            .expect("an archive")
            .map(|entry| {
                String::from_utf8_lossy(&entry.expect("an entry").path_bytes()).into_owned()
            })
            .collect();
        assert!(names.contains(&"usr/bin/hello".to_owned()));
        assert!(names.contains(&"var/lib/dpkg/status.d/hello.md5sums".to_owned()));
        assert!(!names.iter().any(|name| name.contains("postinst")));
    }
}
