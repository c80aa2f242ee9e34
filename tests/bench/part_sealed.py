"""part_sealed.py - what signing and encrypting costs a fan-out: without module smime, with it, with certificates.

SPDX-License-Identifier: GPL-2.0-or-later
One alert to personal feeds, timed as in part_fanout.py.  All technicians have the same certificate (P-256), and each
NOTIFY a signature and a key of its own, as always.
"""

import part_fanout
import sealing
import watching
from lib import row

WITHOUT = "without module smime"


def stack_of(ctx, size, certificates, **settings):
    stack = ctx.stack(sample=False, memory=1024, **settings)
    watching.people(stack, size, 2)
    group_serial, serial = part_fanout.serials(0)
    stack.sql(part_fanout.TARGETS.format(k=0, size=size, group_serial=group_serial, serial=serial))
    if certificates:
        stack.sql("INSERT INTO bmd_encryption (username, certificate) SELECT username, "
                  f"'{certificates}' FROM bmd_technician WHERE username ~ '^w[0-9]'")
    watching.settle(stack, f"{size} technicians")
    return stack, serial


def measured(ctx, size, certificates=None, **settings):
    stack, serial = stack_of(ctx, size, certificates, **settings)
    found = part_fanout.ours(ctx, stack, size, "", serial, 5)
    stack.end()
    return found


def run(ctx):
    sealing.write_config()
    certificate = sealing.pki.issue("bench", f"sip:w000001@{sealing.DOMAIN}")
    size = 4000 if ctx.full else 500
    plain = measured(ctx, size)
    rows = []
    for how, certificates in (("module smime, nobody has a certificate", None), ("signed and encrypted", certificate)):
        one = measured(ctx, size, certificates, config=sealing.CONFIG)
        rows.append(row(f"fan-out to {size:,} watchers, {how}: last NOTIFY", one.value, "ms", WITHOUT, plain.value,
                        better="less", size=f"{size:,} watchers, a body of {one.body:,.0f} bytes, {plain.body:,.0f} plain"))
        ctx.note(f"{how}: {min(one.times):.1f} to {max(one.times):.1f} ms, {size / one.value * 1000:,.0f} NOTIFY/s, "
                 f"{one.repeated} repeated")
    return rows
