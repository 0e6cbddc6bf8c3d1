# SPDX-License-Identifier: GPL-2.0-only
"""Who calls whom in a module, and what is reached without having passed a gate."""
import bisect
import collections
import re

from binary import (BRANCH, CALL, CALL_UNKNOWN, JUMP, JUMP_UNKNOWN, PASS, RETURN, STOP,
                    base, plain)

# How far up from a call into iomap or DAX the table of operations may be named.
TABLE_LEVELS = 4
# Functions of iomap and DAX that call the operations they are given at once.
CALLS_BACK = re.compile(
    r'(iomap_|dax_)(?!.*(invalidate|dirty|release|is_partially|uptodate|writepages|'
    r'writeback|ioend|finish|add_to|alive|supported|layout|break|iter_))')
NO_RETURN = {'__stack_chk_fail', 'panic', '__fortify_panic', 'fortify_panic'}
X86_ARGUMENTS = [('rdi', 'edi'), ('rsi', 'esi'), ('rdx', 'edx'), ('rcx', 'ecx'),
                 ('r8', 'r8d'), ('r9', 'r9d')]


class Graph:
    """All calls, gates or not. Names are those of functions with their cold parts;
    'import:NAME' is a function of the kernel or of another module."""

    def __init__(self, code, rules):
        self.code, self.rules = code, rules
        self.calls = collections.defaultdict(set)
        self.taken = {name: set(tables) for name, tables in code.taken.items()}
        self.tables = collections.defaultdict(set)
        self.calls_back = set()
        self._all_calls()
        self.callers = collections.defaultdict(set)
        for name, called in self.calls.items():
            for other in called:
                self.callers[other].add(name)
        self._table_calls()
        self.mutators = {name for name in code.pieces if plain(name) in rules.mutators}
        self.reach = self._reach(self.mutators)
        self._roots()

    def _all_calls(self):
        code = self.code
        for section, lines in code.lines.items():
            for address, text in lines:
                if '<' in text and text[0] in 'cjb' and text[-1] == '>':
                    self._note(section, address)
        for section, offsets in code.at.items():
            starts = code.starts.get(section, ())
            for offset in offsets:
                reloc = code.reloc[section, offset]
                symbol = code.elf.symbols[reloc.symbol]
                if symbol.section == 0 and symbol.name.startswith(('__x86', '__fentry')):
                    continue
                i = bisect.bisect_right(starts, offset) - 1
                if i >= 0:
                    self._note(section, starts[i])

    def _note(self, section, address):
        code = self.code
        step = code.step(section, address)
        here = code.places.find(section, address)
        if here is None or step is None:
            return
        here = base(here)
        if step.kind in (CALL, JUMP, BRANCH):
            if step.target[0] == 'import':
                self.calls[here].add('import:' + step.target[1])
                if CALLS_BACK.match(step.target[1]):
                    self.calls_back.add(here)
            else:
                name = code.name_of(step.target)
                if name and name != here:
                    self.calls[here].add(name)
            return
        for ref in step.refs:
            if ref[0] == 'data':
                table = code.objects.covering(ref[1], ref[2])
                if table and self.rules.is_operations(table):
                    self.tables[here].add(table)
            elif ref[0] == 'code':
                name = code.begins(ref)
                if name and base(name) != here:
                    self.taken.setdefault(base(name), set()).add('@' + here)

    def _expand(self, table, seen=None):
        """Functions in a table, and in the tables it points to."""
        seen = set() if seen is None else seen
        if table in seen:
            return
        seen.add(table)
        for kind, name in self.code.members.get(table, ()):
            if kind == 'function':
                yield name
            elif self.rules.is_operations(name):
                yield from self._expand(name, seen)

    def _table_calls(self):
        """What a function that hands a table of operations on has called at once."""
        self.through = {}
        for name in self.calls_back:
            level, seen, found = {name}, set(), set()
            for _ in range(TABLE_LEVELS):
                found = set().union(*(self.tables[other] for other in level))
                if found:
                    break
                seen |= level
                level = set().union(*(self.callers[other] for other in level)) - seen
            self.through[name] = {function for table in found
                                  for function in self._expand(table)}
        # only now: the tables were looked for among direct callers
        for name, functions in self.through.items():
            for function in functions:
                self.callers[function].add(name)

    def called(self, name):
        return self.calls[name] | self.through.get(name, set())

    def asks(self, name, gate):
        """Does a function, or what it calls, call that gate? Or is it the gate?"""
        seen, todo = set(), [other for other in self.code.pieces if plain(other) == name]
        while todo:
            other = todo.pop()
            if plain(other) == gate or other == 'import:' + gate:
                return True
            if other not in seen:
                seen.add(other)
                todo += self.calls.get(other, ())
        return False

    def _reach(self, targets):
        seen, todo = set(targets), list(targets)
        while todo:
            for caller in self.callers[todo.pop()]:
                if caller not in seen:
                    seen.add(caller)
                    todo.append(caller)
        return seen

    def _roots(self):
        """Where calls come in from outside, and by which tables."""
        self.roots = {}
        for name, tables in self.taken.items():
            tables = {table for table in tables if not self.rules.is_operations(table)}
            if tables and name in self.reach:
                self.roots[name] = tables
        for name in ('init_module', 'cleanup_module'):
            if name in self.reach:
                self.roots[name] = {'module'}
        for name in self.reach - self.mutators:
            if name not in self.roots and not self.callers[name]:
                self.roots[name] = {'nobody'}

    # --- guarded

    def walk(self, name, guards):
        """From the entry of a function, without passing a guard: what is called, and
        is the end reached?"""
        code = self.code
        called, returns, back = set(), False, False
        todo = [place[:2] for place in code.functions.get(name, ())]
        seen = set()
        while todo:
            section, address = todo.pop()
            while address is not None and (section, address) not in seen:
                seen.add((section, address))
                step = code.step(section, address)
                if step is None:
                    break
                # fell off the end of the function
                if code.name_of((0, section, address)) != name:
                    break
                todo += code.extra.get((section, address), ())
                kind = step.kind
                if kind == RETURN:
                    returns = True
                    break
                if kind == STOP:
                    break
                if kind in (PASS, CALL_UNKNOWN):
                    address = step.next
                    continue
                if kind == JUMP_UNKNOWN:
                    returns = True
                    todo += code.within.get(name, ())
                    break
                if step.target[0] == 'import':
                    other = step.target[1]
                    if other in guards.imports or other in NO_RETURN:
                        break
                    if kind != BRANCH:
                        called.add('import:' + other)
                        back = back or bool(CALLS_BACK.match(other))
                    if kind == JUMP:
                        returns = True
                        break
                    address = step.next
                    continue
                other = code.name_of(step.target)
                if other == name and not (kind == CALL and
                                          code.begins(step.target)):
                    if kind != CALL:
                        todo.append(step.target[1:])
                    if kind == JUMP:
                        break
                    address = step.next
                    continue
                if other is None:
                    address = step.next
                    continue
                passes = other in guards.must or plain(other) in guards.checks
                if passes and kind != BRANCH:
                    break
                if not passes and plain(other) not in guards.entries:
                    if not self._only_reads(section, address, other):
                        called.add(other)
                if kind == JUMP:
                    returns = returns or not passes
                    break
                if kind == BRANCH:
                    returns = True
                address = step.next
        if back:
            called |= self.through.get(name, set())
        return called, returns

    def _only_reads(self, section, address, callee):
        """Is the argument that asks for more than reading a constant 0 here?"""
        number = self.rules.reading.get(plain(callee))
        if number is None:
            return False
        code = self.code
        _, i = code.text(section, address)
        wide, narrow = X86_ARGUMENTS[number]
        for text in (code.lines[section][j][1] for j in range(i - 1, max(i - 30, -1), -1)):
            mnemonic, operands = code.split(text)
            if code.arm:
                if re.match(rf'[xw]{number},', operands):
                    return mnemonic == 'mov' and \
                        operands.split(',')[1].strip() in ('#0x0', 'wzr', 'xzr')
                if mnemonic.startswith('b') or mnemonic == 'ret':
                    return False
            else:
                if re.search(rf'%({wide}|{narrow})$', operands):
                    return mnemonic == 'xor' and operands == f'%{narrow},%{narrow}' or \
                        mnemonic.startswith('mov') and operands.startswith('$0x0,')
                if mnemonic.startswith(('call', 'j', 'ret')):
                    return False
        return False


