#!/bin/sh
# Part of try.sh: boots the root folder, and has its systemd run the units and an upgrade under them.
set -eu
root=$1
cat >"$root/opt/booted" <<'END'
#!/bin/sh
set -eux
systemctl start misp-trickle.service
systemctl is-active misp-trickle.service
[ "$(systemctl show -p User,Result --value misp-trickle.service | sort | tr -d '\n')" = misp-tricklesuccess ]
pid=$(systemctl show -p MainPID --value misp-trickle.service)
setpriv --reuid=misp-trickle --regid=misp-trickle --clear-groups env RUNTIME_DIRECTORY=/run/misp-trickle \
    misp-trickle status --config /etc/misp-trickle/misp-trickle.toml
systemctl reload misp-trickle.service
systemctl start misp-trickle-sync.service
dpkg --install /opt/this.deb
systemctl is-active misp-trickle.service
[ "$(systemctl show -p MainPID --value misp-trickle.service)" != "$pid" ]
systemctl enable --now misp-trickle-sync.timer
systemctl is-active misp-trickle-sync.timer
systemctl disable --now misp-trickle-sync.timer
systemctl stop misp-trickle.service
echo went-well >/opt/booted.end
END
cat >"$root/etc/systemd/system/booted.service" <<'END'
[Service]
Type=oneshot
ExecStart=/bin/sh /opt/booted
ExecStopPost=/bin/systemctl poweroff --force
StandardOutput=file:/opt/booted.log
StandardError=file:/opt/booted.log
[Install]
WantedBy=multi-user.target
END
chroot "$root" systemctl enable --quiet booted.service
# Where no systemd runs, /run may be no memory of its own, which systemd-nspawn asks for.
timeout 120 unshare --mount sh -c 'mount -t tmpfs tmpfs /run && exec systemd-nspawn --quiet --directory="$1" --register=no \
    --keep-unit --resolv-conf=off --boot' - "$root" >"$root/opt/boot.log" 2>&1 || true
chroot "$root" systemctl disable --quiet booted.service
rm "$root/etc/systemd/system/booted.service"
if [ ! -e "$root/opt/booted.log" ]; then
    echo "SKIPPED: it cannot be booted here: $(tail -1 "$root/opt/boot.log")"
elif [ ! -e "$root/opt/booted.end" ]; then
    cat "$root/opt/booted.log"
    exit 1
else
    grep '^+ systemctl\|^+ dpkg' "$root/opt/booted.log"
fi
