/** A panel's transformations, by Grafana's own code. */
import {
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
  type DataFrame,
  type DataTransformerConfig,
  type TransformerRegistryItem,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import { interpolate, type Values } from './interpolate';

/** Some are listed twice, under an old name and a new one. */
const known = [...new Map(Object.values(standardTransformers).map(info => [info.id, info])).values()];

standardTransformersRegistry.setInit(() =>
  known.map((info): TransformerRegistryItem => ({
    id: info.id,
    name: info.name,
    transformation: () => Promise.resolve(info),
    editor: () => null,
    imageDark: '',
    imageLight: '',
  })),
);

export async function transform(
  frames: DataFrame[],
  configs: DataTransformerConfig[] | undefined,
  values: Values,
): Promise<DataFrame[]> {
  const used = (configs ?? []).filter(config => !config.disabled);
  const unknown = used.find(config => !known.some(info => info.id === config.id));
  if (unknown) {
    throw new Error(`transformation ${unknown.id} cannot be done here`);
  }
  return lastValueFrom(transformDataFrame(used, frames, { interpolate: text => interpolate(text, values) }));
}
