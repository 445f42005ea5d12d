/** Shares of a whole: drawn here, since Grafana's own pie chart left its packages with version 13. */
import { formattedValueToString, type DisplayValue } from '@grafana/data';
import { LegendDisplayMode, type VizLegendOptions } from '@grafana/schema';
import { useTheme2, VizLayout, VizLegend, type VizLegendItem } from '@grafana/ui';
import { arcPath, point } from './arcs';
import { LEGEND } from './Graph';
import type { PanelProps } from './properties';
import { displayValues, type ReduceOptions } from './reduce';

type Part = 'name' | 'value' | 'percent';

interface Options {
  reduceOptions: ReduceOptions;
  pieType: 'pie' | 'donut';
  displayLabels: Part[];
  legend: Partial<VizLegendOptions> & { values?: Part[] };
  sort: 'asc' | 'desc' | 'none';
}

interface Slice {
  display: DisplayValue;
  from: number;
  share: number;
}

export function Pie(props: PanelProps<Options>) {
  const { options, width, height } = props;
  const slices = slicesOf(props, useTheme2());
  const legend = { ...LEGEND, ...options.legend };
  return (
    <VizLayout
      width={width}
      height={height}
      legend={
        legend.showLegend ? (
          <VizLayout.Legend placement={legend.placement} width={legend.width}>
            <VizLegend
              placement={legend.placement}
              displayMode={legend.displayMode ?? LegendDisplayMode.List}
              items={slices.map(slice => item(slice, options.legend?.values ?? []))}
            />
          </VizLayout.Legend>
        ) : null
      }
    >
      {(pieWidth, pieHeight) => <Drawing slices={slices} width={pieWidth} height={pieHeight} options={options} />}
    </VizLayout>
  );
}

function slicesOf(props: PanelProps<Options>, theme: ReturnType<typeof useTheme2>): Slice[] {
  const known = displayValues(props, theme).filter(({ display }) => display.numeric > 0);
  const direction = { asc: 1, desc: -1, none: 0 }[props.options.sort ?? 'desc'];
  const sorted = known.toSorted((a, b) => direction * (a.display.numeric - b.display.numeric));
  const whole = sorted.reduce((sum, { display }) => sum + display.numeric, 0);
  let from = 0;
  return sorted.map(({ display }) => {
    const slice = { display, from, share: display.numeric / whole };
    from += slice.share;
    return slice;
  });
}

interface DrawingProps {
  slices: Slice[];
  width: number;
  height: number;
  options: Partial<Options>;
}

function Drawing({ slices, width, height, options }: DrawingProps) {
  const theme = useTheme2();
  const outer = Math.min(width, height) / 2 - 8;
  const inner = options.pieType === 'donut' ? outer * 0.6 : 0;
  const labels = options.displayLabels ?? [];
  return (
    <svg width={width} height={height}>
      <g transform={`translate(${width / 2} ${height / 2})`}>
        {slices.map(({ display, from, share }) => (
          <path
            key={display.title}
            d={arcPath({ from, to: from + share, inner, outer })}
            fill={display.color}
            stroke={theme.colors.background.primary}
            strokeWidth={1}
          />
        ))}
        {slices
          .filter(({ share }) => labels.length && share > 0.04)
          .map(slice => {
            const [x, y] = point(slice.from + slice.share / 2, inner ? (inner + outer) / 2 : outer * 0.68).split(',');
            return (
              <text
                key={slice.display.title}
                x={x}
                y={y}
                dy="0.35em"
                textAnchor="middle"
                fontSize={12}
                fontWeight={500}
                fill={theme.colors.getContrastText(slice.display.color ?? '#000')}
              >
                {labels.map(part => textOf(slice, part)).join(' ')}
              </text>
            );
          })}
      </g>
    </svg>
  );
}

function item(slice: Slice, parts: Part[]): VizLegendItem {
  const numeric = slice.display.numeric;
  return {
    label: textOf(slice, 'name'),
    color: slice.display.color ?? '',
    yAxis: 1,
    getDisplayValues: () =>
      parts.map(part => ({ numeric, text: textOf(slice, part), title: part === 'percent' ? 'Percent' : 'Value' })),
  };
}

function textOf({ display, share }: Slice, part: Part): string {
  return {
    name: display.title ?? '',
    value: formattedValueToString(display),
    percent: `${Math.round(share * 100)}%`,
  }[part];
}
