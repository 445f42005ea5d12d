/**
 * Takes a picture of each dashboard: `node draw.mjs`, with what to do as JSON on standard input:
 * {"prometheus": address, "now": seconds, "chromium": path, "pictures": [{"dashboard": file, "picture": file}]}.
 * Prints a line of JSON for each: what src/report.ts says, and the milliseconds it took.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import { chromium } from 'playwright-core';

const DIST = join(import.meta.dirname, 'dist');
const WIDTH = 1600;
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--hide-scrollbars',
  '--font-render-hinting=none',
  '--force-color-profile=srgb',
];

const { prometheus, now, chromium: executablePath, pictures } = JSON.parse(await text(process.stdin));
let dashboard = '';

/** The built page, the dashboard in turn, and Prometheus: all from one address, so that the page may ask. */
const server = createServer(async (request, response) => {
  try {
    const { pathname, search } = new URL(request.url, 'http://page');
    if (pathname.startsWith('/prometheus/')) {
      const answer = await fetch(prometheus + pathname.slice('/prometheus'.length) + search);
      const content = await answer.text();
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(content);
    } else {
      const file =
        pathname === '/dashboard.json' ? dashboard : join(DIST, normalize(pathname === '/' ? '/index.html' : pathname));
      const content = await readFile(file);
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/json' }).end(content);
    }
  } catch (error) {
    response
      .writeHead(error.code === 'ENOENT' ? 404 : 502)
      .end(JSON.stringify({ status: 'error', error: String(error.cause ?? error) }));
  }
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  for (const picture of pictures) {
    console.log(JSON.stringify(await take(picture)));
  }
} finally {
  await browser.close();
  server.close();
}

async function take({ dashboard: file, picture }) {
  const started = Date.now();
  dashboard = file;
  const context = await browser.newContext({
    viewport: { width: WIDTH, height: 1000 },
    deviceScaleFactor: 1,
    timezoneId: 'UTC',
    locale: 'en-US',
    colorScheme: 'dark',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('requestfailed', request => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('response', answer => answer.status() === 404 && complaints.push(`${answer.url()}: 404`));
  await page.clock.setFixedTime(now * 1000);
  await page.goto(`http://127.0.0.1:${server.address().port}/?now=${now * 1000}`);
  await page.waitForFunction(() => window.report?.done, undefined, { timeout: 120_000 });
  const height = await page.evaluate(() => document.body.scrollHeight);
  await page.setViewportSize({ width: WIDTH, height });
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: picture, animations: 'disabled' });
  const report = await page.evaluate(() => window.report);
  await context.close();
  return { ...report, complaints, milliseconds: Date.now() - started };
}
