/** A chart over time whose rows are drawn here, with the axes of Grafana's charts: for the kinds that are on no registry. */
import { UPlotChart, UPlotConfigBuilder, useTheme2 } from '@grafana/ui';
import type { GrafanaTheme2, TimeRange } from '@grafana/data';
import { AxisPlacement, GraphDrawStyle, ScaleDirection, ScaleOrientation, VisibilityMode } from '@grafana/schema';
import { useMemo } from 'react';
import type uPlot from 'uplot';
import type { Happening } from '../annotations';
import { Happenings } from './Happenings';

interface Props {
  range: TimeRange;
  width: number;
  height: number;
  happenings: Happening[];
  /** Where the names of the rows stand, counted in rows; 0 is the lower edge of the first. */
  splits: number[];
  names: string[];
  rows: number;
  /** Rows from the top down, not from the bottom up. */
  down?: boolean;
  draw: (chart: uPlot) => void;
}

export function OwnChart({ range, width, height, happenings, draw, ...axis }: Props) {
  const theme = useTheme2();
  const builder = useMemo(() => configured(range, draw, axis, theme), []);
  return (
    <UPlotChart
      config={builder}
      data={[
        [range.from.valueOf(), range.to.valueOf()],
        [null, null],
      ]}
      width={width}
      height={height}
    >
      <Happenings builder={builder} list={happenings} />
    </UPlotChart>
  );
}

type Rows = Pick<Props, 'splits' | 'names' | 'rows' | 'down'>;

function configured(
  range: TimeRange,
  draw: Props['draw'],
  { splits, names, rows, down }: Rows,
  theme: GrafanaTheme2,
): UPlotConfigBuilder {
  const builder = new UPlotConfigBuilder('utc');
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [range.from.valueOf(), range.to.valueOf()],
  });
  builder.addScale({
    scaleKey: 'y',
    orientation: ScaleOrientation.Vertical,
    direction: down ? ScaleDirection.Down : ScaleDirection.Up,
    range: () => [0, rows],
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'utc', theme });
  builder.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    splits: () => splits,
    values: () => names,
    grid: { show: false },
    ticks: { show: false },
    theme,
  });
  builder.addSeries({
    scaleKey: 'y',
    drawStyle: GraphDrawStyle.Line,
    showPoints: VisibilityMode.Never,
    pathBuilder: () => null,
    theme,
  });
  builder.addHook('draw', chart => {
    chart.ctx.save();
    draw(chart);
    chart.ctx.restore();
  });
  return builder;
}
