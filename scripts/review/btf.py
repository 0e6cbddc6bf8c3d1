# SPDX-License-Identifier: GPL-2.0-only
"""Types of a kernel and of its modules, from their BTF sections."""
import struct

from elf import BadInput

(INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC,
 FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64) = range(1, 20)
# bytes behind the header of a type: fixed, and for each of its members
TAIL = {INT: (4, 0), ARRAY: (12, 0), STRUCT: (0, 12), UNION: (0, 12), ENUM: (0, 8),
        FUNC_PROTO: (0, 8), VAR: (4, 0), DATASEC: (0, 12), DECL_TAG: (4, 0),
        ENUM64: (0, 12)}
QUALIFIERS = (TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG)


class Btf:
    def __init__(self, data, base=None, path='BTF'):
        self.base = base
        try:
            magic, _, _, header, types, size, strings, length = struct.unpack_from(
                '<HBBIIIII', data)
            if magic != 0xeb9f:
                raise ValueError
            self.strings = data[header + strings:header + strings + length]
            self.first = base.end if base else 1
            self.text_start = base.text_end if base else 0
            self.text_end = self.text_start + length
            self._index(data, header + types, header + types + size)
        except (struct.error, ValueError):
            raise BadInput(f'{path}: its BTF cannot be read') from None

    def _index(self, data, at, end):
        self.data = data
        self.offsets = []
        self.functions, self.structs = {}, {}
        number = self.first
        while at < end:
            name, info, size = struct.unpack_from('<III', data, at)
            kind = info >> 24 & 0x1f
            self.offsets.append(at)
            if kind == FUNC:
                self.functions.setdefault(self.text(name), size)
            elif kind == STRUCT and name:
                self.structs.setdefault(self.text(name), number)
            fixed, each = TAIL.get(kind, (0, 0))
            at += 12 + fixed + each * (info & 0xffff)
            number += 1
        self.end = number

    def text(self, offset):
        if offset < self.text_start:
            return self.base.text(offset)
        offset -= self.text_start
        return self.strings[offset:self.strings.index(b'\0', offset)].decode()

    def _type(self, number):
        """owner, offset, name, kind, members, size or type"""
        if number < self.first and self.base:
            return self.base._type(number)
        at = self.offsets[number - self.first]
        name, info, size = struct.unpack_from('<III', self.data, at)
        return self, at, name, info >> 24 & 0x1f, info & 0xffff, size

    def resolve(self, number):
        """Without typedefs and qualifiers."""
        while number:
            _, _, _, kind, _, size = self._type(number)
            if kind not in QUALIFIERS:
                return number
            number = size
        return 0

    def name(self, number):
        """As C writes it, near enough to be read and compared."""
        if not number:
            return 'void'
        owner, at, name, kind, _, size = self._type(number)
        text = owner.text(name)
        if kind == PTR:
            target = self.name(size)
            return target + ('*' if target.endswith('*') else ' *')
        if kind == ARRAY:
            element, _, count = struct.unpack_from('<III', owner.data, at + 12)
            return f'{self.name(element)}[{count}]'
        if kind in (CONST, VOLATILE, RESTRICT, TYPE_TAG):
            return self.name(size)
        prefix = {STRUCT: 'struct ', UNION: 'union ', ENUM: 'enum ', ENUM64: 'enum ',
                  FWD: 'struct '}.get(kind, '')
        return prefix + (text or {FUNC_PROTO: 'function'}.get(kind, '?'))

    def size(self, number):
        """In bytes; pointers are 8, void is 0."""
        number = self.resolve(number)
        if not number:
            return 0
        owner, at, _, kind, _, size = self._type(number)
        if kind in (PTR, FUNC_PROTO):
            return 8
        if kind == ARRAY:
            element, _, count = struct.unpack_from('<III', owner.data, at + 12)
            return self.size(element) * count
        return size

    def is_pointer(self, number):
        number = self.resolve(number)
        return bool(number) and self._type(number)[3] == PTR

    def find(self, table, name):
        if name in getattr(self, table):
            return getattr(self, table)[name]
        return self.base.find(table, name) if self.base else None

    def prototype(self, name):
        """(type of the result, [types of arguments]), or None"""
        number = self.find('functions', name)
        if number is None:
            return None
        owner, at, _, _, count, result = self._type(number)
        return result, [argument for _, argument in struct.iter_unpack(
            '<II', owner.data[at + 12:at + 12 + count * 8])]

    def declaration(self, name):
        prototype = self.prototype(name)
        if not prototype:
            return None
        result, arguments = prototype
        return f'{self.name(result)} ({", ".join(map(self.name, arguments))})'

    def members(self, name):
        """[(name, offset in bytes, type)] of a structure, or None"""
        number = self.find('structs', name)
        if number is None:
            return None
        owner, at, _, _, count, _ = self._type(number)
        return [(owner.text(text), offset // 8 & 0x1fffff, kind)
                for text, kind, offset in struct.iter_unpack(
                    '<III', owner.data[at + 12:at + 12 + count * 12])]