class Guards:
    """What a call must have passed. @gates are names, as in the tables of the module."""

    def __init__(self, graph, gates):
        rules, code = graph.rules, graph.code
        here = {plain(name) for name in code.functions}
        self.gates = set(gates)
        self.entries = {gate for gate in gates if gate in here and
                        gate not in rules.partial}
        self.imports = {gate for gate in gates if gate not in here}
        known = here | code.elf.imports()
        self.checks = {name for name, needs in rules.checks.items()
                       if any(need in gates for need in needs) and
                       all(need in gates and graph.asks(name, need)
                           for need in needs if need in known)}
        self.cuts = [cut for gate, cuts in rules.partial.items() if gate in gates
                     for cut in cuts]
        self.must = set()
        self._fixpoint(graph)

    def _fixpoint(self, graph):
        """Functions that do not return without having passed a guard."""
        todo = {caller for gate in self.imports
                for caller in graph.callers['import:' + gate]}
        todo |= {caller for check in self.checks for caller in graph.callers[check]}
        while todo:
            name = todo.pop()
            if name in self.must or name not in graph.code.functions:
                continue
            if not graph.walk(name, self)[1]:
                self.must.add(name)
                todo |= graph.callers[name]

    def cut(self, caller, callee):
        return any(re.fullmatch(above, caller) and re.fullmatch(below, plain(callee))
                   for above, below in self.cuts)


