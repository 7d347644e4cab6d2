import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mountOn } from '../../../src/initramfs/root.ts';
import { inodeOf } from '../../../src/survey/facts.ts';
import { missingOptions } from '../../../src/survey/kernels.ts';
import { lockdownMode } from '../../../src/survey/machine.ts';
import { parseMountinfo, parsePids, parseStat } from '../../../src/survey/task.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';

const STATS = ['proc/redis-stat.txt', 'proc/nginx-stat.txt', 'proc/kthreadd-stat.txt'].map(fixture);
const MOUNTS = ['proc/redis-mountinfo.txt', 'proc/init-mountinfo.txt'].map(fixture);

test('of a damaged stat file numbers are read, or nothing', () => {
  fc.assert(
    fc.property(damaged(...STATS), (text) => {
      const stat = parseStat(text);
      if (stat === undefined) return;
      for (const each of [stat.parent, stat.processGroup, stat.session, stat.flags, stat.startTime]) expect(Number.isSafeInteger(each) && each >= 0).toBe(true);
      expect(text).toContain(`(${stat.comm})`);
    }),
  );
});

/** As the kernel writes paths (mangle_path() in fs/seq_file.c). */
const mangled = (path: string): string => path.replace(/[ \t\n\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
const path = fc.string({ unit: fc.oneof(fc.constantFrom(' ', '\t', '\n', '\\', '#', '-', '/', '0', '4', 'ä', '\u2028'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 10 }).map((text) => `/${text.replaceAll('\0', '')}`);
const mount = fc.record({ id: fc.nat(), device: fc.tuple(fc.nat(300), fc.nat(300)).map((numbers) => numbers.join(':')), root: fc.oneof(path, fc.constant('net:[4026531840]')), path, type: fc.constantFrom('ext4', 'tmpfs', 'fuse.sshfs') });
const optional = fc.constantFrom('', 'shared:1 ', 'shared:1 master:2 ', 'unbindable ');

test('every mount is read with its paths, whatever they are called', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(mount, optional)), (all) => {
      const text = all.map(([each, fields]) => `${each.id} 1 ${each.device} ${mangled(each.root)} ${mangled(each.path)} rw,noatime ${fields}- ${each.type} - rw,size=5k\n`).join('');
      expect(parseMountinfo(text)).toEqual(all.map(([each]) => each));
      // The last one on a path is the one that is seen.
      for (const [each] of all) {
        const seen = all.findLast(([other]) => other.path === each.path)![0];
        expect(mountOn(mangled(each.path), text)).toMatchObject({ device: seen.device, type: seen.type, options: ['rw', 'noatime'], superOptions: ['rw', 'size=5k'] });
      }
    }),
  );
});

test('of damaged mounts those are read that are whole, and nothing that is none', () => {
  const whole = new Map(MOUNTS.flatMap((text) => text.split('\n')).map((line) => [line, parseMountinfo(line)]));
  fc.assert(
    fc.property(damaged(...MOUNTS), (text) => {
      const mounts = parseMountinfo(text);
      for (const { id, device, root, path: at, type } of mounts) {
        expect(Number.isSafeInteger(id)).toBe(true);
        expect(device).toMatch(/^\d+:\d+$/);
        expect(at).toMatch(/^\//);
        expect([root, type]).not.toContain('');
      }
      expect(mounts.map((each) => JSON.stringify(each))).toEqual(expect.arrayContaining(text.split('\n').flatMap((line) => whole.get(line) ?? []).map((each) => JSON.stringify(each))));
      mountOn('/', text);
    }),
  );
});

test('no id that is read can be one that signals a group, or everybody', () => {
  fc.assert(
    fc.property(damaged('354\n400\n0\n-1\n 7\n'), (text) => {
      for (const pid of parsePids(text)) {
        expect(Number.isSafeInteger(pid) && pid > 0).toBe(true);
        expect(text.split('\n')).toContain(pid.toString());
      }
    }),
  );
});

test('the inode of a link is read back, and of nothing else', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom('socket' as const, 'pipe' as const), fc.string({ minLength: 1 }), (inode, kind, more) => {
      expect(inodeOf(`${kind}:[${inode}]`, kind)).toBe(inode);
      expect(inodeOf(`${kind}:[${inode}]`, kind === 'socket' ? 'pipe' : 'socket')).toBeUndefined();
      for (const other of [`${more}${kind}:[${inode}]`, `${kind}:[${inode}]${more}`]) expect(inodeOf(other, kind)).toBeUndefined();
    }),
  );
});

test('what a configuration does not say is missing from it', () => {
  const config = fixture('kernel/config-7.3.4+deb13-cloud-amd64');
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (at, length) => {
      const cut = config.slice(at % config.length, (at % config.length) + (length % config.length));
      for (const option of missingOptions(cut)) expect(cut.split('\n').some((line) => line === `${option}=y` || line === `${option}=m`)).toBe(false);
    }),
    { numRuns: 20 },
  );
});

test('files without end are read in time', () => {
  for (const text of endless('(', ')', ' ', '1 ', '\\', '\\040', '- ', '0\n', '[', '[none')) {
    parseStat(`1 (${text}`);
    parseStat(text);
    parseMountinfo(`36 35 98:0 / /${text}`);
    parseMountinfo(text);
    mountOn('/', text);
    parsePids(text);
    inodeOf(`socket:[${text}`, 'socket');
    lockdownMode(text);
    missingOptions(text);
  }
});
