#!/usr/bin/env bash
# Builds the package for Debian: needs cargo-deb (`cargo install --locked cargo-deb`). What it is given goes to `cargo deb`.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=target}"

cargo build --locked --quiet --profile dist
program=$CARGO_TARGET_DIR/dist/misp-trickle
made=$CARGO_TARGET_DIR/packaging
mkdir -p "$made"
"$program" completions bash >"$made/misp-trickle.bash"
"$program" completions zsh >"$made/_misp-trickle"
"$program" completions fish >"$made/misp-trickle.fish"
rm -rf "$made/man"
"$program" man "$made/man" >/dev/null
cargo deb --no-build --profile dist "$@"
