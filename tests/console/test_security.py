"""Who is let in, what they reach, and what every answer says to a browser.

Covers: OWASP's list for sign-in, sessions, forms and headers, against the application itself with
every route that it has. Does not cover: TLS (tests/e2e), and what a browser does with the headers.
"""

import re

import measured_tables
import pytest
from starlette.testclient import TestClient
from visitors import NAMES, PASSWORD, PLACE, Visitor, newest, session_of

from audit.roles import Role
from client.console.app import MOST_BODY_BYTES, Place, make_app, roles_of
from client.console.paths import own_path
from client.console.visit import RANK, Anybody, visiting
from party.errors import StoreError
from party.evidence import StoredLog, verify_log
from party.staff import entrance, passwords
from party.staff.accounts import Staff
from party.staff.sessions import Sessions
from party.store import Store


def concrete(path):
    """Return an address of a route: its parts hold what no thing is called."""
    return re.sub(r"\{[^}]*\}", "00000000", path)


# -- roles ----------------------------------------------------------------------------------------


def test_a_route_without_a_role_makes_no_console(app):
    @app.get("/forgotten")
    def forgotten():
        return "everybody reads this"

    try:
        with pytest.raises(LookupError, match="/forgotten"):
            roles_of(app)
    finally:
        app.router.routes[:] = [
            one for one in app.router.routes if getattr(one, "path", "") != "/forgotten"
        ]


def test_every_route_turns_away_whom_it_is_not_for(app, signed_in, stranger):
    """The role matrix, over every route that there is: whoever may not is refused, others not."""
    tokens = {role: form_token(signed_in(role)) for role in Role}
    rows = []
    for (method, path), needed in sorted(roles_of(app).items(), key=lambda one: one[0][::-1]):
        if method == "HEAD":
            continue
        may = [role for role in Role if needed is None or RANK[role] >= RANK[needed]]
        if method == "GET" and needed is not None:
            answer = stranger.client.get(concrete(path), follow_redirects=False)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path
        for role in Role:
            client = signed_in(role).client
            if method == "GET":
                assert is_refused(client.get(concrete(path))) == (role not in may), (path, role)
            elif role not in may:
                answer = client.post(concrete(path), data={"form_token": tokens[role]})
                assert is_refused(answer), (path, role)
        nobody = "yes" if needed is None else "no"
        rows.append((method, path, nobody, *("yes" if role in may else "no" for role in Role)))
    measured_tables.keep(
        "roles",
        "Which page is for which role",
        "Each was asked of a running console: whoever may not is refused.",
        ("method", "page", "nobody signed in", *(role.value for role in Role)),
        rows,
    )


def form_token(visitor):
    """Return the token of forms in a visitor's session."""
    return re.search(r'name="form_token" value="([^"]*)"', visitor.get("/").text)[1]


def is_refused(answer):
    """Say whether a page is refused for the role of whoever asks."""
    return answer.status_code == 403 and "Not for your role" in answer.text


def test_every_form_is_refused_without_its_token(app, signed_in, stranger):
    for (method, path), needed in roles_of(app).items():
        if method == "GET" or method == "HEAD":
            continue
        visitor = stranger if needed is None else signed_in(Role.OPERATOR)
        for token in ({}, {"form_token": "A" * 88}):
            answer = visitor.client.post(concrete(path), data=token, follow_redirects=False)
            assert answer.status_code == 403, (path, token)
            assert "too old" in answer.text


def test_what_is_open_to_anybody_is_a_short_list(app):
    found = {path for (_, path), role in roles_of(app).items() if role is None}
    assert found == {
        "/sign-in", "/sign-in/provider", "/sign-in/back", "/choices", "/static/{digest}/{name}",
    }  # fmt: skip


# -- forms ----------------------------------------------------------------------------------------


def test_a_form_of_another_session_is_refused(app, mallory, signed_in):
    visitor, other = Visitor(app), signed_in(Role.OPERATOR)
    visitor.sign_in(mallory)
    token = re.search(r'name="form_token" value="([^"]*)"', other.get("/").text)[1]
    assert visitor.client.post("/sign-out", data={"form_token": token}).status_code == 403
    assert visitor.get("/").url.path == "/"


def test_a_form_that_another_site_sends_is_refused_whatever_it_carries(app, mallory):
    visitor = Visitor(app)
    visitor.sign_in(mallory)
    token = re.search(r'name="form_token" value="([^"]*)"', visitor.get("/").text)[1]
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site}
        answer = visitor.client.post("/sign-out", data={"form_token": token}, headers=headers)
        assert answer.status_code == 403
    assert visitor.get("/").url.path == "/"


def test_a_token_is_another_on_each_page(signed_in):
    visitor = signed_in(Role.OPERATOR)
    tokens = re.findall(r'name="form_token" value="([^"]*)"', visitor.get("/").text)
    assert len(tokens) == len(set(tokens)) > 1


