/** The whole picture: header, rows and panels on Grafana's grid. */
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useTheme2 } from '@grafana/ui';
import { Controls, Header } from './Header';
import { boxOf, heightOf, MARGIN, PAGE, type Box } from './layout';
import type { Loaded, LoadedPanel } from './load';
import { PanelView } from './PanelView';

export function Page({ loaded }: { loaded: Loaded }) {
  const theme = useTheme2();
  return (
    <div style={{ width: PAGE, background: theme.colors.background.canvas }}>
      <Header loaded={loaded} />
      <Controls loaded={loaded} />
      <div
        style={{
          position: 'relative',
          margin: `8px ${MARGIN}px ${MARGIN}px`,
          height: heightOf(loaded.panels.map(({ panel }) => panel)),
        }}
      >
        {loaded.panels.map(each => (
          <div key={each.panel.id} data-panel={each.panel.id} style={{ position: 'absolute', ...boxOf(each.panel) }}>
            {each.panel.type === 'row' ? (
              <Row loaded={each} theme={theme} />
            ) : (
              <PanelView loaded={each} box={boxOf(each.panel) as Box} happenings={loaded.happenings} />
            )}
          </div>
        ))}
      </div>
      <div style={{ height: 1 }} />
    </div>
  );
}

function Row({ loaded: { panel, replaceVariables }, theme }: { loaded: LoadedPanel; theme: GrafanaTheme2 }) {
  return (
    <div style={{ display: 'flex', alignItems: 'center', gap: 8, height: 30, fontSize: theme.typography.h5.fontSize }}>
      <Icon name="angle-down" />
      <span style={{ fontWeight: theme.typography.fontWeightMedium }}>{replaceVariables(panel.title ?? '')}</span>
    </div>
  );
}
