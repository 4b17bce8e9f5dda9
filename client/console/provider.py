"""Signing in through an OpenID Connect provider (Core 1.0, authorization code with PKCE).

The provider says who somebody is and in which groups; the configuration says which role a group
has. Refused: an answer to another question than was asked (state, nonce), a token that the
provider's present keys have not signed for this client, and who is in no group with a role. Whoever
lost the last such group loses the account at the next sign-in.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from client.console.settings import ProviderSettings
from client.console.visit import RANK
from party.errors import AccessError
from party.organisation import Organisation
from party.staff.accounts import PROVIDER, Staff, StaffAccount

ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")
_SECONDS: Final = 10
_KEPT_SECONDS: Final = 3600
_LEEWAY_SECONDS: Final = 60
_MOST_BYTES: Final = 1 << 20
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{20,120}")


class NotVouched(AccessError):  # noqa: N818 - what the answer is
    """The provider vouches for nobody, or for somebody who has no role here."""


@dataclass(frozen=True)
class Asked:
    """What was asked of the provider, as the browser keeps it meanwhile."""

    state: str
    nonce: str
    verifier: str
    next: str

    @classmethod
    def new(cls, then: str) -> Asked:
        """Ask something new; `then` is where to go afterwards."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, then)

    def to_cookie(self) -> str:
        """Return it as text."""
        return urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def of_cookie(cls, text: str | None) -> Asked | None:
        """Read it; None where there is none, or none of ours."""
        try:
            found = cls(**json.loads(urlsafe_b64decode((text or "").encode("ascii"))))
        except (ValueError, TypeError):
            return None
        words = (found.state, found.nonce, found.verifier)
        whole = all(isinstance(one, str) and _WORD.fullmatch(one) for one in words)
        return found if whole and isinstance(found.next, str) else None


