"""Taking a list to a platform: the forms that platforms publish, and the files in these forms."""

from party.activation.export import Exported, Order, export_list
from party.activation.forms import FORMS, Form

__all__ = ["FORMS", "Exported", "Form", "Order", "export_list"]
