"""A DNS server on the loopback that knows the seed list of one MongoDB server."""

from __future__ import annotations

import socket
import threading
from time import sleep

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

__all__ = ["SeedList"]


class SeedList:
    """Answers for `mongodb+srv://db.0.0.1`, whose one server is 127.0.0.1.

    A server of a seed list must be in the domain of its name, and here no other name leads to the
    loopback without a resolver of the system.

    Args:
        port: of the MongoDB server.
        delay: seconds before each answer.
    """

    host = "db.0.0.1"

    def __init__(self, port: int, delay: float = 0.0) -> None:
        self.delay = delay
        self.asked = 0
        self._answer = f"_mongodb._tcp.{self.host}.", f"0 0 {port} 127.0.0.1."
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                wire, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(wire)
            response = dns.message.make_response(query)
            response.flags |= dns.flags.RA
            self.asked += 1
            name, record = self._answer
            if query.question[0].to_text() == f"{name} IN SRV":
                response.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", record))
            else:
                response.set_rcode(dns.rcode.NXDOMAIN)
            sleep(self.delay)
            self._socket.sendto(response.to_wire(), sender)
