#!/usr/bin/env bash
# Tries the package from its first installation to its purge, in a root folder of its own: installs a version before it, delivers
# as the package's user, upgrades, delivers again, removes, purges, and looks whether the store stayed.
#
# As root, with cargo-deb, mmdebstrap and a mirror of Debian. `MIRROR_ROOT=FILE.tar` is a root folder that was made before.
# With systemd-nspawn it also boots the folder and has systemd run the units.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=target}"
made=$CARGO_TARGET_DIR/packaging
root=$(mktemp -d)
trap 'umount -q "$root/proc" 2>/dev/null || true; rm -rf "$root"' EXIT

say() { printf '== %4ds  %s\n' "$SECONDS" "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

say 'packages: this version, and one that counts as older'
# A package of the version before can be named; otherwise the same program stands in for it.
older=${1:-$made/older.deb}
[ $# -gt 0 ] || packaging/build.sh --quiet --deb-version 0.0.9-1 --output "$older" >/dev/null
packaging/build.sh --quiet --output "$made/this.deb" >/dev/null
dpkg-deb --info "$made/this.deb" | sed -n 's/^ *\(Version\|Depends\|Installed-Size\): /&/p'
echo "Bytes: $(stat -c %s "$made/this.deb")"

say 'a root folder'
if [ -n "${MIRROR_ROOT:-}" ]; then
    tar -xf "$MIRROR_ROOT" -C "$root"
else
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$root"
fi
install -D -m 644 "$older" "$root/opt/older.deb"
install -D -m 644 "$made/this.deb" "$root/opt/this.deb"
mount -t proc proc "$root/proc"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C.UTF-8 "$@"; }
as_user() { inside setpriv --reuid=misp-trickle --regid=misp-trickle --clear-groups "$@"; }
config=/etc/misp-trickle/misp-trickle.toml
trickle() { as_user misp-trickle "$@" --config "$config"; }

say 'installation'
inside dpkg --install /opt/older.deb >/dev/null
inside id misp-trickle
for folder in /etc/misp-trickle /var/lib/misp-trickle; do
    [ "$(inside stat -c '%U %a' "$folder")" = 'misp-trickle 700' ] || fail "$folder: $(inside stat -c '%U %a' "$folder")"
done
for unit in misp-trickle.service misp-trickle-sync.service misp-trickle-sync.timer; do
    inside systemd-analyze verify "/usr/lib/systemd/system/$unit" || fail "$unit"
    [ "$(inside systemctl is-enabled "$unit" || true)" != enabled ] || fail "$unit begins by itself"
done
for unit in misp-trickle.service misp-trickle-sync.service; do
    inside systemd-analyze security --offline=yes "/usr/lib/systemd/system/$unit" | tail -1
done
[ -s "$root/usr/share/man/man1/misp-trickle.1.gz" ] || fail "no man page"
inside bash -n /usr/share/bash-completion/completions/misp-trickle

say 'delivery as its user'
as_user misp-trickle sandbox --listen 127.0.0.1:0 --json >"$root/opt/sandbox.json" 2>/dev/null &
sandbox=$!
trap 'kill $sandbox 2>/dev/null || true; umount -q "$root/proc" || true; rm -rf "$root"' EXIT
for _ in $(seq 100); do [ -s "$root/opt/sandbox.json" ] && break; sleep 0.1; done
read -r url user admin < <(python3 -c "import json,sys; it=json.load(sys.stdin); print(it['url'], it['keys']['user'], it['keys']['admin'])" <"$root/opt/sandbox.json")
for tag in clear green amber; do
    curl -fsS -o /dev/null "$url/tags/add" -H "Authorization: $admin" -H 'Accept: application/json' \
        -H 'Content-Type: application/json' -d "{\"name\": \"tlp:$tag\", \"colour\": \"#999999\"}"
done
as_user sh -c "umask 077; echo $user >/etc/misp-trickle/misp-key; misp-trickle demo --dataset >/var/lib/misp-trickle/day.json"
trickle init --no-input --url "$url" --api-key-file misp-key --source /var/lib/misp-trickle/day.json \
    --store /var/lib/misp-trickle/state >/dev/null
code=0; trickle doctor --quiet || code=$?
[ $code = 0 ] || fail "doctor ended with $code"
trickle sync 2>&1 | sed -n '1,3p'

say 'upgrade'
before=$(trickle log --json)
inside dpkg --install /opt/this.deb >/dev/null
inside misp-trickle --version
[ "$(trickle log --json)" = "$before" ] || fail 'the history is another after the upgrade'
trickle check
trickle sync 2>&1 | tail -1

if command -v systemd-nspawn >/dev/null; then
    say 'booted: systemd runs the units'
    packaging/booted.sh "$root"
fi

say 'removal'
inside dpkg --remove misp-trickle >/dev/null
stored=$(cd "$root/var/lib/misp-trickle" && find . -type f -exec sha256sum {} + | sort)
[ -n "$stored" ] || fail 'the removal took the store'
inside dpkg --purge misp-trickle
[ "$(cd "$root/var/lib/misp-trickle" && find . -type f -exec sha256sum {} + | sort)" = "$stored" ] || fail 'the purge touched the store'
[ -s "$root$config" ] || fail 'the purge took the configuration'
[ -z "$(find "$root/usr" "$root/etc/systemd" -name '*misp-trickle*' -print)" ] || fail 'something was left behind'
inside dpkg --install /opt/this.deb >/dev/null
trickle check
say 'all of it went well'
