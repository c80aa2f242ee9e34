"""digest.py - digest authentication as a client computes it: RFC 7616, SHA-256 and MD5, qop=auth.

SPDX-License-Identifier: GPL-2.0-or-later
Its own arithmetic, so that tests do not ask the server whether the server is right.
"""

import hashlib
import os
import re

HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


def fields(header):
    """The parameters of a challenge, of credentials or of Authentication-Info."""
    return dict(re.findall(r'([\w-]+)="?([^",]+)"?', re.sub(r"^Digest ", "", header)))


def response(algorithm, user, password, method, terms):
    """The response of `terms` (realm, nonce, nc, cnonce, uri); an empty method: rspauth."""
    digest = lambda text: HASHES[algorithm](text.encode()).hexdigest()
    ha1 = digest(f"{user}:{terms['realm']}:{password}")
    ha2 = digest(f"{method}:{terms['uri']}")
    return digest(f"{ha1}:{terms['nonce']}:{terms['nc']}:{terms['cnonce']}:auth:{ha2}")


def credentials(challenge, user, password, method, uri, count=1, algorithm=None, cnonce=None, qop=True):
    """The line Authorization that answers a challenge; without qop as RFC 2069 had it."""
    terms = fields(challenge)
    algorithm = algorithm or terms.get("algorithm", "MD5")
    terms.update(uri=uri, nc=f"{count:08x}", cnonce=cnonce or os.urandom(8).hex())
    line = f'Authorization: Digest username="{user}", realm="{terms["realm"]}", nonce="{terms["nonce"]}", uri="{uri}"'
    if not qop:
        digest = lambda text: HASHES[algorithm](text.encode()).hexdigest()
        ha1, ha2 = digest(f"{user}:{terms['realm']}:{password}"), digest(f"{method}:{uri}")
        bare = digest(f"{ha1}:{terms['nonce']}:{ha2}")
        return f'{line}, response="{bare}", algorithm={algorithm}'
    return (f'{line}, response="{response(algorithm, user, password, method, terms)}", algorithm={algorithm}, '
            f'qop=auth, nc={terms["nc"]}, cnonce="{terms["cnonce"]}"')
