/** Units, thresholds, mappings, colours and overrides, applied to frames as Grafana does. */
import {
  applyFieldOverrides,
  booleanOverrideProcessor,
  cacheFieldDisplayNames,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  FieldColorModeId,
  FieldConfigOptionsRegistry,
  identityOverrideProcessor,
  numberOverrideProcessor,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  ThresholdsMode,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
  type DataFrame,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  type GrafanaTheme2,
  type InterpolateFunction,
} from '@grafana/data';
import type { Panel } from './dashboard';

type Process = FieldConfigPropertyItem['process'];

const STANDARD: Record<string, Process> = {
  displayName: displayNameOverrideProcessor as Process,
  unit: unitOverrideProcessor as Process,
  min: numberOverrideProcessor as Process,
  max: numberOverrideProcessor as Process,
  decimals: numberOverrideProcessor as Process,
  fieldMinMax: booleanOverrideProcessor as Process,
  thresholds: thresholdsOverrideProcessor as Process,
  mappings: valueMappingsOverrideProcessor as Process,
  links: dataLinksOverrideProcessor as Process,
  noValue: stringOverrideProcessor as Process,
  description: stringOverrideProcessor as Process,
  color: identityOverrideProcessor,
};

/** What Grafana's panels presume where the JSON is silent. */
const GRAPH = {
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  fillOpacity: 0,
  gradientMode: 'none',
  showPoints: 'auto',
  pointSize: 5,
  spanNulls: false,
  barAlignment: 0,
  barWidthFactor: 0.6,
  axisPlacement: 'auto',
  axisColorMode: 'text',
  axisBorderShow: false,
  axisCenteredZero: false,
  scaleDistribution: { type: 'linear' },
  stacking: { mode: 'none', group: 'A' },
  thresholdsStyle: { mode: 'off' },
  hideFrom: { viz: false, legend: false, tooltip: false },
};

const CUSTOM: Record<string, Record<string, unknown>> = {
  timeseries: GRAPH,
  'state-timeline': { fillOpacity: 70, lineWidth: 0 },
  'status-history': { fillOpacity: 70, lineWidth: 1 },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
};

const BY_SERIES = ['timeseries', 'piechart'];

export function configSource({ type, fieldConfig }: Panel): FieldConfigSource {
  const { defaults = {}, overrides = [] } = fieldConfig ?? {};
  const mode = BY_SERIES.includes(type) ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds;
  const steps = [
    { value: -Infinity, color: 'green' },
    { value: 80, color: 'red' },
  ];
  return {
    defaults: {
      color: { mode },
      thresholds: { mode: ThresholdsMode.Absolute, steps },
      ...structuredClone(defaults),
      custom: { ...CUSTOM[type], ...structuredClone(defaults.custom) },
    },
    overrides: structuredClone(overrides),
  };
}

export function applyConfig(
  frames: DataFrame[],
  fieldConfig: FieldConfigSource,
  theme: GrafanaTheme2,
  replaceVariables: InterpolateFunction,
): DataFrame[] {
  const fieldConfigRegistry = registry(fieldConfig);
  const options = { data: frames, fieldConfig, fieldConfigRegistry, replaceVariables, theme, timeZone: 'utc' };
  const applied = applyFieldOverrides(options);
  cacheFieldDisplayNames(applied);
  return applied;
}

/** Knows the standard options, and of the panel's own ones those that its configuration names. */
function registry({ defaults, overrides }: FieldConfigSource): FieldConfigOptionsRegistry {
  const custom = new Set([
    ...Object.keys((defaults.custom as object | undefined) ?? {}),
    ...overrides
      .flatMap(({ properties }) => properties.map(({ id }) => id))
      .flatMap(id => id.split('custom.')[1] ?? []),
  ]);
  const known = new FieldConfigOptionsRegistry();
  Object.entries(STANDARD).forEach(([id, process]) => known.register(option(id, id, process)));
  custom.forEach(path =>
    known.register({ ...option(`custom.${path}`, path, identityOverrideProcessor), isCustom: true }),
  );
  return known;
}

function option(id: string, path: string, process: Process): FieldConfigPropertyItem {
  return {
    id,
    path,
    name: id,
    process,
    settings: { expandTemplateVars: true },
    editor: () => null,
    override: () => null,
    getItemsCount: () => 0,
    shouldApply: () => true,
  };
}
