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
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from entrepot.embedded.system import (
    MAJOR,
    SOCKET,
    account_of,
    binary,
    make_reachable,
    memory,
    run_as,
    shares_of,
    socket_dir_of,
)
from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Embedded", "attach", "binary", "start"]

_SETTINGS = Path(__file__).with_name("entrepot.conf")
_PATIENCE = 900.0  # seconds that a crash recovery or a shutdown checkpoint may take
_POLL = 0.005
_SAY_EVERY = 5.0
_TRIES = 2


def start(data_dir: Path, say: Callable[[str], None] | None = None) -> Embedded:
    """Attach to the server under ``data_dir``; create and start it where it is not there yet.

    Returns once the server answers, however long its recovery takes, and tells ``say`` meanwhile.
    Raises Unusable, with the server's last words, where it cannot start.
    """
    with _as_its_owner(data_dir):
        return Embedded(data_dir, say)


def attach(data_dir: Path, say: Callable[[str], None] | None = None) -> Embedded:
    """Like ``start``, but for a command beside the hub: a missing database is Unusable."""
    with _as_its_owner(data_dir):
        if not (data_dir / "pg").exists():
            raise Unusable(
                f"There is no database under {data_dir} yet. "
                f"Start the hub once (entrepot serve --data {data_dir}), or name another --data."
            )
        return Embedded(data_dir, say)


class Embedded:
    """One process's hold on the server under ``data_dir``; ``stop`` lets go of it."""

    def __init__(self, data_dir: Path, say: Callable[[str], None] | None = None) -> None:
        self._say = say or (lambda _: None)
        self._locks = data_dir.resolve() / "pg.locks"
        self._locks.mkdir(parents=True, exist_ok=True)
        self.cluster = data_dir.resolve() / "pg"
        self._process: subprocess.Popen[bytes] | None = None
        self._users: int | None = None
        with self._starting() as start_lock:
            if not (self.cluster / "PG_VERSION").exists():
                self._create(start_lock)
            self._account = account_of(self.cluster)
            self.socket_dir = socket_dir_of(self.cluster, self._account)
            self._until_it_answers()
            self._users = _try_lock(self._locks / "users", fcntl.LOCK_SH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Connection URL for asyncpg, psycopg and psql; complete, so that no PGPORT can bend it."""
        return f"postgresql://postgres@/postgres?host={self.socket_dir}&port=5432"

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
            self._process.returncode = 0  # others still use it: it is no longer ours to wait for

    @contextmanager
    def _starting(self) -> Iterator[int]:
        """Hold the start lock, waiting for whoever creates, starts or stops the server now."""
        waiting = _Waiting(self._say, "Another process is starting or stopping the database")
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
        account = account_of(fresh)
        make_reachable(fresh, account, self._say)
        if account is not None:
            os.chown(fresh, account.uid, account.gid)
        command = [str(binary("initdb")), "-D", str(fresh), "--username=postgres", "--auth=trust"]
        # The C.UTF-8 of PostgreSQL itself: the same order on every machine, and no locale to install.
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8", "--no-instructions"]
        try:
            subprocess.run(
                command, pass_fds=[start_lock], capture_output=True, check=True, **run_as(account)
            )
        except subprocess.CalledProcessError as error:
            raise Unusable(f"The database could not be created: {error.stderr.decode()}") from error
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write("\ninclude_if_exists = 'entrepot.conf'\n# Your own settings go here.\n")
        fresh.rename(self.cluster)
        _sync(fresh.parent)

    def _until_it_answers(self) -> None:
        """Start the server if none lives; return when it accepts connections."""
        waiting = _Waiting(self._say, "The database is starting; after a crash it replays its log")
        starts = 0
        while True:
            server_lock = _try_lock(self._locks / "server", fcntl.LOCK_EX)
            if server_lock is not None:
                if starts == _TRIES:
                    os.close(server_lock)
                    self._reap()
                    raise Unusable(f"The database does not start. {self._last_words()}")
                starts += 1
                self._spawn(server_lock)
            elif _answers(self.socket_dir / SOCKET):
                return
            waiting.tick()

    def _spawn(self, server_lock: int) -> None:
        """Start a postmaster that inherits the server lock; our own copy is closed."""
        found = (self.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != MAJOR:
            raise Unusable(
                f"{self.cluster} was made by PostgreSQL {found}, this version brings {MAJOR}: "
                "dump it with that version's pg_dump and load it into a new --data directory."
            )
        make_reachable(self.cluster, self._account, self._say)
        # The lock proves that nobody lives here, on this machine or in another container, whatever
        # process may by now have the number that is written in these files.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_dir / f"{SOCKET}.lock").unlink(missing_ok=True)
        settings = self.cluster / "entrepot.conf"
        buffers, cache = shares_of(memory())
        said = _SETTINGS.read_text("utf-8").format(
            socket_dir=self.socket_dir, buffers=buffers, cache=cache
        )
        settings.write_text(said, encoding="utf-8")
        settings.chmod(0o644)
        self._reap()
        command = [str(binary("postgres")), "-D", str(self.cluster)]
        with (self._locks.parent / "pg.start.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, pass_fds=[server_lock], stdout=log, stderr=log, **run_as(self._account)
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
        self._reap()

    def _reap(self) -> None:
        """Take leave of a postmaster of ours that has ended: its server lock is free."""
        if self._process is not None:
            self._process.wait()

    def _postmaster(self) -> int | None:
        """Return the postmaster's process id, or None while it has not written it down."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
            return pid if Path(f"/proc/{pid}/cwd").samefile(self.cluster) else None
        except (OSError, ValueError):
            return None

    def _last_words(self) -> str:
        """Return the end of what the server wrote before it gave up."""
        logs = sorted(self.cluster.glob("log/*.log"), key=lambda log: log.stat().st_mtime)[-1:]
        logs.append(self._locks.parent / "pg.start.log")
        said = [log.read_text("utf-8", "replace").splitlines()[-5:] for log in logs]
        return "It said: " + " | ".join(line for lines in said for line in lines)


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


@contextmanager
def _as_its_owner(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise Unusable(f"{data_dir} belongs to another user: run this as that user.") from error


def _try_lock(path: Path, kind: int) -> int | None:
    """Return an open file that holds the lock, or None where another process does."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
        one.settimeout(1.0)
        try:
            one.connect(str(path))
            one.sendall(struct.pack("!ii", len(parameters) + 8, protocol_3) + parameters)
            reply = one.recv(1024)
            one.sendall(b"X\0\0\0\4")  # Terminate, so that nothing is logged
        except OSError:
            return False
    # R: authenticated. An error other than "starting up / shutting down" is an answer as well.
    return reply[:1] == b"R" or (reply[:1] == b"E" and b"C57P03\0" not in reply)


def _sync(folder: Path) -> None:
    """Make a rename inside ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
