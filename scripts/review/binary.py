# SPDX-License-Identifier: GPL-2.0-only
"""The code of a module: its functions, and where an instruction goes on to."""
import bisect
import collections
import re
import shutil
import subprocess
import tempfile

from elf import ALLOCATED, FUNCTION, OBJECT, BadInput, Places

# Sections whose pointers to code are not how it comes to be called.
NOT_A_TABLE = (
    '__mcount_loc', '__patchable', '.orc', '__bug', '.altinstr', '__jump_table',
    '__ex_table', '.retpoline', '.return_sites', '.call_sites', '.ibt_endbr',
    '.static_call_sites', '.debug', '.eh_frame', '.smp_locks', '.parainst',
    '__tracepoints', '.BTF', '_error_injection', '.discard', '.init.eh', '.hyperv',
    '.kcfi', '.annotate', '.cfi_sites')
X86_PREFIXES = ('bnd', 'notrack', 'rep', 'repz', 'repnz', 'lock', 'cs', 'ds', 'data16',
                'addr32')
TARGET = re.compile(r'(?:.*,\s*)?(?:#?[-\d]+,\s*)?([0-9a-f]+)\s*<')
ARM_JUMPS = ('cbz', 'cbnz', 'tbz', 'tbnz', 'br')


def base(name):
    """A function without the mark of its cold part."""
    at = name.find('.cold')
    return name if at < 0 else name[:at]


def plain(name):
    """A function as the source calls it."""
    return re.sub(r'\.(isra|constprop|part|cold|llvm|lto_priv)\b.*$', '', name)


Step = collections.namedtuple('Step', 'kind target next refs')
# What an instruction does: PASS on to the next, CALL, JUMP away, BRANCH maybe, RETURN,
# CALL_UNKNOWN and JUMP_UNKNOWN through a pointer, STOP for good.
(PASS, CALL, JUMP, BRANCH, RETURN, CALL_UNKNOWN, JUMP_UNKNOWN, STOP) = range(8)


