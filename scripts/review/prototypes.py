# SPDX-License-Identifier: GPL-2.0-only
"""What the module has copied by hand, against what the kernel says of itself: the
arguments of functions, members of structures, and bits that have no type."""
import os
import re

from gates import MODULE

SIZES = {'u64': 8, 's64': 8, 'loff_t': 8, 'long': 8, 'unsigned long': 8, 'sector_t': 8,
         'ssize_t': 8, 'size_t': 8, 'int': 4, 'unsigned int': 4, 'u32': 4, 'bool': 1,
         'vm_fault_t': 4, 'ptrdiff_t': 8}
# Structures with names of their own here: {name here: names there}
STRUCTURES = {'exchrange': ('xfs_exchrange',),
              'allocation_request': ('ext4_allocation_request',),
              'seal_fileattr': ('fileattr', 'file_kattr')}
# Originals that no gate binds: {name here: function}
FUNCTIONS = {'seal_xfs_vm_bmap': 'xfs_vm_bmap',
             'seal_xfs_cancel_cow_range': 'xfs_reflink_cancel_cow_range'}
# Structures whose first members the module reads by place: {there: (file, name here)}
MEMBERS = {'xfs': {'xfs_exchrange': ('gates/xfs.c', 'exchrange')},
           'ext4': {'ext4_allocation_request': ('gates/tripwires_ext4.c',
                                                'allocation_request')}}
# Bits, as the formats of trace events have them: (what, file, its definition here,
# the line of the format, the value of it)
BITS = {
    'xfs': [
        ('BMAP_ATTRFORK', 'gates/tripwires_xfs.c', r'BMAP_ATTRFORK\s+BIT\((\d+)\)',
         rb'\{ \(1u << (\d+)\), "ATTR" \}'),
        ('BMAP_COWFORK', 'gates/tripwires_xfs.c', r'BMAP_COWFORK\s+BIT\((\d+)\)',
         rb'\{ \(1u << (\d+)\), "COW" \}'),
    ],
    'ext4': [
        ('EXT4_GET_BLOCKS_CREATE', 'gates/last_ext4.c', r'BLOCKS_CREATE\s+BIT\((\d+)\)',
         rb'\{ (0x[0-9a-f]+), "CREATE" \}'),
        ('EXT4_GET_BLOCKS_DELALLOC_RESERVE', 'gates/last_ext4.c',
         r'BLOCKS_DELALLOC_RESERVE\s+BIT\((\d+)\)', rb'\{ (0x[0-9a-f]+), "DELALLOC" \}'),
        ('EXT4_GET_BLOCKS_CONVERT', 'gates/last_ext4.c', r'BLOCKS_CONVERT\s+BIT\((\d+)\)',
         rb'\{ (0x[0-9a-f]+), "CONVERT" \}'),
        ('EXT4_GET_BLOCKS_METADATA_NOFAIL', 'gates/last_ext4.c',
         r'BLOCKS_METADATA_NOFAIL\s+BIT\((\d+)\)',
         rb'\{ (0x[0-9a-f]+), "METADATA_NOFAIL" \}'),
        ('EXT4_MB_HINT_DATA', 'gates/tripwires_ext4.c', r'MB_HINT_DATA\s+(0x[0-9a-f]+)',
         rb'\{ (0x[0-9a-f]+), "HINT_DATA" \}'),
    ],
}
# What a handler reads and then does not look at, where there is no such argument.
IGNORED = {('__break_lease', 2)}
REPAIR = ('XFS_SCRUB_IFLAG_REPAIR', 'gates/xfs.c', r'SCRUB_FLAG_REPAIR\s+(\d+)',
          rb'\{ \(1u << (\d+)\), "repair" \}')


def type_of(text):
    """Of an argument as it is declared, with or without a name."""
    text = re.sub(r'\bconst\b', '', text).strip()
    if '*' in text:
        return re.sub(r'\s*\*.*', ' *', text)
    words = text.split()
    if len(words) > 1 and ' '.join(words) not in SIZES and words[0] != 'enum':
        words = words[:-1]
    return ' '.join(words)


