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
	cmd | gateway | host | install | posix | run | twin) true ;;
	*) false ;;
	esac
}

# For sh -c, with BUILD, $outs and NAME: a test program (by $emulator, if any), or the path of a script.
# shellcheck disable=SC2016,SC2034 # the inner shell's; for who reads this in
run_one='name=$(echo "$2" | tr / .)
case $2 in
*.check) sh "$2" "$0" ;;
*) ${emulator:-} "$0/test/$2" ;;
esac > "$1/$name" 2>&1
echo $? > "$1/$name.code"'

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
