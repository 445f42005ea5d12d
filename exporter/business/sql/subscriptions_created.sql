-- # A label is a short text without @: what is longer, an address, no text at all or in an unreadable event is `other`.
-- metric: chatterfy_subscriptions_created_total
-- kind: counter
-- help: Subscriptions created, by plan; read every 15 seconds.
-- reads: [business_event]
-- labels: [plan]
-- time: business_event.created_at
-- cap: 20
-- fill: {plan: [FREE, PRO, TEAM, other]}
SELECT
    coalesce(
        jsonb_path_query_first(
            data, 'strict $.planCode ? (@ like_regex "^[^@[:cntrl:]]{1,64}$")', silent => true
        ) #>> '{}',
        'other'
    ) AS plan,
    count(*) AS value
FROM business_event
WHERE event_type = 'subscription_created'
GROUP BY 1