# -- sessions -------------------------------------------------------------------------------------


def test_signing_in_gives_a_new_secret_and_forgets_what_was_there_before(app, mallory):
    visitor = Visitor(app)
    visitor.get("/sign-in")
    before = visitor.client.cookies.get("__Host-commonground-443-before")
    visitor.sign_in(mallory)
    first = session_of(visitor)
    assert before
    assert first not in (None, before)
    assert visitor.client.cookies.get("__Host-commonground-443-before") is None
    again = Visitor(app)
    again.sign_in(mallory)
    assert session_of(again) != first


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(app, mallory):
    visitor = Visitor(app)
    text = visitor.client.get("/sign-in")
    token = re.search(r'name="form_token" value="([^"]*)"', text.text)[1]
    data = {"name": mallory, "password": PASSWORD, "form_token": token}
    answer = visitor.client.post("/sign-in", data=data, follow_redirects=False)
    said = text.headers.get_list("set-cookie") + answer.headers.get_list("set-cookie")
    assert len(said) >= 3
    for one in said:
        assert one.startswith("__Host-")
        for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert word in one
        assert "Domain" not in one


# -- passwords ------------------------------------------------------------------------------------


def test_a_hash_is_computed_where_there_is_no_account():
    computed = []

    class Counted:
        def verify(self, hashed, password):
            computed.append(hashed)
            raise passwords_error()

        def hash(self, password):
            return "$argon2id$nobody"

    def passwords_error():
        from argon2.exceptions import VerifyMismatchError

        return VerifyMismatchError()

    kept, passwords._hasher = passwords._hasher, Counted
    passwords._nobodys.cache_clear()
    try:
        assert not passwords.fits(None, "something")
    finally:
        passwords._hasher = kept
        passwords._nobodys.cache_clear()
    assert computed == ["$argon2id$nobody"]


def test_a_long_password_is_not_hashed():
    assert not passwords.fits(None, "x" * 5000)


def test_passwords_that_do_not_serve_are_refused(party):
    from party.errors import AccessError

    for password in ("short", "xena-is-my-password", "abababababababab", "x" * 2000):
        with pytest.raises(AccessError):
            Staff(party).add("xena", Role.ANALYST, password)


# -- one's own password ---------------------------------------------------------------------------

ANOTHER = "a horse with another battery"


def change(visitor, old=PASSWORD, new=ANOTHER, again=None):
    return visitor.send("/account", "/account/password", old=old, new=new, again=again or new)


@pytest.mark.parametrize("role", list(Role))
def test_whoever_knows_the_old_password_gives_a_new_one_and_stays(party, app, mallory, role):
    Staff(party).set_role("mallory~console", role)
    here, elsewhere = Visitor(app), Visitor(app)
    for visitor in (here, elsewhere):
        visitor.sign_in(mallory)
    before = session_of(here)
    answer = change(here)
    assert (answer.status_code, answer.url.path) == (200, "/account")
    assert "Your password is changed" in answer.text
    assert Sessions(party).find(before) is None
    assert elsewhere.get("/").url.path == "/sign-in"
    changed, signed_in = newest(party, 2)
    assert (changed.kind, changed.actor) == (
        "console.password",
        f"mallory~console/{role.value}",
    )
    assert signed_in.kind == "console.signed_in"
    assert Visitor(app).sign_in(mallory).status_code == 403
    assert Visitor(app).sign_in(mallory, ANOTHER).url.path == "/"
    verify_log(StoredLog(party.store, party.identity))


@pytest.mark.parametrize(
    ("typed", "status", "says"),
    [
        ({"old": "wrong"}, 403, "The password is not right."),
        ({"again": ANOTHER + "!"}, 422, "The two are not the same."),
        ({"new": "short"}, 422, "at least 12 characters"),
        ({"new": "mallory has a horse"}, 422, "does not contain"),
    ],
)
def test_a_password_that_is_not_changed_ends_nothing(party, app, mallory, typed, status, says):
    visitor = Visitor(app)
    visitor.sign_in(mallory)
    answer = change(visitor, **typed)
    assert answer.status_code == status
    assert says in answer.text
    assert not any(text in answer.text for text in (PASSWORD, ANOTHER))
    assert visitor.get("/").url.path == "/"
    assert Visitor(app).sign_in(mallory).url.path == "/"


def test_an_open_browser_cannot_guess_the_old_password(party, stopped, app, mallory):
    visitor = Visitor(app)
    visitor.sign_in(mallory)
    for _ in range(entrance.FREE_OF_ACCOUNT + 1):
        assert change(visitor, old="wrong").status_code == 403
    slowed = change(visitor)
    assert slowed.status_code == 429
    assert "Try again in" in slowed.text
    refused = newest(party)[0]
    assert (refused.kind, refused.body.account) == ("console.refused", "mallory~console")
    verify_log(StoredLog(party.store, party.identity))


