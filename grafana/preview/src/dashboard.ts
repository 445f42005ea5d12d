/** The part of a dashboard's JSON (classic, schemaVersion 42) that is drawn. */
import type { AnnotationQuery, DataTransformerConfig, FieldConfigSource } from '@grafana/data';

export interface Target {
  refId: string;
  expr?: string;
  legendFormat?: string;
  instant?: boolean;
  range?: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
  interval?: string;
  hide?: boolean;
  datasource?: Datasource;
}

export interface Datasource {
  type?: string;
}

export interface PanelLink {
  title: string;
  url?: string;
}

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  transparent?: boolean;
  gridPos: { x: number; y: number; w: number; h: number };
  options?: Record<string, unknown>;
  fieldConfig?: FieldConfigSource;
  datasource?: Datasource;
  targets?: Target[];
  transformations?: DataTransformerConfig[];
  links?: PanelLink[];
  interval?: string;
  maxDataPoints?: number;
  timeFrom?: string;
  hideTimeOverride?: boolean;
  repeat?: string;
  collapsed?: boolean;
  panels?: Panel[];
}

export interface Variable {
  name: string;
  type: string;
  label?: string;
  hide?: number;
  query?: string | { query?: string };
  regex?: string;
  sort?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string;
  current?: { text?: string | string[]; value?: string | string[] };
  options?: Array<{ text: string | string[]; value: string | string[] }>;
}

export interface Annotation extends AnnotationQuery {
  builtIn?: number;
  expr?: string;
  step?: string;
  titleFormat?: string;
  textFormat?: string;
  useValueForTime?: boolean | string;
}

export interface DashboardLink {
  title: string;
  type: string;
  asDropdown?: boolean;
  icon?: string;
}

export interface Dashboard {
  title: string;
  refresh?: string | false;
  time: { from: string; to: string };
  links?: DashboardLink[];
  templating?: { list?: Variable[] };
  annotations?: { list?: Annotation[] };
  panels: Panel[];
}

/** All panels, and those of collapsed rows where they stand once their row is opened. */
export function expanded(panels: Panel[]): Panel[] {
  let moved = 0;
  return panels.flatMap(panel => {
    const shown = shift(panel, moved);
    const inner = panel.type === 'row' && panel.collapsed ? (panel.panels ?? []) : [];
    const top = Math.min(...inner.map(each => each.gridPos.y));
    const bottom = Math.max(top, ...inner.map(each => each.gridPos.y + each.gridPos.h));
    const opened = inner.map(each => shift(each, shown.gridPos.y + 1 - top));
    moved += inner.length ? bottom - top : 0;
    return [shown, ...opened];
  });
}

function shift(panel: Panel, by: number): Panel {
  return { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + by } };
}
