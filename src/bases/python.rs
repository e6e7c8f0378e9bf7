//! Debian's Python moved to `/usr/local`, so that it behaves like the vendor's image: `pip` works
//! without a virtual environment, packages land in `site-packages`, `venv` needs no extra package.

use std::io;
use std::io::Cursor;
use std::io::Read;
use std::io::Write;

use crate::bases::catalogue::Python;
use crate::bases::deb::Deb;
use crate::bases::layer::Layer;

/// Moves packages of one Python version.
#[derive(Debug, Clone)]
pub struct Relocation {
    version: String,
    /// `x86_64-linux-gnu`
    triplet: String,
    /// Whether the base below has a `/usr/lib/pythonX.Y` of its own.
    beside_another: bool,
}

impl Relocation {
    /// A relocation for `triplet`; `beside_another` where the base below brings Debian's Python
    /// for its own tools.
    #[must_use]
    pub fn new(python: &Python, triplet: &str, beside_another: bool) -> Self {
        Self {
            version: python.version.clone(),
            triplet: triplet.to_owned(),
            beside_another,
        }
    }

    /// Unpacks a package into its new place.
    ///
    /// # Errors
    /// When the package is damaged or the layer cannot be written.
    pub fn unpack<W: Write>(&self, layer: &mut Layer<W>, deb: &Deb) -> io::Result<()> {
        deb.entries(|path, header, body| {
            let Some(place) = self.place(path).filter(|_| !header.kind().is_dir()) else {
                return Ok(());
            };
            if let Some(to) = &header.link {
                return layer.symlink(&place, &self.target(to));
            }
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            let bytes = self.mended(&place, bytes);
            layer.file(&place, &bytes, header.mode())?;
            let config = format!("{}-python{}-config", self.triplet, self.version);
            match place.strip_prefix("usr/local/bin/") {
                Some(name) if name == config => [
                    "python3-config".to_owned(),
                    format!("python{}-config", self.version),
                ]
                .iter()
                .try_for_each(|short| layer.symlink(&format!("usr/local/bin/{short}"), name)),
                _ => Ok(()),
            }
        })
    }

    /// Where a file of a package goes; `None` for what the vendor's image does not have.
    fn place(&self, path: &str) -> Option<String> {
        let version = &self.version;
        // Debian's note that pip must not be used, and its hooks.
        if path.ends_with("/EXTERNALLY-MANAGED") || path.ends_with("/sitecustomize.py") {
            return None;
        }
        let moves = [
            (
                format!("usr/lib/python{version}/"),
                format!("usr/local/lib/python{version}/"),
            ),
            (
                format!("usr/lib/{}/", self.triplet),
                "usr/local/lib/".to_owned(),
            ),
            ("usr/bin/".to_owned(), "usr/local/bin/".to_owned()),
            ("usr/include/".to_owned(), "usr/local/include/".to_owned()),
        ];
        moves
            .iter()
            .find_map(|(from, to)| Some(format!("{to}{}", path.strip_prefix(from)?)))
    }

    /// The target of a link after the move.
    fn target(&self, to: &str) -> String {
        // From usr/lib/TRIPLET/x to usr/local/lib/x a link loses one folder.
        let to = match to.strip_prefix("../python") {
            Some(rest) => format!("python{rest}"),
            None => to.replace("/usr/lib/", "/usr/local/lib/"),
        };
        to.replace(&format!("../../{}/", self.triplet), "../../")
    }

    /// A file with what ties it to Debian's layout taken out.
    fn mended(&self, place: &str, bytes: Vec<u8>) -> Vec<u8> {
        let library = format!("usr/local/lib/python{}/", self.version);
        let Some(name) = place.strip_prefix(&library) else {
            return bytes;
        };
        let Ok(text) = String::from_utf8(bytes.clone()) else {
            return bytes;
        };
        let text = match name {
            "sysconfig/__init__.py" => text.replace(
                "prefix_scheme = 'posix_local'",
                "prefix_scheme = 'posix_prefix'",
            ),
            // pip's wheel lies beside ensurepip, as upstream has it.
            name if name.starts_with("_sysconfigdata_") => {
                let lines = text.split_inclusive('\n');
                lines
                    .filter(|line| !line.contains("'WHEEL_PKG_DIR'"))
                    .collect()
            }
            "ensurepip/__init__.py" => text.replace(
                "def _ensurepip_is_disabled_in_debian_for_system():\n",
                "def _ensurepip_is_disabled_in_debian_for_system():\n    return\n",
            ),
            _ => return bytes,
        };
        text.into_bytes()
    }