class Code:
    def __init__(self, elf):
        self.elf = elf
        self.arm = elf.machine == 'arm64'
        self._names()
        self._relocations()
        self._disassemble()
        self._extra()
        self._tables()
        self.steps = {}

    def _names(self):
        """Which symbol is where; a symbol can be the name of several pieces."""
        self.functions = collections.defaultdict(list)
        self.places, self.objects = Places(), Places()
        taken = set()
        for symbol in self.elf.symbols:
            name = symbol.name
            if not 0 < symbol.section < len(self.elf.sections) or not name:
                continue
            code = self.elf.is_code(symbol.section)
            if symbol.type == FUNCTION or symbol.type == 0 and code and symbol.size:
                if name.startswith(('__pfx_', '__cfi_', '.L', '$')):
                    continue
                self.functions[name].append((symbol.section, symbol.value, symbol.size))
                if (symbol.section, symbol.value) not in taken:
                    taken.add((symbol.section, symbol.value))
                    self.places.add(symbol.section, symbol.value, symbol.size, name)
            elif symbol.type == OBJECT:
                self.objects.add(symbol.section, symbol.value, symbol.size, name)
        self.places.done()
        self.objects.done()
        if len(self.functions) < 10:
            raise BadInput(f'{self.elf.path}: stripped, it has no symbols')
        if not any(self.elf.is_code(section) for section in self.elf.relocs):
            raise BadInput(f'{self.elf.path}: it has no relocations')
        self.pieces = collections.defaultdict(list)
        for name, where in self.functions.items():
            self.pieces[base(name)] += where

    def _relocations(self):
        self.at = collections.defaultdict(list)
        self.reloc = {}
        for section, relocs in self.elf.relocs.items():
            if self.elf.is_code(section):
                for reloc in relocs:
                    self.at[section].append(reloc.offset)
                    self.reloc[section, reloc.offset] = reloc
        for offsets in self.at.values():
            offsets.sort()

    def _disassemble(self):
        tool = 'objdump'
        if self.arm and not shutil.which('aarch64-linux-gnu-objdump'):
            raise BadInput(f'{self.elf.path}: for arm64, and there is no '
                           'aarch64-linux-gnu-objdump')
        if self.arm:
            tool = 'aarch64-linux-gnu-objdump'
        numbers = {s.name: i for i, s in enumerate(self.elf.sections)
                   if self.elf.is_code(i)}
        self.lines = collections.defaultdict(list)
        current = None
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.elf.data)
            file.flush()
            try:
                run = subprocess.run([tool, '-d', '--no-show-raw-insn', '-w', file.name],
                                     capture_output=True)
            except FileNotFoundError:
                raise BadInput('there is no objdump: install binutils') from None
        if run.returncode:
            raise BadInput(f'{self.elf.path}: objdump cannot read it')
        for line in run.stdout.decode('ascii', 'replace').split('\n'):
            if line.startswith(' '):
                address, _, text = line.partition(':\t')
                try:
                    # that of arm64 puts a tab behind the mnemonic
                    current.append((int(address, 16), text.replace('\t', ' ')))
                except (ValueError, AttributeError):
                    continue
            elif line.startswith('Disassembly of section '):
                current = self.lines[numbers.get(line[23:-1])]
        self.lines.pop(None, None)
        self.starts = {section: [address for address, _ in lines]
                       for section, lines in self.lines.items()}

    def _extra(self):
        """Where code goes on without a jump: static branches, fixed-up faults, and
        tables of jumps within a function."""
        self.extra = collections.defaultdict(list)
        self.within = collections.defaultdict(set)
        for section, relocs in self.elf.relocs.items():
            name = self.elf.sections[section].name
            size = {'__jump_table': 16, '__ex_table': 12}.get(name)
            if not size:
                continue
            places = {reloc.offset: self.place(reloc) for reloc in relocs}
            for offset, place in places.items():
                if offset % size == 0 and places.get(offset + 4) and place:
                    self.extra[place].append(places[offset + 4])

    def place(self, reloc):
        """Section and address that data points to, if it is here."""
        symbol = self.elf.symbols[reloc.symbol]
        if not 0 < symbol.section < len(self.elf.sections):
            return None
        return symbol.section, symbol.value + reloc.addend

    def _tables(self):
        """Functions whose address is in data, and in which; tables within tables."""
        self.taken = collections.defaultdict(set)
        self.members = collections.defaultdict(list)
        for number, relocs in self.elf.relocs.items():
            section = self.elf.sections[number]
            if self.elf.is_code(number) or not section.flags & ALLOCATED or \
                    section.name.startswith(NOT_A_TABLE):
                continue
            for reloc in relocs:
                place = self.place(reloc)
                if not place:
                    continue
                table = self.objects.covering(number, reloc.offset)
                if not self.elf.is_code(place[0]):
                    inner = self.objects.covering(*place)
                    if table and inner:
                        self.members[table].append(('table', inner))
                    continue
                name = self.places.find(*place, exact=True)
                if name:
                    self.taken[base(name)].add(table or section.name)
                    self.members[table or section.name].append(('function', base(name)))
                else:
                    inside = self.places.find(*place)
                    if inside:
                        self.within[base(inside)].add(place)

    # --- one instruction

    def _refs(self, section, address, end):
        """What the relocations of an instruction point to."""
        offsets = self.at.get(section, ())
        i = bisect.bisect_left(offsets, address)
        refs = []
        while i < len(offsets) and offsets[i] < end:
            reloc = self.reloc[section, offsets[i]]
            symbol = self.elf.symbols[reloc.symbol]
            if symbol.section == 0:
                refs.append(('import', symbol.name))
            elif symbol.section < len(self.elf.sections):
                value = symbol.value + reloc.addend
                # relative to the end of the instruction
                if not self.arm and reloc.type in (2, 4, 9, 41, 42):
                    value += end - reloc.offset
                kind = 'code' if self.elf.is_code(symbol.section) else 'data'
                refs.append((kind, symbol.section, value))
            i += 1
        return refs

    def text(self, section, address):
        i = bisect.bisect_left(self.starts.get(section, ()), address)
        lines = self.lines.get(section, ())
        if i >= len(lines) or lines[i][0] != address:
            return None, i
        return lines[i][1], i

    @staticmethod
    def split(text):
        mnemonic, _, operands = text.partition(' ')
        operands = operands.strip()
        while mnemonic in X86_PREFIXES and operands:
            mnemonic, _, operands = operands.partition(' ')
            operands = operands.strip()
        return mnemonic, operands

    def step(self, section, address):
        """What the instruction at that place does; None if there is none."""
        key = section, address
        if key not in self.steps:
            self.steps[key] = self._step(section, address)
        return self.steps[key]

    def _step(self, section, address):
        text, i = self.text(section, address)
        if text is None:
            return None
        lines = self.lines[section]
        following = lines[i + 1][0] if i + 1 < len(lines) else None
        end = following if following is not None else address + 8
        mnemonic, operands = self.split(text)
        refs = self._refs(section, address, end)
        call = mnemonic.startswith('call') or mnemonic in ('bl', 'blr')
        if self.arm:
            jump = mnemonic in ('b', 'br') or mnemonic.startswith('b.') or \
                mnemonic in ARM_JUMPS
            always = mnemonic in ('b', 'br')
        else:
            jump = mnemonic.startswith('j')
            always = mnemonic in ('jmp', 'jmpq')
        if mnemonic.startswith('ret'):
            return Step(RETURN, None, following, refs)
        if mnemonic.startswith('ud2'):
            return Step(STOP, None, following, refs)
        if not call and not jump:
            return Step(PASS, None, following, refs)
        target = None
        for ref in refs:
            if ref[0] != 'data':
                target = ref
        if target is None and not operands.startswith('*'):
            found = TARGET.match(operands)
            if found:
                target = 'code', section, int(found[1], 16)
        if target and target[0] == 'import':
            name = target[1]
            if name == '__x86_return_thunk':
                return Step(RETURN, None, following, refs)
            if name == '__fentry__':
                return Step(PASS, None, following, ())
            if name.startswith('__x86_indirect'):
                target = None
        if target is None:
            if call:
                return Step(CALL_UNKNOWN, None, following, refs)
            return Step(JUMP_UNKNOWN if always else PASS, None, following, refs)
        kind = CALL if call else JUMP if always else BRANCH
        return Step(kind, target, following, refs)

    def instructions(self, name):
        """(section, address) of all of a function, its cold part too."""
        for section, start, size in self.pieces[name]:
            starts = self.starts.get(section, ())
            i = bisect.bisect_left(starts, start)
            while i < len(starts) and starts[i] < start + size:
                yield section, starts[i]
                i += 1

    def name_of(self, target):
        """The function that a target is in, without its mark of a cold part."""
        name = self.places.find(target[1], target[2])
        return base(name) if name else None

    def begins(self, target):
        return self.places.find(target[1], target[2], exact=True)

    def has_site(self, name):
        """Does ftrace have a place at the beginning of the function?"""
        for section, start, _ in self.functions[name]:
            for number, relocs in self.elf.relocs.items():
                if not self.elf.sections[number].name.startswith(
                        ('__mcount_loc', '__patchable_function_entries')):
                    continue
                for reloc in relocs:
                    place = self.place(reloc)
                    if place and place[0] == section and \
                            start - 16 <= place[1] <= start + 16:
                        return True
        return False
