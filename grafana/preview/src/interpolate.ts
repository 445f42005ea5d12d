/** Puts the values of variables in their places: `$name`, `${name}`, `${name:format}`, `[[name]]`. */
import { getFieldDisplayName, type DataFrame, type Field, type ScopedVars } from '@grafana/data';

export interface Value {
  text: string;
  value: string | string[];
  /** A regular expression written by hand, which stands for "All" as it is. */
  raw?: boolean;
  /** Whether more than one could be chosen: only then is a value a regular expression. */
  many?: boolean;
}

export type Values = Map<string, Value>;

const REFERENCE = /\$(\w+)|\$\{([\w.]+(?:\[[^\]]*\])?[\w.]*)(?::([\w]+))?\}|\[\[(\w+)(?::(\w+))?\]\]/g;

type Format = string | ((value: Value) => string);

/** Leaves alone what it does not know, as Grafana does. */
export function interpolate(text: string, values: Values, scoped: ScopedVars = {}, format: Format = 'glob'): string {
  return text.replace(REFERENCE, (match, plain, braced, ownFormat, old, oldFormat) => {
    const name: string = plain ?? braced ?? old;
    const known = values.get(name) ?? scopedValue(name, scoped);
    const chosen: Format = ownFormat ?? oldFormat ?? format;
    return known === undefined ? match : typeof chosen === 'function' ? chosen(known) : formatted(known, chosen);
  });
}

/** A value inside a query: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ */
export function forPrometheus({ value, raw, many }: Value): string {
  if (raw) {
    return String(value);
  }
  if (!many) {
    return String(value).replace(/\\/g, '\\\\').replace(/'/g, "\\'");
  }
  return alternatives([value].flat().map(each => escapeRegex(each).replace(/\\/g, '\\\\')));
}

function formatted(known: Value, format: string): string {
  const list = [known.value].flat();
  switch (format) {
    case 'regex':
      return known.raw ? String(known.value) : alternatives(list.map(escapeRegex));
    case 'pipe':
      return list.join('|');
    case 'csv':
    case 'raw':
      return list.join(',');
    case 'text':
      return known.text;
    case 'json':
      return JSON.stringify(known.value);
    case 'singlequote':
      return list.map(each => `'${each}'`).join(',');
    case 'doublequote':
      return list.map(each => `"${each}"`).join(',');
    case 'percentencode':
      return encodeURIComponent(list.join(','));
    default:
      return list.length > 1 ? `{${list.join(',')}}` : list.join('');
  }
}

function alternatives(list: string[]): string {
  return list.length === 1 ? String(list[0]) : `(${list.join('|')})`;
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$*+?.()|[\]{}]/g, '\\$&');
}

/** `__field.labels.x`, `__field.name`, `__field.displayName`, `__series.name`, and what stands in a row: `__data.fields`. */
function scopedValue(name: string, scoped: ScopedVars): Value | undefined {
  const context = scoped['__dataContext']?.value as
    { field?: Field; frame?: DataFrame; data?: DataFrame[]; rowIndex?: number } | undefined;
  const plain = scoped[name]?.value as unknown;
  if (typeof plain === 'string' || typeof plain === 'number') {
    return asValue(plain);
  }
  const { field, frame, data, rowIndex } = context ?? {};
  if (!field || !frame) {
    return undefined;
  }
  const label = /^__field\.labels\.(\w+)$/.exec(name)?.[1];
  if (label) {
    return asValue(field.labels?.[label] ?? '');
  }
  const column = /^__data\.fields(?:\.(\w+)|\[["']?([^\]"']*)["']?\])/.exec(name);
  const other = column && frame.fields.find((each, i) => [each.name, String(i)].includes(column[1] ?? column[2] ?? ''));
  if (other) {
    return asValue(other.values[rowIndex ?? 0]);
  }
  const names: Record<string, string | undefined> = {
    '__field.name': field.name,
    '__field.displayName': getFieldDisplayName(field, frame, data),
    '__series.name': frame.name ?? getFieldDisplayName(field, frame, data),
  };
  return names[name] === undefined ? undefined : asValue(names[name]);
}

function asValue(value: unknown): Value {
  return { text: String(value), value: String(value) };
}
