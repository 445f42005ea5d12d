-- metric: chatterfy_orgs
-- help: Organisations by plan; read every minute.
-- reads: [org]
-- labels: [plan]
-- every: 1m
-- cap: 20
-- fill: {plan: [FREE, PRO, TEAM]}
SELECT org.plan::text AS plan, count(*) AS value FROM org GROUP BY 1
