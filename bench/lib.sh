# shellcheck shell=bash
# lib.sh - what the benchmarks over devices share: a namespace of their own, and another at the far
# end of a veth pair.

# enter_namespace SCRIPT ARGUMENTS...: runs the script anew in a network namespace, once
enter_namespace() {
	local inside=(unshare -n)
	[ "${TERN_BENCH_INSIDE:-}" != yes ] || return 0
	[ "$(id -u)" -eq 0 ] || inside=(unshare -Urn)
	TERN_BENCH_INSIDE=yes exec "${inside[@]}" "$@"
}

# far_end: 10.1.0.1 here, 10.1.0.2 in the namespace of the process far_pid, which keeps it
far_end() {
	unshare -n sleep 1000 &
	far_pid=$!
	ip link add veth0 type veth peer name veth1
	ip addr add 10.1.0.1/24 dev veth0 && ip link set veth0 up
	sleep 0.2
	ip link set veth1 netns $far_pid
	nsenter -t $far_pid -n sh -c 'ip link set lo up; ip addr add 10.1.0.2/24 dev veth1; ip link set veth1 up'
}
