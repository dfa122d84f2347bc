"""The town's own certificate authority, for nothing but the broker: it vouches for one server, to our lockers.

ca.key and ca.pem are made once and stay; server.key and server.pem are made anew when they near their end, when the
broker's names change, or when they are gone. ECDSA on P-256, which a locker checks in the least memory.

A CA is replaced in two steps: renew() makes the next one beside it, which is brought to every locker; switch() signs
with it from then on. Lockers hold both meanwhile, so none is cut off.
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
NEXT_KEY, NEXT = "ca-next.key", "ca-next.pem"
_DAY = datetime.timedelta(days=1)  # also how far our clock may be ahead of those who check
_LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_PEM = serialization.Encoding.PEM


class AuthorityError(Exception):
    """The files do not go together, and what to do about it."""


class Authority:
    """`folder`: for its owner's eyes only, as every file in it. Raises AuthorityError, KeyFileError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._end_switch()
        self._key = self._own_key()
        self._certificate = self._own_certificate()

    @property
    def der(self) -> bytes:
        """What lockers trust."""
        return self._certificate.public_bytes(serialization.Encoding.DER)

    @property
    def trusted(self) -> tuple[bytes, ...]:
        """What a locker is given: this CA and, once it was made, the next one."""
        found = _certificate_of(self.folder / NEXT)
        return (self.der,) if found is None else (self.der, found.public_bytes(serialization.Encoding.DER))

    def renew(self) -> bool:
        """Make the next CA; whether it was not there yet."""
        if _certificate_of(self.folder / NEXT) is not None:
            return False
        key = ec.generate_private_key(ec.SECP256R1())  # what an earlier try left signed nothing
        write_secret(self.folder / NEXT_KEY, _key_text(key), replace=True)
        write_secret(self.folder / NEXT, _self_signed(key), replace=True)
        return True

    def switch(self) -> None:
        """The next CA is the CA, from the next start of the gateway on. Raises AuthorityError when there is none."""
        found = _certificate_of(self.folder / NEXT)
        if found is None or found.public_key() != _key_of(self.folder / NEXT_KEY).public_key():
            raise AuthorityError("there is no next CA: make it with consigne ca renew, and bring it to every locker")
        (self.folder / NEXT_KEY).replace(self.folder / CA_KEY)
        self._end_switch()
        self._key = self._own_key()
        self._certificate = self._own_certificate()

    def _end_switch(self) -> None:
        """A power cut may have come between the two files of a switch: then ca.key is the next CA's."""
        found = _certificate_of(self.folder / NEXT)
        if found is None or (self.folder / NEXT_KEY).exists() or not (self.folder / CA_KEY).exists():
            return
        if found.public_key() == _key_of(self.folder / CA_KEY).public_key():
            (self.folder / NEXT).replace(self.folder / CA)

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
            write_secret(path, _self_signed(self._key))
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


def certificates(folder: Path) -> dict[str, x509.Certificate | None]:
    """Those that lie there, by their file's name, for whoever only looks. None: missing, or no certificate."""
    return {name: _certificate_of(folder / name) for name in (CA, NEXT, SERVER)}


def names_of(certificate: x509.Certificate) -> list[str]:
    """What it is good for."""
    try:
        said = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return []
    return [str(name.value) for name in said]


def _self_signed(key: ec.EllipticCurvePrivateKey) -> str:
    """A CA's certificate, in PEM. Its name tells it from a former one: mbedTLS looks for a signer by name."""
    now = datetime.datetime.now(datetime.UTC)
    name = _named(f"Consigne, the broker's CA {x509.random_serial_number():x}"[:40])
    built = (
        _builder(name, name, key, now, now + BROKER_CA_DAYS * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_signs_certificates(), critical=True)
    )
    return built.sign(key, hashes.SHA256()).public_bytes(_PEM).decode()


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
