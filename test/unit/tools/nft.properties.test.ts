import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { handoverLockScript, parseLockTables, parseRuleset } from '../../../src/tools/nft.ts';
import { parseSockets } from '../../../src/tools/proc-net.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';
import { valueOf } from '../value-of.ts';

const word = fc.stringMatching(/^[A-Za-z][\w-]{0,12}$/);
const table = fc
  .record({ family: fc.constantFrom('inet', 'ip', 'ip6', 'bridge'), name: fc.oneof(word, fc.constantFrom('segue-20', 'segue2', 'CRIU-0f', 'filter')), rules: fc.array(fc.constantFrom('\tchain input {\n\t}\n', '\tset table {\n\t}\n', '\t\t# table inet segue-20\n')), foreign: fc.boolean() })
  .map(({ family, name, rules, foreign }) => ({ name: `${family} ${name}`, text: `table ${family} ${name} {\n${rules.join('')}}\n`, foreign }));
const tables = fc.uniqueArray(table, { maxLength: 6, selector: ({ name }) => name });

test('every table comes back as it was printed, but for locks and those that nft cannot read again', () => {
  fc.assert(
    fc.property(tables, (all) => {
      const warnings = all.filter(({ foreign }) => foreign).map(({ name }) => `# Warning: table ${name} is managed by iptables-nft, do not touch!\n`);
      const { nftables, compatible } = parseRuleset(all.map(({ text }) => text).join(''), warnings.join(''));
      const own = all.filter(({ name, foreign }) => !foreign && name !== 'inet segue-20' && name !== 'inet CRIU-0f' && !name.startsWith('inet CRIU-'));
      expect(nftables).toBe(own.map(({ text }) => text).join(''));
      for (const [family, program] of [['ip', 'iptables'], ['ip6', 'ip6tables']] as const) {
        expect(compatible.includes(program)).toBe(all.some(({ name, foreign }) => foreign && name.startsWith(`${family} `)));
      }
    }),
  );
});

test('the locks among the tables are found, and no others', () => {
  fc.assert(
    fc.property(tables, (all) => {
      const locks = all.flatMap(({ name }) => (/^inet (?:segue-20|CRIU-.+)$/.test(name) ? [name.slice('inet '.length)] : []));
      expect(parseLockTables(all.map(({ name }) => `table ${name}\n`).join(''))).toEqual(locks);
    }),
  );
});

test('of damaged rules no line comes that was not printed, and no lock', () => {
  fc.assert(
    fc.property(damaged(fixture('nft/ruleset.txt')), damaged(fixture('nft/ruleset.stderr.txt')), (stdout, stderr) => {
      const { nftables } = parseRuleset(stdout, stderr);
      const printed = new Set(stdout.split('\n'));
      for (const line of nftables.split('\n')) {
        expect(printed.has(line) || line === '').toBe(true);
        expect(line).not.toMatch(/^table inet segue-\d+(?!\S)/);
      }
    }),
  );
});

test('damaged names of tables give nothing that would be a command of its own', () => {
  fc.assert(
    fc.property(damaged(fixture('nft/tables.txt')), (text) => {
      for (const name of parseLockTables(text)) expect(name).toMatch(/^(segue-\d+|CRIU-\S+)$/);
    }),
  );
});

test('whatever sockets are read from damaged output, their lock names addresses and ports only', () => {
  const ADDRESS_AND_PORT = /^(\S+) \. (\d+) \. (\S+) \. (\d+)$/;
  fc.assert(
    fc.property(damaged(fixture('proc-net/tcp.txt'), fixture('proc-net/tcp6.txt')), (text) => {
      const sockets = parseSockets('/proc/net/tcp', 'tcp', text);
      if (!sockets.ok) return;
      for (const [, tuples = ''] of handoverLockScript('CRIU-0', sockets.value).matchAll(/^ +ip6? saddr .* \{ (.*) \}/gm)) {
        for (const tuple of tuples.split(', ')) {
          const [, one = '', , other = ''] = ADDRESS_AND_PORT.exec(tuple) ?? [];
          expect(isIP(one)).toBeGreaterThan(0);
          expect(isIP(other)).toBe(isIP(one));
        }
      }
    }),
  );
  expect(handoverLockScript('CRIU-0', valueOf(parseSockets('/proc/net/tcp6', 'tcp', fixture('proc-net/tcp6.txt'))))).toMatch(/^ +ip6 saddr /m);
});

test('rules without end are read in time', () => {
  for (const text of endless('table ', 'table inet segue\n', '\n', 'a', ' ', '# Warning: table ')) {
    parseRuleset(text, text);
    parseLockTables(text);
    parseLockTables(`table inet CRIU-${text}`);
  }
});
