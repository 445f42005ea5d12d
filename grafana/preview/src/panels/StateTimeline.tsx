/** States over time as coloured strips: drawn here, since Grafana's own state timeline is in no package. */
import { colorManipulator, getFieldDisplayName, type FieldConfigSource, type GrafanaTheme2 } from '@grafana/data';
import { VisibilityMode, type VizLegendOptions } from '@grafana/schema';
import { useTheme2, VizLayout, VizLegend, type VizLegendItem } from '@grafana/ui';
import type uPlot from 'uplot';
import { LEGEND } from './Graph';
import { OwnChart } from './OwnChart';
import type { PanelProps } from './properties';
import { rowsOf, type Row, type State } from './states';

interface Options {
  legend: Partial<VizLegendOptions>;
  mergeValues: boolean;
  showValue: VisibilityMode;
  rowHeight: number;
  alignValue: 'left' | 'center' | 'right';
}

export function StateTimeline(props: PanelProps<Options>) {
  const { frames, fieldConfig, options, range, width, height, happenings } = props;
  const theme = useTheme2();
  const rows = rowsOf(frames, range.to.valueOf(), options.mergeValues ?? true, theme);
  const legend = { ...LEGEND, ...options.legend };
  return (
    <VizLayout
      width={width}
      height={height}
      legend={
        legend.showLegend ? (
          <VizLayout.Legend placement={legend.placement}>
            <VizLegend placement={legend.placement} displayMode={legend.displayMode} items={items(rows)} />
          </VizLayout.Legend>
        ) : null
      }
    >
      {(chartWidth, chartHeight) => (
        <OwnChart
          range={range}
          width={chartWidth}
          height={chartHeight}
          happenings={happenings}
          rows={rows.length}
          splits={rows.map((_, i) => i + 0.5)}
          names={rows.map(({ field, frame }) => getFieldDisplayName(field, frame, frames))}
          down
          draw={chart => rows.forEach((row, i) => drawRow(chart, row, i, options, fieldConfig, theme))}
        />
      )}
    </VizLayout>
  );
}

/** One entry for each state that occurs. */
function items(rows: Row[]): VizLegendItem[] {
  const states = rows.flatMap(row => row.states).filter(state => state.text);
  const unique = new Map(states.map(({ text, color }) => [`${text} ${color}`, { label: text, color, yAxis: 1 }]));
  return [...unique.values()].sort((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true }));
}

function drawRow(
  chart: uPlot,
  { field, states }: Row,
  at: number,
  options: Partial<Options>,
  { defaults }: FieldConfigSource,
  theme: GrafanaTheme2,
): void {
  const { ctx } = chart;
  const custom = { ...(defaults.custom as object), ...(field.config.custom as object) } as { fillOpacity?: number };
  const inset = (1 - (options.rowHeight ?? 0.9)) / 2;
  const top = Math.round(chart.valToPos(at + inset, 'y', true));
  const bottom = Math.round(chart.valToPos(at + 1 - inset, 'y', true));
  for (const state of states) {
    const [left, right] = edges(chart, state);
    ctx.fillStyle = colorManipulator.alpha(state.color, (custom.fillOpacity ?? 70) / 100);
    ctx.fillRect(left, top, right - left, bottom - top);
    if (options.showValue !== VisibilityMode.Never) {
      write(ctx, state, left, right, (top + bottom) / 2, options, theme);
    }
  }
}

function edges(chart: uPlot, { from, to }: State): [number, number] {
  const { left, width } = chart.bbox;
  const inside = (time: number) => Math.min(left + width, Math.max(left, Math.round(chart.valToPos(time, 'x', true))));
  return [inside(from), Math.max(inside(from) + 1, inside(to))];
}

function write(
  ctx: CanvasRenderingContext2D,
  { text, color }: State,
  left: number,
  right: number,
  middle: number,
  { showValue, alignValue }: Partial<Options>,
  theme: GrafanaTheme2,
): void {
  ctx.save();
  ctx.font = `12px ${theme.typography.fontFamily}`;
  if (showValue === VisibilityMode.Always || ctx.measureText(text).width + 6 < right - left) {
    ctx.fillStyle = theme.colors.getContrastText(color, 3);
    ctx.textBaseline = 'middle';
    ctx.textAlign = alignValue ?? 'left';
    const x = { left: left + 3, center: (left + right) / 2, right: right - 3 }[alignValue ?? 'left'];
    ctx.fillText(text, x, middle);
  }
  ctx.restore();
}
