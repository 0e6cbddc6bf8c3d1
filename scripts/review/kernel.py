# SPDX-License-Identifier: GPL-2.0-only
"""A kernel to review: its modules, its image, its configuration."""
import glob
import os
import re
import struct

from elf import BadInput, Elf, read, unpack

# magic, version 1, no flags, length of the header
BTF_HEADER = struct.pack('<HBBI', 0xeb9f, 1, 0, 24)


def first(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            return path
    return None


def source_version(text):
    """'Debian 6.12.118-1' of what uname -v prints. All flavours of it have one source."""
    found = re.search(r'Debian (\S+)', text)
    return f'Debian {found[1]}' if found else None


class Kernel:
    """In a folder as scripts/review/fetch makes it, or as a Debian system has it."""

    def __init__(self, directory, release=None):
        if not os.path.isdir(directory):
            raise BadInput(f'{directory}: no such folder')
        self.directory = directory
        self.release = release or os.path.basename(os.path.abspath(directory))
        modules = os.path.join(directory, 'lib/modules', glob.escape(self.release))
        self.installed = os.path.isdir(modules)
        if self.installed:
            boot = os.path.join(directory, 'boot')
            self._modules = os.path.join(modules, 'kernel/fs/*')
            self._image = first(f'{boot}/vmlinuz-{self.release}', f'{modules}/vmlinuz')
            self._config = first(f'{boot}/config-{self.release}', f'{modules}/config')
        else:
            self._modules = directory
            self._image = first(os.path.join(directory, 'vmlinuz'))
            self._config = first(os.path.join(directory, 'config'))
        self.parse_release()
        self._read_config()

    def parse_release(self):
        series = re.match(r'(\d+)\.(\d+)[.-]', self.release)
        if not series:
            raise BadInput(f'{self.release}: not the name of a kernel')
        self.version = int(series[1]), int(series[2])
        self.series = f'{series[1]}.{series[2]}'

    def _read_config(self):
        self.config = {}
        if not self._config:
            raise BadInput(f'{self.directory}: no configuration of kernel {self.release}')
        with open(self._config, encoding='utf-8', errors='replace') as file:
            for line in file:
                found = re.match(r'(CONFIG_\w+)=(.*)', line)
                if found:
                    self.config[found[1]] = found[2]

    def module(self, name):
        """The ELF file of a module; None if the kernel has it built in."""
        path = first(f'{self._modules}/{name}.ko', f'{self._modules}/{name}.ko.*')
        if path:
            return Elf(read(path), path)
        if self.config.get(f'CONFIG_{name.upper()}_FS') == 'y':
            return None
        raise BadInput(f'{self.directory}: no {name}.ko of kernel {self.release}')

    def image(self):
        if not self._image:
            raise BadInput(f'{self.directory}: no image of kernel {self.release}')
        return read(self._image)

    def sources(self):
        """The version of the source package; None if the image does not tell."""
        data = self.image()
        if data[0x202:0x206] != b'HdrS':
            return None
        start = struct.unpack_from('<H', data, 0x20e)[0] + 0x200
        return source_version(data[start:data.index(0, start)].decode())

    def btf(self):
        """The types of the kernel itself, as bytes."""
        path = self._image
        data = self.image()
        if data[0x202:0x206] == b'HdrS':
            # of x86: a program that unpacks what is behind it, and its length
            start, length = struct.unpack_from('<II', data, 0x248)
            start += (data[0x1f1] or 4) * 512 + 512
            if data[start:start + 4] == b'\x28\xb5\x2f\xfd':
                length -= 4
            data = unpack(data[start:start + length], path)
        elif data[4:8] == b'zimg':
            start, length = struct.unpack_from('<II', data, 8)
            data = unpack(data[start:start + length], path)
        if data[:4] == b'\x7fELF':
            found = Elf(data, path).section('.BTF')
        else:
            # of arm64: no sections any more
            start = data.find(BTF_HEADER)
            found = data[start:] if start >= 0 else None
        if not found:
            raise BadInput(f'{path}: a kernel without BTF')
        return found
