"""Many enrollments at once, in the default tables: a number of statements that does not depend on how many.

`enroll` reads what all items together may need (`facts`), applies the items one after the other to that in memory
(`planning`), and writes what has come of it (`writing`). The rules are those of a single request: `state_machine`,
`mode_rules` and `access_rules` decide both.
"""

from enrollment.bulk.accounts import Accounts, find_accounts
from enrollment.bulk.chunks import enroll
from enrollment.bulk.invitations import invite
from enrollment.bulk.shapes import Done, Result, Wish

__all__ = ["Accounts", "Done", "Result", "Wish", "enroll", "find_accounts", "invite"]
