# SPDX-License-Identifier: GPL-2.0-only
"""The gates as the module's own tables have them, for one kernel."""
import collections
import glob
import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
MODULE = os.path.join(TOP, 'module')

Gate = collections.namedtuple('Gate', 'symbol kind handler original optional file always')
# kinds of gates: in the first line, the last line, seeing only
FIRST, LAST, SEEN, WAITS = 'first', 'last', 'seen', 'waits'
KINDS = {'SEAL_GATE': FIRST, 'SEAL_GATE_HOT': FIRST, 'SEAL_GATE_WRAPPED': FIRST,
         'SEAL_GATE_WRAPPED_HOT': FIRST, 'SEAL_GATE_WRAPPED_TAIL': FIRST,
         'SEAL_LAST': LAST, 'SEAL_OBSERVER': SEEN, 'SEAL_OBSERVER_OPTIONAL': SEEN,
         'SEAL_TRIPWIRE': SEEN, 'SEAL_TRIPWIRE_OPTIONAL': SEEN, 'SEAL_GATE_WAITING': WAITS}


class Sources:
    """The module's sources as the compiler would see them for this kernel."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.macros = {}
        compat = os.path.join(MODULE, 'base/compat.h')
        self.active(compat, learn=True)
        self.makers = {}
        for path in sorted(glob.glob(os.path.join(MODULE, 'gates/*.h'))):
            self._learn_makers(path)
        self.files = {}
        for path in sorted(glob.glob(os.path.join(MODULE, '*/*.c'))):
            self.files[os.path.relpath(path, MODULE)] = self._made(self.active(path))

    def _learn_makers(self, path):
        """Macros that define a handler, with its lines as they are."""
        with open(path, encoding='utf-8') as file:
            text = file.read()
        for name, arguments, body in re.findall(
                r'^#define (\w+)\(([^()]*)\)[ \t]*\\\n((?:.*\\\n)*.*\n)', text, re.M):
            if 'seal_arg(' in body:
                self.makers[name] = ([part.strip() for part in arguments.split(',')],
                                     re.sub(r'[ \t]*\\$', '', body, flags=re.M))

    def _made(self, text):
        """With what such macros define in a file."""
        for name, (arguments, body) in self.makers.items():
            for use in re.findall(rf'^{name}\((.*)\);?$', text, re.M):
                made = body
                for argument, value in zip(arguments, use.split(',')):
                    made = re.sub(rf'\b{argument}\b', lambda _, v=value.strip(): v, made)
                text += '\n' + re.sub(r'\s*##\s*', '', made)
        return text

    def value(self, text):
        """Of an expression behind #if, as far as compat.h and the configuration say."""
        text = re.sub(r'/\*.*?\*/', ' ', text)
        for _ in range(10):
            text = re.sub(r'defined\s*\(?\s*(\w+)\s*\)?', lambda m: str(
                int(self.defined(m[1]))), text)
            text = re.sub(r'IS_ENABLED\((\w+)\)', lambda m: str(
                int(self.kernel.config.get(m[1]) in ('y', 'm'))), text)
            text = re.sub(r'SEAL_KERNEL\((\d+), (\d+)\)', lambda m: str(int(
                self.kernel.version >= (int(m[1]), int(m[2])))), text)
            text = re.sub(r'SEAL_SERIES\((\d+), (\d+)\)', lambda m: str(int(
                self.kernel.version == (int(m[1]), int(m[2])))), text)
            text = re.sub(r'[A-Za-z_]\w*', lambda m: f'({self.macros[m[0]]})'
                          if m[0] in self.macros else m[0], text)
        if re.search(r'[A-Za-z_]', text):
            # about something in the kernel's headers: the newer way is taken
            return True
        text = text.replace('&&', ' and ').replace('||', ' or ')
        return bool(eval(re.sub(r'!(?!=)', ' not ', text), {'__builtins__': {}}))

    def defined(self, name):
        return name in self.macros or \
            self.kernel.config.get(name) in ('y', 'm')

    def active(self, path, learn=False):
        """The lines of a file that are compiled; names of macros, with @learn."""
        out, stack = [], []
        with open(path, encoding='utf-8') as file:
            text = file.read().replace('\\\n', ' ')
        for line in text.split('\n'):
            found = re.match(r'\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b(.*)', line)
            if found:
                word, rest = found[1], found[2].strip()
                if word in ('if', 'ifdef', 'ifndef'):
                    hold = word == 'if' and self.value(rest) or \
                        word != 'if' and self.defined(rest) == (word == 'ifdef')
                    stack.append([hold, hold])
                elif word == 'elif':
                    stack[-1][0] = not stack[-1][1] and self.value(rest)
                    stack[-1][1] = stack[-1][1] or stack[-1][0]
                elif word == 'else':
                    stack[-1][0] = not stack[-1][1]
                else:
                    stack.pop()
                continue
            if not all(hold for hold, _ in stack):
                continue
            found = learn and re.match(r'#define\s+(SEAL_\w+)\s+(.+)', line)
            if found:
                self.macros[found[1]] = re.sub(r'/\*.*?\*/', '', found[2]).strip()
            out.append(line)
        return '\n'.join(out)

    def gates(self, filesystem):
        """Those of the sets that filesystems.c attaches for it, and what waits. Some
        sets are attached for a part of its files only, such as those of small blocks:
        each list of sets holds on its own, and a gate is there always if all have it."""
        text = self.files['gates/filesystems.c']
        lists = {name: re.findall(r'&(\w+)', body) for name, body in re.findall(
            rf'\b({filesystem}_\w*(?:sets|recalls))\[\] = {{(.*?)}};', text, re.S)}
        sets = [names for name, names in lists.items() if name.endswith('sets')]
        for name in dict.fromkeys(name for names in lists.values() for name in names):
            inside = [name in names for names in sets]
            always = all(inside) or not any(inside)
            for gate in self._set(name):
                yield gate._replace(always=always)

    def _set(self, name):
        for file, text in self.files.items():
            found = re.search(rf'struct seal_gate_set {name} = {{(.*?)}};', text, re.S)
            if not found:
                continue
            table = re.search(r'\.gates\s*=\s*(\w+)', found[1])[1]
            body = re.search(rf'struct seal_gate {table}\[\] = {{(.*?)\n}};', text, re.S)[1]
            for kind, symbol, rest in re.findall(
                    r'(SEAL_\w+)\(\s*("[^"]+"|SEAL_\w+)\s*,([^()]*)\)', body):
                symbol = self.macros.get(symbol, symbol).strip('"')
                parts = [part.strip() for part in rest.split(',')]
                yield Gate(symbol, KINDS[kind], parts[0],
                           parts[1] if len(parts) > 1 else None,
                           'OPTIONAL' in kind or kind == 'SEAL_GATE_WAITING', file, True)
            return
        raise KeyError(name)

    def body(self, file, function):
        """Of a function in one of the files."""
        found = re.search(rf'^[^\n;]*\b{function}\([^;{{]*\)\n{{\n(.*?)^}}',
                          self.files[file], re.S | re.M)
        return found[1] if found else None

    def originals(self):
        """{name: (result, [types of arguments])} of SEAL_ORIGINAL."""
        found = {}
        for text in self.files.values():
            for arguments in re.findall(r'^SEAL_ORIGINAL\((.*?)\);', text, re.S | re.M):
                name, result, *rest = [re.sub(r'\s+', ' ', part).strip()
                                       for part in arguments.split(',')]
                found[name] = result, rest
        return found
