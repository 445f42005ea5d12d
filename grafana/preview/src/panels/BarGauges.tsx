/** Bars, with Grafana's BarGauge. */
import { getDisplayValueAlignmentFactors, VizOrientation, type DisplayValue, type FieldDisplay } from '@grafana/data';
import type { DisplayValueAlignmentFactors } from '@grafana/data';
import { BarGaugeDisplayMode, BarGaugeNamePlacement, type BarGaugeValueMode } from '@grafana/schema';
import type { VizTextDisplayOptions } from '@grafana/schema';
import { BarGauge, useTheme2, VizRepeater } from '@grafana/ui';
import type { PanelProps } from './properties';
import { displayValues, type ReduceOptions } from './reduce';

interface Options {
  reduceOptions: ReduceOptions;
  orientation: VizOrientation;
  text: VizTextDisplayOptions;
  displayMode: BarGaugeDisplayMode;
  valueMode: BarGaugeValueMode;
  namePlacement: BarGaugeNamePlacement;
  showUnfilled: boolean;
  sizing: 'auto' | 'manual';
  minVizWidth: number;
  minVizHeight: number;
  maxVizHeight: number;
}

export function BarGauges(props: PanelProps<Options>) {
  const { frames, options, width, height } = props;
  const theme = useTheme2();
  const displayMode = options.displayMode ?? BarGaugeDisplayMode.Gradient;
  const spacing = displayMode === BarGaugeDisplayMode.Lcd ? 2 : 10;
  const manual = options.sizing === 'manual';
  return (
    <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
      getValues={() => displayValues(props, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value: { display, field, view, colIndex }, count, ...size }) => (
        <BarGauge
          {...size}
          value={named(display, count)}
          field={field}
          display={view?.getFieldDisplayProcessor(colIndex ?? 0) ?? undefined}
          text={options.text}
          displayMode={displayMode}
          itemSpacing={spacing}
          lcdCellWidth={8}
          showUnfilled={options.showUnfilled ?? true}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement ?? BarGaugeNamePlacement.Auto}
          theme={theme}
        />
      )}
      source={frames}
      renderCounter={0}
      width={width}
      height={height}
      minVizWidth={manual ? options.minVizWidth : 0}
      minVizHeight={manual ? options.minVizHeight : 10}
      maxVizHeight={manual ? options.maxVizHeight : 300}
      itemSpacing={spacing}
      orientation={options.orientation ?? VizOrientation.Auto}
    />
  );
}

/** A bar alone needs no name: the panel's title is one. */
function named(display: DisplayValue, count: number): DisplayValue {
  return count > 1 ? display : { ...display, title: undefined };
}
