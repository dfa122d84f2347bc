"""The town's own certificate authority, for nothing but the broker: it vouches for one server, to our lockers.

ca.key and ca.pem are made once and stay; server.key and server.pem are made anew when they near their end, when the
broker's names change, or when they are gone. ECDSA on P-256, which a locker checks in the least memory.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.key_files import read_secret, write_secret
from gateway.limits import BROKER_CA_DAYS, BROKER_CERTIFICATE_DAYS, BROKER_CERTIFICATE_RENEWED_DAYS

CA_KEY, CA, SERVER_KEY, SERVER = "ca.key", "ca.pem", "server.key", "server.pem"
_DAY = datetime.timedelta(days=1)  # also how far our clock may be ahead of those who check
_LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_PEM = serialization.Encoding.PEM


class AuthorityError(Exception):
    """The files do not go together, and what to do about it."""


class Authority:
    """`folder`: for its owner's eyes only, as every file in it. Raises AuthorityError, KeyFileError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = self._own_key()
        self._certificate = self._own_certificate()

    @property
    def der(self) -> bytes:
        """What lockers trust."""
        return self._certificate.public_bytes(serialization.Encoding.DER)

    def certify(self, names: Sequence[str], now: datetime.datetime | None = None) -> bool:
        """See to it that the server's certificate is good for these names (IPv4 addresses too) for a while yet;
        whether it was made anew. Costs a third of a millisecond when there is nothing to do."""
        now = now or datetime.datetime.now(datetime.UTC)
        if now < self._end_of_server(names) - BROKER_CERTIFICATE_RENEWED_DAYS * _DAY:
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        end = now + BROKER_CERTIFICATE_DAYS * _DAY
        built = (
            _builder(_named(names[0]), self._certificate.subject, key, now, end)
            .add_extension(alternatives, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        # A crash in between leaves a key that its certificate is not for, which the next look mends.
        write_secret(self.folder / SERVER_KEY, _key_text(key), replace=True)
        made = built.sign(self._key, hashes.SHA256())
        write_secret(self.folder / SERVER, made.public_bytes(_PEM).decode(), replace=True)
        return True

    # -------------------------------------------------------------- its own
    def _own_key(self) -> ec.EllipticCurvePrivateKey:
        path = self.folder / CA_KEY
        if not path.exists():
            if (self.folder / CA).exists():
                raise AuthorityError(
                    f"{path} is missing: restore it from its backup. If it is lost for good, delete "
                    f"{self.folder / CA} too, start, and provision every locker again: none trusts a new one by itself"
                )
            write_secret(path, _key_text(ec.generate_private_key(ec.SECP256R1())))
        return _key_of(path)

    def _own_certificate(self) -> x509.Certificate:
        path = self.folder / CA
        if not path.exists():
            name, now = _named("Consigne, the broker's CA"), datetime.datetime.now(datetime.UTC)
            built = (
                _builder(name, name, self._key, now, now + BROKER_CA_DAYS * _DAY)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(_signs_certificates(), critical=True)
            )
            made = built.sign(self._key, hashes.SHA256())
            write_secret(path, made.public_bytes(_PEM).decode())
        found = _certificate_of(path)
        if found is None or found.public_key() != self._key.public_key():
            raise AuthorityError(f"{path} is not the certificate of {CA_KEY}: restore both from one backup")
        return found

    def _end_of_server(self, names: Sequence[str]) -> datetime.datetime:
        """Until when the server's certificate that is there will do; long ago if it does not."""
        found = _certificate_of(self.folder / SERVER)
        if found is None or not (self.folder / SERVER_KEY).exists():
            return _LONG_AGO
        try:
            found.verify_directly_issued_by(self._certificate)
            said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            same_key = found.public_key() == _key_of(self.folder / SERVER_KEY).public_key()
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound, AuthorityError):
            return _LONG_AGO
        if not same_key or list(said) != [_alternative(name) for name in names]:
            return _LONG_AGO
        return found.not_valid_after_utc


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(end)
    )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text[:64])])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.IPv4Address(name))
    except ValueError:
        return x509.DNSName(name)


def _signs_certificates() -> x509.KeyUsage:
    others = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **others)


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(_PEM, form, serialization.NoEncryption()).decode()


def _key_of(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        found = serialization.load_pem_private_key(read_secret(path).encode(), None)
    except ValueError:
        found = None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise AuthorityError(f"{path} holds no key of ours: restore it from its backup")
    return found


def _certificate_of(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
