"""The demonstration: real households, split between an advertiser, a channel and a vendor.

`world` reads the real data, `people` invents identities for it, `holdings` decides who knows what,
`files` writes that down in each organisation's own untidy form, `truth` says what an honest match
and report must find. Nothing here imports the product, so the truth cannot inherit its mistakes.
"""
