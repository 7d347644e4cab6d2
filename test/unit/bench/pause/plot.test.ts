import { expect, test } from 'vitest';
import { plot } from '../../../../lab/bench/pause/plot.js';
import { summarize } from '../../../../lab/bench/pause/summary.js';
import { measurement } from './measurements.ts';

test('the picture is an SVG with every way, and has no colour for its text but the reader’s', () => {
  const svg = plot(summarize([measurement('floor', 1, 2000), measurement('reboot', 1, 40_000, 43_000)], []));
  expect(svg).toMatch(/^<svg [^>]*>\n<style>/);
  expect(svg).toContain('prefers-color-scheme:dark');
  for (const text of ['floor', 'reboot', '40.0 s, all 43.0 s', 'starting or restoring']) expect(svg).toContain(text);
});
