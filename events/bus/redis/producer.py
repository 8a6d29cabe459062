"""Writes events to Redis Streams, byte for byte as the event bus of Open edX does."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from events.avro import encode
from events.bus.redis.connection import NOT_ALLOWED, NOT_NOW, TIMEOUT, connect, library, stream_of
from events.conf import conf
from events.data import EventsMetadata
from events.headers import entry_fields
from events.ports import BusUnavailable, Entry, EntryHeld, EntryRefused, EventBusProducer, PublishError, Result
from events.producer_config import key_of
from events.types import EventDefinition

if TYPE_CHECKING:
    import redis

HURRY = 0.2  # seconds; `send` is called while a request waits
LONGEST_REASON = 200  # characters
ANSWERS = 4  # that one batch may wait for: to the script's loading and its calls, and again if it was forgotten

SCRIPT = """
-- KEYS: the stream. ARGV: length to trim to or "", number of fields, their names; then per entry its lane and values.
local width = tonumber(ARGV[2])
local command = {'XADD', KEYS[1]}
if ARGV[1] ~= '' then
    command[3], command[4], command[5] = 'MAXLEN', '~', ARGV[1]
end
command[#command + 1] = '*'
local offset = #command
for i = 1, width do
    command[offset + 2 * i - 1] = ARGV[2 + i]
end
local replies, held = {}, {}
for at = 3 + width, #ARGV, width + 1 do
    if held[ARGV[at]] then
        replies[#replies + 1] = ''
    else
        for i = 1, width do
            command[offset + 2 * i] = ARGV[at + i]
        end
        local reply = redis.pcall(unpack(command))
        if type(reply) == 'table' then
            held[ARGV[at]] = true
            replies[#replies + 1] = '!' .. reply.err
        else
            replies[#replies + 1] = reply
        end
    end
end
return replies
"""

audit = logging.getLogger(f"{__name__}.audit")


class RedisProducer(EventBusProducer):
    """Writes to the server that `EVENT_BUS_REDIS_CONNECTION_URL` names."""

    def __init__(self) -> None:
        connect()  # only at first use: but a wrong address fails here
        self._clients: dict[tuple[str | None, float], redis.Redis] = {}
        self._sha: str | None = None

    def send(
        self,
        *,
        signal: EventDefinition,
        topic: str,
        event_key_field: str,
        event_data: Mapping[str, Any],
        event_metadata: EventsMetadata,
    ) -> None:
        """Write one event at once; nobody tries again.

        Raises:
            PublishError: it is not known to be on the bus.
            EventSerializationError, ProducerConfigurationError: it cannot be encoded, or has no key.
        """
        key = key_of(event_data, event_key_field)
        fields = entry_fields(
            event_metadata, encode(signal, event_data), event_key=key if conf.EVENT_BUS_REDIS_EXTRA_FIELDS else None
        )
        [result] = self._publish([Entry(topic, key, fields)], timeout=HURRY)
        if isinstance(result, PublishError):
            raise result

    def publish(self, entries: Sequence[Entry]) -> list[Result]:
        """Write entries in their order; after a failure no later entry of the same topic and key.

        Raises:
            BusUnavailable: it is not known which entries the server has taken.
        """
        return self._publish(entries, timeout=TIMEOUT)

    def patience(self) -> timedelta:
        """Return how long `publish` may wait for the server before it gives a batch up."""
        options = self._client(TIMEOUT).connection_pool.connection_kwargs
        return timedelta(seconds=options["socket_connect_timeout"] + ANSWERS * options["socket_timeout"])

    def greatest_group_lag(self, topics: Sequence[str]) -> int | None:
        """Return how many entries of these topics the slowest group has still to read.

        None if the server does not answer, or, before Redis 7 and after entries were deleted, does not know.
        """
        try:
            client = self._client(TIMEOUT)
            groups = [group for topic in topics if client.exists(stream_of(topic)) for group in self._groups(topic)]
        except (library().RedisError, OSError):
            return None
        return max((int(group["lag"]) for group in groups if group.get("lag") is not None), default=None)

    def _groups(self, topic: str) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = self._client(TIMEOUT).xinfo_groups(stream_of(topic))
        return groups

    def _publish(self, entries: Sequence[Entry], *, timeout: float) -> list[Result]:
        calls = _calls(entries)
        try:
            replies = self._run([call.arguments for call in calls], timeout=timeout)
        except (library().RedisError, OSError) as exc:
            # The exception's text may name the server's address and password.
            raise BusUnavailable(type(exc).__name__) from None
        results: list[Result] = [EntryHeld()] * len(entries)
        for call, reply in zip(calls, replies, strict=True):
            for position, result in zip(call.positions, _results(reply, len(call.positions)), strict=True):
                results[position] = result
        if conf.EVENT_BUS_REDIS_AUDIT_LOGGING_ENABLED and audit.isEnabledFor(logging.INFO):
            _log(entries, results)
        return results

    def _run(self, calls: Sequence[Sequence[Any]], *, timeout: float) -> list[Any]:
        """Call the script several times in one go, and once more where the server has forgotten it."""
        client = self._client(timeout)
        if self._sha is None:
            self._sha = str(client.script_load(SCRIPT))
        replies = self._evaluate(client, calls)
        forgotten = [at for at, reply in enumerate(replies) if isinstance(reply, library().exceptions.NoScriptError)]
        if forgotten:
            client.script_load(SCRIPT)
            for at, reply in zip(forgotten, self._evaluate(client, [calls[at] for at in forgotten]), strict=True):
                replies[at] = reply
        return replies

    def _evaluate(self, client: "redis.Redis", calls: Sequence[Sequence[Any]]) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for stream, *arguments in calls:
            pipeline.evalsha(self._sha or "", 1, stream, *arguments)
        return list(pipeline.execute(raise_on_error=False))

    def _client(self, timeout: float) -> "redis.Redis":
        known = (conf.EVENT_BUS_REDIS_CONNECTION_URL, timeout)
        if known not in self._clients:
            self._clients[known] = connect(connect_timeout=timeout, timeout=timeout)
        return self._clients[known]


def create_producer() -> RedisProducer:
    """Return what the setting `EVENT_BUS_PRODUCER` asks for as `events.bus.redis.create_producer`."""
    return RedisProducer()


@attrs.define
class _Call:
    """One call of the script: the entries of one stream that have the same fields."""

    arguments: list[Any]
    positions: list[int] = attrs.field(factory=list)
    lanes: dict[str, int] = attrs.field(factory=dict)


def _calls(entries: Sequence[Entry]) -> list[_Call]:
    calls: dict[tuple[str, tuple[str, ...]], _Call] = {}
    longest = conf.EVENT_BUS_REDIS_STREAM_MAX_LEN
    for position, entry in enumerate(entries):
        names = tuple([name for name, _ in entry.fields])
        call = calls.get((entry.topic, names))
        if call is None:
            limit = "" if longest is None else longest
            call = calls[entry.topic, names] = _Call([stream_of(entry.topic), limit, len(names), *names])
        call.positions.append(position)
        call.arguments.append(call.lanes.setdefault(entry.key, len(call.lanes)))
        call.arguments += [value for _, value in entry.fields]
    return list(calls.values())


def _results(reply: Any, count: int) -> list[Result]:
    """Return the results of one call. A failure of the whole call says nothing about any entry."""
    if isinstance(reply, Exception):
        # The library cuts the first word off where it has an exception of its own for it.
        is_plain = type(reply) is library().ResponseError
        return [BusUnavailable(str(reply).partition(" ")[0] if is_plain else type(reply).__name__)] * count
    return [_result(one.decode() if isinstance(one, bytes) else one) for one in reply]


def _result(text: str) -> Result:
    if not text:
        return EntryHeld()
    if not text.startswith("!"):
        return text
    # Redis appends where in the script it was; older ones put that first, and a hyphen before the code.
    reason = text[1:].partition(" script: ")[0].rpartition(": -")[2].lstrip("-")
    if reason.partition(" ")[0] in NOT_NOW:
        return BusUnavailable(reason.partition(" ")[0])
    if reason.removeprefix("ERR ").startswith(NOT_ALLOWED):
        return BusUnavailable("NOPERM")
    return EntryRefused(reason[:LONGEST_REASON])


def _log(entries: Sequence[Entry], results: Sequence[Result]) -> None:
    """Leave one line for each entry that was written, without its payload."""
    for entry, result in zip(entries, results, strict=True):
        if isinstance(result, str):
            fields = dict(entry.fields)
            audit.info("%s %s is entry %s of %s.", fields.get("type"), fields.get("id"), result, stream_of(entry.topic))
