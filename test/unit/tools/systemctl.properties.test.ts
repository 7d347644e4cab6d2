import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNames, parseShow } from '../../../src/tools/systemctl.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';

const key = fc.stringMatching(/^[A-Z][A-Za-z]{1,20}$/).filter((name) => name !== 'Id');
const value = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', ''));
const unit = fc.tuple(fc.string({ minLength: 1 }).map((name) => name.replaceAll('\n', '')), fc.dictionary(key, value, { noNullPrototype: true, maxKeys: 6 })).map(([Id, properties]) => ({ ...properties, Id }));

test('every unit is read with every property that it has', () => {
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 5 }), (units) => {
      expect(parseShow(units.map((properties) => Object.entries(properties).map(([name, text]) => `${name}=${text}\n`).join('')).join('\n'))).toEqual(units);
    }),
  );
});

test('of damaged properties nothing comes that was not printed, and no unit without an Id', () => {
  fc.assert(
    fc.property(damaged(fixture('systemctl/show.txt')), (text) => {
      const printed = new Set(text.split('\n'));
      for (const properties of parseShow(text)) {
        expect(properties).toHaveProperty('Id');
        for (const [name, shown] of Object.entries(properties)) for (const line of shown.split('\n')) expect(printed).toContain(`${name}=${line}`);
      }
    }),
  );
});

test('the first column of a list is read, be the others what they are', () => {
  const names = parseNames(fixture('systemctl/list-units.txt'));
  expect(names).toHaveLength(fixture('systemctl/list-units.txt').trim().split('\n').length);
  fc.assert(
    fc.property(damaged(fixture('systemctl/list-units.txt')), (text) => {
      const read = parseNames(text);
      expect(read).toHaveLength(text.split('\n').filter((line) => line.trim() !== '').length);
      for (const name of read) expect(name).toMatch(/^\S+$/);
    }),
  );
});

test('lines without end are read in time', () => {
  for (const text of endless('\n', '=', ' ', 'Id=a\n', 'a')) {
    parseShow(text);
    parseNames(text);
  }
});
