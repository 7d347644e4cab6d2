# Sourced by everything that runs in the new kernel. POSIX sh and coreutils only: between the jump and the last
# restored workload no Node process runs (docs/handover.md describes the files that are read here).
#
# Sets: SEGUE_ID (empty when this boot is neither a jump nor a way back), SEGUE_HANDOVER (the folder that crossed the
# jump), SEGUE_WAY_BACK (empty after a jump; else `restore`, `afresh` or `lost`, see boot/way-back), SEGUE_RUN.

umask 077
SEGUE_RUN=/run/segue
SEGUE_ID=
SEGUE_WAY_BACK=
SEGUE_STORE=/var/lib/segue
read -r segue_cmdline </proc/cmdline
for segue_word in $segue_cmdline; do
	case $segue_word in
	segue.upgrade=*) SEGUE_ID=${segue_word#*=} ;;
	segue.store=*) SEGUE_STORE=${segue_word#*=} ;;
	esac
done
# The word ends up in a path: nothing but what `segue upgrade` writes there.
case $SEGUE_ID in *[!0-9A-Za-z-]*) SEGUE_ID= ;; esac
# The way back is an ordinary boot: its command line knows nothing.
if [ -z "$SEGUE_ID" ] && [ -e "$SEGUE_RUN/way-back" ]; then
	read -r SEGUE_ID SEGUE_STORE SEGUE_WAY_BACK _ <"$SEGUE_RUN/way-back"
fi
SEGUE_UPGRADE=$SEGUE_STORE/upgrades/$SEGUE_ID
SEGUE_HANDOVER=$SEGUE_UPGRADE/handover
# Whoever starts a kernel with the command line of this one (kexec --reuse-cmdline) wants no more of what is over.
[ ! -e "$SEGUE_UPGRADE/settled" ] || SEGUE_ID=

# skipped WHAT: says, and notes for the report, what the new kernel does not take back.
skipped() {
	echo "<4>segue: not put back: $1"
	journal state-skipped what "$1"
}

# journal EVENT [KEY VALUE]... [FILE]: appends one event, on disk before this returns, as FILE is. Values are plain words. Each
# process that is spared here is spared several times for each workload, while it waits.
journal() {
	read -r _ _ segue_kernel _ </proc/version
	segue_line="{\"at\":\"$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)\",\"kernel\":\"$segue_kernel\",\"event\":\"$1\""
	shift
	while [ $# -ge 2 ]; do
		case $2 in
		*[!A-Za-z0-9@.,:/_\ -]*) segue_value=$(printf %s "$2" | tr '\n\t' '  ' | sed 's/[\\"]/\\&/g' | tr -d '\000-\037') ;;
		*) segue_value=$2 ;;
		esac
		segue_line="$segue_line,\"$1\":\"$segue_value\""
		shift 2
	done
	printf '%s}\n' "$segue_line" >>"$SEGUE_UPGRADE/journal.ndjson"
	sync "$SEGUE_UPGRADE/journal.ndjson" "$@"
}
