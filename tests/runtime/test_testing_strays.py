"""`runtime.testing.no_stray_spawns`: what a handler leaves behind is found; what it waits for, and idle pools, are not."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from guardrails.runtime import testing


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opens at the test's end, so that what was left behind ends, too."""
    event = threading.Event()
    yield event
    event.set()


def test_a_thread_is_found_with_the_function_that_it_runs(gate: threading.Event) -> None:
    def send_mail() -> None:
        gate.wait(30)

    with pytest.raises(AssertionError, match=r"thread mailer \(.*send_mail\).*Queue a job instead"), testing.no_stray_spawns():
        threading.Thread(target=send_mail, name="mailer").start()


def test_a_timer_is_found() -> None:
    timer = threading.Timer(60, print)
    with pytest.raises(AssertionError, match="thread Thread-"), testing.no_stray_spawns():
        timer.start()
    timer.cancel()


def test_work_in_a_pool_is_found_and_an_idle_pool_is_not(gate: threading.Event) -> None:
    with ThreadPoolExecutor(1) as pool:
        with testing.no_stray_spawns():
            pool.submit(print).result(30)
        busy = threading.Event()

        def leave() -> None:
            with testing.no_stray_spawns():
                pool.submit(lambda: (busy.set(), gate.wait(30)))
                busy.wait(30)

        with pytest.raises(AssertionError, match="thread ThreadPoolExecutor"):
            leave()
        gate.set()


def test_a_function_without_python_in_a_pool_is_found() -> None:
    lock = threading.Lock()
    lock.acquire()
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(AssertionError, match="thread ThreadPoolExecutor"), testing.no_stray_spawns():
            pool.submit(lock.acquire)
        lock.release()


def reading() -> subprocess.Popen[bytes]:
    """A process that waits for input; it is what its command line says once it has spoken."""
    words = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    left = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert left.stdout is not None
    left.stdout.readline()
    return left


def test_a_child_process_is_found_and_one_that_was_waited_for_is_not() -> None:
    with testing.no_stray_spawns():
        subprocess.run([sys.executable, "-c", ""], check=True, timeout=60)
    with pytest.raises(AssertionError, match=r"child process \d+ \(python\S* -c 'import sys; .*sys.stdin.read"), testing.no_stray_spawns():
        left = reading()
    left.kill()
    left.communicate(timeout=30)


def test_a_task_of_the_test_s_own_loop_is_found() -> None:
    async def send_mail() -> None:
        await asyncio.sleep(60)

    async def test() -> None:
        with testing.no_stray_spawns():
            await asyncio.create_task(asyncio.sleep(0))
        with pytest.raises(AssertionError, match=r"asyncio task mail \(.*send_mail\)"), testing.no_stray_spawns():
            task = asyncio.create_task(send_mail(), name="mail")
        task.cancel()

    asyncio.run(test())


left_behind: list[object] = []


async def slow() -> None:
    await asyncio.sleep(60)


async def stray(_request: Request) -> Response:
    left_behind.append(asyncio.create_task(slow(), name="stray"))
    return PlainTextResponse("ok")


async def tidy(_request: Request) -> Response:
    await asyncio.gather(asyncio.sleep(0), asyncio.to_thread(print))
    return PlainTextResponse("ok")


def blocking(_request: Request) -> Response:
    return PlainTextResponse("ok")


@pytest.fixture
def get() -> Callable[[str], Response]:
    app = Starlette(routes=[Route("/stray", stray), Route("/tidy", tidy), Route("/blocking", blocking)])
    return TestClient(app).get  # type: ignore[return-value]


def test_a_task_that_a_handler_leaves_is_found_although_the_test_client_s_loop_has_ended(get: Callable[[str], Response]) -> None:
    with pytest.raises(AssertionError, match=r"task stray \(slow\), cut off"), testing.no_stray_spawns():
        assert get("/stray").status_code == 200


@pytest.mark.parametrize("path", ["/tidy", "/blocking"])
def test_handlers_that_wait_for_what_they_start_pass(get: Callable[[str], Response], path: str) -> None:
    with testing.no_stray_spawns():
        assert get(path).status_code == 200
