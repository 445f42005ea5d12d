/** What a panel asks Prometheus, with the step that Grafana would choose. */
import { rangeUtil, type TimeRange } from '@grafana/data';
import type { Panel, Target } from './dashboard';
import { forPrometheus, interpolate, type Values } from './interpolate';
import { queryInstant, queryRange, type Series } from './prometheus';
import { seconds } from './time';

/** The datasource's `timeInterval`. */
const SCRAPE = '15s';

export interface Answer {
  target: Target;
  expr: string;
  instant: boolean;
  /** Milliseconds. */
  step: number;
  series: Series[];
}

export async function ask(panel: Panel, width: number, range: TimeRange, values: Values): Promise<Answer[]> {
  const targets = (panel.targets ?? []).filter(target => !target.hide && target.expr);
  return Promise.all(targets.map(target => answer(panel, target, width, range, values)));
}

async function answer(panel: Panel, target: Target, width: number, range: TimeRange, values: Values): Promise<Answer> {
  const source = target.datasource?.type ?? panel.datasource?.type ?? 'prometheus';
  if (source !== 'prometheus') {
    throw new Error(`${target.refId}: a data source of type ${source} cannot be asked here`);
  }
  const points = panel.maxDataPoints ?? Math.round(width);
  const known = new Map([...values, ...timeValues(range)]);
  const least = interpolate(target.interval || panel.interval || SCRAPE, known).replace(/^>/, '');
  const step = stepOf(range, points, least);
  const expr = interpolate(target.expr ?? '', new Map([...known, ...stepValues(step)]), {}, forPrometheus);
  const instant = Boolean(target.instant) && !target.range;
  try {
    return { target, expr, instant, step, series: await asked(expr, instant, step, range) };
  } catch (error) {
    throw new Error(`${target.refId}: ${(error as Error).message}: ${expr}`, { cause: error });
  }
}

async function asked(expr: string, instant: boolean, step: number, range: TimeRange): Promise<Series[]> {
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  // Grafana's backend moves both ends down to whole steps.
  return instant ? queryInstant(expr, to) : queryRange(expr, floor(from, step), floor(to, step), step);
}

/** Prometheus gives 11,000 points at most. */
export function stepOf(range: TimeRange, points: number, least: string): number {
  const { intervalMs } = rangeUtil.calculateInterval(range, points, least);
  const safe = Math.ceil((seconds(range) * 1000) / 11000);
  return Math.max(intervalMs, rangeUtil.intervalToMs(least), rangeUtil.roundInterval(safe));
}

export function timeValues(range: TimeRange): Values {
  const whole = seconds(range);
  return plain({
    __range: `${whole}s`,
    __range_s: `${whole}`,
    __range_ms: `${whole * 1000}`,
    __from: `${range.from.valueOf()}`,
    __to: `${range.to.valueOf()}`,
  });
}

function stepValues(step: number): Values {
  const scrape = rangeUtil.intervalToMs(SCRAPE);
  return plain({
    __interval: `${step / 1000}s`,
    __interval_ms: `${step}`,
    __rate_interval: `${Math.max(step + scrape, 4 * scrape) / 1000}s`,
    __rate_interval_ms: `${Math.max(step + scrape, 4 * scrape)}`,
  });
}

function plain(values: Record<string, string>): Values {
  return new Map(Object.entries(values).map(([name, value]) => [name, { text: value, value, raw: true }]));
}

function floor(time: number, step: number): number {
  return Math.floor(time / step) * step;
}
