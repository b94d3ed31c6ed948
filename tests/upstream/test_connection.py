"""The races of one connection, in the order in which the loop could bring them."""

import asyncio
import socket

import pytest

from gateway.facts import BodyFailed, Fault
from gateway.upstream.connection import HIGH_WATER, Connection, Stream
from gateway.upstream.reader import ResponseReader
from gateway.upstream.settings import Timeouts

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
LIMITS = Timeouts(connect=1, first_byte=2, idle=3, total=100, keep_alive=5)


class Wire(asyncio.Transport):
    """A transport that remembers; nothing is behind it."""

    def __init__(self):
        super().__init__()
        self.written, self.aborted, self.reading, self.unsent = b"", False, True, 0

    def write(self, data):
        self.written += data

    def abort(self):
        self.aborted = True

    def is_closing(self):
        return self.aborted

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def get_write_buffer_size(self):
        return self.unsent


class Home:
    """Where the connection goes back to."""

    def __init__(self):
        self.released, self.forgotten = [], []

    def release(self, connection):
        self.released.append(connection)

    def forget(self, connection):
        self.forgotten.append(connection)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def a_connection(sock):
    connection, wire, home = Connection(home := Home(), LIMITS, 0.0, sock), Wire(), home
    connection.connection_made(wire)
    return connection, wire, home


async def test_a_caller_who_leaves_after_the_last_byte_does_not_harm_the_next(pair):
    connection, wire, home = a_connection(pair[0])
    first, second = ResponseReader("GET"), ResponseReader("GET")
    connection.send(b"1", first)
    connection.data_received(OK)
    assert home.released == [connection]
    answer = connection.send(b"2", second)
    connection.abandon(first, "the first caller was cancelled just now")
    connection.data_received(OK)
    assert await answer is None
    assert second.take() == b"hi"
    assert not wire.aborted


async def test_bytes_nobody_asked_for_end_it(pair):
    connection, wire, _ = a_connection(pair[0])
    connection.data_received(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert wire.aborted
    assert not connection.ready()


async def test_look_before_use(pair):
    connection, _, _ = a_connection(pair[0])
    assert connection.ready()
    pair[1].send(b"x")  # the loop has not read it yet
    assert not connection.ready()


async def test_an_end_the_loop_has_not_seen_is_seen(pair):
    connection, _, _ = a_connection(pair[0])
    pair[1].close()
    assert not connection.ready()


async def test_an_answer_before_the_request_is_written_is_given_but_ends_it(pair):
    connection, wire, home = a_connection(pair[0])
    answer = connection.send(b"x", ResponseReader("POST"))
    wire.unsent = 7
    connection.data_received(OK)
    assert await answer is None
    assert wire.aborted
    assert home.released == []


async def test_losing_the_connection_tells_who_waits(pair):
    connection, _, home = a_connection(pair[0])
    answer = connection.send(b"x", ResponseReader("GET"))
    connection.connection_lost(ConnectionResetError("reset by peer"))
    assert await answer == Fault("upstream_reset", "reset by peer")
    assert home.forgotten == [connection]


async def test_a_body_without_length_must_be_ended_in_order(pair):
    for in_order in (True, False):
        connection, _, _ = a_connection(pair[0])
        answer = connection.send(b"x", ResponseReader("GET"))
        connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nabc")
        stream = await answer
        assert isinstance(stream, Stream)
        assert await anext(stream) == b"abc"
        if in_order:
            connection.eof_received()
        connection.connection_lost(None)
        with pytest.raises(StopAsyncIteration if in_order else BodyFailed):
            await anext(stream)


async def test_reading_stops_when_the_caller_is_slow_and_goes_on_when_it_takes(pair):
    connection, wire, _ = a_connection(pair[0])
    answer = connection.send(b"x", ResponseReader("GET"))
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\na")
    connection.data_received(b"b" * HIGH_WATER)
    assert not wire.reading
    stream = await answer
    assert isinstance(stream, Stream)
    assert len(await anext(stream)) == HIGH_WATER + 1
    assert wire.reading


def ticks(connection, wire, seconds):
    """How many seconds pass until it is cut."""
    for second in range(1, seconds + 1):
        connection.tick(1.0)
        if wire.aborted:
            return second
    return None


async def test_each_time_is_measured_on_its_own(pair):
    connection, wire, _ = a_connection(pair[0])
    assert ticks(connection, wire, 50) == 6  # keep_alive 5
    connection, wire, _ = a_connection(pair[0])
    answer = connection.send(b"x", ResponseReader("GET"))
    connection.data_received(b"HTTP/1.1 200 OK\r\n")
    assert ticks(connection, wire, 50) == 3  # first_byte 2
    assert (await answer).code == "upstream_timeout"
    connection, wire, _ = a_connection(pair[0])
    connection.send(b"x", ResponseReader("GET"))
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nabc")
    assert ticks(connection, wire, 50) == 4  # idle 3


class Endless:
    """A body whose next piece never comes."""

    length = None

    async def chunks(self):
        yield b"x"
        await asyncio.Event().wait()


async def test_waiting_for_the_caller_is_not_charged_to_the_service(pair):
    for heard in (b"", b"HTTP/1.1 200 OK\r\n\r\nabc"):
        connection, wire, _ = a_connection(pair[0])
        connection.send(b"x", ResponseReader("POST"), Endless())
        connection.data_received(heard)
        await asyncio.sleep(0)
        assert ticks(connection, wire, 50) is None
        connection.pause_writing()  # now the service does not read
        assert ticks(connection, wire, 50) == 4  # idle 3
        await asyncio.sleep(0)


async def test_a_drip_is_cut_at_the_total(pair):
    connection, wire, _ = a_connection(pair[0])
    connection.send(b"x", ResponseReader("GET"))
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nabc")
    seconds = 0
    while not wire.aborted and seconds < 200:
        connection.data_received(b"x")
        connection.tick(1.0)
        seconds += 1
    assert seconds == 101


async def test_an_unused_connection_is_ready_only_once_made(pair):
    assert not Connection(Home(), LIMITS, 0.0, pair[0]).ready()
