-- # A trial pays nothing yet; what is past due is owed, and counts until it is cancelled. Amounts are cents a month.
-- metric: chatterfy_mrr_usd
-- help: Monthly recurring revenue in US dollars by plan, of active and past due subscriptions; read every minute.
-- reads: [subscription, org]
-- labels: [plan]
-- every: 1m
-- cap: 20
-- fill: {plan: [FREE, PRO, TEAM]}
SELECT org.plan::text AS plan, sum(subscription.amount) / 100.0 AS value
FROM subscription LEFT JOIN org ON org.id = subscription.org_id
WHERE subscription.status::text IN ('active', 'past_due')
GROUP BY 1
