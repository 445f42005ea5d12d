/** The dashboard's variables, each with the value that a first visitor would see. */
import type { TimeRange } from '@grafana/data';
import type { Variable } from './dashboard';
import { forPrometheus, interpolate, type Value, type Values } from './interpolate';
import { labelValues, queryInstant } from './prometheus';

const ALL = '$__all';

interface Option {
  text: string;
  value: string;
}

/** One after another, for one may stand in the query of the next. A query without an answer is an error. */
export async function resolveVariables(list: Variable[], range: TimeRange): Promise<Values> {
  const values: Values = new Map();
  for (const variable of list) {
    values.set(variable.name, await resolve(variable, values, range));
  }
  return values;
}

async function resolve(variable: Variable, values: Values, range: TimeRange): Promise<Value> {
  switch (variable.type) {
    case 'query':
      return chosen(variable, await queried(variable, values, range));
    case 'custom':
      return chosen(variable, custom(queryText(variable)));
    case 'interval':
      return chosen(variable, custom(queryText(variable)));
    case 'datasource':
      return chosen({ ...variable, multi: false }, [
        currentOption(variable) ?? { text: 'Prometheus', value: 'prometheus' },
      ]);
    case 'constant':
    case 'textbox':
      return chosen(variable, [currentOption(variable) ?? { text: queryText(variable), value: queryText(variable) }]);
    default:
      throw new Error(`variable ${variable.name}: type ${variable.type} cannot be drawn`);
  }
}

function chosen(variable: Variable, options: Option[]): Value {
  const wanted = [variable.current?.value ?? []].flat();
  const many = Boolean(variable.multi || variable.includeAll);
  const found = options.filter(option => wanted.includes(option.value));
  if (variable.includeAll && (wanted.includes(ALL) || !found.length)) {
    const raw = variable.allValue !== undefined && variable.allValue !== '';
    return { text: 'All', value: raw ? String(variable.allValue) : options.map(option => option.value), raw, many };
  }
  const used = found.length ? found : options.slice(0, 1);
  if (!used.length) {
    throw new Error(`variable ${variable.name} has no values`);
  }
  const text = used.map(option => option.text).join(' + ');
  return { text, value: variable.multi ? used.map(option => option.value) : String(used[0]?.value), many };
}

async function queried(variable: Variable, values: Values, range: TimeRange): Promise<Option[]> {
  const query = interpolate(queryText(variable), values, {}, forPrometheus);
  const found = await answers(query, range);
  const regex = variable.regex ? new RegExp(/^\/(.*)\/\w*$/.exec(variable.regex)?.[1] ?? variable.regex) : undefined;
  const kept = found.flatMap(text => (regex ? (regex.exec(text)?.slice(0, 2).pop() ?? []) : text));
  return sorted([...new Set(kept)], variable.sort ?? 0).map(text => ({ text, value: text }));
}

async function answers(query: string, range: TimeRange): Promise<string[]> {
  const values = /^label_values\((?:(.+),\s*)?([a-zA-Z_]\w*)\s*\)\s*$/.exec(query);
  if (values) {
    return labelValues(String(values[2]), values[1]?.trim(), range);
  }
  const result = /^query_result\((.+)\)\s*$/.exec(query);
  if (result) {
    const series = await queryInstant(String(result[1]), range.to.valueOf());
    return series.map(({ labels, times, values: points }) => {
      const { __name__: name = '', ...rest } = labels;
      const pairs = Object.entries(rest).map(([key, value]) => `${key}="${value}"`);
      return `${name}{${pairs.join(',')}} ${points[0]} ${times[0]}`;
    });
  }
  throw new Error(`${query}: only label_values() and query_result() are known here`);
}

/** Grafana's numbers: 1 and 2 by alphabet, 3 and 4 by number, 5 and 6 by alphabet whatever the case, 7 and 8 naturally. */
function sorted(list: string[], sort: number): string[] {
  if (!sort) {
    return list;
  }
  const compare = [
    (a: string, b: string) => (a < b ? -1 : 1),
    (a: string, b: string) => parseFloat(a) - parseFloat(b),
    (a: string, b: string) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1),
    (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true }),
  ][Math.ceil(sort / 2) - 1];
  const ascending = list.toSorted(compare);
  return sort % 2 ? ascending : ascending.toReversed();
}

function custom(query: string): Option[] {
  return query.split(/(?<!\\),/).map(part => {
    const [text, value] = part.trim().split(/\s+:\s+/);
    return { text: String(text), value: value ?? String(text) };
  });
}

function currentOption({ current }: Variable): Option | undefined {
  const value = [current?.value ?? []].flat()[0];
  return value ? { text: [current?.text ?? value].flat()[0] ?? value, value } : undefined;
}

function queryText({ query }: Variable): string {
  return (typeof query === 'string' ? query : query?.query) ?? '';
}