Verdict = collections.namedtuple('Verdict', 'left cut allowed')


def judge(graph, gates, allow, roots=None):
    """Which pairs of a root and a last caller of a mutator are left, with these gates
    and what is allowed: {(root, last caller): path}; how many roots are cut off by
    gates; and which entries of the allow list were needed."""
    guards = Guards(graph, gates)
    rules = graph.rules
    allowed = {}
    for name in graph.reach:
        for entry in allow:
            if re.fullmatch(entry.pattern, plain(name)) and \
                    all(need in gates for need in entry.needs):
                allowed[name] = entry
                break
    # what is walked
    edges = {}
    for name in graph.reach:
        if plain(name) in guards.entries or name in allowed or \
                plain(name) in rules.mutators:
            continue
        called, _ = graph.walk(name, guards)
        edges[name] = {other for other in called
                       if other in graph.reach and not guards.cut(plain(name), other)}
    left, cut = {}, 0
    for root, tables in sorted((roots or graph.roots).items()):
        if root in allowed or plain(root) in guards.entries:
            cut += plain(root) in guards.entries
            continue
        if tables and all(guards.cut(table, root) for table in tables):
            cut += 1
            continue
        if root in graph.mutators:
            left[root, root] = [root]
            continue
        parent, queue, found = {root: None}, collections.deque([root]), False
        while queue:
            name = queue.popleft()
            for other in sorted(edges.get(name, ())):
                if other in graph.mutators:
                    found = True
                    if (root, name) not in left:
                        path, at = [other], name
                        while at:
                            path.append(at)
                            at = parent[at]
                        left[root, name] = path[::-1]
                elif other not in parent and other in edges:
                    parent[other] = name
                    queue.append(other)
        cut += not found
    return Verdict(left, cut, allowed)
