#!/usr/bin/env bash
# Backups of a PostgreSQL server by its own programs; docs/operations/backup.md tells how.
#
#   backup.sh run      receive the write-ahead log, and take base backups, until SIGTERM
#   backup.sh base     take a base backup now, while `run` receives
#   backup.sh check    whether `run` does its work
#   backup.sh end      have the server keep no log for backups any more
#
# Environment: libpq's (PGHOST, PGSERVICEFILE and the like), BACKUP_FOLDER, BACKUP_EVERY_S,
# BACKUP_KEEP_DAYS, BACKUP_LOOK_S.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

every_s=${BACKUP_EVERY_S:-86400}
keep_days=${BACKUP_KEEP_DAYS:-7}
slot=speechgate_backup
most_behind=$((256 << 20)) # Bytes of log that the server has and `run` has not.
retry_s=300                # After a base backup that failed.
look_s=${BACKUP_LOOK_S:-5} # Between two looks at what there is to do.

export PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10}
sql() { psql -XAtqw -v ON_ERROR_STOP=1 -d postgres -c "$1"; }

# Sets `history`, the first part of the names of the server's sets, and `set` to the newest of them.
find_set() {
	local row found
	row=$(psql -XAtqw -d 'dbname=postgres replication=true' -c IDENTIFY_SYSTEM) || return 1
	history=$(cut -d '|' -f 1,2 <<<"$row" | tr '|' -)
	found=("$folder/$history"-*/)
	set=
	if ((${#found[@]})); then set=${found[-1]%/}; fi
}

age_of_newest() {
	local newest
	newest=$(bases | awk -v set="$set/" 'index($2, set) == 1 { name = $1 } END { print name }')
	if [[ -n $newest ]]; then echo $(($(date +%s) - $(seconds "$newest"))); fi
}

# The slot makes the server keep what was not received yet. Where it is gone, or the server gave it
# up, something may be missing: then a new set begins, with a base backup of its own.
open_set() {
	local size status
	size=$(sql 'SHOW wal_segment_size') || return 1
	[[ $size == 16MB ]] || die "segments of $size are not supported, only those of 16MB"
	find_set || return 1
	status=$(sql "SELECT coalesce(wal_status, '') || '.' FROM pg_replication_slots
		WHERE slot_name = '$slot'") || return 1
	if [[ $status == lost. ]]; then
		say "the server gave up what was not received (max_slot_wal_keep_size): a new set begins"
		sql "SELECT pg_drop_replication_slot('$slot')" >/dev/null || return 1
		status=
	fi
	if [[ -z $status ]]; then
		sql "SELECT pg_create_physical_replication_slot('$slot', true)" >/dev/null || return 1
		set=
	fi
	if [[ -z $set ]]; then
		set=$folder/$history-$(now)
		mkdir -p "$set/wal" "$set/base" || return 1
		say "new set $(basename "$set")"
	fi
}

# Keeps what a restore to any moment of the last days needs.
prune() {
	local oldest=$(($(date +%s) - keep_days * 86400)) name path needed='' one first
	while read -r name path; do
		if (($(seconds "$name") <= oldest)); then needed=$name; fi
	done < <(bases)
	while read -r name path; do
		if [[ $name < $needed ]]; then
			say "removing base backup $name"
			mv "$path" "${path%/*}/.old"
			rm -rf "${path%/*}/.old"
		fi
	done < <(bases)
	for one in "$folder"/*/; do
		first=$(bases | awk -v set="$one" 'index($2, set) == 1 && !found { found = $2 }
			END { print found }')
		if [[ -n $first ]]; then
			pg_archivecleanup -x .gz "${one}wal" "$(first_segment "$first")"
		elif [[ ${one%/} != "$set" ]]; then
			rm -rf "$one"
		fi
	done
}

# Complete segments are compressed; pg_receivewal knows them by either name.
pack() {
	local path
	for path in "$set"/wal/*; do
		[[ ${path##*/} =~ $segment ]] || continue
		gzip -1 -c "$path" >"$set/wal/.packing" && touch -r "$path" "$set/wal/.packing" &&
			sync "$set/wal/.packing" && mv "$set/wal/.packing" "$path.gz" &&
			rm "$path" || return 1
	done
}

lives() { [[ -n $1 ]] && kill -0 "$1" 2>/dev/null; }

# Ends when the connection does.
receive() {
	local age tried=0
	open_set || return 1
	pg_receivewal -w -D "$set/wal" --slot="$slot" --synchronous --no-loop &
	receiver=$!
	while lives "$receiver"; do
		age=$(age_of_newest)
		if ((${age:-$every_s} >= every_s && $(date +%s) - tried >= retry_s)) && ! lives "$taker"; then
			tried=$(date +%s)
			"$BASH" "$0" base &
			taker=$!
		fi
		pack || say "a segment of the log could not be compressed"
		sleep "$look_s" &
		wait -n "$receiver" $! || true
	done
	wait "$receiver"
}

stop() {
	trap '' TERM INT
	# By SIGINT the receiver writes what it has before it ends.
	if lives "$receiver"; then kill -INT "$receiver"; fi
	if lives "$taker"; then kill "$taker"; fi
	if [[ -n $receiver ]]; then wait "$receiver" || true; fi
	exit 0
}

run() {
	mkdir -p "$folder"
	receiver='' taker=''
	trap stop TERM INT
	while true; do
		receive || say "receiving ended; again in $look_s s"
		sleep "$look_s" &
		wait $! || true
	done
}

# Nothing has the name of a base backup before it is whole and verified.
base() {
	find_set
	[[ -n $set ]] || die "the log of this server is not received: start \`backup.sh run\` first"
	exec 9>"$folder/.lock"
	flock 9
	local partial=$set/base/.partial name began=$SECONDS
	rm -rf "$partial"
	pg_basebackup -w -D "$partial" -X stream --checkpoint=fast --label=speechgate
	pg_verifybackup --quiet "$partial"
	name=$(now)
	mv -T "$partial" "$set/base/$name"
	sync "$set/base"
	say "base backup $name: $(du -sm "$set/base/$name" | cut -f 1) MB, verified," \
		"$((SECONDS - began)) s"
	prune
}

check() {
	local state active behind age
	# A session that makes or drops the slot holds it too, but receives nothing.
	state=$(sql "SELECT active_pid IN (SELECT pid FROM pg_stat_replication),
		pg_wal_lsn_diff(pg_current_wal_flush_lsn(), restart_lsn)
		FROM pg_replication_slots WHERE slot_name = '$slot'")
	IFS='|' read -r active behind <<<"$state" || true
	# After it: a new set is there before anything is received into it.
	find_set
	[[ -n $set && $active == t ]] || die "nobody receives the log of this server"
	((${behind:-0} <= most_behind)) || die "what is received is $behind bytes behind"
	age=$(age_of_newest)
	[[ -n $age ]] || die "there is no base backup of this server yet"
	((age <= every_s + every_s / 2 + retry_s)) || die "the newest base backup is $age s old"
	say "good: base backup of $age s ago, log $behind bytes behind"
}

end() {
	sql "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
		WHERE slot_name = '$slot'" >/dev/null
	say "the server keeps no log for backups any more"
}

case ${1:-} in
run | base | check | end) "$1" ;;
*) die "usage: backup.sh run | base | check | end" ;;
esac
