import { expect, test } from 'vitest';
import { parseShow } from '../../../src/tools/systemctl.ts';
import { fixture } from '../../fixtures/fixture.ts';

test('each unit of a real answer comes with its properties', () => {
  const units = parseShow(fixture('systemctl/show.txt'));

  expect(units.map((unit) => unit['Id'])).toEqual([
    'redis-server.service',
    'nginx.service',
    'mariadb.service',
    'postgresql@17-main.service',
    'memcached.service',
    'ssh.service',
    'systemd-logind.service',
    'init.scope',
  ]);
  expect(units[0]).toMatchObject({ Type: 'notify', MainPID: '354', ControlGroup: '/system.slice/redis-server.service', User: 'redis', BusName: '' });
  expect(units[3]?.['ControlGroup']).toBe('/system.slice/system-postgresql.slice/postgresql@17-main.service');
});

test('a value may hold equals signs and be empty', () => {
  expect(parseShow('Id=a.service\nDescription=x=y = z\nUser=\n')).toEqual([{ Id: 'a.service', Description: 'x=y = z', User: '' }]);
});

test('of a property that comes more than once the first counts, but for commands', () => {
  expect(parseShow('Id=a.service\nExecStart=one\nExecStart=two\nListen=1\nListen=2\n')).toEqual([{ Id: 'a.service', ExecStart: 'one\ntwo', Listen: '1' }]);
});

test('several empty lines part two units like one, and what has no Id is no unit', () => {
  expect(parseShow('Id=a.service\n\n\nId=b.service\n\nMainPID=0\n')).toEqual([{ Id: 'a.service' }, { Id: 'b.service' }]);
  expect(parseShow('')).toEqual([]);
});
