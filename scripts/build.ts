import { realpathSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

export interface BuildOptions {
  /** The program's first file. */
  readonly entry?: string;
  /** Where the bundle goes. */
  readonly outfile?: string;
}

/**
 * Bundles the program into one readable ES module that needs nothing but Node, and gives its path. The source sees
 * the package's version as the constant `SEGUE_VERSION`.
 */
export async function build({
  entry = join(ROOT, 'src/cli/main.ts'),
  outfile = join(ROOT, 'build/segue.mjs'),
}: BuildOptions = {}): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const result = await bundle({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    legalComments: 'inline',
    define: { SEGUE_VERSION: JSON.stringify(version) },
    // node_modules may be a link into another checkout, whose path must not end up in the bundle.
    preserveSymlinks: true,
    logLevel: 'warning',
  });

  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`esbuild gave no output for ${entry}`);
  const imports = Object.values(result.metafile.outputs).flatMap((each) => each.imports);
  // A CommonJS package asks for Node's own modules with require(), which an ES module does not have.
  const requires = imports.some((each) => each.kind === 'require-call');
  const code = [
    '#!/usr/bin/node',
    ...(requires
      ? [
          "import { createRequire as createRequireOfBundle } from 'node:module';",
          'const require = createRequireOfBundle(import.meta.url);',
        ]
      : []),
    // The entry may have an interpreter line of its own, for the checkout.
    output.text.replace(/^#!.*\n/, ''),
  ].join('\n');

  await mkdir(dirname(outfile), { recursive: true });
  const unfinished = `${outfile}.${process.pid}`;
  await writeFile(unfinished, code);
  await chmod(unfinished, 0o755);
  await rename(unfinished, outfile);
  return outfile;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    console.log(await build());
  } catch (error) {
    // Of errors in the source esbuild has already told, with the lines they are in.
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
