import { readFile } from 'node:fs/promises';
import { LabError } from '../errors.js';
import { step, type Log } from '../log.js';
import { run } from './run.js';

/** What `apt-get indextargets` is asked to print; parseIndexTargets reads it. */
const TARGET_FORMAT = '$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(COMPONENT)';

/** Where Debian's packages come from, and how the host's apt reaches it. */
export interface Mirror {
  readonly uri: string;
  /** Options of the host's apt that concern fetching (proxies, …), as lines of apt.conf. */
  readonly options: readonly string[];
}

/** The address that serves Debian itself, not its security updates nor another vendor's packages. */
export function parseIndexTargets(output: string): string | undefined {
  for (const line of output.split('\n')) {
    const [uri, origin, label, component] = line.split('|');
    if (uri && origin === 'Debian' && label === 'Debian' && component === 'main') {
      return uri.replace(/\/+$/, '');
    }
  }
  return undefined;
}

/** From `apt-config dump`: what says how to fetch, without the defaults that every apt has. */
export function parseFetchOptions(dump: string): string[] {
  return dump
    .split('\n')
    .filter((line) => /^Acquire::((https?|ftp)::\S+|Check-Valid-Until|Retries|ForceIPv[46]) ".+";$/.test(line))
    .filter((line) => !/^Acquire::\w+::User-Agent/.test(line));
}

/** The first address of a mirror list, as `mirror+file:` sources name it. */
export function firstOfMirrorList(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.split('\t')[0]?.trim() ?? '')
    .find((line) => line !== '' && !line.startsWith('#'))
    ?.replace(/\/+$/, '');
}

/** The mirror named by the user, or else the one the host itself uses. */
export async function findMirror(named: string | undefined, log: Log): Promise<Mirror> {
  const options = parseFetchOptions(await run('apt-config', ['dump']));
  if (named !== undefined && named !== '') return { uri: named.replace(/\/+$/, ''), options };
  let uri = parseIndexTargets(await indexTargets());
  if (uri === undefined) {
    // Before the first `apt-get update` apt does not know who its sources belong to.
    await step(log, 'asking apt for its sources (apt-get update)', () => run('apt-get', ['update']));
    uri = parseIndexTargets(await indexTargets());
  }
  if (uri?.startsWith('mirror+file:')) {
    uri = firstOfMirrorList(await readFile(uri.slice('mirror+file:'.length), 'utf8'));
  }
  if (uri === undefined) {
    throw new LabError("none of the host's apt sources serves Debian", {
      hint: 'name a mirror: --mirror URL, or SEGUE_MIRROR=URL',
    });
  }
  return { uri, options };
}

function indexTargets(): Promise<string> {
  return run('apt-get', ['indextargets', '--format', TARGET_FORMAT, 'Created-By: Packages']);
}
