/** Asks all programs of the guest given as argument for their uptimes; prints them as JSON. Runs outside the guest. */
import { askUptimes } from './uptimes.js';

const [host = ''] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await askUptimes(host))}\n`);
process.exit(0);
