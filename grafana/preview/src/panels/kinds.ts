/** Which component draws which kind of panel. */
import type { ComponentType } from 'react';
import { BarGauges } from './BarGauges';
import { Gauges } from './Gauges';
import { Graph } from './Graph';
import { Heatmap } from './Heatmap';
import { Pie } from './Pie';
import type { PanelProps } from './properties';
import { Stat } from './Stat';
import { StateTimeline } from './StateTimeline';
import { TablePanel } from './TablePanel';
import { TextPanel } from './TextPanel';

export interface Kind {
  component: ComponentType<PanelProps>;
  /** Not Grafana's component but a drawing of ours in its place, which says so. */
  substitute?: boolean;
  /** Draws something sensible where there is no data. */
  takesNothing?: boolean;
}

export const KINDS: Record<string, Kind> = {
  stat: { component: Stat, takesNothing: true },
  timeseries: { component: Graph },
  bargauge: { component: BarGauges, takesNothing: true },
  table: { component: TablePanel },
  text: { component: TextPanel, takesNothing: true },
  gauge: { component: Gauges, substitute: true },
  piechart: { component: Pie, substitute: true },
  'state-timeline': { component: StateTimeline, substitute: true },
  heatmap: { component: Heatmap, substitute: true },
};
