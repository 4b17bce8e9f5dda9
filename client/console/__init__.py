"""The console: pages and an HTTP API for a party's own staff, over the courses of `client`.

A third thin face beside `commands` and `sdk` (decision 0050). Every page is whole without
JavaScript. What a role may not do, the course refuses; here stands besides who is asking.
"""