    /// Adds pip out of its wheel, and the names that people call Python by.
    ///
    /// # Errors
    /// When the package has no wheel, the wheel is damaged or the layer cannot be written.
    pub fn finish<W: Write>(&self, layer: &mut Layer<W>, pip: &Deb) -> io::Result<()> {
        let version = &self.version;
        let library = format!("usr/local/lib/python{version}");
        let (name, wheel) = wheel(pip)?;
        layer.file(
            &format!("{library}/ensurepip/_bundled/{name}"),
            &wheel,
            0o644,
        )?;
        unzip(layer, &format!("{library}/site-packages"), wheel)?;
        let script = format!(
            "#!/usr/local/bin/python{version}\nimport sys\n\nfrom pip._internal.cli.main import main\n\nif __name__ == \"__main__\":\n    sys.exit(main())\n"
        );
        for name in ["pip".to_owned(), "pip3".to_owned(), format!("pip{version}")] {
            layer.file(&format!("usr/local/bin/{name}"), script.as_bytes(), 0o755)?;
        }
        for name in ["python", "python3"] {
            layer.symlink(
                &format!("usr/local/bin/{name}"),
                &format!("python{version}"),
            )?;
        }
        // Debian's `site` is frozen into the binary and looks for `dist-packages`.
        layer.symlink(&format!("{library}/dist-packages"), "site-packages")?;
        // The binary's own prefix is /usr: what starts from a copy of it looks there.
        if !self.beside_another {
            layer.symlink(&format!("usr/lib/python{version}"), &format!("/{library}"))?;
        }
        Ok(())
    }
}

/// The wheel that a package holds, with its file name.
fn wheel(deb: &Deb) -> io::Result<(String, Vec<u8>)> {
    let mut found = None;
    deb.entries(|path, _, body| {
        if let Some(name) = path.strip_prefix("usr/share/python-wheels/")
            && name.ends_with(".whl")
        {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)?;
            found = Some((name.to_owned(), bytes));
        }
        Ok(())
    })?;
    let missing = || io::Error::other(format!("`{}` holds no wheel", deb.control.package()));
    found.ok_or_else(missing)
}

/// Unpacks a wheel under `folder`.
fn unzip<W: Write>(layer: &mut Layer<W>, folder: &str, wheel: Vec<u8>) -> io::Result<()> {
    let mut zip = zip::ZipArchive::new(Cursor::new(wheel)).map_err(io::Error::other)?;
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).map_err(io::Error::other)?;
        let Some(name) = file.enclosed_name().filter(|_| file.is_file()) else {
            continue;
        };
        let path = format!("{folder}/{}", name.display());
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        layer.file(&path, &bytes, 0o644)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relocation() -> Relocation {
        let python = Python {
            version: "3.13".to_owned(),
            packages: Vec::new(),
            pip: "pip".to_owned(),
        };
        Relocation::new(&python, "x86_64-linux-gnu", false)
    }

    #[test]
    fn files_move_to_where_the_vendor_has_them() {
        let relocation = relocation();
        for (path, wanted) in [
            ("usr/bin/python3.13", Some("usr/local/bin/python3.13")),
            (
                "usr/lib/python3.13/os.py",
                Some("usr/local/lib/python3.13/os.py"),
            ),
            (
                "usr/lib/x86_64-linux-gnu/libpython3.13.so.1.0",
                Some("usr/local/lib/libpython3.13.so.1.0"),
            ),
            ("usr/lib/python3.13/EXTERNALLY-MANAGED", None),
            ("etc/python3.13/sitecustomize.py", None),
            ("usr/share/man/man1/python3.13.1.gz", None),
        ] {
            assert_eq!(relocation.place(path).as_deref(), wanted, "{path}");
        }
    }

    #[test]
    fn links_follow_the_move() {
        let relocation = relocation();
        assert_eq!(
            relocation.target("../../x86_64-linux-gnu/libpython3.13.so.1"),
            "../../libpython3.13.so.1"
        );
        assert_eq!(
            relocation.target("../python3.13/config-3.13-x86_64-linux-gnu/libpython3.13.a"),
            "python3.13/config-3.13-x86_64-linux-gnu/libpython3.13.a"
        );
    }

    #[test]
    fn the_install_scheme_is_upstreams() {
        let mended = relocation().mended(
            "usr/local/lib/python3.13/sysconfig/__init__.py",
            b"            prefix_scheme = 'posix_local'\n".to_vec(),
        );
        assert_eq!(mended, b"            prefix_scheme = 'posix_prefix'\n");
        let data = relocation().mended(
            "usr/local/lib/python3.13/_sysconfigdata__linux_x86_64-linux-gnu.py",
            b" 'A': 1,\n 'WHEEL_PKG_DIR': '/usr/share/python-wheels/',\n 'Z': 2}\n".to_vec(),
        );
        assert_eq!(data, b" 'A': 1,\n 'Z': 2}\n");
    }
}
