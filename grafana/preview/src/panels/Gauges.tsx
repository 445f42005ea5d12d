/** Gauges: drawn here, since Grafana's own left its packages with version 13. */
import { formattedValueToString, VizOrientation, type FieldConfig, type FieldDisplay } from '@grafana/data';
import { useTheme2, VizRepeater } from '@grafana/ui';
import { arcPath } from './arcs';
import type { PanelProps } from './properties';
import { displayValues, type ReduceOptions } from './reduce';

interface Options {
  reduceOptions: ReduceOptions;
  orientation: VizOrientation;
  showThresholdMarkers: boolean;
}

/** From lower left over the top to lower right. */
const [START, SWEEP] = [-1 / 3, 2 / 3];

export function Gauges(props: PanelProps<Options>) {
  const { frames, options, width, height } = props;
  const theme = useTheme2();
  return (
    <VizRepeater<FieldDisplay>
      getValues={() => displayValues(props, theme)}
      renderValue={({ value, count, width: own, height: high }) => (
        <Gauge
          value={value}
          width={own}
          height={high}
          markers={options.showThresholdMarkers ?? true}
          named={count > 1}
        />
      )}
      source={frames}
      renderCounter={0}
      width={width}
      height={height}
      autoGrid
      orientation={options.orientation ?? VizOrientation.Auto}
    />
  );
}

interface GaugeProps {
  value: FieldDisplay;
  width: number;
  height: number;
  markers: boolean;
  named: boolean;
}

function Gauge({ value: { display, field }, width, height, markers, named }: GaugeProps) {
  const theme = useTheme2();
  const title = named ? 20 : 0;
  const outer = Math.min(width / 2, (height - title) / 1.55) - 4;
  const inner = outer * 0.76;
  const [min, max] = limits(field);
  const share = Math.min(1, Math.max(0, (display.numeric - min) / (max - min)));
  const band = markers ? outer - 6 : outer;
  const ring = (from: number, to: number, low: number, high: number) =>
    arcPath({ from: START + from * SWEEP, to: START + to * SWEEP, inner: low, outer: high });
  return (
    <div style={{ width, height, textAlign: 'center' }}>
      <svg width={width} height={height - title}>
        <g transform={`translate(${width / 2} ${outer + 4})`}>
          <path d={ring(0, 1, inner, band)} fill={theme.colors.background.secondary} />
          {share > 0 && <path d={ring(0, share, inner, band)} fill={display.color} />}
          {markers &&
            sections(field, min, max).map(({ from, to, color }) => (
              <path key={from} d={ring(from, to, outer - 4, outer)} fill={theme.visualization.getColorByName(color)} />
            ))}
          <text
            textAnchor="middle"
            y={outer * 0.12}
            fontSize={Math.min(outer * 0.42, (inner * 2.6) / Math.max(4, formattedValueToString(display).length))}
            fontWeight={500}
            fill={display.color}
          >
            {formattedValueToString(display)}
          </text>
        </g>
      </svg>
      {named && <div style={{ fontSize: 14, lineHeight: `${title}px` }}>{display.title}</div>}
    </div>
  );
}

function limits({ min, max }: FieldConfig): [number, number] {
  return [min ?? 0, max ?? 100];
}

function sections({ thresholds }: FieldConfig, min: number, max: number) {
  const steps = thresholds?.steps ?? [];
  const place = (value: number | undefined) => Math.min(1, Math.max(0, ((value ?? max) - min) / (max - min)));
  return steps
    .map((step, i) => ({ from: place(step.value ?? min), to: place(steps[i + 1]?.value), color: step.color }))
    .filter(({ from, to }) => to > from);
}
