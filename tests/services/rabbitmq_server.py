"""A real RabbitMQ to test against: a node of its own, on free ports of this machine."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from free_ports import free_port
from started_server import ServerError, StartedServer

__all__ = ["RabbitMQ"]

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's, past its wrapper for root
HELLO = b"AMQP\x00\x00\x09\x01"


class RabbitMQ(StartedServer):
    """A server that can be killed, and started again with the same data on the same port.

    Args:
        directory: where it keeps its data and its log; an empty one.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._node_port, self._epmd_port = free_port(), free_port()

    @property
    def url(self) -> str:
        """The address, for Celery and for clients."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        epmd = shutil.which("epmd")
        if epmd is None or not PROGRAM.exists():
            raise ServerError("no RabbitMQ: install Debian's rabbitmq-server (apt-get install)")
        environ = self._environment()
        self._run([epmd, "-port", str(self._epmd_port), "-address", "127.0.0.1"], environ=environ)
        self._run([PROGRAM], environ=environ)
        self._wait()

    def _environment(self) -> dict[str, str]:
        home = str(self._directory)
        return {
            "ERL_CRASH_DUMP_SECONDS": "0",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "HOME": home,
            "NOTIFY_SOCKET": f"{home}/nobody",  # the script then becomes the server
            "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq",
            "RABBITMQ_CONF_ENV_FILE": f"{home}/rabbitmq-env.conf",
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{home}/config",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": home,
            "RABBITMQ_MNESIA_BASE": f"{home}/data",
            "RABBITMQ_NODENAME": f"test-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_PID_FILE": f"{home}/pid",
            # One scheduler that sleeps when there is nothing to do.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none"
            " -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(HELLO)
                return connection.recv(16) != b""
        except OSError:
            return False