class Provider:
    """The provider of one party; what it publishes is asked for when needed, and kept an hour."""

    def __init__(self, party: Organisation, settings: ProviderSettings) -> None:
        self._party, self.settings = party, settings
        self._lock = threading.Lock()
        self._published: dict[str, tuple[float, Any]] = {}

    def address(self, asked: Asked, back: str) -> str:
        """Return where the browser goes to sign in; it comes back to `back`.

        Raises:
            NotVouched: the provider does not answer.
        """
        place = self._metadata("authorization_endpoint")
        with self._session(back) as session:
            address, _ = session.create_authorization_url(
                place, state=asked.state, nonce=asked.nonce, code_verifier=asked.verifier
            )
        return str(address)

    def account(self, asked: Asked, answer: Mapping[str, str], back: str) -> StaffAccount:
        """Return whose account it is that the provider vouches for; made, if it is a new one.

        Raises:
            NotVouched: it vouches for nobody, or nobody with a role.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), asked.state.encode()):
            raise NotVouched("the answer is to another question than was asked here")
        if "error" in answer or not answer.get("code"):
            raise NotVouched("the provider has not let you in")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:  # RFC 9207
            raise NotVouched("the answer is another provider's")
        claims = self._claims(asked, answer["code"], back)
        return self._account(claims)

    def _account(self, claims: Mapping[str, Any]) -> StaffAccount:
        staff, issuer, subject = Staff(self._party), self.settings.issuer, claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise NotVouched("the provider says no subject")
        groups = claims.get(self.settings.groups_claim, [])
        named = groups if isinstance(groups, list) else [groups]
        roles = self.settings.roles
        held = {roles[one] for one in named if isinstance(one, str) and one in roles}
        known = staff.by_subject(issuer, subject)
        if not held:
            if known is not None:
                staff.remove(known.account, actor=PROVIDER)
            raise NotVouched("none of your groups has a role here")
        role = max(held, key=RANK.__getitem__)
        if known is None:
            name = claims.get(self.settings.name_claim) or "someone"
            known = staff.add_subject(str(name), role, issuer, subject)
        if known.role is not role:
            return staff.set_role(known.account, role, actor=PROVIDER)
        return known

    def _claims(self, asked: Asked, code: str, back: str) -> Mapping[str, Any]:
        """Return what the provider says of whoever comes with a code, once it is checked."""
        from authlib.common.errors import AuthlibBaseError
        from requests import RequestException

        try:
            with self._session(back) as session:
                token = session.fetch_token(
                    self._metadata("token_endpoint"),
                    code=code,
                    code_verifier=asked.verifier,
                    grant_type="authorization_code",
                    timeout=_SECONDS,
                )
                claims = self._id_token(token, asked)
                if self.settings.groups_claim not in claims:
                    more = session.get(self._metadata("userinfo_endpoint"), timeout=_SECONDS).json()
                    if not isinstance(more, dict) or more.get("sub") != claims["sub"]:
                        raise NotVouched("the provider speaks of somebody else")
                    claims = more | claims
        except (AuthlibBaseError, RequestException, ValueError, TypeError) as error:
            raise NotVouched(f"the provider vouches for nobody ({type(error).__name__})") from None
        return claims

    def _id_token(self, token: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
        """Return the claims of an ID token that this provider signed for this client just now."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        for again in (False, True):  # a key that is not known may be a new one
            published: Any = self._read(self._metadata("jwks_uri"), again=again)
            keys = KeySet.import_key_set(published)
            try:
                signed = jwt.decode(str(token.get("id_token", "")), keys, list(ALGORITHMS))
                break
            except (JoseError, ValueError) as error:
                if again:
                    raise NotVouched(f"its token does not hold ({type(error).__name__})") from None
        essential = {"essential": True}
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            options={
                "iss": essential | {"value": self.settings.issuer},
                "aud": essential | {"value": self.settings.client_id},
                "exp": essential,
            },
            params={
                "nonce": asked.nonce,
                "client_id": self.settings.client_id,
                "access_token": token.get("access_token"),
            },
        )
        try:
            claims.validate(now=int(self._party.clock()), leeway=_LEEWAY_SECONDS)
        except JoseError as error:
            raise NotVouched(f"its token does not hold ({error})") from None
        return dict(claims)

    def _metadata(self, name: str) -> str:
        address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        document = self._read(address)
        if document.get("issuer") != self.settings.issuer or not isinstance(
            document.get(name), str
        ):
            raise NotVouched(f"the provider's configuration has no {name}, or another issuer")
        return str(document[name])

    def _read(self, address: str, *, again: bool = False) -> dict[str, Any]:
        """Return a document that the provider publishes."""
        from requests import RequestException, get

        now = self._party.clock()
        with self._lock:
            kept = self._published.get(address)
        if kept is not None and now - kept[0] < _KEPT_SECONDS and not again:
            return dict(kept[1])
        try:
            verify = self.settings.ca_file or True
            with get(address, timeout=_SECONDS, verify=verify, stream=True) as answer:
                answer.raise_for_status()
                data = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
            if len(data) > _MOST_BYTES:
                raise ValueError("too long")
            document = json.loads(data)
        except (RequestException, OSError, ValueError) as error:
            raise NotVouched(f"the provider does not answer ({type(error).__name__})") from None
        if not isinstance(document, dict):
            raise NotVouched("the provider publishes no document")
        with self._lock:
            self._published[address] = (now, document)
        return document

    def _session(self, back: str) -> Any:  # noqa: ANN401 - authlib has no types
        from authlib.integrations.requests_client import OAuth2Session

        settings = self.settings
        session = OAuth2Session(
            settings.client_id,
            settings.secret,
            scope=" ".join(settings.scopes),
            redirect_uri=back,
            code_challenge_method="S256",
            token_endpoint_auth_method="none" if settings.secret is None else "client_secret_basic",
        )
        session.verify = settings.ca_file or True
        return session
