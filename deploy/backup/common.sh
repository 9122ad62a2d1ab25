# shellcheck shell=bash disable=SC2034 # Its readers use what is set here.
#
# What backup.sh and restore.sh share: where backups lie.
#
# Below BACKUP_FOLDER is a set for each history of a server: SYSTEM-TIMELINE-TIME/base/TIME and
# …/wal. A restored server has another timeline, so that it never writes into the set it is from.
set -euo pipefail
shopt -s nullglob
export LC_ALL=C

folder=${BACKUP_FOLDER:?is not set}
segment='^[0-9A-F]{24}$' # The name of a file of the write-ahead log: timeline and place.

say() { echo "${0##*/}: $*" >&2; }
die() {
	say "$*"
	exit 1
}

now() { date -u +%Y%m%dT%H%M%SZ; }
# Seconds since 1970 of a name like 20260131T235959Z.
seconds() { date -u -d "${1:0:8} ${1:9:2}:${1:11:2}:${1:13:2}" +%s; }

# Each base backup of all sets, oldest first: NAME PATH.
bases() {
	local path
	for path in "$folder"/*/base/*Z/; do echo "$(basename "$path") ${path%/}"; done | sort
}

# The file of the log that a base backup begins with.
first_segment() { sed -n 's/^START WAL LOCATION.*(file \([0-9A-F]*\))$/\1/p' "$1/backup_label"; }

# The newest file of a set's log, and which segment that is.
newest_file() {
	local files=("$1"/wal/*)
	if ((${#files[@]})); then echo "${files[-1]}"; fi
}
newest_segment() {
	local name
	name=$(basename "$(newest_file "$1")")
	echo "${name:0:24}"
}
