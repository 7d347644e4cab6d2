import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextState, stateAfter, stateTable, TRANSITIONS, type StateEvent, type UpgradeState } from '../../../src/model/state.ts';

const events = (text: string): StateEvent[] => text.split(' ').map((name) => (name.startsWith('step:') ? { event: 'step', phase: name.slice(5) } : { event: name }));

test('the docs have this very table', () => {
  expect(readFileSync(new URL('../../../docs/upgrade.md', import.meta.url), 'utf8')).toContain(stateTable());
});

test.for<[string, UpgradeState]>([
  ['begun step:prepare step:snapshot', 'preparing'],
  ['begun step:prepare step:snapshot prepared step:snapshot snapshot', 'prepared'],
  ['begun prepared begun step:prepare step:park imaged step:jump', 'parking'],
  ['begun step:park step:jump jumping', 'jumping'],
  ['begun step:park jumping arrived locked restoring restored booting settling', 'arrived'],
  ['begun step:park jumping arrived restored settling settled', 'settled'],
  ['begun step:park jumping handover-refused settling settled', 'refused'],
  ['begun step:park jumping giving-up', 'giving-up'],
  ['begun step:park giving-up given-up', 'given-up'],
  ['begun step:prepare giving-up given-up-in-part', 'given-up-in-part'],
  // The power was cut when word had been left for the way back, and before the jump was announced.
  ['begun step:park step:jump came-back', 'coming-back'],
  ['begun step:park jumping arrived restored came-back restored settling settled', 'back'],
  ['begun step:park jumping came-back handover-refused', 'refused'],
])('%s: %s', ([text, state]) => {
  expect(stateAfter(events(text))).toBe(state);
});

test('from a state an event leads to one state only, and every state is reached', () => {
  const pairs = TRANSITIONS.flatMap(({ event, from }) => from.map((each) => `${event} from ${each}`));
  expect(new Set(pairs).size).toBe(pairs.length);
  const reached = new Set(TRANSITIONS.map(({ to }) => to));
  for (const from of TRANSITIONS.flatMap((each) => each.from)) expect(reached).toContain(from);
});

test('what has ended stays ended, whatever a journal says then', () => {
  const event = fc.constantFrom<StateEvent>(...TRANSITIONS.map(({ event: name }) => events(name.replace('step of ', 'step:'))[0]!).filter((each) => each.event !== 'came-back'));
  fc.assert(fc.property(fc.constantFrom<UpgradeState>('settled', 'given-up', 'back', 'refused'), fc.array(event), (ended, later) => {
    expect(later.reduce(nextState, ended)).toBe(ended);
  }));
});
