# SPDX-License-Identifier: GPL-2.0-only
"""What the review needs of an ELF file: sections, symbols, relocations."""
import bisect
import collections
import gzip
import lzma
import struct
import subprocess

MACHINES = {62: 'x86-64', 183: 'arm64'}
ALLOCATED, EXECUTABLE = 2, 4
SYMTAB, RELA = 2, 4
OBJECT, FUNCTION = 1, 2

Section = collections.namedtuple('Section', 'name type flags offset size link info')
Symbol = collections.namedtuple('Symbol', 'name type section value size')
Reloc = collections.namedtuple('Reloc', 'offset type symbol addend')


class BadInput(Exception):
    """Something that was given cannot be reviewed; the text is one line."""


def unpack(data, path):
    """The bytes of a file as a distribution ships it, uncompressed."""
    try:
        if data[:6] == b'\xfd7zXZ\0':
            # an image has its own length behind it
            unpacker = lzma.LZMADecompressor()
            data = unpacker.decompress(data)
            if not unpacker.eof:
                raise EOFError
            return data
        if data[:2] == b'\x1f\x8b':
            return gzip.decompress(data)
        if data[:4] == b'\x28\xb5\x2f\xfd':
            return subprocess.run(['zstd', '-dcq'], input=data, check=True,
                                  capture_output=True).stdout
    except FileNotFoundError:
        raise BadInput(f'{path}: compressed with zstd, and there is no zstd here') from None
    except (OSError, EOFError, lzma.LZMAError, subprocess.CalledProcessError):
        raise BadInput(f'{path}: compressed, and it cannot be uncompressed') from None
    return data


def read(path):
    try:
        with open(path, 'rb') as file:
            return unpack(file.read(), path)
    except OSError as error:
        raise BadInput(f'{path}: {error.strerror}') from None


class Elf:
    def __init__(self, data, path):
        self.data, self.path = data, path
        if data[:4] != b'\x7fELF':
            raise BadInput(f'{path}: not an ELF file')
        if data[4:6] != b'\x02\x01':
            raise BadInput(f'{path}: not of a 64-bit little-endian machine')
        try:
            self._read()
        except (struct.error, IndexError, ValueError):
            raise BadInput(f'{path}: a damaged ELF file') from None

    def _read(self):
        data = self.data
        number, = struct.unpack_from('<H', data, 18)
        self.machine = MACHINES.get(number)
        if not self.machine:
            raise BadInput(f'{self.path}: for machine {number}; '
                           f'{" and ".join(MACHINES.values())} can be reviewed')
        start, = struct.unpack_from('<Q', data, 40)
        entry, count, names = struct.unpack_from('<HHH', data, 58)
        raw = [struct.unpack_from('<IIQQQQII', data, start + i * entry)
               for i in range(count)]

        def text(offset):
            return data[offset:data.index(b'\0', offset)].decode()

        self.sections = [Section(text(raw[names][4] + r[0]), r[1], r[2], r[4], r[5],
                                 r[6], r[7]) for r in raw]
        self.symbols = []
        self.relocs = {}
        for section in self.sections:
            if section.type == SYMTAB:
                strings = self.sections[section.link].offset
                for name, info, _, shn, value, size in struct.iter_unpack(
                        '<IBBHQQ', self._bytes(section)):
                    self.symbols.append(Symbol(text(strings + name), info & 15, shn,
                                               value, size))
            elif section.type == RELA:
                self.relocs[section.info] = [
                    Reloc(offset, info & 0xffffffff, info >> 32, addend)
                    for offset, info, addend in struct.iter_unpack(
                        '<QQq', self._bytes(section))]

    def _bytes(self, section):
        if section.offset + section.size > len(self.data):
            raise ValueError
        return self.data[section.offset:section.offset + section.size]

    def section(self, name):
        """The contents of a section, or None."""
        for section in self.sections:
            if section.name == name:
                return self._bytes(section)
        return None

    def imports(self):
        return {s.name for s in self.symbols if s.section == 0 and s.name}

    def is_code(self, index):
        return index < len(self.sections) and bool(self.sections[index].flags & EXECUTABLE)


class Places:
    """Named ranges in sections, to be looked up by address."""

    def __init__(self):
        self.at = collections.defaultdict(list)

    def add(self, section, start, size, name):
        self.at[section].append((start, size, name))

    def done(self):
        for places in self.at.values():
            places.sort()

    def find(self, section, address, exact=False):
        """The name of the last one that begins at or before @address."""
        places = self.at.get(section, ())
        i = bisect.bisect_right(places, (address, float('inf'), '')) - 1
        if i < 0 or exact and places[i][0] != address:
            return None
        return places[i][2]

    def covering(self, section, address):
        """The name of the one that the address is in."""
        places = self.at.get(section, ())
        i = bisect.bisect_right(places, (address, float('inf'), '')) - 1
        if i < 0 or address >= places[i][0] + max(places[i][1], 1):
            return None
        return places[i][2]
