/** Buckets over time as coloured cells: drawn here, since Grafana's own heatmap is in no package. */
import { FieldType, formattedValueToString, getValueFormat, type DataFrame } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import type uPlot from 'uplot';
import { OwnChart } from './OwnChart';
import type { PanelProps } from './properties';
import { scheme } from './schemes';

interface Options {
  color: {
    mode: string;
    scheme: string;
    exponent: number;
    steps: number;
    reverse: boolean;
    min?: number;
    max?: number;
  };
  yAxis: { unit?: string; decimals?: number; reverse?: boolean };
  cellValues: { unit?: string; decimals?: number };
  legend: { show?: boolean };
  filterValues: { le?: number };
  cellGap: number;
  calculate: boolean;
}

interface Cell {
  from: number;
  to: number;
  row: number;
  value: number;
}

const SCALE = 34;

export function Heatmap({ frames, options, range, width, height, happenings }: PanelProps<Options>) {
  if (options.calculate || (options.color?.mode ?? 'scheme') !== 'scheme') {
    throw new Error('a heatmap that calculates, or one of opacity, cannot be drawn here');
  }
  const cells = cellsOf(frames, options.filterValues?.le ?? 1e-9);
  const low = options.color?.min ?? Math.min(...cells.map(cell => cell.value));
  const high = options.color?.max ?? Math.max(...cells.map(cell => cell.value));
  const paint = painter(options, low, high);
  const format = getValueFormat(options.yAxis?.unit);
  const names = frames.map(frame => bound(frame));
  const legend = options.legend?.show ?? true;
  return (
    <div style={{ width, height }}>
      <OwnChart
        range={range}
        width={width}
        height={height - (legend ? SCALE : 0)}
        happenings={happenings}
        rows={frames.length}
        splits={frames.map((_, i) => i + 1)}
        names={names.map(le =>
          le === Infinity ? '+Inf' : formattedValueToString(format(le, options.yAxis?.decimals)),
        )}
        draw={chart => cells.forEach(cell => drawCell(chart, cell, paint(cell.value), options.cellGap ?? 1))}
      />
      {legend && <Scale paint={paint} low={low} high={high} options={options} />}
    </div>
  );
}

/** What a bucket counted in the step that ends at a point's time. */
function cellsOf(frames: DataFrame[], least: number): Cell[] {
  return frames.flatMap((frame, row) => {
    const time = frame.fields.find(field => field.type === FieldType.time);
    const values = frame.fields.find(field => field.type === FieldType.number)?.values ?? [];
    const step = time?.config.interval ?? 0;
    const cells = values.map((value: number, i): Cell => {
      const to = Number(time?.values[i]);
      return { from: to - step, to, row, value };
    });
    return cells.filter(cell => cell.value > least);
  });
}

function painter({ color }: Partial<Options>, low: number, high: number): (value: number) => string {
  const { scheme: name = 'Oranges', reverse = false, steps = 64 } = color ?? {};
  const colors = scheme(name, reverse);
  return value => {
    const share = high > low ? (Math.min(high, Math.max(low, value)) - low) / (high - low) : 1;
    return colors(Math.min(steps - 1, Math.floor(share * steps)) / (steps - 1));
  };
}

function drawCell(chart: uPlot, { from, to, row }: Cell, color: string, gap: number): void {
  const { ctx, bbox } = chart;
  const left = Math.max(bbox.left, Math.round(chart.valToPos(from, 'x', true)));
  const right = Math.min(bbox.left + bbox.width, Math.round(chart.valToPos(to, 'x', true)));
  const top = Math.round(chart.valToPos(row + 1, 'y', true));
  const bottom = Math.round(chart.valToPos(row, 'y', true));
  ctx.fillStyle = color;
  if (right > left) {
    ctx.fillRect(left, top, Math.max(1, right - left - gap), bottom - top - gap);
  }
}

interface ScaleProps {
  paint: (value: number) => string;
  low: number;
  high: number;
  options: Partial<Options>;
}

/** From the fewest to the most. */
function Scale({ paint, low, high, options }: ScaleProps) {
  const theme = useTheme2();
  const format = getValueFormat(options.cellValues?.unit ?? 'short');
  const text = (value: number) => formattedValueToString(format(value, options.cellValues?.decimals));
  const stops = Array.from({ length: 32 }, (_, i) => paint(low + ((high - low) * i) / 31));
  return (
    <div style={{ width: 300, padding: '6px 0 0 8px', color: theme.colors.text.secondary, fontSize: 11 }}>
      <div style={{ height: 8, background: `linear-gradient(90deg, ${stops.join(', ')})` }} />
      <div style={{ display: 'flex', justifyContent: 'space-between' }}>
        <span>{text(low)}</span>
        <span>{text(high)}</span>
      </div>
    </div>
  );
}

function bound(frame: DataFrame): number {
  const le = frame.fields.find(field => field.type === FieldType.number)?.labels?.['le'] ?? '';
  return le.endsWith('Inf') ? Infinity : Number(le);
}
