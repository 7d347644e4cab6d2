import * as echarts from 'echarts';
import { PHASE_NAMES, type PhaseName } from './phases.js';
import type { Summary, WaySummary } from './summary.js';

const WIDTH = 860;
const ROW = 44;
const AROUND = 110;

/** Seen well on light and on dark alike. */
const COLOURS: Readonly<Record<PhaseName, string>> = { stop: '#d9822b', kexec: '#8a8f98', boot: '#4c8ed9', start: '#3fa66a' };
const LABELS: Readonly<Record<PhaseName, string>> = {
  stop: 'stopping or parking',
  kexec: 'kexec or firmware',
  boot: 'kernel and initramfs',
  start: 'starting or restoring',
};
/** The text has the colour of whatever is around it; an SVG that is an image by itself asks the reader's settings. */
const STYLE = '<style>svg{color:#1f2328;font-family:sans-serif}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>';
const INK = 'currentColor';

/**
 * The time line of each way as an SVG: bars of the critical workloads' phases, and a mark where the last workload is back.
 * ECharts draws SVG on a server without a document of its own or a shim for one, and passes colours on as they are.
 */
export function plot({ floor, ways, accelerator }: Pick<Summary, 'floor' | 'ways' | 'accelerator'>): string {
  const rows: readonly (readonly [string, WaySummary])[] = [...(floor === undefined ? [] : [['floor', floor] as const]), ...Object.entries(ways)];
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: rows.length * ROW + AROUND });
  chart.setOption({
    animation: false,
    textStyle: { color: INK, fontFamily: 'sans-serif' },
    title: { text: `The time without an answer, seconds (${accelerator === 'kvm' ? 'KVM' : 'emulated'})`, textStyle: { color: INK, fontSize: 14 }, left: 8, top: 6 },
    // Where there are no fonts, widths are guesses.
    legend: { top: 32, left: 8, itemWidth: 14, itemGap: 28, textStyle: { color: INK } },
    grid: { left: 96, right: 140, top: 62, bottom: 28 },
    xAxis: { type: 'value', axisLabel: { color: INK }, splitLine: { lineStyle: { color: '#8a8f98', opacity: 0.3 } } },
    yAxis: { type: 'category', inverse: true, data: rows.map(([way]) => way), axisLabel: { color: INK }, axisTick: { show: false }, axisLine: { lineStyle: { color: '#8a8f98' } } },
    series: [
      ...PHASE_NAMES.map((name) => ({
        name: LABELS[name],
        type: 'bar' as const,
        stack: 'critical',
        barWidth: 20,
        itemStyle: { color: COLOURS[name] },
        data: rows.map(([, { phases }]) => phases[name] / 1000),
      })),
      {
        name: 'the last workload is back',
        type: 'scatter',
        symbol: 'diamond',
        symbolSize: 11,
        itemStyle: { color: '#b04fc4' },
        data: rows.map(([way, { allMs, criticalMs }]) => ({
          value: [allMs.median / 1000, way],
          // Nothing comes back from the floor.
          itemStyle: { opacity: way === 'floor' ? 0 : 1 },
          label: { show: true, position: 'right', color: INK, opacity: 1, formatter: labelOf(criticalMs.median, allMs.median) },
        })),
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg.replace(/(<svg[^>]*>)/, `$1\n${STYLE}`);
}

function labelOf(criticalMs: number, allMs: number): string {
  const [critical, all] = [criticalMs, allMs].map((ms) => `${(ms / 1000).toFixed(1)} s`);
  return critical === all ? `${critical}` : `${critical}, all ${all}`;
}
