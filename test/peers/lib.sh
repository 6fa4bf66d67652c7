# shellcheck shell=bash disable=SC2034 # what the tests look at
# lib.sh - what the tests against real peers share. Each script runs in a network namespace of its
# own (tools/run-peers makes it), with tern in $TERN and a directory for its files in $DIR.
#
# The host has 10.0.0.1 and fd00::1, tern 10.0.0.5 and fd00::5.
set -u
passed=0 failed=0
cd "$DIR" || exit 2
ip link set lo up

# ok NAME COMMAND...: the command is true
ok() {
	local name=$1
	shift
	if "$@" > "$DIR/ok.out" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "-- $name: '$*' says no"
		head -n 30 "$DIR/ok.out"
		return 1
	fi
}

# says NAME WORD FILE: the file holds the word, or is shown
says() {
	ok "$1" grep -q -- "$2" "$3" || head -n 30 "$3"
}

# compile_for_tern NAME: a program of test/posix, as it is, on the layer; with the build's sanitizers
compile_for_tern() {
	local build root cc flag
	build=$(dirname "$TERN") root=$(dirname "$LIB")/../..
	cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
	flag=$(sed -n 's/^TERN_SANITIZE_FLAG:INTERNAL=//p' "$build/CMakeCache.txt")
	ok "$1 compiles" "$cc" ${flag:+"$flag"} -I"$root/include" -include tern_posix_map.h -o "$1" \
		"$root/test/posix/$1.c" "$build/libtern_posix.a" -lpthread
}

finish() {
	[ -z "${nginx_pid:-}" ] || kill "$nginx_pid"
	echo "$passed passed, $failed failed, 0 skipped"
	[ "$failed" -eq 0 ]
	exit
}

# link KIND: makes a link; tern's options for it are then in $dev (an array)
link() {
	case $1 in
	tap | tap-plain) make_tun tap ;;
	tun) make_tun tun ;;
	veth) make_veth ;;
	esac
	[ "$1" = tap-plain ] && dev+=(--no-offload)
	dev+=(--addr 10.0.0.5/24 --addr6 fd00::5/64)
}

name_host() {
	ip addr add 10.0.0.1/24 dev "$1"
	ip -6 addr add fd00::1/64 dev "$1" nodad
	ip link set "$1" up
}

make_tun() {
	ip tuntap add tern0 mode "$1"
	name_host tern0
	dev=(--dev "$1:tern0")
}

# tern listens on one end by AF_PACKET; the other end is the host's
make_veth() {
	ip link add tern0 type veth peer name tern1
	name_host tern0
	ip link set tern1 up
	dev=(--dev packet:tern1)
}

# The kernel becomes a router. Not by tern's end of a veth pair: it would pass on what is for tern.
be_router() {
	echo 1 > /proc/sys/net/ipv4/ip_forward
	echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
	[ -e /proc/sys/net/ipv4/conf/tern1 ] || return 0
	echo 0 > /proc/sys/net/ipv4/conf/tern1/forwarding
	echo 1 > /proc/sys/net/ipv6/conf/tern1/disable_ipv6
}

unlink_all() {
	ip link del tern0
}

# wait_for COMMAND...: up to five seconds
wait_for() {
	local i
	for ((i = 0; i < 100; i++)); do
		"$@" > /dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}

listens() {
	ss -ltn "sport = :$1" | grep -q LISTEN
}

hears() { # UDP
	ss -lun "sport = :$1" | grep -q UNCONN
}

answers() {
	ping -c 1 -W 1 "$1"
}

# echoed FILE: it comes back from the host's UDP echo. A datagram may be lost: the host drops what it
# sends while a device comes up. One of three has to return.
echoed() {
	local echo_pid try code=1
	timeout 30 python3 - <<-EOF &
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("10.0.0.1", 9004))
		while True: s.sendto(*s.recvfrom(65535))
	EOF
	echo_pid=$!
	wait_for hears 9004
	for try in 1 2 3; do
		(cat "$1"; sleep 1) | timeout 5 "$TERN" nc "${dev[@]}" -u 10.0.0.1 9004 > "echo.$try"
		cmp "$1" "echo.$try" && code=0 && break
	done
	kill $echo_pid
	return $code
}

start_nginx() {
	mkdir -p www
	cat > nginx.conf <<-EOF
		user root; daemon off; worker_processes 1; pid $DIR/nginx.pid; error_log $DIR/nginx.err;
		events { worker_connections 512; }
		http {
			access_log off; sendfile on;
			client_body_temp_path $DIR/n1; proxy_temp_path $DIR/n2; fastcgi_temp_path $DIR/n3;
			uwsgi_temp_path $DIR/n4; scgi_temp_path $DIR/n5;
			server {
				listen 80; listen [::]:80; root $DIR/www;
				location = /moved { return 302 /small; }
				location = /round { return 302 /round; }
			}
		}
	EOF
	chmod 755 "$DIR"
	nginx -c "$DIR/nginx.conf" &
	nginx_pid=$!
	wait_for listens 80
}

start_serve() { # options of tern serve
	"$TERN" serve "${dev[@]}" "$@" 2> serve.err &
	serve_pid=$!
	wait_for answers 10.0.0.5
}

stop_serve() {
	kill -INT "$serve_pid"
	wait "$serve_pid"
}
