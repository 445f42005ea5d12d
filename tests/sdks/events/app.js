// An API with what the middleware of docs/ingest/events.md has to tell apart.
import express from 'express'
import { metricsMiddleware } from './middleware/metrics.js'
import { trackBusinessMetrics as track } from './utils/business-metrics.js'

export const app = express()
app.use(metricsMiddleware)

const users = express.Router()
users.get('/', (req, res) => res.json([]))
users.get('/:id', (req, res) => res.json({ id: req.params.id }))
users.delete('/:id', async () => { throw new Error('boom') })
app.use('/v1/users', users)

app.post('/v1/chat/completions', async (req, res) => {
  res.status(201).write('one')
  await track.chatMessage('org_1', 'openai', 'gpt-5', 512)
  res.end('two')
})
app.post('/signups/:id', async (req, res) => {
  await track.newSignup(req.params.id, undefined, req.params.id)
  res.sendStatus(204)
})
app.post('/billing', async (req, res) => {
  const decimal = { toJSON: () => '4900', valueOf: () => '4900' } // as Prisma has it
  await track.subscriptionCreated('org_1', 'PRO', decimal)
  await track.subscriptionCancelled('org_1', 'too_expensive')
  await track.fileUpload('org_1', 123456789012n, 'application/pdf')
  res.sendStatus(204)
})
app.post('/wrong', (req, res) => track.fileUpload('org_1', -1).catch((error) => res.status(400).send(error.message)))
app.get('/slow', (req, res) => setTimeout(() => res.end(), 5100))
app.get(/^\/legacy/, (req, res) => res.end())
app.use((error, req, res, next) => res.status(500).json({ error: error.message }))
