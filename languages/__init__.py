"""What people read, in their language: messages, numbers and dates.

English is what the source says. Other languages stand in gettext catalogues (`zh/*.po`, one file a
topic), which people read and Babel compiles in memory when one is asked for. Data are never
translated: names of JSON fields, columns, labels and what a counterpart wrote stay as they are.
"""

from languages.language import ENGLISH, LANGUAGES, Language, LanguageError, language
from languages.message import Message, message, messages

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "Language",
    "LanguageError",
    "Message",
    "language",
    "message",
    "messages",
]
