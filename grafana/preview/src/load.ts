/** All that a picture shows, asked before anything is drawn. */
import {
  toDataFrame,
  type DataFrame,
  type GrafanaTheme2,
  type InterpolateFunction,
  type TimeRange,
} from '@grafana/data';
import { happenings, type Happening } from './annotations';
import { expanded, type Dashboard, type Panel } from './dashboard';
import { applyConfig, configSource } from './fieldConfig';
import { framesOf } from './frames';
import { interpolate, type Values } from './interpolate';
import { innerWidth } from './layout';
import { repeated } from './repeat';
import { ask, timeValues } from './queries';
import { panelRange, rangeOf } from './time';
import { transform } from './transformations';
import { resolveVariables } from './variables';

/** Kinds that ask nothing. */
const STILL = ['row', 'text'];

export interface LoadedPanel {
  panel: Panel;
  range: TimeRange;
  frames: DataFrame[];
  replaceVariables: InterpolateFunction;
  /** Series or rows, by refId. */
  counts: Record<string, number>;
  error?: string;
}

export interface Loaded {
  dashboard: Dashboard;
  range: TimeRange;
  values: Values;
  happenings: Happening[];
  panels: LoadedPanel[];
}

export async function load(dashboard: Dashboard, now: number, theme: GrafanaTheme2): Promise<Loaded> {
  const range = rangeOf(dashboard.time.from, dashboard.time.to, now);
  const values = await resolveVariables(dashboard.templating?.list ?? [], range);
  const [events, panels] = await Promise.all([
    happenings(dashboard.annotations?.list ?? [], range, values),
    Promise.all(
      repeated(expanded(dashboard.panels), values).map(({ panel, own }) =>
        loadPanel(panel, range, new Map([...values, ...own]), theme),
      ),
    ),
  ]);
  return { dashboard, range, values, happenings: events, panels };
}

async function loadPanel(panel: Panel, whole: TimeRange, own: Values, theme: GrafanaTheme2): Promise<LoadedPanel> {
  const range = panelRange(whole, panel.timeFrom);
  const values = new Map([...own, ...timeValues(range)]);
  const replaceVariables: InterpolateFunction = (text, scoped, format) =>
    interpolate(text, values, scoped, typeof format === 'string' ? format : undefined);
  const loaded: LoadedPanel = { panel, range, frames: [], replaceVariables, counts: {} };
  if (STILL.includes(panel.type)) {
    return loaded;
  }
  try {
    const answers = await ask(panel, innerWidth(panel.gridPos.w), range, own);
    const frames = await transform(framesOf(answers), panel.transformations, values);
    loaded.counts = Object.fromEntries(answers.map(({ target, series }) => [target.refId, series.length]));
    loaded.frames = applyConfig(frames.map(toDataFrame), configSource(panel), theme, replaceVariables);
  } catch (error) {
    loaded.error = (error as Error).message;
  }
  return loaded;
}
