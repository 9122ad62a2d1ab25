#!/bin/sh
# The part of the public image's entrypoint that the compose file uses: a new data folder gets a
# cluster whose superuser has the password of POSTGRES_PASSWORD_FILE.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086 # the variable holds several options
    initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" ${POSTGRES_INITDB_ARGS:-}
    printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
fi
exec "$@" -c listen_addresses='*'
