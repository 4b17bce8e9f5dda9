"""Why few people are found: a party's own dataset looked at for the usual causes."""

from party.diagnosis.causes import Cause, Finding, Level
from party.diagnosis.check import Diagnosis, check_dataset
from party.diagnosis.coverage import Agreed

__all__ = ["Agreed", "Cause", "Diagnosis", "Finding", "Level", "check_dataset"]