def fits(btf, number, want):
    """Is that type of the kernel what is expected?"""
    if '*' in want:
        if not btf.is_pointer(number):
            return False
        found = re.fullmatch(r'struct (\w+) \*', want)
        name = btf.name(number)
        if not found or not name.startswith('struct '):
            return True
        return name in [f'struct {other} *'
                        for other in STRUCTURES.get(found[1], (found[1],))]
    if want == 'unsigned long' and btf.is_pointer(number):
        return True
    if want.startswith('enum '):
        return btf.size(number) == 4
    return not btf.is_pointer(number) and btf.size(number) == SIZES.get(want)


def originals(sources, gates, btf):
    """SEAL_ORIGINAL: all arguments, and the result."""
    bound = dict(FUNCTIONS)
    bound.update({gate.original: gate.symbol for gate in gates if gate.original})
    for name, (result, arguments) in sources.originals().items():
        symbol = bound.get(name)
        prototype = symbol and btf.prototype(symbol)
        if not prototype:
            continue
        wanted = [type_of(argument) for argument in arguments]
        good = len(wanted) == len(prototype[1]) and \
            fits(btf, prototype[0], type_of(result)) and \
            all(fits(btf, number, want) for number, want in zip(prototype[1], wanted))
        if not good:
            yield (f'{symbol}: the module calls it as {result} '
                   f'({", ".join(wanted)}), it is {btf.declaration(symbol)}')


def handlers(sources, gates, btf):
    """Arguments that handlers take out of registers."""
    for gate in gates:
        prototype = btf.prototype(gate.symbol)
        body = sources.body(gate.file, gate.handler)
        if body is None:
            yield f'{gate.symbol}: its handler {gate.handler}() is not in {gate.file}'
        if not prototype or body is None:
            continue
        for number, want in re.findall(
                r'seal_(?:last_)?arg\(\w+,\s*(\d),\s*([^)]+)\)', body):
            number, want = int(number), type_of(want)
            if number >= len(prototype[1]) and (gate.symbol, number) in IGNORED:
                continue
            if number >= len(prototype[1]) or not fits(btf, prototype[1][number], want):
                yield (f'{gate.symbol}: argument {number} is taken for {want}, it is '
                       f'{btf.declaration(gate.symbol)}')


def layout(text):
    """[(offset, size)] of the members of a structure of the module."""
    at, found = 0, []
    for line in text.split(';'):
        member = type_of(' '.join(line.split()))
        if not member:
            continue
        size = 8 if '*' in member else SIZES[member]
        at = (at + size - 1) // size * size
        found.append((at, size))
        at += size
    return found


def structures(sources, filesystem, btf):
    for there, (file, here) in MEMBERS[filesystem].items():
        body = re.search(rf'^struct {here} {{(.*?)^}};', sources.files[file],
                         re.S | re.M)
        members = btf.members(there)
        if not body:
            if members:
                yield f'struct {there}: {file} has no struct {here} for it'
            continue
        wanted = layout(body[1])
        found = [(offset, btf.size(number)) for _, offset, number in members or ()]
        if wanted != found[:len(wanted)]:
            yield f'struct {there}: members are not where struct {here} has them'
    scrub = btf.members('xfs_scrub_metadata')
    if filesystem == 'xfs' and scrub and (scrub[1][:2] != ('sm_flags', 4) or
                                          btf.size(scrub[1][2]) != 4):
        yield 'struct xfs_scrub_metadata: its flags are not the second word'


def bits(filesystem, elf, repair):
    checks = BITS[filesystem] + ([REPAIR] if repair and filesystem == 'xfs' else [])
    for what, file, here, there in checks:
        with open(os.path.join(MODULE, file), encoding='utf-8') as source:
            mine = re.search(here, source.read())[1]
        found = {int(value, 0) for value in re.findall(there, elf.data)}
        mine = int(mine, 0)
        if b'0x' in there:
            value = mine if '0x' in here else 1 << mine
        else:
            # a number of a bit; the module may have the value
            value = mine if 'BIT' in here else mine.bit_length() - 1
        if found != {value}:
            yield (f'{what}: {sorted(found) or "nothing"} in the formats of trace '
                   f'events, {value} here')


def check(sources, gates, filesystem, elf, btf, repair):
    yield from originals(sources, gates, btf)
    yield from handlers(sources, gates, btf)
    yield from structures(sources, filesystem, btf)
    yield from bits(filesystem, elf, repair)
