/**
 * All clients at a leisurely pace, outside the guest: many attempts at an upgrade would take long on a guest that is
 * busy. Says `ready`, goes on until the end of its stdin, then prints their results as JSON.
 */
import { once } from 'node:events';
import { CLIENTS } from '../../../lab/clients/all.js';

const INTERVAL_MS = 500;
const [host = ''] = process.argv.slice(2);

const running = await Promise.all(CLIENTS.map((client) => client.start({ host, port: client.port, intervalMs: INTERVAL_MS })));
process.stdout.write('ready\n');
await once(process.stdin.resume(), 'end');
const results = await Promise.all(running.map((client) => client.stop()));
process.stdout.write(`${JSON.stringify(results)}\n`);
process.exit(0);
