//! Watches the embedded course, and compiles the programs that run in and beside containers
//! (`src/engine/helper/`).
//!
//! Plain `rustc`, no Cargo: one file each, static, small. Where this host cannot make a static
//! Linux program, an empty file takes its place and the engine's adapter says what cannot be seen.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads its environment and starts the compiler"
)]

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

const PROGRAMS: [&str; 2] = ["beside", "trace"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The course and its advisories are embedded: a change to them is a change to the program.
    for folder in ["lessons", "exercises", "solutions", "assets/advisories"] {
        println!("cargo::rerun-if-changed={folder}");
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
