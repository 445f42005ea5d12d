/** Markdown. */
import { renderTextPanelMarkdown } from '@grafana/data';
import type { PanelProps } from './properties';

interface Options {
  mode: string;
  content: string;
}

export function TextPanel({ options, width, height, replaceVariables }: PanelProps<Options>) {
  if (options.mode && options.mode !== 'markdown') {
    throw new Error(`text as ${options.mode} cannot be drawn here`);
  }
  const html = renderTextPanelMarkdown(replaceVariables(options.content ?? ''));
  return (
    <div
      className="markdown-html"
      style={{ width, height, overflow: 'hidden' }}
      dangerouslySetInnerHTML={{ __html: html }}
    />
  );
}
