# SPDX-License-Identifier: GPL-2.0-only
"""What was reviewed of a series, as it is kept in baseline/: one file for each series
and filesystem. A function can have several lines of calls: one for each way in which
a compiler, or a flavour, was seen to lay it out."""
import os
import re

from elf import BadInput

FOLDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'baseline')
HEAD = '''# SPDX-License-Identifier: GPL-2.0-only
# What was reviewed of {filesystem} in {series}, written by scripts/review/review --update.
# docs/NEW-KERNEL.md says what the parts are for.
'''


def nearest(kernel, filesystem):
    """The reviewed series to compare a kernel with whose own was not."""
    series = [name[:-len(filesystem) - 1] for name in os.listdir(FOLDER)
              if name.endswith('.' + filesystem)]
    if not series:
        raise BadInput(f'{FOLDER}: nothing was reviewed yet')

    def distance(name):
        major, minor = map(int, name.split('.'))
        return abs(major - kernel.version[0]), abs(minor - kernel.version[1]), -minor
    return min(series, key=distance)


class Baseline:
    PARTS = ('kernels', 'prototypes', 'conditional', 'one line only', 'calls')

    def __init__(self, series, filesystem, folder=FOLDER):
        self.series, self.filesystem = series, filesystem
        self.file = os.path.join(folder, f'{series}.{filesystem}')
        self.kernels, self.prototypes, self.conditional = [], {}, set()
        self.single, self.calls = set(), {}
        self.exists = os.path.exists(self.file)
        if self.exists:
            self._read()

    def _read(self):
        part = None
        with open(self.file, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                line = line.rstrip('\n')
                if not line or line.startswith('#'):
                    continue
                if line.startswith('['):
                    part = line.strip('[]')
                    if part not in self.PARTS:
                        raise BadInput(f'{self.file}:{number}: no such part')
                elif part == 'kernels':
                    self.kernels.append(line)
                elif part == 'conditional':
                    self.conditional.add(line)
                elif part == 'one line only':
                    self.single.add(line)
                elif part in ('prototypes', 'calls') and ': ' in line:
                    name, _, rest = line.partition(': ')
                    table = self.prototypes if part == 'prototypes' else self.calls
                    table.setdefault(name, set()).add(rest)
                else:
                    raise BadInput(f'{self.file}:{number}: not understood')

    def has_sources(self, sources):
        """Was a kernel reviewed that was compiled from these sources?"""
        return any(known.partition(': ')[2] == sources for known in self.kernels)

    def merge(self, result):
        sources = result.kernel.sources()
        name = result.kernel.release + (f': {sources}' if sources else '')
        self.kernels = sorted({known for known in self.kernels
                               if known.split(': ')[0] != result.kernel.release} | {name})
        for mine, theirs in ((self.prototypes, result.prototypes),
                             (self.calls, result.calls)):
            for name, text in theirs.items():
                mine.setdefault(name, set()).add(text)
        self.conditional |= result.conditional
        self.single |= result.single

    def write(self):
        os.makedirs(os.path.dirname(self.file), exist_ok=True)
        with open(self.file, 'w', encoding='utf-8') as file:
            file.write(HEAD.format(filesystem=self.filesystem, series=self.series))
            for part, lines in zip(self.PARTS, (
                    self.kernels, pairs(self.prototypes), sorted(self.conditional),
                    sorted(self.single), pairs(self.calls))):
                file.write(f'\n[{part}]\n')
                file.writelines(line + '\n' for line in lines)


def pairs(table):
    return [f'{name}: {text}' for name in sorted(table) for text in sorted(table[name])]


def changed(known, found):
    """Names of functions that are not as any reviewed kernel has them. One that is
    gone counts as well, unless others have taken in what it called."""
    return sorted(name for name, text in found.items() if text not in known.get(name, ()))


def difference(known, name, text):
    """How a function differs from the nearest reviewed way, in words."""
    if name not in known:
        return f'{name}: new; calls {text}'
    new = set(re.findall(r'[^ ]+', text))
    nearest = min((set(re.findall(r'[^ ]+', old)) for old in known[name]),
                  key=lambda old: (len(old ^ new), sorted(old)))
    words = [f'+{word}' for word in sorted(new - nearest)] + \
        [f'-{word}' for word in sorted(nearest - new)]
    return f'{name}: {" ".join(words)}'
