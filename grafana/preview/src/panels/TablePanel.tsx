/** Tables, with Grafana's TableNG. */
import type { DataFrame, FieldConfigSource } from '@grafana/data';
import { TableCellHeight } from '@grafana/schema';
import { TableNG } from '@grafana/ui/unstable';
import type { PanelProps } from './properties';

interface Options {
  showHeader: boolean;
  cellHeight: TableCellHeight;
  sortBy: Array<{ displayName: string; desc?: boolean }>;
  frozenColumns: { left?: number };
}

/** Of several frames Grafana shows the first, with a choice below; here the others are an error, as nobody can choose. */
export function TablePanel({ frames, options, fieldConfig, range, width, height }: PanelProps<Options>) {
  const [frame, ...others] = frames;
  if (!frame || others.length) {
    throw new Error(`a table of ${frames.length} frames: ask for format "table", and merge`);
  }
  return (
    <TableNG
      data={frame as DataFrame}
      fieldConfig={fieldConfig as FieldConfigSource}
      width={width}
      height={height}
      timeRange={range}
      noHeader={options.showHeader === false}
      cellHeight={options.cellHeight ?? TableCellHeight.Sm}
      sortBy={options.sortBy}
      frozenColumns={options.frozenColumns?.left}
      enableVirtualization={false}
      structureRev={1}
      resizable
    />
  );
}
