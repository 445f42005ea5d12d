/** Time series, with Grafana's TimeSeries (uPlot). */
import { FieldType, type DataFrame } from '@grafana/data';
import { LegendDisplayMode, type VizLegendOptions } from '@grafana/schema';
import { TimeSeries } from '@grafana/ui';
import { Happenings } from './Happenings';
import type { PanelProps } from './properties';

interface Options {
  legend: Partial<VizLegendOptions>;
}

export const LEGEND: VizLegendOptions = {
  displayMode: LegendDisplayMode.List,
  placement: 'bottom',
  showLegend: true,
  calcs: [],
};

export function Graph({ frames, options, range, width, height, happenings }: PanelProps<Options>) {
  return (
    <TimeSeries
      frames={graphable(frames)}
      structureRev={1}
      timeRange={range}
      timeZone="utc"
      width={width}
      height={height}
      legend={{ ...LEGEND, ...options.legend }}
    >
      {builder => <Happenings builder={builder} list={happenings} />}
    </TimeSeries>
  );
}

/** Numbers over time; what has no place on an axis is a gap. */
function graphable(frames: DataFrame[]): DataFrame[] {
  return frames
    .filter(frame => frame.fields.some(field => field.type === FieldType.time))
    .map(frame => ({
      ...frame,
      fields: frame.fields
        .filter(field => field.type === FieldType.time || field.type === FieldType.number)
        .map(field => ({ ...field, values: field.values.map(value => (Number.isFinite(value) ? value : null)) })),
    }));
}
