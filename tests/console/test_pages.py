"""Each page is there for the roles that may see it, whole, in both languages."""

import pytest

from audit.roles import Role

PAGES = (
    "/",
    "/health",
    "/reports",
    "/reports/standing",
    "/requests?show=all",
    "/lists",
    "/contracts",
    "/budget",
)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_role_reads_a_page_in_its_language(signed_in, path, language):
    for role in Role:
        answer = signed_in(role).get(path, headers={"Accept-Language": language})
        assert answer.status_code == 200
        assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}"' in answer.text
