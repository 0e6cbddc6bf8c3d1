# SPDX-License-Identifier: GPL-2.0-only
"""Does the review notice when a gate is missing? Each is taken out, alone."""


def changed(result, gates, last):
    """The list of names behind conditional gates says which have a gate themselves."""
    new = result.changed_conditional(result.conditional,
                                     result.behind_conditional(gates, last))
    return f'behind a conditional gate, without its own: {new[0]}' if new else None


def noticed(result, gate):
    """How the absence of a gate of the first line shows, or None."""
    fewer = result.gates - {gate}
    left = set(result.judge(fewer).left) - set(result.verdict.left)
    if left:
        root, caller = sorted(left)[0]
        more = f' and {len(left) - 1} more' if len(left) > 1 else ''
        return f'{root} comes to {caller} without a gate{more}'
    return changed(result, fewer, result.last)


def noticed_last(result, gate):
    fewer = result.last - {gate}
    single = result.not_behind_last(fewer) - result.single
    if single:
        return f'{sorted(single)[0]}: not behind the last line'
    return changed(result, result.gates, fewer)


def self_test(result):
    first, last = result.concerned()
    name = f'{result.kernel.release} {result.filesystem}'
    good = True
    for line, gates, look in (('gates', first, noticed), ('last line', last, noticed_last)):
        found = 0
        for gate in gates:
            how = look(result, gate)
            found += how is not None
            print(f'  {gate}: {how or "NOT NOTICED"}', flush=True)
        if line == 'gates':
            for gate in sorted(result.gates - set(gates)):
                print(f'  {gate}: not looked for: {result.filesystem} does not call it')
        good = good and found == len(gates)
        print(f'{name}: {line}: {found} of {len(gates)} taken out were noticed',
              flush=True)
    return good
