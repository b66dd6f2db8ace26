"""Segment over TLS."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from waiting import at_most

from eventtracking_core import RetryableError
from eventtracking_segment import SegmentBackend


@pytest.fixture
def secure_segment(segment, tmp_path, monkeypatch):
    """A Segment that speaks HTTPS, with a certificate that the environment says to trust."""
    path = tmp_path / "certificate.pem"
    path.write_bytes(certificate("127.0.0.1"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    with type(segment)(tls=tls) as stub:
        yield stub


def certificate(address):
    """Return a key and a certificate for an address, signed with that key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's Segment")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), False)  # noqa: FBT003
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)  # noqa: FBT003
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    form, lock = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(encoding, form, lock) + signed.public_bytes(encoding)


def test_https_is_spoken_and_keeps_the_deadline(secure_segment, an_event):
    backend = SegmentBackend(secure_segment.write_key, secure_segment.host)
    for _ in range(2):
        backend.send_batch([an_event() for _ in range(50)], timeout=60)
    assert secure_segment.count == 100
    assert len({request.peer for request in secure_segment.requests}) == 1
    for fault in ("hang", "drip"):
        secure_segment.script(fault)
        with at_most(1.5), pytest.raises(RetryableError, match="in time"):
            backend.send_batch([an_event()], timeout=0.5)
    backend.shutdown(1)


def test_a_certificate_that_is_not_trusted_stops_delivery(secure_segment, an_event, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    backend = SegmentBackend(secure_segment.write_key, secure_segment.host)
    with pytest.raises(RetryableError, match="SSL"):
        backend.send_batch([an_event()], timeout=60)
    assert secure_segment.requests == []
    backend.shutdown(1)
