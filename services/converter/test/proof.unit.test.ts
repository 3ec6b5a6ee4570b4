import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { SCRIPT } from '../src/proof/agent.js';
import { addressLines, faultOf, findReport, type GuestReport } from '../src/proof/report.js';
import { failureInSerial, lastLines } from '../src/proof/serial.js';

const report: GuestReport = {
  event: 'report',
  hostname: 'production-db',
  kernel: '6.1.0-28-amd64',
  state: 'running',
  failed_units: [],
  nics: [{ name: 'ens192', mac: '00:50:56:ab:cd:ef', addresses: ['10.0.2.15/24', 'fe80::1/64'] }],
};
const pinned = [{ mac: '00:50:56:ab:cd:ef', name: 'ens192' }];

test('the report is taken when its line is whole, whatever else comes', () => {
  const line = JSON.stringify(report);
  expect(findReport(`{"event":"started"}\n${line}`)).toBeUndefined();
  expect(findReport(`{"event":"started"}\nnoise\n${line}\n`)).toEqual(report);
  expect(findReport('{"event":"report","hostname":1}\n')).toBeUndefined();
});

test('a guest that runs, also with failed units, is a proof; others are not', () => {
  expect(faultOf(report, pinned)).toBeUndefined();
  expect(faultOf({ ...report, state: 'degraded', failed_units: ['x.service'] }, pinned)).toBeUndefined();
  expect(faultOf({ ...report, state: 'maintenance' }, pinned)).toContain('maintenance');
  const renamed = [{ name: 'ens3', mac: '00:50:56:ab:cd:ef', addresses: [] }];
  expect(faultOf({ ...report, nics: renamed }, pinned)).toContain('no NIC named ens192');
  expect(addressLines(report)).toEqual(['ens192 10.0.2.15/24']);
});

describe('the serial console of a failed boot', () => {
  test.each([
    ['ALERT!  /dev/sda1 does not exist.  Dropping to a shell!', 'the root device was not found'],
    ['[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs', 'the kernel panicked'],
    ['You are in emergency mode. After logging in, type "journalctl -xb"', 'emergency mode'],
    ['\r\n(initramfs) ', 'shell of the initramfs'],
    ['grub rescue> ', 'GRUB'],
  ])('%j', (log, meaning) => {
    expect(failureInSerial(`boot\n${log}`)).toContain(meaning);
  });
  test('a healthy one is none, though it speaks of emergencies', () => {
    expect(
      failureInSerial('Reached target emergency.target - not\n[ OK ] Started X (initramfs)\nlogin: '),
    ).toBeUndefined();
  });
  test('its last lines without terminal sequences', () => {
    expect(lastLines('a\r\n\u001b[0;32mb\u001b[0m\r\n\r\nc\u0007\n', 2)).toEqual(['b', 'c']);
  });
});

test('the reporter is valid POSIX shell and quotes what it finds', () => {
  execFileSync('sh', ['-n'], { input: SCRIPT });
  const quoting = SCRIPT.split('\n').find((line) => line.startsWith('quoted()')) ?? '';
  const said = execFileSync('sh', ['-c', `${quoting}\nquoted "$1"`, 'sh', 'a"b\\c\td'], { encoding: 'utf8' });
  expect(JSON.parse(said)).toBe('a"b\\cd');
});
