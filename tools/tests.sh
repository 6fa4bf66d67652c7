# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# For those that run test programs: what each says goes to $outs/NAME, its exit code to
# $outs/NAME.code; counts are in passed, failed and skipped.
passed=0 failed=0 skipped=0
outs=$(mktemp -d) || exit 2
trap 'rm -rf "$outs"' EXIT

# Does a directory of test/ touch the operating system? The others live in virtual time.
touches_system() {
	case $1 in
	cmd | gateway | host | posix | run | twin) true ;;
	*) false ;;
	esac
}

# The test programs of directories of test/; without any, of all those that live in virtual time.
programs_of() { # DIRECTORY...
	if [ $# -eq 0 ]; then
		for place in test/*/; do
			place=$(basename "$place")
			touches_system "$place" || set -- "$@" "$place"
		done
	fi
	for place in "$@"; do
		for source in test/"$place"/*_test.c; do
			[ ! -e "$source" ] || basename "$source" .c
		done
	done
}

# Builds with the words behind "--" and runs the programs, each by RUN, which may be empty.
build_and_run() { # DIR RUN NAME... -- CMAKE-FLAGS...
	dir=$1 run=$2 names=''
	shift 2
	while [ "$1" != -- ]; do
		names="$names $1"
		shift
	done
	shift
	jobs=$(nproc 2> /dev/null || echo 2)
	# shellcheck disable=SC2086 # a list of names
	if ! { cmake -S . -B "$dir" -DCMAKE_BUILD_TYPE=Debug "$@" &&
		make -s -C "$dir" -j "$jobs" tern_cmd $names; } > "$outs/log" 2>&1; then
		cat "$outs/log"
		echo "0 passed, 1 failed, 0 skipped"
		exit 1
	fi
	# shellcheck disable=SC2016,SC2086 # $0 to $3 are the inner shell's; a list of names
	printf '%s\n' $names | xargs -P "$jobs" -n 1 \
		sh -c '$0 "$1/test/$3" > "$2/$3" 2>&1; echo $? > "$2/$3.code"' "$run" "$dir" "$outs"
	for name in $names; do
		count "$name"
	done
}

# A program that dies, or whose last line is no count, is one failure.
count() { # NAME
	out=$outs/$1
	code=$(cat "$out.code" || echo 1)
	last=$(tail -n 1 "$out")
	case $last in
	*" passed, "*" failed"*)
		p=$(echo "$last" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
		f=$(echo "$last" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
		s=$(echo "$last" | sed -n 's/.* \([0-9]*\) skipped.*/\1/p')
		;;
	*) p=0 f=1 s=0 ;;
	esac
	if [ "$code" -ne 0 ] && [ "${f:-0}" -eq 0 ]; then
		f=1
	fi
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
	if [ "${f:-0}" -ne 0 ]; then
		echo "-- $1 (exit $code)"
		cat "$out"
	elif [ "${s:-0}" -ne 0 ]; then
		grep '^skipped:' "$out"
	fi
}
