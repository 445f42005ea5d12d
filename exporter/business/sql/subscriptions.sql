-- metric: chatterfy_subscriptions
-- help: Subscriptions by their organisation's plan and by status; read every minute.
-- reads: [subscription, org]
-- labels: [plan, status]
-- every: 1m
-- cap: 50
-- fill: {plan: [FREE, PRO, TEAM], status: [active, trialing, past_due, canceled]}
SELECT org.plan::text AS plan, subscription.status::text AS status, count(*) AS value
FROM subscription LEFT JOIN org ON org.id = subscription.org_id
GROUP BY 1, 2
