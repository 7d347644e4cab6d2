import { startProgram } from './program.js';

await startProgram(8080);
