"""Documents that the law asks for, filled with what a contract and this party's store say.

The record of processing activities (GDPR 30) and the impact assessment (PIPL 55–56, GDPR 35) are
skeletons: what a program knows stands in them, what only people can answer is left open and says
so. They are for the party itself and its authority. No identifier and no count of people is in
them.
"""
