/** The states that a series goes through, each with the text and the colour that its mappings or thresholds give it. */
import {
  FieldColorModeId,
  FieldType,
  formattedValueToString,
  getActiveThreshold,
  getFieldSeriesColor,
  type DataFrame,
  type Field,
  type GrafanaTheme2,
} from '@grafana/data';

export interface State {
  from: number;
  to: number;
  text: string;
  color: string;
}

export interface Row {
  field: Field;
  frame: DataFrame;
  states: State[];
}

/** Without a point for one and a half steps, nothing is known any more. */
export function rowsOf(frames: DataFrame[], end: number, merge: boolean, theme: GrafanaTheme2): Row[] {
  return frames.flatMap(frame => {
    const time = frame.fields.find(field => field.type === FieldType.time);
    const others = frame.fields.filter(field => field !== time && field.type !== FieldType.time);
    return time ? others.map(field => ({ field, frame, states: states(time, field, end, merge, theme) })) : [];
  });
}

function states(time: Field, field: Field, end: number, merge: boolean, theme: GrafanaTheme2): State[] {
  const result: State[] = [];
  const step = time.config.interval ?? Infinity;
  time.values.forEach((from: number, i) => {
    const value: unknown = field.values[i];
    if (value === null || value === undefined || Number.isNaN(value)) {
      return;
    }
    const next: number = time.values[i + 1] ?? end;
    const to = Math.min(end, next - from > 1.5 * step ? from + step : next);
    const last = result.at(-1);
    const look = appearance(field, value, theme);
    if (merge && last && last.to === from && last.text === look.text && last.color === look.color) {
      last.to = to;
    } else {
      result.push({ from, to, ...look });
    }
  });
  return result;
}

function appearance(field: Field, value: unknown, theme: GrafanaTheme2): Pick<State, 'text' | 'color'> {
  const display = field.display?.(value);
  const text = display ? formattedValueToString(display) : String(value);
  const byThreshold = field.config.color?.mode === FieldColorModeId.Thresholds && !field.config.mappings?.length;
  return {
    text: byThreshold ? threshold(field, Number(value)) : text,
    color: display?.color ?? getFieldSeriesColor(field, theme).color,
  };
}

/** As Grafana's legend puts it: "< 2" below the first limit, "2+" from it on. */
function threshold(field: Field, value: number): string {
  const steps = field.config.thresholds?.steps ?? [];
  const active = steps.indexOf(getActiveThreshold(value, steps));
  const limit = (at: number) => {
    const display = field.display?.(steps[at]?.value);
    return display ? formattedValueToString(display) : '';
  };
  return active > 0 ? `${limit(active)}+` : steps.length > 1 ? `< ${limit(1)}` : '';
}
