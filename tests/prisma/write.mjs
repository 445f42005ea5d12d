// Writes into DATABASE_URL as the app does, and prints what the exporter must show of it: write.mjs STYLE STEP
// as [metric, labels, amount], to be added up. STEP is `first` or, over what that left, `second`.
import { PrismaPg } from '@prisma/adapter-pg'

const [style, step] = process.argv.slice(2)
const { default: { PrismaClient } } = await import(`./client/${style}/index.js`)
// Prisma 7 needs a session in UTC for timestamptz: elsewhere it writes times that are off by the session's zone
// (https://github.com/prisma/orm/issues/28629). Its own timestamps without a zone are UTC in any session.
const options = style === 'snake_case' ? '-c timezone=UTC' : undefined
const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL, options })
const prisma = new PrismaClient({ adapter })

const written = []
const wrote = (metric, labels, amount = 1) => written.push([`chatterfy_${metric}`, labels, amount])
const hoursAgo = (hours) => new Date(Date.now() - hours * 3_600_000)
const today = new Date(new Date().toISOString().slice(0, 10))

// A message, as data for Prisma; the timestamp is its default where none is given.
const message = (provider, model, tokens, more = {}) => {
  wrote('messages_total', { provider, model })
  wrote('tokens_total', { provider, model }, tokens)
  return { content: 'Olá, “Welt” 🙂', provider, model, tokens, ...more }
}

// The app's own logEvent.
const logEvent = async (eventType, data, client = prisma) => {
  await client.businessEvent.create({ data: { eventType, data: JSON.stringify(data), timestamp: new Date() } })
}

// The app adds to a day's row, and makes it where it is the first.
const use = async (orgId, provider, model, tokens, cost, client = prisma) => {
  await client.usage.upsert({
    where: { orgId_day_provider_model: { orgId, day: today, provider, model } },
    create: { orgId, day: today, provider, model, tokens, cost_usd: cost },
    update: { tokens: { increment: tokens }, cost_usd: { increment: cost } }
  })
  wrote('usage_cost_usd_total', { provider, model }, Number(cost))
}

const request = (endpoint, method, status, duration) => {
  wrote('http_requests_total', { endpoint, method, status: String(status) })
  wrote('http_request_duration_seconds_count', { endpoint, method })
  wrote('http_request_duration_seconds_sum', { endpoint, method }, duration / 1000)
  return { type: 'api_request', endpoint, method, status, duration, timestamp: new Date() }
}

const steps = {
  async first() {
    // Nested writes: an organisation with its subscription, its users and their messages. Where UTC is taken for
    // the zone of the database, three hours behind, one of the two messages changes sides of a day's window.
    await prisma.org.create({
      data: {
        id: 'pro', name: 'Pro', planCode: 'PRO',
        subscription: { create: { status: 'active', amount: 2900, stripeSubscriptionId: 'sub_1' } },
        users: {
          create: [{
            id: 'ana', email: 'ana@example.com',
            messages: { create: [message('openai', 'gpt-4o', 100, { createdAt: hoursAgo(23) })] }
          }]
        }
      }
    })
    await prisma.org.create({
      data: {
        name: 'Team', planCode: 'TEAM', subscription: { create: { status: 'past_due', amount: 9950 } },
        users: {
          create: {
            email: 'ben@example.com',
            messages: { create: message('anthropic', 'claude', 7, { createdAt: hoursAgo(25) }) }
          }
        }
      }
    })
    await prisma.org.create({
      data: { name: 'Trial', planCode: 'PRO', subscription: { create: { status: 'trialing', amount: 2900 } } }
    })
    wrote('orgs', { plan: 'PRO' }, 2)
    wrote('orgs', { plan: 'TEAM' })
    wrote('users', {}, 2)
    wrote('mrr_usd', { plan: 'PRO' }, 29)
    wrote('mrr_usd', { plan: 'TEAM' }, 99.5)
    wrote('subscriptions', { plan: 'PRO', status: 'active' })
    wrote('subscriptions', { plan: 'PRO', status: 'trialing' })
    wrote('subscriptions', { plan: 'TEAM', status: 'past_due' })
    wrote('active_orgs', { window: '1d' })
    wrote('active_orgs', { window: '7d' }, 2)
    wrote('active_orgs', { window: '30d' }, 2)

    await prisma.message.createMany({
      data: [11, 12, 13].map((tokens) => message('openai', 'gpt-4o', tokens, { userId: 'ana' }))
    })
    await prisma.message.create({ data: message('openai', 'gpt-4o', 0, { id: 'streams', userId: 'ana' }) })
    await prisma.message.create({ data: message(null, null, 0, { userId: 'ana' }) })
    await prisma.metric.createMany({
      data: [
        request('/v1/chat', 'POST', 200, 250), request('/v1/chat', 'POST', 500, 31.25),
        request('/health', 'GET', 200, 0.5)
      ]
    })
    await use('pro', 'openai', 'gpt-4o', 136n, '1.250001')
    await logEvent('user_signup', { userId: 'ana', source: 'direct' })
    await logEvent('user_signup', { userId: 'ben', source: 'anúncio "novo" 🙂' })
    wrote('signups_total', { source: 'direct' })
    wrote('signups_total', { source: 'anúncio "novo" 🙂' })
    await logEvent('subscription_created', { orgId: 'pro', planCode: 'PRO', amount: 2900 })
    wrote('subscriptions_created_total', { plan: 'PRO' })
    await logEvent('file_upload', { orgId: 'pro', fileSize: 1_234_567, fileType: 'application/pdf' })
    wrote('file_uploads_total', { file_type: 'application/pdf' })
    wrote('file_upload_bytes_total', { file_type: 'application/pdf' }, 1_234_567)
  },

  async second() {
    await prisma.message.update({ where: { id: 'streams' }, data: { tokens: 321 } })
    wrote('tokens_total', { provider: 'openai', model: 'gpt-4o' }, 321)
    await use('pro', 'openai', 'gpt-4o', 321n, '0.75')

    await prisma.$transaction(async (tx) => {
      await tx.message.create({ data: message('anthropic', 'claude', 50, { userId: 'ana' }) })
      await use('pro', 'anthropic', 'claude', 50n, '0.000001', tx)
      await tx.subscription.update({ where: { orgId: 'pro' }, data: { status: 'canceled', canceledAt: new Date() } })
      await logEvent('subscription_cancelled', { orgId: 'pro', reason: 'too expensive' }, tx)
    })
    wrote('subscriptions_cancelled_total', { reason: 'too expensive' })
    wrote('subscriptions', { plan: 'PRO', status: 'active' }, -1)
    wrote('subscriptions', { plan: 'PRO', status: 'canceled' })
    wrote('mrr_usd', { plan: 'PRO' }, -29)

    const given = written.length
    const rolledBack = new Error('rolled back')
    await prisma.$transaction(async (tx) => {
      await tx.message.create({ data: message('openai', 'gpt-4o', 1_000_000, { userId: 'ana' }) })
      await logEvent('user_signup', { userId: 'nobody', source: 'direct' }, tx)
      throw rolledBack
    }).catch((error) => { if (error !== rolledBack) throw error })
    written.length = given

    await prisma.$transaction([
      prisma.user.create({ data: { email: 'eva@example.com', name: 'Eva' } }),
      prisma.metric.create({ data: request('/v1/chat', 'POST', 200, 125) })
    ])
    wrote('users', {})
  }
}

await steps[step]()
await prisma.$disconnect()
console.log(JSON.stringify(written))
