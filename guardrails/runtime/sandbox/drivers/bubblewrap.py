"""Isolation by bubblewrap (the program bwrap, https://github.com/containers/bubblewrap): namespaces of its own, and almost no files."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.sandbox.commands import Command
from guardrails.runtime.sandbox.drivers import environment
from guardrails.runtime.sandbox.names import TEMPORARY
from guardrails.runtime.sandbox.plan import GROUP, HOLD, PASSWD, SLACK, STATUS, Plan

_OLDEST = (0, 8)  # the first with --disable-userns
_ALONE = "--unshare-user --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try --disable-userns --die-with-parent --new-session"
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
_ETC_ONLINE = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/ca-certificates",
)
_SHARED_MEMORY = 64 << 20  # bytes of /dev/shm at most, as in docker


def plan(command: Command, values: dict[str, str], deadline: float) -> Plan:
    """bwrap around the command. Root becomes nobody first: the kernel counts no processes of root's."""
    program = _program()
    return Plan(
        driver="bubblewrap",
        argv=[program, *_arguments(command), "--", *command.words],
        environment=environment.variables(values, home="/work", temporary="/tmp"),
        deadline=deadline,
        cpu=command.cpu,
        memory=command.memory,
        processes=command.processes,
        disk=command.disk,
        files=[(name, len(content)) for name, content in command.files.items()],
        user=environment.NOBODY if os.geteuid() == 0 else None,
        overhead=2,
    )


def _arguments(command: Command) -> Iterator[str]:
    """What bwrap does in this order; the environment is not among it, since arguments are seen by everybody."""
    yield from _ALONE.split()
    yield from ("--cap-drop", "ALL", "--hostname", "sandbox", "--uid", "1000", "--gid", "1000", "--json-status-fd", str(STATUS))
    if not command.network:
        yield "--unshare-net"
    yield from _machine(command)
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--size", str(min(command.disk, _SHARED_MEMORY)), "--tmpfs", "/dev/shm", "--remount-ro", "/dev")
    yield from ("--perms", "0700", "--size", str(command.disk + SLACK), "--tmpfs", "/work")
    yield from ("--perms", "0700", "--dir", f"/work/{TEMPORARY}", "--symlink", f"work/{TEMPORARY}", "/tmp")
    yield from ("--perms", "0600", "--file", str(HOLD), "/run/begun", "--remount-ro", "/", "--chdir", "/work")


def _machine(command: Command) -> Iterator[str]:
    """The files of this machine that it sees, none of which it can change."""
    yield from ("--ro-bind", "/usr", "/usr")
    for path in map(Path, _SYSTEM):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    yield from ("--perms", "0755", "--dir", "/etc")
    for name in (*_ETC, *(_ETC_ONLINE if command.network else ())):
        yield from ("--ro-bind-try", name, name)
    yield from ("--perms", "0644", "--file", str(PASSWD), "/etc/passwd", "--perms", "0644", "--file", str(GROUP), "/etc/group")
    for name in command.readable:
        yield from ("--ro-bind", name, name)


def _program() -> str:
    """Where bwrap is; raises SandboxRefused where it is missing or too old."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxRefused("bubblewrap is not installed: install the package bubblewrap (the program bwrap), or choose another driver.")
    version = _version(program)
    if version < _OLDEST:
        raise SandboxRefused(f"bubblewrap is too old ({'.'.join(map(str, version))}): install 0.8 or newer, or choose another driver.")
    return program


@functools.cache
def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:3]))


def refusal(command: Command, said: str) -> str:
    """What bwrap complained of, with what to do."""
    if "execvp" in said:
        return (
            f"The command {command.words[0]!r} cannot be started in the sandbox ({said}): of this machine it sees /usr, "
            "so name what else it needs in readable=[..], or give it as files."
        )
    if re.search(r"source path|[Bb]ind", said):
        return f"The sandbox cannot show what readable=[..] names ({said}): each path must exist, and everybody must be allowed to read it."
    if re.search(r"namespace|uid map|userns|proc|loopback", said):
        return (
            f"bubblewrap may not make namespaces here ({said}): allow this user namespaces (sysctl kernel.unprivileged_userns_clone=1 or "
            'user.max_user_namespaces, a profile for bwrap in AppArmor, or the security options of a container), or use driver="docker".'
        )
    return f"bubblewrap could not set up the sandbox ({said or 'it was killed, or time was up'}); run bwrap by hand to see why."
