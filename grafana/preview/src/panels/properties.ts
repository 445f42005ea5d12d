/** What every kind of panel is given. */
import type { DataFrame, FieldConfigSource, InterpolateFunction, TimeRange } from '@grafana/data';
import type { Happening } from '../annotations';

export interface PanelProps<Options = Record<string, unknown>> {
  frames: DataFrame[];
  options: Partial<Options>;
  fieldConfig: FieldConfigSource;
  range: TimeRange;
  width: number;
  height: number;
  happenings: Happening[];
  replaceVariables: InterpolateFunction;
}
