"""The party's own accounts: people who sign in to its console, and tokens of programs.

An account acts in one role (`audit.roles`), is named in the log as `alice~console` or
`nightly~token`, and is granted, changed and removed there like a member.
"""
