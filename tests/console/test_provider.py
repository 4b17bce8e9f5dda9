"""Signing in through an OpenID Connect provider, which runs here on loopback.

Covers: who is let in and in which role, what the log says, groups that change, and answers that are
forged or to another question. Does not cover: a provider of another make.
"""

import time
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey
from oidc import SECRET, OpenIdProvider
from organisations import make_party
from visitors import PLACE, Visitor

from audit.entry import Entry
from audit.roles import Role
from client.console.app import make_app
from client.console.settings import FILE, load_provider
from party import accounts
from party.errors import SettingsError
from party.evidence import StoredLog
from party.staff.accounts import Staff


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def followed(address):
    """Return where a provider sends the browser back to."""
    try:
        urllib.request.build_opener(_NoRedirect).open(address, timeout=30)
    except urllib.error.HTTPError as answer:
        return answer.headers["Location"]
    raise AssertionError("the provider has not sent the browser back")


@pytest.fixture(scope="module")
def provider():
    made = OpenIdProvider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def made_once(tmp_path_factory, provider):
    made = make_party(tmp_path_factory.mktemp("provider"), "advertiser")
    (made.folder / FILE).write_text(provider.configuration())
    secret = made.folder / "keys" / "provider.secret"
    secret.touch(0o600)
    secret.write_text(SECRET)
    yield made
    made.close()


@pytest.fixture
def party(made_once, provider):
    provider.person = {"sub": "s-1", "preferred_username": "dora@e.com", "groups": ["cg-ops"]}
    provider.spoil, provider.in_token = {}, True
    staff = Staff(made_once)
    for one in staff.people():
        staff.remove(one.account)
    return made_once


@pytest.fixture
def visitor(party):
    return Visitor(make_app(party, PLACE))


def come_in(visitor, path="/sign-in/provider"):
    there = visitor.client.get(path, follow_redirects=False)
    assert there.status_code == 303
    return visitor.get(followed(there.headers["Location"]))


def kinds(party):
    entries = map(Entry.parse, StoredLog(party.store, party.identity).entries())
    return [(one.kind, one.actor) for one in entries]


def test_whoever_is_in_a_group_with_a_role_is_let_in_and_the_log_says_so(party, visitor):
    assert "Sign in with Example login" in visitor.get("/sign-in").text
    answer = come_in(visitor)
    assert (answer.status_code, answer.url.path) == (200, "/")
    assert "dora, operator" in answer.text
    (dora,) = Staff(party).people()
    assert (dora.account, dora.role) == ("dora~console", Role.OPERATOR)
    assert kinds(party)[-2:] == [
        ("access.granted", f"provider:{accounts.current()}/operator"),
        ("console.signed_in", "dora~console/operator"),
    ]


def test_groups_of_userinfo_serve_where_the_token_has_none(provider, visitor):
    provider.in_token = False
    assert come_in(visitor).url.path == "/"


def test_a_role_follows_the_groups_at_the_next_sign_in_and_ends_with_them(provider, party, visitor):
    come_in(visitor)
    provider.person["groups"] = ["cg-look", "others"]
    assert "dora, compliance" in come_in(Visitor(visitor.client.app)).text
    assert visitor.get("/").url.path == "/sign-in"  # the session of the other role has ended
    provider.person["groups"] = ["others"]
    answer = come_in(Visitor(visitor.client.app))
    assert answer.status_code == 403
    assert Staff(party).people() == []


def test_two_people_of_one_name_get_two_accounts(provider, party, visitor):
    come_in(visitor)
    provider.person |= {"sub": "s-2", "preferred_username": "dora@other.com"}
    assert "dora-2, operator" in come_in(Visitor(visitor.client.app)).text


@pytest.mark.parametrize(
    "spoil",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"aud": "another"}},
        {"claims": {"iss": "https://another.example"}},
        {"claims": {"exp": int(time.time()) - 3600}},
        {"claims": {"azp": "another"}},
        {"key": ECKey.generate_key("P-256", parameters={"kid": "k1"})},
    ],
    ids=["nonce", "audience", "issuer", "ended", "for another client", "another key"],
)
def test_a_token_that_does_not_hold_lets_nobody_in(provider, party, visitor, spoil):
    provider.spoil = spoil
    assert come_in(visitor).status_code == 403
    assert Staff(party).people() == []
    assert visitor.get("/").url.path == "/sign-in"


def test_userinfo_of_somebody_else_is_refused(provider, party, visitor):
    provider.in_token, provider.spoil = False, {"userinfo": {"sub": "s-9"}}
    assert come_in(visitor).status_code == 403
    assert Staff(party).people() == []


def test_an_answer_to_another_browsers_question_lets_nobody_in(party, visitor):
    there = visitor.client.get("/sign-in/provider", follow_redirects=False)
    back = followed(there.headers["Location"])
    other = Visitor(visitor.client.app)
    assert other.get(back).status_code == 403  # it has asked nothing
    other.client.get("/sign-in/provider", follow_redirects=False)
    assert other.get(back).status_code == 403  # it has asked something else
    assert visitor.get(back).status_code == 200


def test_a_code_serves_once(visitor):
    there = visitor.client.get("/sign-in/provider", follow_redirects=False)
    cookies = dict(visitor.client.cookies)
    back = followed(there.headers["Location"])
    assert visitor.get(back).status_code == 200
    again = Visitor(visitor.client.app)
    again.client.cookies.update(cookies)
    assert again.get(back).status_code == 403


def test_the_provider_is_asked_to_come_back_here_alone(visitor):
    answer = visitor.client.get("/sign-in/provider?next=//evil.example", follow_redirects=False)
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["redirect_uri"] == ["https://testserver/sign-in/back"]
    assert visitor.get(followed(answer.headers["Location"])).url.path == "/"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('issuer = "http://login.example.com"', "https"),
        ('issuer = "https://u:p@login.example.com"', "https"),
        ('colour = "red"', "colour"),
        ('roles = {a = "king"}', "role"),
        ('scopes = ["profile"]', "openid"),
    ],
)
def test_a_configuration_that_does_not_serve_is_refused(tmp_path, line, word):
    told = {"issuer": '"https://login.example.com"', "client_id": '"c"', "roles": '{a = "analyst"}'}
    name, _, value = line.partition(" = ")
    text = "\n".join(f"{key} = {one}" for key, one in (told | {name: value}).items())
    (tmp_path / FILE).write_text(f"[provider]\n{text}\n")
    with pytest.raises(SettingsError, match=word):
        load_provider(tmp_path)
