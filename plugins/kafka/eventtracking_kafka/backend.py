"""The backend: batches of events become messages, each confirmed by the brokers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any, ClassVar, Final, Literal, get_args

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from eventtracking_core import (
    BatchError,
    ByteSize,
    Event,
    EventType,
    RetryableError,
    refuse_options,
)
from eventtracking_core._text import counted
from eventtracking_core.encoding import encode_columns, with_parts
from eventtracking_core.files.probing import unreadable
from eventtracking_core.reading import is_field
from eventtracking_kafka.failures import failure, not_started
from eventtracking_kafka.messages import (
    FORMATS,
    TOPIC_RULE,
    Encoding,
    Format,
    Messages,
    is_topic,
)
from eventtracking_kafka.producing import Producing
from eventtracking_kafka.registry import SchemaRegistry
from eventtracking_kafka.schemas import FORMS, RegisteredFormat
from eventtracking_kafka.settings import FIXED, Setting, refused_settings

__all__ = ["KafkaBackend"]

MESSAGE_BYTES: Final = range(1000, 1_000_000_001)
"""What librdkafka takes for a limit."""

Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class KafkaBackend:
    """Sends events to topics of Apache Kafka, confirmed by all replicas in sync.

    A message has the headers `id`, `name`, `name_id` (if the event has one) and `content-type`.

    Args:
        servers: brokers to begin with, such as `kafka-1:9092,kafka-2:9092`.
        topic: the topic; fields in it, such as `{name}` or `{context.org}`, are replaced.
        key: the field whose value is the message's key, such as `context.user_id`; messages of one
            key stay in their order. None if not given.
        format: `json`, `msgpack`, `cloudevents` (binary mode) or `cloudevents_structured`; with
            `schema_registry`, `json_schema` or `avro`.
        source: the `source` of CloudEvents.
        schema_registry: the address of a registry with Confluent's API, such as
            `https://user:password@registry:8081`, for the schemas of event types.
        compression: `none`, `gzip`, `snappy`, `lz4` or `zstd`.
        max_message_bytes: bytes of a message; a larger one is rejected.
        tls: whether to use TLS.
        ca: the file of the certificate authorities that are trusted, with TLS.
        certificate: the client's certificate, a file; with `private_key`.
        private_key: see `certificate`.
        username: for SASL, with `password`.
        password: see `username`.
        mechanism: of SASL.
        extra: further settings of librdkafka, such as `{"linger.ms": 20}`.

    Raises:
        ValueError: an option cannot be used; the message says which.
    """

    default_delivery: ClassVar[str] = "queue"

    def __init__(
        self,
        servers: str = "localhost:9092",
        topic: str = "events",
        key: str | None = None,
        *,
        format: Format | RegisteredFormat = "json",  # noqa: A002  the option's natural name
        source: str = "eventtracking",
        schema_registry: str | None = None,
        compression: Compression = "lz4",
        max_message_bytes: ByteSize = 1_000_000,
        tls: bool = False,
        ca: str | None = None,
        certificate: str | None = None,
        private_key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        mechanism: Mechanism = "SCRAM-SHA-512",
        extra: Mapping[str, Setting] | None = None,
    ) -> None:
        security = f"{'SASL_' if username else ''}{'SSL' if tls else 'PLAINTEXT'}"
        options: dict[str, Setting | None] = {
            "bootstrap.servers": servers,
            "security.protocol": security,
            "ssl.ca.location": ca,
            "ssl.certificate.location": certificate,
            "ssl.key.location": private_key,
            "sasl.mechanism": mechanism if username else None,
            "sasl.username": username,
            "sasl.password": password,
            "log_level": 0,
        }
        self._client = {key: value for key, value in options.items() if value is not None}
        settings: dict[str, Setting] = {
            **self._client,
            "compression.type": compression,
            "message.max.bytes": max_message_bytes,
        }
        extra = dict(extra or {})
        refuse_options(
            {
                "servers must name a broker, such as localhost:9092": not servers.strip(),
                TOPIC_RULE: not is_topic(topic),
                "key must be a field, such as context.user_id": key is not None
                and not is_field(key),
                f"format must be one of: {', '.join([*FORMATS, *FORMS])}": format
                not in {*FORMATS, *FORMS},
                "schema_registry and the formats json_schema and avro belong together": (
                    schema_registry is None
                )
                == (format in FORMS),
                f"compression must be one of: {', '.join(get_args(Compression))}": compression
                not in get_args(Compression),
                f"mechanism must be one of: {', '.join(get_args(Mechanism))}": mechanism
                not in get_args(Mechanism),
                "max_message_bytes must be from 1,000 to 1,000,000,000": max_message_bytes
                not in MESSAGE_BYTES,
                "username and password belong together": (username is None) != (password is None),
                "tls must be true, or ca, certificate and private_key are not used": not tls
                and "security.protocol" not in extra
                and any((ca, certificate, private_key)),
                "certificate and private_key belong together": (certificate is None)
                != (private_key is None),
                **{
                    f"extra.{name} must be left out: this backend sets it": True
                    for name in extra.keys() & FIXED.keys()
                },
                **{
                    f"extra.{name} must be a setting of librdkafka, with a value that it takes from"
                    " an idempotent producer": True
                    for name in refused_settings(settings, extra)
                },
            }
        )
        # librdkafka looks for authorities itself if ca is "probe".
        authorities = None if ca == "probe" else ca
        self._files = {"ca": authorities, "certificate": certificate, "private_key": private_key}
        self._registry: SchemaRegistry | None = None
        self.save_event_type: Callable[[EventType], None] | None = None
        """Lets the schema of an event type have its fields; None without a registry."""
        if schema_registry is None:
            encoding = FORMATS[format]
        else:
            form = FORMS[format]()
            self._registry = SchemaRegistry(schema_registry, form)
            self.save_event_type = self._registry.add
            encoding = Encoding(form.content_type, self._registry.encoded)
        self.takes_json = format != "msgpack"
        self._messages = Messages(topic, key, encoding, source)
        self._producing = Producing(settings | extra)

    def review(self) -> Iterator[str]:
        """Yield a warning for each file that cannot be read."""
        return unreadable(self._files)

    def probe(self, timeout: float, /) -> str:
        """Return how many brokers there are, after logging in; ask a schema registry too.

        Raises:
            RetryableError: no broker answers, or the schema registry does not.
        """
        deadline = monotonic() + timeout
        errors: list[KafkaError] = []
        settings: dict[str, Any] = {**self._client, "error_cb": errors.append}
        try:
            client = AdminClient(settings)
        except KafkaException as error:
            raise not_started(error) from None
        try:
            metadata = client.list_topics(timeout=timeout)
        except KafkaException as error:
            client.poll(0)
            reason = errors[0] if errors else error.args[0]
            raise RetryableError(str(failure(reason))) from None
        answer = f"the cluster answers ({counted(len(metadata.brokers), 'broker')})"
        if self._registry is None:
            return answer
        self._registry.probe(deadline - monotonic())
        return f"{answer}, and the schema registry"

    def send_batch(self, events: Sequence[Event], /, *, timeout: float) -> None:
        """Send events, and wait until they are confirmed; `timeout` is in seconds.

        Raises:
            BatchError: some events were not confirmed, or never will be.
            RetryableError: the schema registry does not answer; nothing was sent.
        """
        deadline = monotonic() + timeout
        events = with_parts(events)
        lines, failures = encode_columns(events)
        refused: Mapping[str, Exception] = {}
        if self._registry is not None:
            refused = self._registry.register({each.name for each in lines.columns}, timeout)
        messages = self._messages.of(lines, events, refused, failures)
        failures |= self._producing.send(messages, len(events), deadline - monotonic())
        if failures:
            raise BatchError(failures)

    def flush(self, timeout: float) -> bool:
        """Wait until everything is confirmed; return whether it is. `timeout` is in seconds."""
        return self._producing.flush(timeout)

    def shutdown(self, timeout: float) -> bool:
        """Flush, and disconnect; the next event connects again."""
        return self._producing.close(timeout)
