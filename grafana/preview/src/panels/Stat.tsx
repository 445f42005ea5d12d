/** Big numbers, with Grafana's BigValue. */
import {
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  VizOrientation,
  type FieldDisplay,
} from '@grafana/data';
import type { DisplayValueAlignmentFactors } from '@grafana/data';
import type { PercentChangeColorMode, VizTextDisplayOptions } from '@grafana/schema';
import {
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  useTheme2,
  VizRepeater,
} from '@grafana/ui';
import type { PanelProps } from './properties';
import { reduceOptions, type ReduceOptions } from './reduce';

interface Options {
  reduceOptions: ReduceOptions;
  orientation: VizOrientation;
  text: VizTextDisplayOptions;
  colorMode: BigValueColorMode;
  graphMode: BigValueGraphMode;
  justifyMode: BigValueJustifyMode;
  textMode: BigValueTextMode;
  showPercentChange: boolean;
  percentChangeColorMode: PercentChangeColorMode;
  wideLayout: boolean;
}

export function Stat({ frames, options, fieldConfig, range, width, height, replaceVariables }: PanelProps<Options>) {
  const theme = useTheme2();
  const graphMode = options.graphMode ?? BigValueGraphMode.Area;
  const values = () =>
    getFieldDisplayValues({
      data: frames,
      fieldConfig,
      reduceOptions: reduceOptions(options.reduceOptions),
      replaceVariables,
      sparkline: graphMode !== BigValueGraphMode.None,
      percentChange: options.showPercentChange ?? false,
      theme,
      timeZone: 'utc',
    });
  return (
    <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
      getValues={values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, count, alignmentFactors, ...size }) => (
        <BigValue
          {...size}
          value={value.display}
          sparkline={value.sparkline && { ...value.sparkline, timeRange: range }}
          count={count}
          alignmentFactors={alignmentFactors}
          colorMode={options.colorMode ?? BigValueColorMode.Value}
          graphMode={graphMode}
          justifyMode={options.justifyMode ?? BigValueJustifyMode.Auto}
          textMode={options.textMode ?? BigValueTextMode.Auto}
          percentChangeColorMode={options.percentChangeColorMode}
          disableWideLayout={options.wideLayout === false}
          text={options.text}
          theme={theme}
        />
      )}
      source={frames}
      renderCounter={0}
      width={width}
      height={height}
      itemSpacing={3}
      autoGrid
      orientation={options.orientation ?? VizOrientation.Auto}
    />
  );
}
