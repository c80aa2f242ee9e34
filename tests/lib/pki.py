"""pki.py - certificates that live as long as a test, and S/MIME by openssl alone.

SPDX-License-Identifier: GPL-2.0-or-later
Nothing of the project's own cryptography is used here: what these functions read and write is what
another implementation reads and writes.
"""

import os
import re
import shutil
import subprocess
import tempfile

P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
RSA = ["-newkey", "rsa:2048"]


def openssl(*arguments, data=b""):
    """What it writes to standard output; AssertionError with its words when it fails."""
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=30)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(arguments[:2])}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def crlf(data):
    return re.sub(rb"\r?\n", b"\r\n", data)


class Pki:
    """An authority, and whom it knows: NAME.pem and NAME.key in a folder that everybody may read."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="bmd-pki.")
        os.chmod(self.dir, 0o755)
        openssl("req", "-x509", *P256, "-nodes", "-keyout", self.key("ca"), "-out", self.pem("ca"),
                "-subj", "/CN=test authority", "-days", "2")

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def pem(self, name):
        return f"{self.dir}/{name}.pem"

    def key(self, name):
        return f"{self.dir}/{name}.key"

    def issue(self, name, identity, kind=None, days=2):
        """A certificate for a SIP identity; days below 0: it has expired."""
        request = f"{self.dir}/{name}.csr"
        extension = f"{self.dir}/{name}.ext"
        with open(extension, "w") as file:
            file.write(f"subjectAltName=URI:{identity}\nkeyUsage=digitalSignature,keyEncipherment,keyAgreement\n"
                       "extendedKeyUsage=emailProtection\n")
        openssl("req", "-new", *(kind or P256), "-nodes", "-keyout", self.key(name), "-out", request,
                "-subj", f"/CN={name}")
        command = ["openssl", "x509", "-req", "-in", request, "-CA", self.pem("ca"), "-CAkey", self.key("ca"),
                   "-CAcreateserial", "-extfile", extension, "-out", self.pem(name), "-days", str(abs(days))]
        if days < 0:
            command = ["faketime", f"{-days + 1} days ago", *command]
        done = subprocess.run(command, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        os.chmod(self.key(name), 0o644)  # the server's user reads it; it lives as long as the test
        return self.text(name)

    def text(self, name):
        with open(self.pem(name)) as file:
            return file.read()

    # S/MIME by openssl alone

    def decrypt(self, name, body):
        """The MIME entity in an encrypted body."""
        form = "DER" if body[:1] == b"\x30" else "PEM"
        if form == "PEM":
            body = b"-----BEGIN CMS-----\n" + body.replace(b"\r\n", b"\n").strip() + b"\n-----END CMS-----\n"
        return openssl("cms", "-decrypt", "-inform", form, "-recip", self.pem(name), "-inkey", self.key(name),
                       "-binary", data=body)

    def encrypt(self, name, entity, base64=False, cipher="-aes-256-gcm"):
        der = openssl("cms", "-encrypt", cipher, "-binary", "-outform", "DER", "-recip", self.pem(name),
                      data=entity)
        return openssl("base64", data=der).replace(b"\n", b"\r\n") if base64 else der

    def verify(self, entity):
        """The content of a multipart/signed entity, headers first."""
        return openssl("cms", "-verify", "-inform", "SMIME", "-CAfile", self.pem("ca"), "-binary", "-crlfeol",
                       data=binary_as_base64(entity))

    def sign(self, name, content):
        """A multipart/signed entity, headers first."""
        signature = openssl("cms", "-sign", "-md", "sha256", "-binary", "-outform", "DER", "-signer", self.pem(name),
                            "-inkey", self.key(name), data=content)
        part = crlf(openssl("base64", data=signature))
        return (b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; '
                b"boundary=cut\r\n\r\n--cut\r\n" + content + b"\r\n--cut\r\nContent-Type: application/pkcs7-signature\r\n"
                b"Content-Transfer-Encoding: base64\r\n\r\n" + part + b"\r\n--cut--\r\n")


def binary_as_base64(entity):
    """The same with its signature in base64: openssl's own MIME reader knows nothing else."""
    head, _, rest = entity.partition(b"\r\n\r\n")
    boundary = re.search(rb'boundary="?([^";\r\n]+)', head).group(1)
    content, signature = rest.split(b"\r\n--" + boundary + b"\r\n")
    part, _, value = signature.partition(b"\r\n\r\n")
    if b"binary" not in part:
        return entity
    value = value[:value.rindex(b"\r\n--" + boundary + b"--")]
    part = part.replace(b"binary", b"base64")
    return (head + b"\r\n\r\n" + content + b"\r\n--" + boundary + b"\r\n" + part + b"\r\n\r\n"
            + crlf(openssl("base64", data=value)) + b"\r\n--" + boundary + b"--\r\n")


def entity_of(message):
    """The body of a SIP message as a MIME entity."""
    return f"Content-Type: {message.get('content-type')}\r\n\r\n".encode() + message.body


def content_of(entity):
    """(type, content) of a MIME entity."""
    head, _, body = entity.partition(b"\r\n\r\n")
    found = re.search(rb"(?im)^content-type:[ \t]*([^;\r\n]+)", head)
    return (found.group(1).decode().strip().lower() if found else ""), body


def fields_of(lines):
    """Headers of a message/sipfrag, by lower-case name, without white space."""
    fields = {}
    for line in lines.decode().split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip().lower()] = re.sub(r"\s", "", value)
    return fields
