# tls.sh - certificates of one stack, and what its configuration says of TLS.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Sourced by bmd-stack, which sets dir, top and conf and gives fail.

with_tls() { [ "${conf[stock]}" = no ] && [ -n "${conf[tls_port]}${conf[https_port]}" ]; }

# An authority of the stack's own, once; its files where Kamailio reads them, each time.
place_certificates() {
	local ca=$dir/ca certificate
	with_tls || return 0
	certificate=$ca/server-${conf[host]}
	[ -e "$ca/ca.crt" ] || "$top/tools/bmd-ca/bmd-ca" init --dir "$ca" > /dev/null || fail "no authority"
	[ -e "$certificate.crt" ] ||
		"$top/tools/bmd-ca/bmd-ca" server --dir "$ca" "${conf[host]}" "${conf[domain]}" localhost > /dev/null ||
		fail "no certificate of the server"
	mkdir -p "$dir/tls"
	cp "$ca/ca.crt" "$ca/ca.crl" "$dir/tls"
	(umask 077 && cp "$certificate.crt" "$dir/tls/server.crt" && cp "$certificate.key" "$dir/tls/server.key")
	tls_domains > "$dir/tls/domains.cfg"
	chmod 700 "$dir/tls"
	chown -R "$(kamailio_user)" "$dir/tls"
}

tls_domain() {
	printf '[%s]\nmethod = TLSv1.2+\nverify_depth = 3\n' "$1"
	printf '%s = %s\n' certificate "$dir/tls/server.crt" private_key "$dir/tls/server.key" \
		ca_list "$dir/tls/ca.crt" crl "$dir/tls/ca.crl"
}

tls_domains() {
	printf '# written by bmd-stack; changes are lost\n'
	tls_domain server:default
	printf 'verify_certificate = yes\nrequire_certificate = no\n'
	if [ -n "${conf[https_port]}" ]; then
		tls_domain "server:${conf[host]}:${conf[https_port]}"
		printf 'verify_client = optional_no_ca\n'
	fi
	tls_domain client:default
	printf 'verify_certificate = yes\nrequire_certificate = yes\n'
}

# Lines of site.cfg.
tls_site() {
	with_tls || return 0
	printf '#!define BMD_TLS\n#!define BMD_TLS_CONFIG "%s"\n' "$dir/tls/domains.cfg"
	printf '#!define BMD_TLS_CA "%s"\n#!define BMD_TLS_CRL "%s"\n' "$dir/tls/ca.crt" "$dir/tls/ca.crl"
	printf '#!define BMD_TLS_CONNECTIONS %s\n' "${conf[TLS_CONNECTIONS]}"
	[ -z "${conf[tls_port]}" ] || tls_listen "${conf[tls_port]}"
	[ "${conf[TLS_LOGIN]}" = 0 ] || printf '#!define BMD_TLS_LOGIN\n'
	[ -n "${conf[https_port]}" ] || return 0
	printf '#!define BMD_TLS_INTAKE_PORT %s\n' "${conf[https_port]}"
	tls_listen "${conf[https_port]}"
}

# Its own workers; 0: those of all TCP.
tls_listen() {
	[ "${conf[TLS_WORKERS]}" = 0 ] || printf 'socket_workers=%s\n' "${conf[TLS_WORKERS]}"
	printf 'listen=tls:%s:%s\n' "${conf[host]}" "$1"
}
