#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Completing the name of a device must not run what is in the name.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/dmsetup" <<'END'
#!/bin/sh
echo 'disk$(>&2 echo executed):SEAL-1'
END
chmod +x "$work/dmsetup"
PATH=$work:$PATH
# shellcheck source=/dev/null
. "$here/../../../completion/sealctl.bash"
COMP_WORDS=(sealctl unexport di)
COMP_CWORD=2
_sealctl 2>"$work/ran"
# shellcheck disable=SC2016
if [ "${COMPREPLY[*]}" != 'disk$(>&2 echo executed)' ] || [ -s "$work/ran" ]; then
	echo "completion: a name was run, or was not offered: ${COMPREPLY[*]}"
	exit 1
fi
echo "completion: ok"
