/** One panel with its frame: title, signs beside it, and the picture or the reason why there is none. */
import { rangeUtil } from '@grafana/data';
import { Icon, PanelChrome, useTheme2 } from '@grafana/ui';
import { Component, type ReactNode } from 'react';
import { shownOn, type Happening } from './annotations';
import { configSource } from './fieldConfig';
import type { Box } from './layout';
import type { LoadedPanel } from './load';
import { KINDS } from './panels/kinds';
import { failed } from './report';

interface Props {
  loaded: LoadedPanel;
  box: Box;
  happenings: Happening[];
}

export function PanelView({ loaded, box, happenings }: Props) {
  const { panel, replaceVariables } = loaded;
  const frame = { width: box.width, height: box.height };
  const title = replaceVariables(panel.title ?? '');
  return (
    <PanelChrome
      {...frame}
      title={title}
      description={panel.description ? replaceVariables(panel.description) : undefined}
      displayMode={panel.transparent ? 'transparent' : 'default'}
      titleItems={<Signs loaded={loaded} />}
      hoverHeader={!title}
    >
      {(width: number, height: number) => (
        <Guard id={panel.id}>
          <Picture loaded={loaded} width={width} height={height} happenings={happenings} />
        </Guard>
      )}
    </PanelChrome>
  );
}

interface PictureProps {
  loaded: LoadedPanel;
  width: number;
  height: number;
  happenings: Happening[];
}

function Picture({
  loaded: { panel, error, frames, range, replaceVariables },
  width,
  height,
  happenings,
}: PictureProps) {
  const kind = KINDS[panel.type];
  const fieldConfig = configSource(panel);
  if (error !== undefined || !kind) {
    return <Failure text={error ?? `a panel of kind ${panel.type} cannot be drawn here`} />;
  }
  if (!kind.takesNothing && !frames.some(frame => frame.length)) {
    return <Nothing text={fieldConfig.defaults.noValue ?? 'No data'} width={width} height={height} />;
  }
  return (
    <kind.component
      frames={frames}
      options={panel.options ?? {}}
      fieldConfig={fieldConfig}
      range={range}
      width={width}
      height={height}
      happenings={shownOn(panel.id, happenings)}
      replaceVariables={replaceVariables}
    />
  );
}

/** Links, a range of its own, and that it is a substitute. */
function Signs({ loaded: { panel } }: { loaded: LoadedPanel }) {
  const theme = useTheme2();
  const small = { color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize };
  return (
    <>
      {Boolean(panel.links?.length) && (
        <PanelChrome.TitleItem>
          <Icon name="external-link-alt" size="md" />
        </PanelChrome.TitleItem>
      )}
      {panel.timeFrom && !panel.hideTimeOverride && (
        <PanelChrome.TitleItem>
          <Icon name="clock-nine" size="sm" />
          <span style={{ ...small, marginLeft: 4 }}>{rangeUtil.describeTextRange(panel.timeFrom).display}</span>
        </PanelChrome.TitleItem>
      )}
      {KINDS[panel.type]?.substitute && (
        <span
          data-substitute
          style={{
            ...small,
            color: theme.colors.text.disabled,
            border: `1px solid ${theme.colors.border.weak}`,
            borderRadius: theme.shape.radius.pill,
            padding: '0 8px',
            whiteSpace: 'nowrap',
          }}
        >
          substitute drawing
        </span>
      )}
    </>
  );
}

function Nothing({ text, width, height }: { text: string; width: number; height: number }) {
  const theme = useTheme2();
  return (
    <div style={{ width, height, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>
      {text}
    </div>
  );
}

function Failure({ text }: { text: string }) {
  const theme = useTheme2();
  return <pre style={{ color: theme.colors.error.text, whiteSpace: 'pre-wrap', fontSize: 12 }}>{text}</pre>;
}

interface GuardProps {
  id: number;
  children: ReactNode;
}

/** Keeps an error in its panel. */
class Guard extends Component<GuardProps, { error?: string }> {
  override state: { error?: string } = {};

  static getDerivedStateFromError(error: Error) {
    return { error: error.message };
  }

  override componentDidCatch(error: Error) {
    failed(this.props.id, error.message);
  }

  override render() {
    return this.state.error === undefined ? this.props.children : <Failure text={this.state.error} />;
  }
}
