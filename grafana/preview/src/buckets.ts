/** Cumulative buckets of a histogram, each turned into what it adds to the one below. */
import type { Series } from './prometheus';

export function bucketed(series: Series[]): Series[] {
  const ordered = series.toSorted((a, b) => bound(a) - bound(b));
  const times = [...new Set(series.flatMap(each => each.times))].sort((a, b) => a - b);
  const rows = ordered.map(each => {
    const known = new Map(each.times.map((time, i) => [time, each.values[i] ?? NaN]));
    return times.map(time => known.get(time) ?? NaN);
  });
  return ordered.map((each, i) => ({
    labels: each.labels,
    times,
    values: times.map((_, at) => Math.max(0, (rows[i]?.[at] ?? NaN) - (rows[i - 1]?.[at] ?? 0))),
  }));
}

export function bound({ labels }: Pick<Series, 'labels'>): number {
  const le = labels['le'] ?? '';
  return le.endsWith('Inf') ? Infinity : Number(le);
}
