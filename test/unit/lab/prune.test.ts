import { expect, test } from 'vitest';
import { disusedStates } from '../../../lab/state/prune.js';

test('the states longest unused go first', () => {
  const states = [1, 2, 3, 4].map((usedAt) => ({ key: `s${usedAt}`, parent: 'base', usedAt }));
  expect(disusedStates([{ key: 'base', parent: undefined, usedAt: 0 }, ...states], 2)).toEqual(['s2', 's1']);
});

test('a state that another builds on stays, however long it was not used', () => {
  const states = [
    { key: 'base', parent: undefined, usedAt: 0 },
    { key: 'child', parent: 'base', usedAt: 9 },
  ];
  expect(disusedStates(states, 1)).toEqual([]);
});
