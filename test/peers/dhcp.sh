# shellcheck shell=bash disable=SC2034,SC2154 # dev and pids are those of lib.sh
# dhcp.sh - servers of DHCP for tests on a TAP, which is tern's end; the host's end is $link.
link=tern0

# The TAP and a veth pair on a bridge, which is the host's end: it runs also while tern does not.
make_bridge() {
	ip tuntap add tern0 mode tap
	ip link add br0 type bridge
	ip link add v0 type veth peer name v1
	ip link set tern0 master br0 up
	ip link set v0 master br0 up
	ip link set v1 up
	link=br0
	name_host br0
}

unlink_bridge() {
	ip link del br0
	ip link del v0 2> /dev/null
	link=tern0
	unlink_all
}

# tells OBJECT: what tern ip says of it, configured by the network, in the file told
tells() {
	timeout 40 "$TERN" ip --dev tap:tern0 --auto "$1" > "$DIR/told" 2>&1
}

# dnsmasq with these options, in its log what it does
start_dnsmasq() {
	dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface="$link" \
		--bind-dynamic --dhcp-leasefile="$DIR/leases" --dhcp-authoritative --no-ping \
		--log-dhcp --dhcp-sequential-ip --pid-file= --user=root "$@" \
		--log-facility="$DIR/dnsmasq.log" > /dev/null 2>&1 &
	dnsmasq_pid=$!
	wait_for grep -q started dnsmasq.log
}

stop_dnsmasq() {
	kill "$dnsmasq_pid"
	wait "$dnsmasq_pid" 2> /dev/null
	mv dnsmasq.log last.log
	rm -f leases
}

logged() { # WORD N: so many lines at least
	[ "$(grep -c -- "$1" dnsmasq.log)" -ge "$2" ]
}

never() { # WORD FILE
	! grep -q -- "$1" "$2"
}

# wait_long COMMAND...: up to forty seconds
wait_long() {
	local i
	for ((i = 0; i < 8; i++)); do
		wait_for "$@" && return 0
	done
	return 1
}

# the host's own link-local address has been found good
wait_link_local() {
	wait_for sh -c "ip -6 addr show dev $link scope link -tentative | grep -q fe80"
}

start_auto() {
	"$TERN" serve --dev tap:tern0 --auto . 2> serve.err &
	serve_pid=$!
}
