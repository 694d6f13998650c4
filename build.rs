//! Tells the program of which commit and for which target it was built: `--version` shows both.

use std::{env, fs, path::Path, process::Command};

/// What cargo puts into a package: the commit that it was made of.
const PACKAGED: &str = ".cargo_vcs_info.json";
const GIVEN: &str = "BUILT_OF_COMMIT";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={GIVEN}");
    let target = env::var("TARGET").expect("cargo names the target");
    println!("cargo::rustc-env=BUILT_FOR_TARGET={target}");
    let commit = env::var(GIVEN).ok().or_else(packaged).or_else(checked_out);
    println!("cargo::rustc-env={GIVEN}={}", commit.as_deref().unwrap_or("not known"));
}

fn packaged() -> Option<String> {
    let text = fs::read_to_string(PACKAGED).ok()?;
    let after = text.split("\"sha1\"").nth(1)?;
    after.split('"').nth(1).map(short)
}

/// Only of what is built to be used: a debug build would be made anew after every commit.
fn checked_out() -> Option<String> {
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") || !Path::new(".git").exists() {
        return None;
    }
    for moves in ["HEAD", "logs/HEAD"] {
        println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", moves])?);
    }
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let commit = short(&git(&["rev-parse", "HEAD"])?);
    Some(if changed.is_empty() { commit } else { format!("{commit} with changes") })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}
