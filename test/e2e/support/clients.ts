import { ClientsProcess, type ClientsOptions } from '../../../lab/demo/clients-process.js';
import { stage } from '../../../lab/demo/stage.js';
import type { Guest } from '../../../lab/lab.js';

/** Clients outside the guest, each with its first answers. */
export async function startClients(guest: Guest, options?: ClientsOptions): Promise<ClientsProcess> {
  const clients = new ClientsProcess(guest, {
    paused: (names) => stage.line(`waiting for an answer: ${names.join(', ')}`),
    resumed: (names) => stage.line(`answered again: ${names.join(', ')}`),
  }, options);
  await clients.ready;
  return clients;
}
