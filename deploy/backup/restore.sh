#!/usr/bin/env bash
# Reads the backups of backup.sh; docs/operations/backup.md tells how to restore, step by step.
#
#   restore.sh list             base backups, and until when each can be followed
#   restore.sh verify [NAME]    read a base backup and its log; the newest unless named
#   restore.sh to [--replace] [--base NAME] MOMENT|latest
#                               make the data folder PGDATA as it was at a moment
#
# Environment: BACKUP_FOLDER, for `to` also PGDATA, whose server does not run. Not as root.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

segment_bytes=$((16 << 20))

path_of() {
	local path
	path=$(bases | awk -v name="$1" '$1 == name { print $2 }')
	[[ -n $path ]] || die "there is no base backup $1; \`list\` shows those there are"
	echo "$path"
}

date_of() { date -u '+%F %T+00' -r "$1"; }

list() {
	local name path
	while read -r name path; do
		echo "$name  $(du -sm "$path" | cut -f 1) MB  log until $(date_of "$(newest_file "${path%/base/*}")")"
	done < <(bases)
}

next_segment() {
	local whole=$((16#${1:8:8} * 256 + 16#${1:16:8} + 1))
	printf '%s%08X%08X\n' "${1:0:8}" $((whole / 256)) $((whole % 256))
}

# Whether a segment is whole, compressed or not.
whole() {
	[[ $(stat -c %s "$1" 2>/dev/null) == "$segment_bytes" ]] || gzip -t "$1.gz" 2>/dev/null
}

# Whether every segment from a base backup to the newest one is there and whole.
check_log() {
	local log=${1%/base/*}/wal name last kept
	name=$(first_segment "$1")
	last=$(newest_segment "${1%/base/*}")
	kept=$(date_of "$1")
	while [[ ! $name > $last ]]; do
		if [[ -e $log/$name || -e $log/$name.gz ]]; then
			whole "$log/$name" ||
				die "segment $name of the log is damaged: nothing after $kept can be restored" \
					"from base backup $(basename "$1")"
			kept=$(date_of "$log/$name" 2>/dev/null || date_of "$log/$name.gz")
		elif [[ ! ($name == "$last" && -e $log/$name.partial) ]]; then
			die "segment $name of the log is missing: nothing after $kept can be restored" \
				"from base backup $(basename "$1")"
		fi
		name=$(next_segment "$name")
	done
}

verify() {
	local path
	path=$(if [[ -n ${1:-} ]]; then path_of "$1"; else bases | tail -n 1 | cut -d ' ' -f 2; fi)
	[[ -n $path ]] || die "there is no base backup"
	pg_verifybackup --quiet "$path" || die "base backup $(basename "$path") is damaged"
	check_log "$path"
	say "base backup $(basename "$path") and its log are whole"
}

# The server's restore_command: SET FILE TARGET. It takes 1 for the log's end, 255 for a failure.
fetch() {
	local source=$1/wal/$2
	if [[ $2 =~ $segment && (-e $source || -e $source.gz) ]]; then
		whole "$source" || {
			say "segment $2 of the log is damaged"
			exit 255
		}
		# The one may have become the other just now.
		cp "$source" "$3" 2>/dev/null || gzip -dc "$source.gz" >"$3" || exit 255
	elif [[ -e $source ]]; then
		cp "$source" "$3"
	elif [[ -e $source.partial ]]; then
		cp "$source.partial" "$3"
	elif [[ $2 =~ $segment && $2 < $(newest_segment "$1") ]]; then
		say "segment $2 of the log is missing, and later ones are there"
		exit 255
	else
		exit 1
	fi
}

# The newest base backup that was complete at a moment.
choose() {
	local name path found=
	while read -r name path; do
		if (($(seconds "$name") <= $1)); then found=$path; fi
	done < <(bases)
	[[ -n $found ]] || die "no base backup is as old as that; \`list\` shows those there are"
	echo "$found"
}

make_room() {
	local free
	[[ -d $PGDATA && -w $PGDATA ]] || die "PGDATA, $PGDATA, is no folder that can be written to"
	if [[ -e $PGDATA/postmaster.pid ]]; then
		die "a server runs in $PGDATA, or did not end in order: stop it (or, if it is surely" \
			"gone, remove postmaster.pid)"
	fi
	free=$(($(df --output=avail -k "$PGDATA" | tail -n 1) + $(du -sk "$PGDATA" | cut -f 1)))
	(($(du -sk "$1" | cut -f 1) < free)) || die "the base backup does not fit into $PGDATA"
	if [[ -n $(ls -A "$PGDATA") ]]; then
		[[ -n $2 ]] || die "$PGDATA is not empty; --replace removes what is there"
		find "$PGDATA" -mindepth 1 -delete
	fi
}

give_up() {
	grep -E 'FATAL|PANIC|restore\.sh|last completed' "$1" >&2 || cat "$1" >&2
	if grep -q 'before configured recovery target' "$1"; then
		say "the log ends before that moment; \`latest\` restores to its end"
	fi
	die "not restored: what lies in $PGDATA is of no use"
}

# A server that nobody can reach follows the log; its settings are not those of the data folder.
recover() {
	local set=${1%/base/*} target=$2 work
	work=$(mktemp -d)
	echo 'local all all trust' >"$work/hba"
	: >"$work/ident"
	cat >"$work/conf" <<-END
		listen_addresses = ''
		port = 5432
		unix_socket_directories = '$work'
		hba_file = '$work/hba'
		ident_file = '$work/ident'
		log_timezone = 'UTC'
		# With it, the server would insist on settings as large as the other server's.
		hot_standby = off
		# It would ask for segments that are not needed any more.
		recovery_prefetch = off
		recovery_target_timeline = 'current'
		recovery_target_action = 'promote'
		restore_command = '"$BASH" "$(realpath "$0")" fetch "$set" "%f" "%p"'
	END
	if [[ $target != latest ]]; then
		echo "recovery_target_time = '$target'" >>"$work/conf"
	fi
	touch "$PGDATA/recovery.signal"
	postgres -D "$PGDATA" -c config_file="$work/conf" >"$work/log" 2>&1 &
	server=$!
	trap 'kill -INT $server; wait $server; die "interrupted: what lies in $PGDATA is of no use"' INT TERM
	until pg_isready -q -h "$work" -p 5432; do
		kill -0 "$server" 2>/dev/null || give_up "$work/log"
		sleep 0.2
	done
	kill -INT "$server"
	wait "$server"
	trap - INT TERM
	grep -oE 'last completed transaction was at .*' "$work/log" >&2 || true
	rm -rf "$work"
}

to() {
	local replace='' name='' moment path began=$SECONDS
	while [[ ${1:-} == --* ]]; do
		case $1 in
		--replace) replace=yes ;;
		--base)
			name=${2:?--base needs a name}
			shift
			;;
		*) die "there is no option $1" ;;
		esac
		shift
	done
	: "${PGDATA:?is not set}"
	[[ $(id -u) != 0 ]] || die "a server does not run as root: use the account that owns PGDATA"
	moment=${1:?usage: restore.sh to [--replace] [--base NAME] MOMENT|latest}
	if [[ $moment != latest ]]; then
		moment=$(date -u -d "$1" '+%F %T.%6N+00') || die "'$1' is no moment: 2026-01-31 23:59:59+00"
	fi
	path=$(if [[ -n $name ]]; then
		path_of "$name"
	else
		choose "$(date -d "$([[ $moment == latest ]] && date -u '+%F %T+00' || echo "$moment")" +%s)"
	fi)
	say "restoring to $moment from base backup $(basename "$path")"
	# All that can be known to be wrong is, before anything is removed.
	pg_verifybackup --quiet "$path" || die "base backup $(basename "$path") is damaged: --base" \
		"with an earlier one, of \`list\`"
	if [[ $moment == latest ]]; then check_log "$path"; fi
	make_room "$path" "$replace"
	chmod 0700 "$PGDATA"
	cp -a "$path/." "$PGDATA/"
	say "copied after $((SECONDS - began)) s; following the log"
	recover "$path" "$moment"
	say "restored to $moment in $((SECONDS - began)) s; the server may be started"
}

command=${1:-}
shift || true
case $command in
list | verify | to | fetch) "$command" "$@" ;;
*) die "usage: restore.sh list | verify [NAME] | to [--replace] [--base NAME] MOMENT|latest" ;;
esac
