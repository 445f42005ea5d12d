// What an API does in a day, with the files of docs/ingest/sentry.md.
import * as Sentry from '@sentry/node'
import { aggregateDaily, sentryErrorHandler } from './errors.js'

const answers = []
const response = { status: (code) => ({ json: (body) => answers.push([code, body.error]) }) }
sentryErrorHandler(new Error('boom'), { method: 'POST', route: { path: '/v1/chat/completions' } }, response)
Sentry.captureMessage('high_error_rate', 'warning')
await Sentry.startSpan({ name: 'GET /users/17', op: 'http.server', forceTransaction: true }, async () => {})
await aggregateDaily(async () => {})
await Sentry.close(10_000)
console.log(JSON.stringify(answers))
