//! Watches the embedded course, gives what reads images a name, tells the linker what this machine's
//! loader can read, and compiles the programs that run in and beside containers
//! (`src/engine/helper/`).
//!
//! Plain `rustc`, no Cargo: one file each, static, small. Where this host cannot make a static
//! Linux program, an empty file takes its place and the engine's adapter says what cannot be seen.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads its environment and starts the compiler"
)]

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::hash::Hasher as _;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

const PROGRAMS: [&str; 2] = ["beside", "trace"];

/// All that decides what is read out of an image: the room `image`, the two that it may import, and
/// the versions of the libraries.
const READERS: [&str; 6] = [
    "src/image",
    "src/image.rs",
    "src/text",
    "src/text.rs",
    "src/units.rs",
    "Cargo.lock",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The course and its advisories are embedded: a change to them is a change to the program.
    for folder in ["lessons", "exercises", "solutions", "assets/advisories"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    // What another reader remembered of a layer is not believed.
    let mut readers = DefaultHasher::new();
    for path in READERS {
        println!("cargo::rerun-if-changed={path}");
        if let Err(error) = add(Path::new(path), &mut readers) {
            println!("cargo::error={path}: {error}");
        }
    }
    println!(
        "cargo::rustc-env=LOADLINE_READERS={:016x}",
        readers.finish()
    );
    if loader_reads_packed_addresses() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let Some(folder) = env::var_os("OUT_DIR").map(PathBuf::from) else {
        println!("cargo::error=Cargo gave the build script no OUT_DIR");
        return;
    };
    for name in PROGRAMS {
        let source = format!("src/engine/helper/{name}.rs");
        println!("cargo::rerun-if-changed={source}");
        let program = folder.join(name);
        if let Err(reason) = compile(name, &source, &program) {
            println!("cargo::warning=no helper `{name}` for containers: {reason}");
            if let Err(error) = std::fs::write(&program, b"") {
                println!("cargo::error={}: {error}", program.display());
            }
        }
    }
}

/// Adds a file, or all that is in a folder, with names and in their order: the same source gives the
/// same sum wherever it lies.
fn add(path: &Path, sum: &mut DefaultHasher) -> io::Result<()> {
    if !path.is_dir() {
        let content = std::fs::read(path)?;
        for part in [path.as_os_str().as_encoded_bytes(), &content] {
            sum.write_usize(part.len());
            sum.write(part);
        }
        return Ok(());
    }
    let entries = std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| add(entry, sum))
}

/// Whether the C library of this machine, for which the program is made, knows the packed list of
/// the addresses that are filled in at each start (from glibc 2.36 on). The long list is 1.5 MB, read
/// whole and kept in memory before the first screen.
fn loader_reads_packed_addresses() -> bool {
    if env::var("TARGET") != env::var("HOST") || env::var("TARGET").is_err() {
        return false;
    }
    let asked = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let said = asked.map_or_else(|_| Vec::new(), |output| output.stdout);
    let said = String::from_utf8_lossy(&said);
    let Some((major, minor)) = said
        .strip_prefix("glibc ")
        .and_then(|version| version.trim().split_once('.'))
    else {
        return false;
    };
    matches!((major.parse(), minor.parse()), (Ok(2_u32), Ok(36_u32..)))
}

fn compile(name: &str, source: &str, program: &Path) -> Result<(), String> {
    let target = env::var("TARGET").unwrap_or_default();
    if !target.contains("linux") {
        return Err(format!("{target} makes no Linux programs"));
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--edition=2024", "--crate-name", name, "--target", &target])
        .args(["-Copt-level=2", "-Cpanic=abort", "-Cstrip=symbols"])
        .args(["-Ctarget-feature=+crt-static", "-o"])
        .arg(program)
        .arg(source)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(told.lines().next().unwrap_or("rustc failed").to_owned())
}
