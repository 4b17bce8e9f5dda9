"""The console as a process: over TLS with the party's certificate, by its words, to its end."""

import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

import pytest
from command_line import ask, error_of, init, run
from two_processes import Running, wait_until

PASSWORD = "a password of many letters"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("console")
    init(made, "advertiser")
    users = ("console", "users", "add", "olga", "--role", "operator")
    run(*users, "--party", made / "advertiser", given=f"{PASSWORD}\n")
    return made / "advertiser"


def browser_of(folder):
    """Return what opens addresses, keeps cookies, and trusts the party's certificate alone."""
    return urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=trusting(folder)),
        urllib.request.HTTPCookieProcessor(CookieJar()),
    )


def trusting(folder):
    """Return TLS that trusts the certificate of a party's folder alone."""
    context = ssl.create_default_context(cafile=folder / "keys" / "tls.crt")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def test_somebody_signs_in_over_tls_and_a_stop_ends_it_cleanly(folder, tmp_path):
    words = ["console", "--party", str(folder), "--http", "localhost:0", "--json"]
    console = Running(words, tmp_path, None)
    try:
        wait_until(lambda: console.ended or console.out.strip().endswith("}"), every=0.05)
        url = json.loads(console.out)["url"]
        assert url.startswith("https://localhost:")
        browser = browser_of(folder)
        page = browser.open(f"{url}/sign-in", timeout=60).read().decode()
        token = re.search(r'name="form_token" value="([^"]*)"', page)[1]
        form = {"name": "olga", "password": PASSWORD, "form_token": token, "next": "/health"}
        answer = browser.open(f"{url}/sign-in", urllib.parse.urlencode(form).encode(), timeout=60)
        assert answer.url == f"{url}/health"
        assert "olga, operator" in answer.read().decode()
        with pytest.raises((ConnectionError, urllib.error.URLError)):  # nothing without TLS
            browser.open(url.replace("https", "http"), timeout=60)
        console.process.terminate()
        console.wait(expect=0)
    finally:
        console.end()
    assert "Traceback" not in console.err
    run("audit", "verify", "--party", folder)


def test_users_and_tokens_are_made_listed_changed_and_let_go(folder):
    at = ("--party", folder)
    (olga,) = ask("console", "users", "list", *at)["users"]
    assert (olga["name"], olga["account"], olga["role"]) == ("olga", "olga~console", "operator")
    run("console", "users", "add", "ana", "--role", "analyst", *at, given=f"{PASSWORD}\n")
    run("console", "users", "role", "ana", "--role", "compliance", *at)
    run("console", "users", "password", "ana", *at, given=f"{PASSWORD}, another\n")
    short = ("console", "users", "password", "ana", *at)
    assert "at least 12" in run(*short, given="short\n", expect=6).stderr
    assert "no account bob" in error_of("console", "users", "remove", "bob", *at, expect=6)
    run("console", "users", "remove", "ana", *at)
    made = ask("console", "tokens", "add", "nightly", "--role", "analyst", "--days", "3", *at)
    (kept,) = ask("console", "tokens", "list", *at)["tokens"]
    assert kept.items() <= made.items()
    assert "token" not in kept
    assert made["token"] not in run("console", "tokens", "list", *at).stdout
    assert "already" in error_of(
        "console", "tokens", "add", "nightly", "--role", "analyst", *at, expect=6
    )
    run("console", "tokens", "revoke", "nightly", *at)
    assert ask("console", "tokens", "list", *at) == {"tokens": []}
    run("audit", "verify", "--party", folder)


def test_what_the_console_cannot_be_asked_for_is_refused(folder):
    at = ("--party", folder)
    assert "leave --plain out" in error_of(
        "console", "--http", "0.0.0.0:0", "--plain", *at, expect=6
    )
    assert "host:port" in error_of("console", "--http", "nowhere", *at, expect=6)
    assert (
        "stands after the command"
        in run("console", "--party", folder, "users", "list", expect=2).stderr
    )
