# kamailio.sh - Kamailio of one stack: configuration, start, readiness, end.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Sourced by bmd-stack, which sets dir, top, conf and gives fail, say and conninfo.

# For tests: another build of the modules, and a library they need to be there before Kamailio.
modules=${BMD_MODULES:-$top/build/modules}
preload=${BMD_PRELOAD:-}
# and a command that starts it, such as tests/lib/confined.py with its unit
read -ra launcher <<< "${BMD_LAUNCHER:-}"

kamailio_user() {
	if [ "$(id -u)" -eq 0 ]; then echo kamailio; else id -un; fi
}

check_modules() {
	local name
	[ "${conf[stock]}" = no ] || return 0
	for name in bmd db_bmd presence_bmd; do
		[ -r "$modules/$name.so" ] || fail "$modules/$name.so is missing: run make first"
	done
}

wanted_ports() {
	local name
	printf '%s\n' "udp:${conf[sip_port]}" "tcp:${conf[sip_port]}" "tcp:${conf[http_port]}"
	[ -z "${conf[md5_port]}" ] || printf '%s\n' "udp:${conf[md5_port]}" "tcp:${conf[md5_port]}"
	for name in tls_port https_port; do
		[ -z "${conf[$name]}" ] || printf 'tcp:%s\n' "${conf[$name]}"
	done
}

# Kamailio itself would share a UDP port with another process: so ask before.
check_ports() {
	local wanted
	mapfile -t wanted < <(wanted_ports)
	python3 - "${conf[host]}" "${wanted[@]}" << 'END' >&2 || exit 1
import socket
import sys

host = sys.argv[1]
for wanted in sys.argv[2:]:
    kind, port = wanted.split(":")[0], int(wanted.split(":")[1])
    s = socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    if kind == "tcp":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind((host, port))
        if kind == "tcp":
            s.listen()
    except OSError as e:
        sys.exit(f"bmd-stack: {kind} {host}:{port} cannot be used: {e.strerror}")
    s.close()
END
}

write_configuration() {
	local name
	rm -rf "${dir:?}/etc"
	cp -r "$top/kamailio-cfg" "$dir/etc"
	[ -z "${conf[config]}" ] || cp "${conf[config]}" "$dir/etc/kamailio.cfg" || fail "'${conf[config]}' cannot be read"
	{
		printf '# site.cfg - written by bmd-stack; changes are lost.\n'
		printf '#!define BMD_DOMAIN "%s"\nalias="%s"\n' "${conf[domain]}" "${conf[domain]}"
		printf 'listen=%s\n' "udp:${conf[host]}:${conf[sip_port]}" "tcp:${conf[host]}:${conf[sip_port]}" \
			"tcp:${conf[host]}:${conf[http_port]}"
		if [ "${conf[ipv6]}" = yes ]; then
			printf 'listen=%s\n' "udp:[::1]:${conf[sip_port]}" "tcp:[::1]:${conf[sip_port]}"
			printf '#!define BMD_CALL_SOCKET "udp:[::1]:%s"\n' "${conf[sip_port]}"
		fi
		[ -z "${conf[md5_port]}" ] || printf 'listen=udp:%s:%s\nlisten=tcp:%s:%s\n#!define BMD_MD5_PORT %s\n' \
			"${conf[host]}" "${conf[md5_port]}" "${conf[host]}" "${conf[md5_port]}" "${conf[md5_port]}"
		[ "${conf[DIGEST_MD5]}" = 0 ] || printf '#!define BMD_DIGEST_MD5\n'
		tls_site
		printf '#!define BMD_INTAKE_IP "%s"\n#!define BMD_INTAKE_PORT %s\n' "${conf[host]}" "${conf[http_port]}"
		printf '#!substdef "!BMD_CONNINFO!%s!g"\n' "$(conninfo kamailio)"
		printf '#!substdef "!BMD_CTL!unix:%s/kamailio/ctl!g"\n' "${conf[sockets]}"
		printf '#!define BMD_LOG_STDERR\n'
		[ "${conf[stock]}" = no ] || printf '#!define BMD_STOCK\n'
		[ -z "${conf[announcement]}" ] || printf '#!define BMD_ANNOUNCEMENT "%s"\n' "${conf[announcement]}"
		[ "${conf[CALL_IN_SEQUENCE]}" = 0 ] || printf '#!define BMD_CALL_IN_SEQUENCE\n'
		for name in UDP_WORKERS TCP_WORKERS TCP_BUFFER TCP_CONNECTIONS DEVICES ALERTS RECIPIENTS REACHED JOURNAL_MB NOTIFIERS \
			METRICS SUBSCRIPTIONS MEMORY_RESERVE CALL_HOLD CALL_LIMIT RING_MS SOURCE_REQUESTS STRANGERS FLOW_REQUESTS PERSON_REQUESTS \
			FEED_REQUESTS; do
			# limits.cfg has its own defaults
			[ "${conf[$name]}" = default ] || printf '#!define BMD_%s %s\n' "$name" "${conf[$name]}"
		done
	} > "$dir/etc/bmd/site.cfg"
}

