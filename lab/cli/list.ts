import { buildCommand } from '@stricli/core';
import Table from 'cli-table3';
import { lab } from './common.js';

async function list(flags: { readonly json: boolean; readonly legend: boolean }): Promise<void> {
  const here = lab();
  await here.sweep();
  const guests = here.list().map((record) => ({
    name: record.name,
    state: record.owner === undefined ? 'up' : 'in use',
    address: here.guest(record.name).address,
    kernel: record.kernel,
    memory: record.memory,
    accelerator: record.accelerator,
    since: record.createdAt,
    pid: record.qemu?.pid ?? null,
    namespace: record.namespace ?? null,
  }));
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ schemaVersion: 1, guests })}\n`);
    return;
  }
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' ' }; // prettier-ignore
  const table = new Table({
    head: flags.legend ? ['NAME', 'STATE', 'ADDRESS', 'BOOTED', 'MEMORY', 'SINCE', 'PID'] : [],
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
  });
  for (const { name, state, address, kernel, memory, since, pid } of guests) {
    table.push([name, state, address, kernel, `${memory}M`, since.slice(0, 19), pid]);
  }
  if (guests.length > 0) process.stdout.write(`${table.toString()}\n`);
  else process.stderr.write('no guest is up\n');
}

export const listCommand = buildCommand({
  func: list,
  parameters: {
    flags: {
      json: { kind: 'boolean', brief: 'Print JSON', default: false, withNegated: false },
      legend: { kind: 'boolean', brief: 'Print the header', default: true, withNegated: true },
    },
  },
  docs: { brief: 'List the guests that are up' },
});
