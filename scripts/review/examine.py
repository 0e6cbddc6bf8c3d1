# SPDX-License-Identifier: GPL-2.0-only
"""The review of one filesystem of one kernel."""
import re
import time

import prototypes
from baseline import Baseline, changed, difference
from binary import Code, plain
from btf import Btf
from elf import BadInput
from gates import FIRST, LAST, SEEN, Sources
from graph import CALLS_BACK, Graph, judge
from rules_ext4 import Ext4
from rules_xfs import Xfs

RULES = {'xfs': Xfs, 'ext4': Ext4}


def calls_of(graph, gates):
    """{function: what it calls, and in which tables it is}: the reviewed edges. Only
    of functions that reach a mutator, and only calls of such, and of gates."""
    calls = {}
    for name in graph.reach:
        called = {plain(other) for other in graph.called(name) if other in graph.reach}
        called |= {gate for gate in gates if 'import:' + gate in graph.calls[name]}
        called |= {'<' + re.sub(r'\.\d+$', '', plain(table))
                   for table in graph.roots.get(name, ())}
        calls.setdefault(plain(name), set()).update(called - {plain(name)})
    return {name: ' '.join(sorted(called)) or '-' for name, called in calls.items()}


class Result:
    def __init__(self, kernel, filesystem, folder=None):
        start = time.monotonic()
        self.kernel, self.filesystem = kernel, filesystem
        self.rules = RULES[filesystem]
        self.sources = Sources(kernel)
        self.all_gates = [gate for gate in self.sources.gates(filesystem)
                          if gate.symbol != 'canary']
        self.gates = {gate.symbol for gate in self.all_gates
                      if gate.kind == FIRST and gate.file.startswith('gates/')}
        # only for a part of the files: nothing may be left without them
        self.sometimes = {gate.symbol for gate in self.all_gates
                          if gate.symbol in self.gates and not gate.always}
        self.last = {gate.symbol for gate in self.all_gates if gate.kind == LAST}
        self.baseline = Baseline(kernel.series, filesystem, *([folder] if folder else ()))
        self.elf = kernel.module(filesystem)
        if self.elf is None:
            raise BadInput(f'{kernel.release}: {filesystem} is built in: it is not '
                           'in a module that could be reviewed')
        self.code = Code(self.elf)
        self.graph = Graph(self.code, self.rules)
        self.faults = []
        self._types()
        self._places()
        self.verdict = self.judge(self.gates)
        for (root, _), path in sorted(self.verdict.left.items()):
            self.faults.append('no gate: ' + ' > '.join(path) + ' (root in ' + ' '.join(
                sorted(self.graph.roots[root])[:3]) + ')')
        self.conditional = self.behind_conditional(self.gates, self.last)
        self.single = self.not_behind_last(self.last)
        self.calls = calls_of(self.graph, self.gates | self.last)
        self.seconds = time.monotonic() - start

    def judge(self, gates):
        return judge(self.graph, gates - self.sometimes, self.rules.allow)

    def _types(self):
        """Prototypes of all that is probed, and whether they are as the module has
        them."""
        data = self.elf.section('.BTF')
        if not data:
            raise BadInput(f'{self.elf.path}: a module without BTF')
        btf = Btf(data, Btf(self.kernel.btf()), self.elf.path)
        self.prototypes = {}
        for gate in self.all_gates:
            text = btf.declaration(gate.symbol)
            if text:
                self.prototypes[gate.symbol] = text
        repair = 'xfs_scrub_metadata' in self.gates
        self.faults += prototypes.check(self.sources, self.all_gates, self.filesystem,
                                        self.elf, btf, repair)
        self.btf = btf

    def _places(self):
        """Is each gate a function of its own, with a place for ftrace?"""
        code = self.code
        imports = self.elf.imports()
        by_plain = {}
        for name in code.functions:
            if '.cold' not in name:
                by_plain.setdefault(plain(name), []).append(name)
        for gate in self.all_gates:
            name = gate.symbol
            here = code.functions.get(name)
            clones = [other for other in by_plain.get(plain(name), ()) if other != name]
            if clones:
                self.faults.append(f'{name}: there are also {" ".join(clones)}')
            if here:
                if len(here) > 1:
                    self.faults.append(f'{name}: {len(here)} functions of that name')
                if not code.has_site(name):
                    self.faults.append(f'{name}: ftrace has no place in it')
            elif name not in imports and not gate.optional and not clones and \
                    self.btf.prototype(name) is None:
                self.faults.append(f'{name}: missing, or inlined everywhere')

    def behind_conditional(self, gates, last):
        """Names that may be reached behind a gate that looks at a range. Which of
        them have a gate of their own, and which the last line."""
        graph = self.graph
        seen, found = set(), set()
        todo = [name for name in self.code.pieces if plain(name) in self.rules.conditional]
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            for other in graph.called(name):
                if other in graph.reach:
                    todo.append(other)
                elif other.startswith('import:'):
                    other = other[7:]
                    if CALLS_BACK.match(other) or other in gates:
                        found.add(other)
                elif plain(other) in last:
                    found.add(plain(other))
        found |= {plain(name) for name in seen if name in graph.reach}
        return {name + (' gate' if name in gates else '') +
                (' last' if name in last else '') for name in found}

    def not_behind_last(self, last):
        """What a loss of the first line would open: pairs of a root behind a gate that
        looks at a range, and the last caller of a mutator, without the last line."""
        entries = {name for name in self.code.pieces
                   if plain(name) in self.rules.conditional}
        # those that call another of them add nothing
        roots = {name: () for name in entries
                 if not self.graph.calls[name] & (entries - {name})}
        left = judge(self.graph, last, self.rules.allow, roots).left
        return {f'{plain(root)} {plain(caller)}' for root, caller in left}

    # --- against the baseline

    def use_baseline(self, series):
        self.baseline = Baseline(series, self.filesystem)

    def changed_conditional(self, known=None, found=None):
        """Names that are new behind conditional gates, and gates that names there had
        and have no more."""
        known = self.baseline.conditional if known is None else known
        found = self.conditional if found is None else found
        here = self.elf.imports() | {plain(name) for name in self.code.functions}
        lost = {line for line in known - found if ' ' in line and line.split()[0] in here}
        return sorted(found - known | lost)

    def new_single(self):
        return sorted(self.single - self.baseline.single)

    def changed_prototypes(self):
        return changed(self.baseline.prototypes, self.prototypes)

    def changed_calls(self):
        return changed(self.baseline.calls, self.calls)

    def differences(self):
        for name in self.changed_conditional():
            what = 'new' if name in self.conditional else 'no more'
            yield f'{what} behind a conditional gate: {name}'
        for name in self.new_single():
            yield f'not behind the last line: {name}'
        for name in self.changed_prototypes():
            yield f'prototype: {name}: {self.prototypes[name]}'
        for name in self.changed_calls():
            yield 'calls: ' + difference(self.baseline.calls, name, self.calls[name])

    def concerned(self):
        """Gates whose absence this filesystem would feel, in both lines."""
        imports = self.elf.imports()
        functions = {plain(name) for name in self.code.functions}
        needed = {need for entry in self.rules.allow for need in entry.needs}
        needed |= {need for needs in self.rules.checks.values() for need in needs}
        return sorted(gate for gate in self.gates
                      if gate in functions or gate in imports or gate in needed), \
            sorted(self.last & functions)
