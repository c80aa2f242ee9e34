#!/bin/bash
# bmd_ca.sh - bmd-ca makes what openssl takes for what it is, overwrites nothing, keeps keys to their owner.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
. "$(dirname "$0")/../lib/database.sh"
work=$(mktemp -d /tmp/bmd-test.XXXXXX)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
bmd_ca() { "$top/tools/bmd-ca/bmd-ca" "$@"; }

# runs NAME CODE REGEX ARGUMENT...: exit code, and what is said on standard error.
runs() {
	local name=$1 code=$2 regex=$3 got=0
	shift 3
	bmd_ca "$@" > out 2> err || got=$?
	if [ "$got" -ne "$code" ]; then
		not_ok "$name" "exit code $got, not $code: $(tail -n 3 err)"
	elif [ -n "$regex" ] && ! grep -Eq "$regex" err; then
		not_ok "$name" "'$regex' is not in: $(cat err)"
	else
		ok "$name"
	fi
}
# says NAME REGEX COMMAND...
says() {
	local name=$1 regex=$2 got
	shift 2
	got=$("$@" 2>&1)
	if [[ $got =~ $regex ]]; then ok "$name"; else not_ok "$name" "'$regex' is not in '$got'"; fi
}
names_of() { openssl x509 -in "$1" -noout -ext subjectAltName,extendedKeyUsage; }
checked() { openssl verify -CAfile ca/ca.crt -CRLfile ca/ca.crl -crl_check -purpose "$1" "$2"; }

runs "an authority" 0 '' init --dir ca
runs "is not made over another" 1 'already' init --dir ca
runs "a server's certificate" 0 '' server --dir ca bmd.example 192.0.2.10
says "is one of a server" 'OK' checked sslserver ca/server-bmd.example.crt
says "with its names and addresses" 'DNS:bmd.example, IP Address:192.0.2.10' names_of ca/server-bmd.example.crt
runs "a technician's certificate" 0 '' technician --dir ca carol@bmd.example
says "names the technician" 'URI:sip:carol@bmd.example' names_of ca/technician-carol.crt
runs "a collector's certificate" 0 '' collector --dir ca home-1
says "names the collector, and is for clients only" 'TLS Web Client Authentication *X509v3 Subject Alternative Name: *URI:urn:bmd:collector:home-1' \
	bash -c "openssl x509 -in ca/collector-home-1.crt -noout -ext subjectAltName,extendedKeyUsage | tr '\n' ' ' | sed 's/  */ /g'"
says "and no server's" 'unsuitable|unsupported' checked sslserver ca/collector-home-1.crt
runs "nothing is overwritten" 1 'there already' collector --dir ca home-1
says "keys are their owner's only" '^600 600 600 600 $' bash -c 'stat -c %a ca/*.key ca/private/ca.key | tr "\n" " "'
says "a certificate is valid" 'OK' checked sslclient ca/collector-home-1.crt
runs "until it is revoked" 0 '' revoke --dir ca ca/collector-home-1.crt
says "and then it is not" 'revoked' checked sslclient ca/collector-home-1.crt
says "but others are" 'OK' checked sslclient ca/technician-carol.crt
runs "it is not revoked twice" 1 'lready revoked' revoke --dir ca ca/collector-home-1.crt
says "the list says so" 'revoked [0-9]+Z /CN=home-1' bmd_ca list --dir ca
runs "the revocation list is written anew" 0 '' crl --dir ca --days 7
runs "a name that is none" 2 'is not 1 to 31' collector --dir ca 'home 1'
runs "a technician without a domain" 2 'USER@DOMAIN' technician --dir ca carol
runs "a server without a name" 2 'needs a host' server --dir ca
runs "days that are none" 2 'is not a number' crl --dir ca --days soon
runs "an unknown command" 2 'unknown command' sign --dir ca
runs "no authority there" 1 'bmd-ca init' collector --dir other home-1
finish
