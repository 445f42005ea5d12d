/** Answers of Prometheus as Grafana's data frames: one a series, one table, or one heatmap. */
import { FieldType, toDataFrame, type DataFrame, type Field, type Labels } from '@grafana/data';
import { bucketed } from './buckets';
import type { Answer } from './queries';
import type { Series } from './prometheus';

export function framesOf(answers: Answer[]): DataFrame[] {
  const tables = answers.filter(answer => answer.target.format === 'table');
  return answers.flatMap(answer => {
    switch (answer.target.format) {
      case 'table':
        return answer.series.length ? [table(answer, tables.length > 1)] : [];
      case 'heatmap':
        return bucketed(answer.series).map(series => frame(answer, series, series.labels['le'] ?? ''));
      default:
        return answer.series.map(series => frame(answer, series, legend(answer, series.labels)));
    }
  });
}

function frame({ target, step, instant }: Answer, { labels, times, values }: Series, name: string): DataFrame {
  const config = name ? { displayNameFromDS: name } : {};
  return toDataFrame({
    refId: target.refId,
    name: name || undefined,
    fields: [
      { name: 'Time', type: FieldType.time, values: times, config: instant ? {} : { interval: step } },
      { name: 'Value', type: FieldType.number, values, labels, config },
    ],
  });
}

/** The legend's text; none for "auto", where the labels that differ are shown. */
function legend({ target, expr }: Answer, labels: Labels): string {
  const format = target.legendFormat;
  if (format === '__auto' && Object.keys(labels).length) {
    return '';
  }
  if (format && format !== '__auto') {
    return format.replace(/\{\{\s*([^}]+?)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
  }
  return metric(labels) || expr;
}

function metric({ __name__: name = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return pairs.length ? `${name}{${pairs.join(', ')}}` : name;
}

function table({ target, series }: Answer, oneOfMany: boolean): DataFrame {
  const rows = series.flatMap(({ labels, times, values }) =>
    times.map((time, i) => ({ labels, time, value: values[i] })),
  );
  const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort();
  const labels = names.map((name): Partial<Field> => ({
    name,
    type: FieldType.string,
    values: rows.map(row => row.labels[name]),
  }));
  const value = oneOfMany ? `Value #${target.refId}` : 'Value';
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: rows.map(row => row.time) },
      ...labels.map(field => ({ config: { filterable: true }, ...field, name: String(field.name) })),
      { name: value, type: FieldType.number, values: rows.map(row => row.value) },
    ],
  });
}