def test_whom_a_provider_vouches_for_has_no_password_to_change(party, app):
    staff = Staff(party)
    account = staff.add_subject("petra", Role.ANALYST, "https://login.example", "7")
    visitor, secret = Visitor(app), Sessions(party).begin(account, "provider")
    name = "__Host-commonground-443-session"
    visitor.client.cookies.set(name, secret, domain="testserver.local")
    page = visitor.get("/account").text
    assert "vouches for you" in page
    assert 'name="old"' not in page
    token = re.search(r'name="form_token" value="([^"]*)"', page)[1]
    typed = {"form_token": token, "old": PASSWORD, "new": ANOTHER, "again": ANOTHER}
    answer = visitor.client.post("/account/password", data=typed)
    assert answer.status_code == 422
    assert "vouches for you" in answer.text
    assert staff.password_of(account.account) is None
    staff.remove(account.account)


# -- what every answer says -----------------------------------------------------------------------


def test_every_answer_has_the_headers_of_owasp(app, signed_in, stranger):
    answers = [
        signed_in(Role.OPERATOR).get(concrete(path))
        for (method, path) in roles_of(app)
        if method == "GET"
    ]
    answers += [stranger.get("/no/such/page"), stranger.client.post("/sign-in"), stranger.get("/")]
    answers += [stranger.get("/api/v1/status"), stranger.get("/api/v1/openapi.json")]
    for answer in answers:
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["strict-transport-security"].startswith("max-age=")
        if "/static/" not in str(answer.url) or answer.status_code == 404:
            assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_no_page_has_a_script_or_a_style_in_it(app, signed_in):
    for method, path in roles_of(app):
        if method == "GET" and "{" not in path:
            text = signed_in(Role.OPERATOR).get(path).text
            assert not re.search(
                r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text
            )


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "", "testserver:x", "[::1"]
)
def test_another_name_of_this_host_is_refused(stranger, host):
    assert stranger.client.get("/sign-in", headers={"Host": host}).status_code == 421


def test_names_that_are_ours_are_not():
    place = Place(frozenset({"localhost", "::1", "console.example"}), 7490, secure=False)
    from client.console.guard import Guard

    guard = Guard(None, place, 1)
    for host in ("localhost", "LOCALHOST:7490", "[::1]:7490", "[::1]", "console.example:443"):
        assert guard._is_ours(host), host


def test_a_body_that_is_too_large_is_refused_said_or_not(stranger):
    large = b"x" * (MOST_BODY_BYTES + 1)
    assert stranger.client.post("/sign-in", content=large).status_code == 413

    def parts():
        for _ in range(20):
            yield large[: MOST_BODY_BYTES // 10]

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert stranger.client.post("/sign-in", content=parts(), headers=headers).status_code == 413


@pytest.mark.parametrize(
    "then",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil", "javascript:x",
     "/a//b", "/%2f/evil", "evil", "", "/sign-in?next=//evil", "/a\r\nSet-Cookie: x"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(app, mallory, then):
    assert own_path(then) == "/"
    visitor = Visitor(app)
    page = visitor.client.get("/sign-in", params={"next": then})
    assert 'name="next" value="/"' in page.text
    token = re.search(r'name="form_token" value="([^"]*)"', page.text)[1]
    data = {"name": mallory, "password": PASSWORD, "form_token": token, "next": then}
    answer = visitor.client.post("/sign-in", data=data, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_an_own_page_is_gone_back_to(app):
    visitor = Visitor(app)
    answer = visitor.get("/health")
    assert answer.url.path == "/sign-in"
    assert 'name="next" value="/health"' in answer.text


def test_a_fault_leaks_nothing(parties):
    app = make_app(parties["advertiser"], PLACE)

    @app.get("/broken")
    def broken(visit: Anybody):
        raise RuntimeError("the secret of the house")

    client = TestClient(app, base_url="https://testserver", raise_server_exceptions=False)
    answer = client.get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "A fault of this program" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_store_that_is_away_is_said_to_be(app, signed_in, monkeypatch):
    visitor = signed_in(Role.ANALYST)

    def away(*_):
        raise StoreError("the store: it does not answer (refused)")

    monkeypatch.setattr(Store, "read", away)
    monkeypatch.setattr(Store, "write", away)
    answer = visitor.get("/health")
    assert answer.status_code == 503
    assert "store does not answer" in answer.text


def test_what_people_typed_is_escaped(app):
    answer = Visitor(app).sign_in('"><script>alert(1)</script>', "wrong")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_without_tls_nothing_claims_it(parties):
    app = make_app(parties["advertiser"], Place(frozenset({"testserver"}), 7490, secure=False))
    answer = TestClient(app, base_url="http://testserver").get("/sign-in")
    assert "strict-transport-security" not in answer.headers
    assert "Secure" not in answer.headers["set-cookie"]


def test_the_visit_of_a_role_is_named_by_it():
    assert [visiting(role).role for role in Role] == list(Role)
    assert NAMES.keys() == set(Role)
