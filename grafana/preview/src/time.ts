/** Time ranges, counted from the moment that the picture shows. */
import { dateMath, dateTime, type DateTime, type TimeRange } from '@grafana/data';

export function rangeOf(from: string, to: string, now: number): TimeRange {
  return { from: moment(from, now, false), to: moment(to, now, true), raw: { from, to } };
}

/** A panel's own range (`timeFrom`) ends where the dashboard's does. */
export function panelRange(range: TimeRange, timeFrom: string | undefined): TimeRange {
  if (!timeFrom) {
    return range;
  }
  const from = timeFrom.startsWith('now') ? timeFrom : `now-${timeFrom}`;
  return rangeOf(from, 'now', range.to.valueOf());
}

export function seconds(range: TimeRange): number {
  return Math.round((range.to.valueOf() - range.from.valueOf()) / 1000);
}

function moment(text: string, now: number, roundUp: boolean): DateTime {
  const parsed = dateMath.toDateTime(text, { now: dateTime(now), roundUp, timezone: 'utc' });
  if (!parsed?.isValid()) {
    throw new Error(`${text} is no time`);
  }
  return parsed;
}
