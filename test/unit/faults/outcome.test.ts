import { expect, test } from 'vitest';
import { outcomes, type Trial } from '../../../lab/faults/outcome.js';
import { outcomesText, trialText } from '../../../lab/faults/print.js';

const trial = (fault: string, more: Partial<Trial> = {}): Trial => ({ fault, what: 'something', struck: true, lost: [], tookMs: 1000, ...more });

const TRIALS: readonly Trial[] = [
  trial('kill-segue', { stillMs: 400, lockedMs: 900 }),
  trial('kill-segue', { what: 'SIGKILL at "park"', lost: ['nginx.service does not run', 'sockets are locked: table inet segue'], stillMs: 1200, lockedMs: 100 }),
  trial('kill-segue', { struck: false }),
  trial('power-cut', { became: 'back: nginx.service restored' }),
];

test('what was struck is tried, and survived if nothing was lost', () => {
  expect(outcomes(TRIALS)).toEqual([
    { name: 'kill-segue', tried: 2, survived: 1, missed: 1, lost: ['SIGKILL at "park": nginx.service does not run', 'SIGKILL at "park": sockets are locked: table inet segue'], longestStillMs: 1200, longestLockedMs: 900 },
    { name: 'power-cut', tried: 1, survived: 1, missed: 0, lost: [] },
  ]);
});

test('what was lost without the fault is lost, too', () => {
  expect(outcomes([trial('kill-criu', { struck: false, lost: ['nginx.service does not run'] })])).toMatchObject([{ tried: 0, survived: 0, missed: 1, lost: ['something: nginx.service does not run'] }]);
});

test('the table names each fault, and what was lost', () => {
  expect(outcomesText(outcomes(TRIALS), false)).toMatchInlineSnapshot(`
    "FAULT       TRIED  SURVIVED  LOST  STILL FOR  LOCKED FOR  
    kill-segue      2         1     2      1.2 s       0.9 s  
    power-cut       1         1     0          -           -  
    lost: kill-segue: SIGKILL at "park": nginx.service does not run
    lost: kill-segue: SIGKILL at "park": sockets are locked: table inet segue"
  `);
});

test('a trial is told in a few lines', () => {
  expect(TRIALS.map(trialText).join('\n')).toMatchInlineSnapshot(`
    "survived kill-segue: something (1.0 s, still for 0.4 s, locked for 0.9 s)
    LOST     kill-segue: SIGKILL at "park" (1.0 s, still for 1.2 s, locked for 0.1 s)
             lost: nginx.service does not run
             lost: sockets are locked: table inet segue
    missed   kill-segue: something (1.0 s)
    survived power-cut: something (1.0 s)
             back: nginx.service restored"
  `);
});
