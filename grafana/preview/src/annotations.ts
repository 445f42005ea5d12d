/** What happened, as the dashboard's annotations tell it: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/annotate-visualizations/ */
import { rangeUtil, type TimeRange } from '@grafana/data';
import type { Annotation } from './dashboard';
import { forPrometheus, interpolate, type Values } from './interpolate';
import { queryRange, type Series } from './prometheus';
import { stepOf, timeValues } from './queries';

/** Grafana asks no finer, so that what is shorter than a hundredth of the range may not be seen. */
const POINTS = 100;

export interface Happening {
  source: string;
  color: string;
  title: string;
  from: number;
  to: number;
  /** The panels that show it; all without. */
  panels?: { ids: number[]; exclude: boolean };
}

export async function happenings(list: Annotation[], range: TimeRange, values: Values): Promise<Happening[]> {
  const wanted = list.filter(each => each.enable && !each.builtIn && expression(each));
  return (await Promise.all(wanted.map(each => found(each, range, values)))).flat();
}

async function found(annotation: Annotation, range: TimeRange, values: Values): Promise<Happening[]> {
  const least = annotation.step || String((annotation.target as { interval?: string } | undefined)?.interval || '60s');
  const step = Math.max(stepOf(range, POINTS, least), rangeUtil.intervalToMs(least));
  const expr = interpolate(expression(annotation), new Map([...values, ...timeValues(range)]), {}, forPrometheus);
  const from = Math.floor(range.from.valueOf() / step) * step;
  const to = Math.ceil(range.to.valueOf() / step) * step;
  try {
    const series = await queryRange(expr, from, to, step);
    return series.flatMap(each => spans(each, annotation, step));
  } catch (error) {
    throw new Error(`annotation ${annotation.name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Points that follow each other at the query's step are one happening. */
function spans({ labels, times, values }: Series, annotation: Annotation, step: number): Happening[] {
  const asTime = annotation.useValueForTime === true || annotation.useValueForTime === 'on';
  const moments = times.flatMap((time, i) => (asTime ? Math.floor(values[i] ?? 0) : values[i] ? time : []));
  const title = (annotation.titleFormat ?? '').replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? '');
  const { name: source, iconColor: color, filter } = annotation;
  const panels = filter?.ids?.length ? { ids: filter.ids, exclude: Boolean(filter.exclude) } : undefined;
  const result: Happening[] = [];
  for (const time of moments) {
    const last = result.at(-1);
    if (last && last.to + step >= time) {
      last.to = Math.max(last.to, time);
    } else {
      result.push({ source, color, title, from: time, to: time, ...(panels ? { panels } : {}) });
    }
  }
  return result;
}

export function shownOn(panel: number, list: Happening[]): Happening[] {
  return list.filter(({ panels }) => !panels || panels.ids.includes(panel) !== panels.exclude);
}

function expression({ expr, target }: Annotation): string {
  return (target as { expr?: string } | undefined)?.expr ?? expr ?? '';
}
