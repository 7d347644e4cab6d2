import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../../scripts/build.ts';

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** The program as it is shipped: one file, run by Node. */
export class Program implements AsyncDisposable {
  readonly #folder: string;
  readonly path: string;

  private constructor(folder: string, path: string) {
    this.#folder = folder;
    this.path = path;
  }

  static async build(): Promise<Program> {
    const folder = mkdtempSync(join(tmpdir(), 'segue-program-'));
    chmodSync(folder, 0o755); // others run it, too
    return new Program(folder, await build({ outfile: join(folder, 'segue.mjs') }));
  }

  /** Runs it to its end, without a terminal. */
  run(args: readonly string[], { uid }: { readonly uid?: number } = {}): Ended {
    const { stdout, stderr, status } = spawnSync(process.execPath, [this.path, ...args], {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return { stdout, stderr, exitCode: status };
  }

  [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#folder, { recursive: true });
    return Promise.resolve();
  }
}
