-- subscriptions
SELECT setseed(0.2);

-- An organisation that subscribes does so in its first days; some of them leave again.
CREATE TEMP TABLE subscribed ON COMMIT DROP AS
SELECT org, org_id, at, plan, amount, reason, overdue, CASE WHEN leaves < until THEN leaves END AS left_at
FROM (
    SELECT
        org,
        org_id,
        (at + random() * interval '5 days')::timestamp(3) AS at,
        (at + interval '5 days' - ln(1 - random()) * interval '200 days')::timestamp(3) AS leaves,
        floor(random() * 100) AS plan_slot,
        floor(random() * 100) AS reason_slot,
        random() < 0.04 AS overdue
    FROM person WHERE n % 3 = 1 AND random() < 0.45
) AS drawn
JOIN plan_pick ON plan_pick.slot = plan_slot
JOIN reason_pick ON reason_pick.slot = reason_slot
CROSS JOIN (SELECT max(start) + interval '1 hour' AS until FROM hour) AS fill
WHERE at < until;

INSERT INTO "Subscription" (id, "orgId", "stripeSubscriptionId", status, amount, "createdAt", "canceledAt")
SELECT
    pg_temp.cuid('subscription', org),
    org_id,
    'sub_' || substr(md5('stripe' || org), 1, 24),
    CASE WHEN left_at IS NOT NULL THEN 'canceled' WHEN overdue THEN 'past_due' ELSE 'active' END,
    amount,
    at,
    left_at
FROM subscribed;

-- The plan stays when the subscription is cancelled: what is paid for runs to its end.
UPDATE "Org" SET "planCode" = plan::"PlanCode" FROM subscribed WHERE id = org_id;

INSERT INTO "BusinessEvent" (id, "eventType", data, timestamp)
SELECT
    pg_temp.cuid('subscription_created', org),
    'subscription_created',
    json_build_object('orgId', org_id, 'planCode', plan, 'amount', amount),
    at
FROM subscribed
UNION ALL
SELECT
    pg_temp.cuid('subscription_cancelled', org),
    'subscription_cancelled',
    json_build_object('orgId', org_id, 'reason', reason),
    left_at
FROM subscribed WHERE left_at IS NOT NULL;