# Start time of a process, in clock ticks since boot; with its number it names a process for ever.
process_birth() {
	local stat
	stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086
	set -- $stat
	[ "$1" != Z ] && echo "${20}"
}

# Number of our Kamailio's main process; 1 when it does not run.
kamailio_pid() {
	local pid birth
	[ -r "$dir/run/kamailio" ] || return 1
	read -r pid birth < "$dir/run/kamailio" || return 1
	[ "$(process_birth "$pid")" = "$birth" ] || return 1
	echo "$pid"
}

# Processes of our Kamailio, also when the main one is gone: all are in the session it began.
# A number is not given to a new process while a session of that number exists.
kamailio_processes() {
	local pid birth now
	[ -r "$dir/run/kamailio" ] || return 0
	read -r pid birth < "$dir/run/kamailio" || return 0
	now=$(process_birth "$pid") || now=$birth
	[ "$now" = "$birth" ] || return 0
	pgrep -s "$pid" -x kamailio || true
}

sip_options() {
	local id=$$.$RANDOM$RANDOM line
	exec 8<> "/dev/udp/${conf[host]}/${conf[sip_port]}" || return 1
	printf '%s\r\n' "OPTIONS sip:${conf[host]}:${conf[sip_port]} SIP/2.0" \
		"Via: SIP/2.0/UDP ${conf[host]}:9;rport;branch=z9hG4bK$id" 'Max-Forwards: 1' \
		"From: <sip:ready@${conf[domain]}>;tag=$id" "To: <sip:${conf[host]}:${conf[sip_port]}>" \
		"Call-ID: $id" 'CSeq: 1 OPTIONS' 'Content-Length: 0' '' > "$dir/run/options"
	# one write, one datagram
	cat "$dir/run/options" >&8 2> /dev/null || return 1
	# one read, one datagram: bash's own read takes single bytes
	line=$(timeout 1 dd bs=65536 count=1 <&8 2> /dev/null) || return 1
	exec 8>&-
	[[ $line == 'SIP/2.0 200'* ]]
}

kamailio_answers() {
	timeout 5 kamcmd -s "unix:${conf[sockets]}/kamailio/ctl" core.uptime > /dev/null 2>&1 &&
		curl -s -m 5 -o /dev/null -X POST "http://${conf[host]}:${conf[http_port]}/RPC" && sip_options
}

start_kamailio() {
	local pid deadline rights=()
	check_modules
	check_ports
	place_certificates
	write_configuration
	[ "$(id -u)" -ne 0 ] || rights=(-u kamailio -g kamailio)
	# its own session: the whole of it can be found and ended, and a ^C to us does not reach it
	LD_PRELOAD=$preload setsid "${launcher[@]}" kamailio -DD -E -x tlsf -f "$dir/etc/kamailio.cfg" -m "${conf[memory]}" -M 16 -Y "${conf[sockets]}/kamailio" \
		-L "$modules/:/usr/lib/x86_64-linux-gnu/kamailio/modules/" "${rights[@]}" \
		>> "$dir/log/kamailio.log" 2>&1 < /dev/null 8>&- 9>&- &
	pid=$!
	disown
	printf '%s %s\n' "$pid" "$(process_birth "$pid")" > "$dir/run/kamailio"
	deadline=$((SECONDS + 60))
	while [ "$SECONDS" -lt "$deadline" ]; do
		kamailio_pid > /dev/null || break
		! kamailio_answers || return 0
		sleep 0.1
	done
	say "Kamailio did not start; the end of $dir/log/kamailio.log:"
	tail -n 8 "$dir/log/kamailio.log" >&2
	stop_kamailio
	exit 1
}

stop_kamailio() {
	local pid tries
	if pid=$(kamailio_pid); then
		kill -TERM "$pid" 2> /dev/null || true
		for ((tries = 0; tries < 150; tries++)); do
			[ -n "$(kamailio_processes)" ] || break
			sleep 0.1
		done
	fi
	[ -z "$(kamailio_processes)" ] || kill9_kamailio
	rm -f "$dir/run/kamailio"
}

kill9_kamailio() {
	local tries processes
	for ((tries = 0; tries < 50; tries++)); do
		processes=$(kamailio_processes)
		[ -n "$processes" ] || return 0
		# shellcheck disable=SC2086
		kill -KILL $processes 2> /dev/null || true
		sleep 0.1
	done
	fail "processes of Kamailio are left: $processes"
}
