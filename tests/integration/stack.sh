#!/bin/bash
# stack.sh - bmd-stack starts and ends exactly its own, and Kamailio's configuration relays nothing.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
stack=$top/tools/bmd-stack/bmd-stack
work=$(mktemp -d /tmp/bmd-test.XXXXXX)
chmod 711 "$work"
# three ports, which no other test is given while this one runs
coproc ports { exec python3 -c '
import sys
sys.path.insert(0, sys.argv[1])
import stack
print(*[stack.free_port() for _ in range(3)], flush=True)
sys.stdin.read()' "$top/tests/lib"; }
read -r port http_port free_port <&"${ports[0]}"
end() {
	"$stack" down --purge --dir "$work/a folder" > /dev/null 2>&1
	"$stack" down --purge --dir "$work/s" > /dev/null 2>&1
	rm -rf "$work"
}
trap end EXIT

# runs NAME CODE REGEX ARGUMENT...: exit code, and what is said on standard error.
runs() {
	local name=$1 code=$2 regex=$3 got=0
	shift 3
	"$stack" "$@" > "$work/out" 2> "$work/err" || got=$?
	if [ "$got" -ne "$code" ]; then
		not_ok "$name" "exit code $got, not $code: $(tail -n 3 "$work/err")"
	elif [ -n "$regex" ] && ! grep -Eq "$regex" "$work/err"; then
		not_ok "$name" "'$regex' is not in: $(cat "$work/err")"
	else
		ok "$name"
	fi
}
# says NAME EXPECTED COMMAND...
says() {
	local name=$1 expected=$2 got
	shift 2
	got=$("$@" 2>&1)
	if [ "$got" = "$expected" ]; then ok "$name"; else not_ok "$name" "expected '$expected', got '$got'"; fi
}
field() { jq -r ".$1" "$work/stack.json"; }

cd "$work" || exit 1
runs "a stack comes up from nothing, with a relative folder" 0 'applied 0001' up --dir s --sip-port "$port" --http-port "$http_port"
cp "$work/out" "$work/stack.json"
[ -s "$work/stack.json" ] || finish || exit 1
says "standard output is one JSON object" "1" jq -s length "$work/stack.json"
says "its passwords are generated, 32 digits each, all different" "3" jq '[.technicians[].password | select(test("^[0-9a-f]{32}$"))] | unique | length' "$work/stack.json"
says "password files are the owner's only" "600" stat -c %a "$(field 'technicians[0].password_file')"
says "kamcmd answers" "1" bash -c "kamcmd -s $(field ctl) core.uptime | grep -c uptime:"
says "the database answers" "2" psql -XAt "$(field db)" -c 'SELECT count(*) FROM bmd_device'
if [ "$(id -u)" -eq 0 ]; then
	says "Kamailio does not run as root" "kamailio" ps -o user= -p "$(field pid)"
	says "another user of the machine cannot read the database" "1" bash -c "runuser -u nobody -- psql '$(field db)' -c 'SELECT 1' 2>&1 | grep -c 'Peer authentication failed'"
fi
says "no password of a technician is in the configuration or in a log" "" grep -rlF "$(field 'technicians[0].password')" s/etc s/log s/postgresql.log

runs "up again is the same stack" 0 '' up --dir s
says "with the same process" "$(field pid)" jq .pid "$work/out"
runs "other settings for a running stack are refused" 1 "runs with sip_port=$port" up --dir s --sip-port 5999
runs "a taken SIP port is a clear error" 1 "udp 127.0.0.1:$port cannot be used: Address already in use" up --dir t --sip-port "$port" --http-port "$free_port"
runs "a taken HTTP port is a clear error" 1 "tcp 127.0.0.1:$http_port cannot be used" up --dir t --sip-port "$free_port" --http-port "$http_port"

sip() { python3 "$top/tests/lib/sip_request.py" "$work/stack.json" "$@"; }
domain=$(field domain)
says "OPTIONS names the event package" "200 Allow-Events: bmd-alert, bmd-alert.winfo" sip OPTIONS "sip:$domain" --show Allow-Events
says "a request for a foreign domain is not relayed" "403" sip OPTIONS sip:elsewhere.example
says "a call for a foreign domain is not relayed" "403" sip INVITE sip:bob@elsewhere.example
says "an in-dialog request with a Route is not relayed" "403" sip BYE sip:bob@elsewhere.example --header "Route: <sip:127.0.0.1:$port;lr>" --to-tag x
says "a method that is not served is refused" "405" sip INVITE "sip:tech1@$domain"
says "REGISTER without password is challenged" "401" sip REGISTER "sip:$domain"
says "REGISTER with a wrong password is challenged again" "401" sip REGISTER "sip:$domain" --user tech1 --password wrong
says "REGISTER with the password is accepted" "200" sip REGISTER "sip:$domain" --user tech1
says "REGISTER of somebody else's address is refused" "403" sip REGISTER "sip:$domain" --user tech1 --to "sip:tech2@$domain"
says "From must be the authenticated user" "403" sip MESSAGE "sip:tech1@$domain" --user tech1 --from "sip:tech2@$domain"
says "a foreign From is refused" "403" sip MESSAGE "sip:tech1@$domain" --from sip:tech1@elsewhere.example
says "MESSAGE without password is challenged" "401" sip MESSAGE "sip:tech1@$domain"
says "MESSAGE to somebody who is not registered" "404" sip MESSAGE "sip:tech3@$domain" --user tech1
says "SUBSCRIBE without password is challenged" "401" sip SUBSCRIBE "sip:tech1@$domain" --header 'Event: bmd-alert'
says "SUBSCRIBE to an unknown event" "489 Allow-Events: bmd-alert.winfo, bmd-alert" sip SUBSCRIBE "sip:tech1@$domain" --user tech1 --header 'Event: presence' --show Allow-Events
says "SUBSCRIBE for too short a time" "423 Min-Expires: 60" sip SUBSCRIBE "sip:tech1@$domain" --user tech1 --header 'Event: bmd-alert' --header 'Accept: application/dmp' --header 'Expires: 5' --show Min-Expires
says "PUBLISH of alerts is refused" "403" sip PUBLISH "sip:tech1@$domain" --header 'Event: bmd-alert'
says "PUBLISH of anything else is an unknown event" "489" sip PUBLISH "sip:tech1@$domain" --header 'Event: presence'
says "NOTIFY without subscription is refused" "481" sip NOTIFY "sip:tech1@$domain" --header 'Event: bmd-alert'

http() { curl -s -m 5 -o /dev/null -w '%{http_code}' "$@"; }
url=$(field http)
says "HTTP: other methods of RPC are refused" "400" http -d '{"jsonrpc":"2.0","method":"core.kill","id":1}' "$url"
says "HTTP: also when the name is written in another way" "400" http -d '{"m\u0065thod":"core.kill","method":"bmd.report","jsonrpc":"2.0"}' "$url"
says "HTTP: also when the key is in capitals" "400" http -d '{"jsonrpc":"2.0","METHOD":"core.kill","method":"bmd.report"}' "$url"
says "HTTP: an array of calls is refused" "400" http -d '[{"jsonrpc":"2.0","method":"bmd.report","id":1}]' "$url"
says "HTTP: GET is refused" "405" http "$url"
says "HTTP: an empty body is refused" "400" http -X POST "$url"
says "HTTP: another path is not found" "404" http -d x "${url%/RPC}/"
says "HTTP: the SIP port serves none" "404" http -d '{"jsonrpc":"2.0","method":"bmd.report","id":1}' "http://127.0.0.1:$port/RPC"

runs "kill9 ends Kamailio" 0 '' kill9 --dir s
says "all of it" "" pgrep -f "^kamailio .*$work/s/etc"
runs "status says so" 1 'Kamailio does not run' status --dir s
runs "restart brings it back" 0 '' restart --dir s
runs "status says that as well" 0 '' status --dir s
runs "down ends it" 0 '' down --dir s
says "nothing of it runs" "" pgrep -f "$work/s"
says "its folder of sockets is gone" "" bash -c "ls -d '$(dirname "$(dirname "$(field ctl | sed s/unix://)")")' 2> /dev/null"
runs "down again is no error" 0 '' down --dir s
runs "up again has the same data" 0 '' up --dir s
says "and passwords" "$(field 'technicians[0].password')" jq -r '.technicians[0].password' "$work/out"
runs "down --purge deletes the folder" 0 '' down --purge --dir s
says "all of it is gone" "" bash -c "ls -d s t/pg 2> /dev/null"
runs "a folder that Kamailio's configuration cannot name is refused" 1 'has characters' up --dir "a folder"
runs "a stack that does not exist is a clear error" 1 'no folder' status --dir nothing
runs "a configuration of one's own that is not there is a usage error" 2 "nowhere.cfg' cannot be read" up --dir s --config nowhere.cfg
runs "a wrong port is a usage error" 2 "is not a port" up --dir s --sip-port 99999
finish
