import { expect, test } from 'vitest';
import { mariadb } from '../../../lab/clients/mariadb.js';
import { compareRows } from '../../../lab/clients/numbered-rows.js';
import { mariadbServer } from './servers/mariadb.js';

test('rows that are all there once are no complaint', () => {
  expect(compareRows(3, [2, 1, 3])).toEqual([]);
});

test('each row that is missing, doubled or unknown is a complaint of its own', () => {
  expect(compareRows(4, [1, 3, 3, 3, 9])).toEqual([
    'row 2 was acknowledged and is not there',
    'row 3 is there 3 times',
    'row 4 was acknowledged and is not there',
    'row 9 is there and was never acknowledged',
  ]);
});

test('a row that MariaDB acknowledged and did not keep is an error at the end', async () => {
  await using server = await mariadbServer('nothing', 2);
  const running = await mariadb.start({ host: '127.0.0.1', port: server.port });
  expect(await running.stop()).toMatchObject({
    lost: 0,
    errors: 1,
    messages: ['row 2 was acknowledged and is not there'],
  });
});
