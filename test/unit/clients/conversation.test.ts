import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Conversation, WrongAnswer } from '../../../lab/clients/conversation.js';

const TARGET = { host: 'nowhere', port: 0, intervalMs: 1, patienceMs: 200 };
const close = (): void => undefined;

/** Answers at once so many times, then never again. */
function answersOnly(times: number): () => Promise<void> {
  let answered = 0;
  return () => (++answered <= times ? Promise.resolve() : new Promise(() => undefined));
}

test('a client whose first answers do not come does not start', async () => {
  const conversation = new Conversation('a', TARGET, { ask: answersOnly(2), close });
  await expect(conversation.begin()).rejects.toThrow('no answer for 0.2 s');
});

test('a client whose first answers are wrong does not start before they are right', async () => {
  let asked = 0;
  const conversation = new Conversation('a', TARGET, {
    async ask() {
      if (++asked < 5) throw new WrongAnswer(`wrong ${asked}`);
    },
    close,
  });
  await conversation.begin();
  expect(await conversation.stop()).toMatchObject({ lost: 0, errors: 4 });
});

test('a client that cannot prepare its server says why', async () => {
  const conversation = new Conversation('a', TARGET, {
    prepare: () => Promise.reject(new Error('no such table')),
    ask: () => Promise.resolve(),
    close,
  });
  await expect(conversation.begin()).rejects.toThrow('no such table');
});

test('an answer that does not come within the patience makes the connection lost', async () => {
  const conversation = await new Conversation('a', TARGET, { ask: answersOnly(4), close }).begin();
  await sleep(300);
  expect(await conversation.stop()).toMatchObject({ answers: 4, lost: 1, errors: 0, messages: ['no answer for 0.2 s'] });
});

test('a client that is told to stop waits for the answer that is under way', async () => {
  let answered = 0;
  const conversation = await new Conversation('a', TARGET, {
    async ask() {
      if (++answered === 5) await sleep(150);
    },
    close,
  }).begin();
  while (answered < 5) await sleep(1);
  const { answers, pauseMs } = await conversation.stop();
  expect(answers).toBe(5);
  expect(pauseMs).toBeGreaterThanOrEqual(145);
});

test('a client that is told to stop does not wait for ever', async () => {
  const conversation = await new Conversation('a', TARGET, { ask: answersOnly(3), close }).begin();
  await sleep(50);
  expect(await conversation.stop()).toMatchObject({ answers: 3, lost: 1 });
});

test('the last checks count', async () => {
  const conversation = await new Conversation('a', TARGET, {
    ask: () => Promise.resolve(),
    finish: () => Promise.reject(new WrongAnswer('one is missing')),
    close,
  }).begin();
  expect(await conversation.stop()).toMatchObject({ lost: 0, errors: 1, messages: ['one is missing'] });
});

test('a connection that is noticed to be gone in three ways is lost once', async () => {
  const conversation = await new Conversation('a', TARGET, { ask: answersOnly(3), close }).begin();
  conversation.lose('reset');
  conversation.lose('closed');
  conversation.fail('gone');
  expect(await conversation.stop()).toMatchObject({ lost: 1, errors: 0, messages: ['reset'] });
});
