#!/usr/bin/python3
"""collector_decode.py - what `bmd-collector --once` finds in recordings is what is in the bytes.

SPDX-License-Identifier: GPL-2.0-or-later
The bytes are read here by tests/data/pb840/fields.tsv and names.tsv alone, without the driver's table.
"""

import glob
import json
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(TOP, 'tests', 'data')
COLLECTOR = os.path.join(os.environ.get('BMD_BIN', os.path.join(TOP, 'build', 'bin')), 'bmd-collector')
OFF, ON = ('NORMAL', 'RESET', 'OFF'), {'LOW': 'low', 'MEDIUM': 'medium', 'HIGH': 'high'}


def once(driver, data, *options):
    done = subprocess.run([COLLECTOR, '--once', '-', '--driver', driver, '--json', *options],
                          input=data, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def tables():
    """Field number -> (type, catalogue name) of the SNDF reply."""
    with open(os.path.join(DATA, 'pb840', 'names.tsv'), encoding='ascii') as lines:
        names = dict(line.rstrip('\n').split('\t') for line in lines if not line.startswith('#'))
    fields, section = {}, None
    with open(os.path.join(DATA, 'pb840', 'fields.tsv'), encoding='ascii') as lines:
        for line in lines:
            row = line.rstrip('\n').split('\t')
            if len(row) == 1:
                section = row[0]
            elif section == 'MISCF' and row[0] == 'AS':
                for side, number in (('LOW', row[3]), ('HIGH', row[4])):
                    if number != '-1':
                        fields[int(number)] = ('N', names[f'{row[1]} {side}'])
            elif section == 'MISCF' and row[1] in names:
                fields[int(row[3])] = (row[0], names[row[1]])
    return fields


def expected(data, fields):
    body = data[data.index(b'\x02') + 1:data.index(b'\x03')].decode('ascii').split(',')[:-1]
    found = {}
    for number, text in enumerate(body, 5):
        text = text.strip()
        kind, name = fields.get(number, (None, None))
        if name is None or text == '':
            continue
        if re.fullmatch(r'-?[0-9.]+', text):
            found[name] = float(text)
        elif kind in ('PA', 'TA'):
            assert text in OFF or text in ON, (number, text)
            found[name] = 'off' if text in OFF else ON[text]
        else:
            assert text == 'OFF', (number, text)
    return found


def found_in(lines):
    found = {}
    for line in lines:
        if 'metric' in line:
            found[line['metric']] = line['value']
        elif 'alarm' in line:
            found[line['alarm']] = 'off' if line['state'] == 'off' else line['priority']
    return found


def check(name, good, detail=''):
    print(('ok' if good else 'not ok'), f'collector_decode: {name}', detail)
    return good


def pb840():
    fields, good, files = tables(), True, sorted(glob.glob(os.path.join(DATA, 'pb840', '*.bin')))
    for file in files:
        with open(file, 'rb') as content:
            data = content.read()
        want, have = expected(data, fields), found_in(once('pb840', data))
        if want != have:
            good = False
            print('   ', os.path.basename(file), sorted(set(want.items()) ^ set(have.items())))
    return check('every PB840 reply gives exactly its numbers and alarm words', good and len(files) == 20,
                 f'({len(files)} files)')


def nonin():
    with open(os.path.join(DATA, 'nonin', 'df2-desaturation.bin'), 'rb') as content:
        lines = once('nonin', content.read())
    pairs = {}
    for line in lines:
        if 'metric' in line:
            pairs.setdefault(line['frame'], {})[line['metric']] = line.get('value')
    have = [(pair['PulseRate'], pair['SpO2']) for pair in pairs.values()]
    want = ([(72, 97)] * 3 + [(74, 93)] * 3 + [(131, 86)] * 6 + [(133, 84)] * 6 + [(None, None)] * 3
            + [(80, 96)] * 6)
    return check('the Nonin recording gives the readings it was made of', have == want)


def damaged():
    with open(os.path.join(DATA, 'nonin', 'df2-bad-checksum.bin'), 'rb') as content:
        counts = once('nonin', content.read())[-1]['counts']
    return check('the damaged frame is counted', counts['damaged'] == 1 and counts['frames'] == 49)


def noise():
    good = True
    for driver in ('nonin', 'pb840'):
        lines = once(driver, os.urandom(1_000_000))
        good = good and not any('metric' in line for line in lines)
    return check('a megabyte of noise gives no reading', good)


if __name__ == '__main__':
    results = [pb840(), nonin(), damaged(), noise()]
    print(f'{results.count(True)} passed, {results.count(False)} failed')
    sys.exit(not all(results))
