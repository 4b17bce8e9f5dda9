"""A report as one HTML page that needs nothing else: charts, tables, method, cost, reference.

Everything is computed from a rendering, so a shareable page holds nothing that a shareable
rendering does not, and from public facts of its requests. Charts need the extra `html`.
"""
