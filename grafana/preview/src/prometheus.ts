/** Prometheus' HTTP API, as far as dashboards ask it (https://prometheus.io/docs/prometheus/latest/querying/api/). */
import type { Labels, TimeRange } from '@grafana/data';

export interface Series {
  labels: Labels;
  /** Times in milliseconds. */
  times: number[];
  values: number[];
}

interface Answer<T> {
  status: string;
  error?: string;
  data: T;
}

interface Result {
  resultType: string;
  result: unknown;
}

interface Raw {
  metric: Labels;
  value?: [number, string];
  values?: Array<[number, string]>;
}

export async function queryRange(expr: string, from: number, to: number, step: number): Promise<Series[]> {
  return series(
    await ask<Result>('query_range', { query: expr, start: from / 1000, end: to / 1000, step: step / 1000 }),
  );
}

/** In the order of their labels, where the query has none: Prometheus gives another each time. */
export async function queryInstant(expr: string, at: number): Promise<Series[]> {
  const found = series(await ask<Result>('query', { query: expr, time: at / 1000 }));
  return ORDERED.test(expr) ? found : found.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

const ORDERED = /^\s*(sort|topk|bottomk)/;

function orderOf({ labels }: Series): string {
  return JSON.stringify(Object.entries(labels).sort());
}

export async function labelValues(label: string, selector: string | undefined, range: TimeRange): Promise<string[]> {
  const match: Record<string, string> = selector ? { 'match[]': selector } : {};
  return ask<string[]>(`label/${label}/values`, {
    ...match,
    start: range.from.valueOf() / 1000,
    end: range.to.valueOf() / 1000,
  });
}

async function ask<T>(path: string, parameters: Record<string, string | number>): Promise<T> {
  const query = new URLSearchParams(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
  const response = await fetch(`/prometheus/api/v1/${path}?${query}`);
  const answer = (await response.json()) as Answer<T>;
  if (answer.status !== 'success') {
    throw new Error(answer.error ?? `Prometheus answered ${response.status}`);
  }
  return answer.data;
}

function series({ resultType, result }: Result): Series[] {
  if (resultType === 'scalar') {
    return [one({ metric: {}, value: result as [number, string] })];
  }
  return (result as Raw[]).map(one);
}

function one({ metric, value, values }: Raw): Series {
  const points = values ?? (value ? [value] : []);
  return {
    labels: metric,
    times: points.map(([time]) => Math.round(time * 1000)),
    values: points.map(([, text]) => number(text)),
  };
}

/** Without the last digits, which depend on the order in which Prometheus added. */
function number(text: string): number {
  const value = Number(text.replace('Inf', 'Infinity'));
  return Number(value.toPrecision(12));
}
