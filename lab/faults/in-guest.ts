import { LabError } from '../errors.js';
import type { Context } from './context.js';
import type { Trial } from './outcome.js';
import { Server } from './server.js';

/** A trial in a guest of its own, or none if it is not wanted: what fails in it is a loss, not the end of all trials. */
export async function* tryInGuest({ lab, state, wanted }: Context, trial: Pick<Trial, 'fault' | 'what'>, options: { durable?: boolean }, work: (server: Server) => Promise<Pick<Trial, 'lost' | 'became'>>): AsyncGenerator<Trial> {
  if (!wanted(trial.what)) return;
  const begin = performance.now();
  const outcome = async (): Promise<Pick<Trial, 'lost' | 'became'>> => {
    try {
      await using server = await Server.start(lab, state, options);
      return await work(server);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      return { lost: [error.message] };
    }
  };
  yield { ...trial, struck: true, ...(await outcome()), tookMs: Math.round(performance.now() - begin) };
}
