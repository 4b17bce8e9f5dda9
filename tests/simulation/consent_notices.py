"""Notices for tests, as a file has them."""

from party.consent.notice import Notice

ADS, RESEARCH = "dpv:TargetedAdvertising", "dpv:MarketResearch"


def document(name="loyalty", **changes):
    """Return a notice's document with keys replaced (None removes one)."""
    made = {
        "notice": name,
        "url": "https://shop.example/privacy",
        "language": "en",
        "text_sha256": "ab" * 32,
        "purposes": [ADS, RESEARCH],
        "data": ["pd:EmailAddress", "pd:PurchasesAndSpendingHabit"],
        "controllers": [{"name": "Shop", "contact": "privacy at shop.example"}],
        "recipients": ["channel", "vendor"],
        "storage": ["DE"],
        "retention_days": 730,
        "jurisdiction": "DE",
        "withdrawal": "write to the contact, or use the link in every letter",
        "legal_basis": ["eu-gdpr:A6-1-a"],
    }
    return {key: value for key, value in (made | changes).items() if value is not None}


def separate(recipient, purpose, data=("pd:EmailAddress",)):
    """Return what a notice asks consent to by itself."""
    return {
        "recipient": recipient,
        "contact": f"privacy at {recipient}.example",
        "purpose": purpose,
        "method": "matched by hashed addresses",
        "data": list(data),
    }


def chinese(name="member", **changes):
    """Return the document of a notice under the PIPL, for one purpose and two recipients."""
    asked = [separate(recipient, ADS) for recipient in ("channel", "vendor")]
    given = {
        "purposes": [ADS],
        "jurisdiction": "CN",
        "storage": ["CN"],
        "legal_basis": ["pipl:A13-1"],
        "separate_consent_for": asked,
    }
    return document(name, **(given | changes))


def notice(made):
    """Return the notice of a document."""
    return Notice.of_document(made, "the notice")
