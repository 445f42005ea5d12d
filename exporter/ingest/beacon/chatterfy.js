// Web vitals and chat response times for chatterfy-exporter: no cookies, no ids, no dependencies.
// A browser that asks not to be tracked (DNT, GPC) sends nothing.

const quiet = typeof document === 'undefined' || navigator.doNotTrack === '1' || navigator.globalPrivacyControl
const settings = {
  // Not `new URL(...)`: bundlers would look for that file.
  url: (/^http.*\/(?=chatterfy\.js)/.exec(import.meta.url) ?? ['/'])[0] + 'v1/beacon',
  page: quiet ? '' : location.pathname,
}
const queue = []
const started = new Map()
let timer

/** `url`: where to send; `page`: the page's route, such as /chat/[id], else its path. */
export const configure = ({ url = settings.url, page = settings.page }) => Object.assign(settings, { url, page })

const send = () => {
  timer = clearTimeout(timer)
  if (!queue.length) return
  const body = JSON.stringify(queue.splice(0)) // text needs no preflight
  if (!navigator.sendBeacon?.(settings.url, body)) {
    fetch(settings.url, { method: 'POST', body, keepalive: true, mode: 'no-cors' }).catch(() => {})
  }
}

export const trackChatMetrics = {
  messageStart(id) {
    if (started.size > 99) started.clear()
    started.set(id, performance.now())
  },

  messageEnd(id, provider, model) {
    const value = performance.now() - started.get(id)
    if (started.delete(id) && !quiet) {
      queue.push({ name: 'chat_response_time', value, provider, model })
      timer ||= setTimeout(send, 5000)
    }
  },
}

// As https://github.com/GoogleChrome/web-vitals does it, once for each load.
const watch = () => {
  const entries = (type) => performance.getEntriesByType(type)
  const loaded = () => entries('navigation')[0] ?? {}
  const zero = () => loaded().activationStart || 0 // later where a page was prerendered
  const isHidden = () => document.visibilityState === 'hidden' && !document.prerendering
  const atFirst = { startTime: isHidden() ? 0 : Infinity }
  const left = (e) => e.name === 'hidden' && e.startTime >= zero()
  const seen = (e) => e?.startTime < (entries('visibility-state').find(left) ?? atFirst).startTime

  let lcp, first, last, done
  let sum = 0
  let cls = self.LayoutShift ? 0 : NaN
  const longest = new Map()
  const interaction = ({ interactionId: id, duration }) => {
    if (id) longest.set(id, Math.max(duration, longest.get(id) ?? 0))
    if (longest.size > 10) longest.delete([...longest].sort((a, b) => a[1] - b[1])[0][0])
  }
  const take = {
    'largest-contentful-paint': (e) => seen(e) && (lcp = e),
    // The worst window of shifts, each within 1 s of the last and 5 s of the first.
    'layout-shift'({ hadRecentInput, startTime, value }) {
      if (hadRecentInput) return
      if (startTime - last < 1000 && startTime - first < 5000) sum += value
      else [sum, first] = [value, startTime]
      last = startTime
      cls = Math.max(cls, sum)
    },
    event: interaction,
    'first-input': interaction,
  }
  const all = (list) => list.forEach((e) => take[e.entryType](e))
  const observer = new PerformanceObserver((list) => all(list.getEntries()))
  for (const type in take) observer.observe({ type, buffered: true, durationThreshold: 40 })

  const report = () => {
    if (!done && !document.prerendering) {
      done = true
      all(observer.takeRecords())
      const add = (name, value) => value >= 0 && queue.push({ name, value, page: settings.page })
      const time = (name, at) => add(name, Math.max(at - zero(), 0))
      time('TTFB', loaded().responseStart || NaN)
      time('LCP', lcp?.startTime)
      const fcp = entries('paint').find((e) => e.name === 'first-contentful-paint')
      if (seen(fcp)) {
        time('FCP', fcp.startTime)
        add('CLS', cls)
      }
      // The longest interaction, but for one in every 50.
      const rank = Math.floor((performance.interactionCount ?? 0) / 50)
      add('INP', [...longest.values()].sort((a, b) => b - a).slice(0, rank + 1).pop())
    }
    send()
  }
  addEventListener('visibilitychange', () => isHidden() && report(), true)
  addEventListener('pagehide', report, true)
}

if (!quiet) watch()
