/** Above the panels: where this is, the time, variables, annotations and links. */
import { rangeUtil } from '@grafana/data';
import { Icon, ToolbarButton, useTheme2, type IconName } from '@grafana/ui';
import type { CSSProperties, ReactNode } from 'react';
import type { Loaded } from './load';

const LINE = 48;

export function Header({ loaded: { dashboard, range } }: { loaded: Loaded }) {
  const theme = useTheme2();
  return (
    <div style={{ color: theme.colors.text.primary }}>
      <Line
        style={{ borderBottom: `1px solid ${theme.colors.border.weak}`, background: theme.colors.background.primary }}
      >
        <span style={{ color: theme.colors.text.secondary }}>Dashboards</span>
        <Icon name="angle-right" />
        <span style={{ color: theme.colors.text.secondary }}>Chatterfy</span>
        <Icon name="angle-right" />
        <span style={{ fontWeight: theme.typography.fontWeightMedium }}>{dashboard.title}</span>
        <span style={{ flexGrow: 1 }} />
        <span style={{ color: theme.colors.text.disabled, fontSize: theme.typography.bodySmall.fontSize }}>
          Preview drawn with Grafana’s components
        </span>
        <ToolbarButton icon="clock-nine" variant="canvas" isOpen={false}>
          {rangeUtil.describeTimeRange(range.raw)}
        </ToolbarButton>
        {dashboard.refresh && (
          <ToolbarButton icon="sync" variant="canvas" isOpen={false}>
            {dashboard.refresh}
          </ToolbarButton>
        )}
      </Line>
    </div>
  );
}

/** Variables and annotations on the left, links on the right. */
export function Controls({ loaded: { dashboard, values } }: { loaded: Loaded }) {
  const variables = (dashboard.templating?.list ?? []).filter(each => each.hide !== 2);
  const annotations = (dashboard.annotations?.list ?? []).filter(each => !each.hide && !each.builtIn);
  return (
    <Line>
      {variables.map(({ name, label, hide }) => (
        <Control key={name} label={hide === 1 ? '' : (label ?? name)}>
          {values.get(name)?.text}
          <Icon name="angle-down" />
        </Control>
      ))}
      {annotations.map(({ name, enable }) => (
        <Control key={name} label={name}>
          <Switch on={enable} />
        </Control>
      ))}
      <span style={{ flexGrow: 1 }} />
      {(dashboard.links ?? []).map(({ title, asDropdown, type }) => (
        <ToolbarButton
          key={title}
          icon={(type === 'dashboards' ? (asDropdown ? 'bars' : 'apps') : 'external-link-alt') as IconName}
          variant="canvas"
          isOpen={asDropdown ? false : undefined}
        >
          {title}
        </ToolbarButton>
      ))}
    </Line>
  );
}

function Line({ children, style }: { children: ReactNode; style?: CSSProperties }) {
  return (
    <div style={{ display: 'flex', alignItems: 'center', gap: 8, height: LINE, padding: '0 16px', ...style }}>
      {children}
    </div>
  );
}

function Control({ label, children }: { label: string; children: ReactNode }) {
  const theme = useTheme2();
  const part: CSSProperties = {
    display: 'flex',
    alignItems: 'center',
    gap: 8,
    height: 32,
    padding: '0 8px',
    border: `1px solid ${theme.components.input.borderColor}`,
    fontSize: theme.typography.bodySmall.fontSize,
    whiteSpace: 'nowrap',
  };
  return (
    <span style={{ display: 'flex' }}>
      {label && (
        <span
          style={{
            ...part,
            background: theme.colors.background.secondary,
            borderRight: 0,
            borderRadius: '2px 0 0 2px',
            fontWeight: theme.typography.fontWeightMedium,
          }}
        >
          {label}
        </span>
      )}
      <span style={{ ...part, background: theme.components.input.background, borderRadius: label ? '0 2px 2px 0' : 2 }}>
        {children}
      </span>
    </span>
  );
}

function Switch({ on }: { on: boolean }) {
  const theme = useTheme2();
  const color = on ? theme.colors.primary.main : theme.colors.text.disabled;
  return (
    <span style={{ width: 28, height: 14, borderRadius: 7, background: color, position: 'relative' }}>
      <span
        style={{
          position: 'absolute',
          top: 2,
          left: on ? 16 : 2,
          width: 10,
          height: 10,
          borderRadius: 5,
          background: theme.colors.primary.contrastText,
        }}
      />
    </span>
  );
}
