#!/usr/bin/env bash
# A PostgreSQL of its own for as long as the tests take: postgres.sh FOLDER PORT. It stays in the foreground. PostgreSQL
# refuses root, so root has it run as the user that its package made.
set -euo pipefail
folder=$1 port=$2
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1 || true)
export PATH="${bin:+$bin:}$PATH"
as=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    chmod 700 "$folder"
    as=(setpriv --reuid postgres --regid postgres --init-groups)
fi
cd "$folder"
"${as[@]}" initdb --pgdata "$folder/data" --auth trust --username taxii --encoding UTF8 --no-sync >"$folder/log" 2>&1
exec "${as[@]}" postgres -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off >>"$folder/log" 2>&1
