/** From a series to the one number that stands for it. */
import { getFieldDisplayValues, type FieldDisplay, type GrafanaTheme2, type ReduceDataOptions } from '@grafana/data';
import type { PanelProps } from './properties';

export type ReduceOptions = Partial<ReduceDataOptions>;

export function reduceOptions(given: ReduceOptions | undefined): ReduceDataOptions {
  return { values: false, fields: '', ...given, calcs: given?.calcs?.length ? given.calcs : ['lastNotNull'] };
}

export function displayValues(
  { frames, fieldConfig, options, replaceVariables }: PanelProps<{ reduceOptions: ReduceOptions }>,
  theme: GrafanaTheme2,
): FieldDisplay[] {
  return getFieldDisplayValues({
    data: frames,
    fieldConfig,
    reduceOptions: reduceOptions(options.reduceOptions),
    replaceVariables,
    theme,
    timeZone: 'utc',
  });
}
