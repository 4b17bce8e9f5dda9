"""The HTTP API: what the pages do, for programs, with a token that has a role.

Its description is OpenAPI, at `/api/v1/openapi.json`. An error is a problem document (RFC 9457).
"""

from client.console.api.application import make_api

__all__ = ["make_api"]
