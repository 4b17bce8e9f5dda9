"""A small OpenID Connect provider on loopback: discovery, keys, authorization, tokens, userinfo.

It signs with a real key and checks PKCE, the client's secret and the address to come back to. What
a test wants it to do wrong it says with `spoil`.
"""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "commonground-console", "the client's secret, of 32 letters"


class OpenIdProvider:
    """Whoever asks is `person`, and in its `groups`."""

    def __init__(self):
        self.person = {"sub": "s-1", "preferred_username": "dora@example.com", "groups": ["cg-ops"]}
        self.key = ECKey.generate_key("P-256", parameters={"kid": "k1"})
        self.spoil, self.codes, self.in_token = {}, {}, True
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                provider._get(self)

            def do_POST(self):
                provider._token(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def configuration(self):
        return f"""[provider]
issuer = "{self.issuer}"
client_id = "{CLIENT}"
name = "Example login"
[provider.roles]
cg-ops = "operator"
cg-look = "compliance"
"""

    def _get(self, handler):
        parts = urlsplit(handler.path)
        if parts.path == "/.well-known/openid-configuration":
            names = ("authorization", "token", "userinfo")
            document = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in names}
            document |= {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
            return _answer(handler, document)
        if parts.path == "/keys":
            return _answer(handler, {"keys": [self.key.as_dict(private=False)]})
        if parts.path == "/userinfo":
            return _answer(handler, self.person | self.spoil.get("userinfo", {}))
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = base64.urlsafe_b64encode(hashlib.sha256(asked["state"].encode()).digest()).decode()
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        handler.send_response(302)
        handler.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
        handler.end_headers()
        return None

    def _token(self, handler):
        data = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(data).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code"), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
            or handler.headers["Authorization"] != f"Basic {basic}"
        ):
            return _answer(handler, {"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300}
        claims |= {"nonce": asked["nonce"], "sub": self.person["sub"]}
        claims |= self.person if self.in_token else {}
        claims |= self.spoil.get("claims", {})
        key = self.spoil.get("key", self.key)
        token = jwt.encode({"alg": "ES256", "kid": "k1"}, claims, key)
        said = {"access_token": "a", "token_type": "Bearer", "id_token": token}
        return _answer(handler, said)


def _answer(handler, document, status=200):
    data = json.dumps(document).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
