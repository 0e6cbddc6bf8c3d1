# SPDX-License-Identifier: GPL-2.0-only
"""What a filesystem's rules consist of. docs/NEW-KERNEL.md says how to write them."""
import collections
import re

# @pattern: functions, as the source calls them; what is behind them is not looked at.
# @why: in one line. @needs: gates without which that is not true.
Allow = collections.namedtuple('Allow', 'pattern why needs', defaults=((),))


class Rules:
    # the name of the module
    name = ''
    # Functions that change a map: the lowest that all changes go through, what queues
    # a change for later, and what writes a root of a map without calling any of them.
    mutators = frozenset()
    # Functions whose error ends their caller, and that ask these gates first.
    checks = {}
    # Gates that refuse only some commands: {gate: [(caller or table, callee)]}, the
    # calls that only those commands make.
    partial = {}
    # Functions that read only if argument N is 0: {name: N}.
    reading = {}
    allow = ()
    # Where calls go on behind a gate that looks at a range, and may let it pass.
    conditional = frozenset()
    # Tables of operations that are used while the caller waits.
    operations = re.compile('$^')

    @classmethod
    def is_operations(cls, table):
        return bool(cls.operations.search(table))
