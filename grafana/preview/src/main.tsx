/** Draws /dashboard.json as it looks at the moment in the address (`?now=`, milliseconds), and reports what came out. */
import { createTheme, ThemeContext } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { clippedTexts } from './clipped';
import type { Dashboard } from './dashboard';
import { load, type Loaded } from './load';
import { KINDS } from './panels/kinds';
import { Page } from './Page';
import { startReport } from './report';
import './still.css';

const theme = createTheme({ colors: { mode: 'dark' } });

async function main(): Promise<void> {
  await initPluginTranslations('grafana-ui');
  const now = Number(new URLSearchParams(location.search).get('now'));
  const dashboard = (await (await fetch('/dashboard.json')).json()) as Dashboard;
  const loaded = await load(dashboard, now, theme);
  note(loaded);
  const root = createRoot(document.getElementById('root') as HTMLElement);
  const styles = (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
    </ThemeContext.Provider>
  );
  root.render(styles);
  await fonts();
  root.render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Page loaded={loaded} />
    </ThemeContext.Provider>,
  );
  await frames(5);
  measure();
}

function note({ panels, happenings }: Loaded): void {
  window.report.annotations = happenings.length;
  window.report.panels = panels
    .filter(({ panel }) => panel.type !== 'row')
    .map(({ panel, counts, error, replaceVariables }) => ({
      id: panel.id,
      title: replaceVariables(panel.title ?? ''),
      type: panel.type,
      counts,
      substitute: Boolean(KINDS[panel.type]?.substitute),
      ...(error === undefined && KINDS[panel.type]
        ? {}
        : { error: error ?? `a panel of kind ${panel.type} cannot be drawn here` }),
      clipped: { cut: [], hidden: 0 },
    }));
}

/** Text on a canvas is measured at once: fonts must be there before. */
async function fonts(): Promise<void> {
  await frames(2);
  const { fontFamily, fontFamilyMonospace } = theme.typography;
  const wanted = [`400 12px ${fontFamily}`, `500 12px ${fontFamily}`, `400 12px ${fontFamilyMonospace}`];
  const loaded = await Promise.all(wanted.map(font => document.fonts.load(font)));
  if (loaded.some(list => !list.length)) {
    throw new Error('a font is missing');
  }
}

function measure(): void {
  for (const panel of window.report.panels) {
    const element = document.querySelector(`[data-panel="${panel.id}"]`);
    panel.clipped = clippedTexts(element as Element);
  }
}

async function frames(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise(resolve => requestAnimationFrame(resolve));
  }
}

startReport();
main()
  .catch((error: Error) => {
    window.report.error = error.message;
    document.body.innerText = error.stack ?? error.message;
  })
  .finally(() => {
    window.report.done = true;
  });
