#!/usr/bin/env bash
# Runs a command with ENTREPOT_TEST_DATABASE_URL naming a throw-away cluster of Debian's PostgreSQL,
# the oldest kind of server the hub supports. Installs it where it is missing and we are root.
set -euo pipefail

oldest() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | head -n 1; }
if [ -z "$(oldest)" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "Install Debian's postgresql first: apt-get install postgresql" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # Keep the package from creating and starting a cluster of its own.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
  apt-get install -qq -y --no-install-recommends postgresql >/dev/null
fi
bin=$(oldest)

home=$(mktemp -d /tmp/entrepot-debian-XXXXXX)
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
  chown postgres: "$home"
  as() { setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$home" "$@"; }
fi
stop() {
  as "$bin/pg_ctl" -D "$home/data" -m immediate -s stop || true
  rm -rf "$home"
}
trap stop EXIT

cd "$home"
as "$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
as "$bin/pg_ctl" -D "$home/data" -l "$home/log" -s -w -t 60 \
  -o "-k $home -c listen_addresses= -c fsync=off -c max_connections=200 -c shared_buffers=128MB" start
cd "$OLDPWD"
export ENTREPOT_TEST_DATABASE_URL="postgresql://postgres@/postgres?host=$home&port=5432"
echo "Testing on $("$bin/postgres" --version)"
"$@"
