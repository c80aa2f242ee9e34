"""confined.py - starts a command under what a systemd unit forbids, as far as it can be done without systemd.

SPDX-License-Identifier: GPL-2.0-or-later
usage: confined.py UNIT COMMAND...
Imitated, from what the unit says: CapabilityBoundingSet, NoNewPrivileges, MemoryDenyWriteExecute, SystemCallFilter (with
the sets of systemd-analyze), RestrictAddressFamilies, UMask, LimitCORE, LimitNOFILE; as root also User, Group
and ProtectSystem=strict, where the folder that -Y names stands for the RuntimeDirectory.  Not imitated:
all else (namespaces for /tmp, /dev and /proc, device rules, keyring).  Ends with status 77 when the kernel refuses one of these.
"""

import ctypes
import os
import pwd
import re
import resource
import struct
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_MDWE = 24, 38, 22, 65
CLONE_NEWNS = 0x20000
LAST_CAPABILITY = 63
AUDIT_ARCH_X86_64 = 0xC000003E
EPERM, EAFNOSUPPORT = 1, 97
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
CAPABILITIES = "/usr/include/linux/capability.h"
NUMBERS = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"


def refuse(what):
    sys.stderr.write(f"confined: not possible here: {what}\n")
    sys.exit(77)


def control(*arguments):
    if LIBC.prctl(*[ctypes.c_ulong(a) for a in arguments], *[ctypes.c_ulong(0)] * (5 - len(arguments))) != 0:
        refuse(f"prctl{arguments}: {os.strerror(ctypes.get_errno())}")


def settings(unit):
    """Lists of values by name."""
    found = {}
    with open(unit, encoding="utf-8") as file:
        for line in file:
            name, equals, value = line.strip().partition("=")
            if equals and not line.startswith("#"):
                found.setdefault(name, []).append(value)
    return found


def calls(name):
    """Names of the system calls of a set, with those of the sets in it."""
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name], capture_output=True, text=True,
                          check=True).stdout
    members = re.findall(r"^\s+(@?[a-z_0-9-]+)\s*$", text, re.M)
    return set().union(*(calls(one) for one in members))


def filtered(lines):
    """Numbers of the system calls that the lines of SystemCallFilter allow."""
    allowed = set()
    for line in lines:
        sets = set().union(*(calls(one) for one in line.lstrip("~").split()))
        allowed = allowed - sets if line.startswith("~") else allowed | sets
    with open(NUMBERS, encoding="ascii") as file:
        numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", file.read()))
    return sorted(int(numbers[one]) for one in allowed if one in numbers)


def program(allowed, families):
    """The filter in classic BPF: other machines and calls get EPERM, other families EAFNOSUPPORT."""
    code = []

    def add(op, yes, no, k):
        code.append(struct.pack("HBBI", op, yes, no, k))
    add(0x20, 0, 0, 4)  # the machine
    add(0x15, 1, 0, AUDIT_ARCH_X86_64)
    add(0x06, 0, 0, ERRNO | EPERM)
    add(0x20, 0, 0, 0)  # the number of the call
    add(0x15, 0, len(families) + 3, 41)  # socket
    add(0x20, 0, 0, 16)  # its family
    for number in families:
        add(0x15, len(families) - families.index(number), 0, number)
    add(0x06, 0, 0, ERRNO | EAFNOSUPPORT)
    add(0x06, 0, 0, ALLOW)
    for number in allowed:
        add(0x15, 0, 1, number)
        add(0x06, 0, 0, ALLOW)
    add(0x06, 0, 0, ERRNO | EPERM)
    return code


def restrict_calls(unit):
    families = [FAMILIES[name] for name in unit["RestrictAddressFamilies"][-1].split()]
    # execve is ours still
    code = b"".join(program(filtered(unit["SystemCallFilter"]), families))
    buffer = ctypes.create_string_buffer(code, len(code))
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer)), 16)
    control(PR_SET_SECCOMP, 2, ctypes.addressof(whole))


def read_only(writable):
    """Every mount but those of /dev, /proc and /sys becomes read-only; one folder stays as it is."""
    if LIBC.unshare(CLONE_NEWNS) != 0:
        refuse("a mount namespace")
    mount = lambda *arguments: subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
    if not mount("--make-rprivate", "/") or not mount("--bind", writable, writable):
        refuse("to mount")
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        targets = [line.split()[4] for line in file]
    for target in targets:
        if target == writable or re.match(r"/(dev|proc|sys)(/|$)", target):
            continue
        mount("-o", "remount,bind,ro", target)
    if os.access("/var/tmp", os.W_OK):
        refuse("a read-only file system")


def capabilities(names):
    """Their numbers."""
    with open(CAPABILITIES, encoding="utf-8") as file:
        text = file.read()
    return {int(re.search(rf"#define {name}\s+(\d+)", text).group(1)) for name in names}


def become(unit):
    user = pwd.getpwnam(unit["User"][-1])
    kept = capabilities(" ".join(unit["CapabilityBoundingSet"]).split())
    for number in set(range(LAST_CAPABILITY + 1)) - kept:
        LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)  # those the kernel has
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)


def without_user(command):
    """Without "-u NAME -g NAME": whoever systemd starts is that user already, and told nothing of it."""
    kept = list(command)
    for option in ("-u", "-g"):
        if option in kept:
            at = kept.index(option)
            del kept[at:at + 2]
    return kept


def main():
    unit, command = settings(sys.argv[1]), without_user(sys.argv[2:])
    if os.geteuid() == 0:
        read_only(command[command.index("-Y") + 1])
        become(unit)
    os.umask(int(unit["UMask"][-1], 8))
    resource.setrlimit(resource.RLIMIT_CORE, (int(unit["LimitCORE"][-1]),) * 2)
    if "LimitNOFILE" in unit:
        most = min(int(unit["LimitNOFILE"][-1]), resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    control(PR_SET_NO_NEW_PRIVS, 1)
    control(PR_SET_MDWE, 1)
    restrict_calls(unit)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
